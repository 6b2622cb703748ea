"""The runner of the tests does what GitHub's does with the steps of a composite action."""

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fakes.expressions import evaluate, filled
from tests.fakes.runner import Job, Runner, read_file
from tests.fakes.runner_log import obey

CONTEXT = {"inputs": {"word": "plain", "empty": ""}, "steps": {"a": {"outputs": {"x-y": "1"}}}, "matrix": None}


def _runner(tmp_path: Path, *steps: dict[str, Any], **action: Any) -> Runner:
    for name in ("workspace", "temp"):
        (tmp_path / name).mkdir()
    full = [{"shell": "bash", "name": f"step {number}", **step} for number, step in enumerate(steps, start=1)]
    (tmp_path / "action.yml").write_text(yaml.safe_dump({"runs": {"steps": full}, **action}))
    earlier = {"SET_BEFORE": "by an earlier step", "KEPT": "kept"}
    return Runner(action=tmp_path, workspace=tmp_path / "workspace", temp=tmp_path / "temp", environ=earlier)


def _codes(job: Job) -> list[int | None]:
    return [step.code for step in job.steps.values()]


def test_a_step_gets_its_environment_over_the_jobs(tmp_path: Path) -> None:
    """Expressions are filled in, what they name and nobody has is empty, and a failing pipe ends the step."""
    env = {"WORD": "${{ inputs.word }}", "PLACE": "in ${{ steps.setup.outputs.place }}", "SET_BEFORE": ""}
    script = 'echo "$WORD|$PLACE|$SET_BEFORE|$KEPT"\necho "one=1" >>"$GITHUB_OUTPUT"\nfalse | true\necho never\n'
    inputs = {"word": {"description": "A word.", "default": "plain"}}
    runner = _runner(tmp_path, {"name": "say", "env": env, "run": script}, inputs=inputs)
    step = runner.step("say", setup={"place": "the middle"})
    assert (step.log, step.code, step.outputs) == ("plain|in the middle||kept\n", 1, {"one": "1"})
    step = runner.step("say", inputs={"word": "$(id) ${{ inputs.word }}"})
    assert step.log.startswith("$(id) ${{ inputs.word }}|")


def test_steps_know_what_came_before(tmp_path: Path) -> None:
    """GITHUB_ENV and GITHUB_PATH reach the steps that follow, outputs those that name them, files are empty anew."""
    runner = _runner(
        tmp_path,
        {
            "id": "first",
            "run": 'echo "A=1" >>"$GITHUB_ENV"\necho "$PWD/bin" >>"$GITHUB_PATH"\n'
            'printf "two<<END\\na\\nb=c\\nEND\\n" >>"$GITHUB_OUTPUT"\necho "A is ${A:-not set}"',
        },
        {"env": {"TWO": "${{ steps.first.outputs.two }}"}, "run": 'echo "$A|$TWO|${PATH%%:*}"\ncat "$GITHUB_OUTPUT"'},
        outputs={"whole": {"value": "<${{ steps.first.outputs.two }}>"}},
    )
    job = runner.job()
    first, second = job.steps.values()
    assert first.log == "A is not set\n"
    assert second.log == f"1|a\nb=c|{runner.workspace}/bin\n"
    assert (job.failed, job.outputs) == (False, {"whole": "<a\nb=c>"})


def test_a_failure_leaves_out_what_does_not_ask_for_it(tmp_path: Path) -> None:
    """`if` decides, and without a function it means: only where nothing has failed."""
    steps = [
        {"run": "exit 3"},
        {"run": "true"},
        {"run": "true", "if": "inputs.word == 'plain'"},
        {"run": "true", "if": "${{ always() }}"},
        {"run": "true", "if": "${{ !cancelled() && inputs.word != 'none' }}"},
        {"run": "true", "if": "${{ failure() }}"},
        {"run": "true", "if": "cancelled()"},
    ]
    job = _runner(tmp_path, *steps, inputs={"word": {"default": "plain"}}).job()
    assert _codes(job) == [3, None, None, 0, 0, 0, None]
    assert job.failed


def test_a_failure_that_is_allowed_fails_nothing(tmp_path: Path) -> None:
    """`continue-on-error` lets the job go on, and the step's outcome is still a failure."""
    steps: list[dict[str, Any]] = [
        {"id": "x", "run": "exit 1", "continue-on-error": True},
        {"run": "true", "if": "steps.x.outcome == 'failure'"},
    ]
    job = _runner(tmp_path, *steps).job()
    assert (_codes(job), job.failed) == ([1, 0], False)


def test_another_action_is_what_the_test_says(tmp_path: Path) -> None:
    """It is asked with its inputs, and gives its outputs."""
    asked: list[Mapping[str, str]] = []

    def upload(given: Mapping[str, str]) -> Mapping[str, str]:
        asked.append(given)
        return {"url": "u"}

    steps: list[dict[str, Any]] = [
        {"id": "up", "name": "upload", "uses": "octo/upload@v7", "with": {"name": "${{ inputs.word }}", "n": 3}},
        {"env": {"URL": "${{ steps.up.outputs.url }}"}, "run": 'echo "$URL"'},
    ]
    runner = _runner(tmp_path, *steps, inputs={"word": {"default": "plain"}})
    job = runner.job(uses={"upload": upload})
    assert (asked, job.steps["step 2"].log) == ([{"name": "plain", "n": "3"}], "u\n")
    assert runner.job().steps["step 2"].log == "\n"


def test_the_set_up_may_be_replaced(tmp_path: Path) -> None:
    """Its outputs are those that the test gives; it is not run."""
    place = {"P": "${{ steps.setup.outputs.python }}"}
    steps: list[dict[str, Any]] = [
        {"id": "setup", "run": "touch ran"},
        {"env": place, "run": 'echo "$P"', "if": "steps.setup.outcome == 'success'"},
    ]
    runner = _runner(tmp_path, *steps)
    assert runner.job(setup={"python": "here"}).steps["step 2"].log == "here\n"
    assert not (runner.workspace / "ran").exists()


@pytest.mark.parametrize(
    ("script", "code", "ignored"),
    [
        ("trap 'echo INT; exit 130' INT; touch up; while :; do sleep 0.05; done", 130, 0),
        ("trap '' INT; trap 'echo TERM; exit 143' TERM; touch up; while :; do sleep 0.05; done", 143, 1),
        ("trap '' INT TERM; touch up; while :; do sleep 0.05; done", -9, 2),
    ],
)
def test_a_cancel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, code: int, ignored: int) -> None:
    """SIGINT, then SIGTERM, then SIGKILL to the step's process; `always()` runs, `!cancelled()` does not."""
    from tests.fakes import runner as runners

    patience = [(number, 0.3 if place < ignored else 60.0) for place, (number, _) in enumerate(runners.CANCEL_S)]
    monkeypatch.setattr(runners, "CANCEL_S", tuple(patience))
    steps = [
        {"name": "long", "run": script},
        {"run": "true", "if": "always()"},
        {"run": "true", "if": "!cancelled()"},
        {"run": "true"},
    ]
    runner, event = _runner(tmp_path, *steps), threading.Event()
    threading.Thread(target=_once, args=(runner.workspace / "up", event), daemon=True).start()
    job = runner.job(cancel={"long": event})
    assert (_codes(job), job.failed) == ([code, 0, None, None], True)


def _once(file: Path, event: threading.Event) -> None:
    while not file.exists():
        time.sleep(0.01)
    event.set()


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("inputs.word", "plain"),
        ("inputs.nobody", None),
        ("nobody.nothing", None),
        ("steps.a.outputs.x-y", "1"),
        ("inputs.empty || 'else'", "else"),
        ("inputs.word || 'else'", "plain"),
        ("inputs.empty && 'then'", ""),
        ("!inputs.empty", True),
        ("inputs.word == 'plain' && inputs.word != 'x'", True),
        ("(inputs.empty || inputs.word) == 'plain'", True),
        ("'it''s'", "it's"),
        ("toJSON(matrix)", "null"),
        ("fromJSON(toJSON(steps)).a.outputs.x-y", "1"),
    ],
)
def test_expressions(expression: str, value: object) -> None:
    """As GitHub evaluates them; false shows as false, and nothing as an empty text."""
    assert evaluate(f"${{{{ {expression} }}}}", CONTEXT) == value


@pytest.mark.parametrize("expression", ["", "inputs.word inputs.word", "(inputs.word", "§", "a == "])
def test_what_is_no_expression(expression: str) -> None:
    """A mistake in action.yml fails the test that runs it."""
    with pytest.raises((ValueError, IndexError)):
        evaluate(expression, CONTEXT)


def test_texts_are_filled() -> None:
    """Expressions in a text, and the text around them."""
    assert filled("a ${{ inputs.word }}${{ inputs.nobody }} ${{ !inputs.word }}", CONTEXT) == "a plain false"


def test_command_files() -> None:
    """Both forms, and a value that looks like the other one."""
    assert read_file("a=1=2\nb<<E\nx\nc=3\n\nE\nd=\n") == {"a": "1=2", "b": "x\nc=3\n", "d": ""}


LOG = """\
::error title=perfci::it is%0Aslower
 ::warning::w
text ::error::not at the start
##[error]of former times
::set-output name=a::b
::add-mask::secret
::group::g
::stop-commands::token
::error::unheard
::token::
::notice file=a.py,line=1::n
"""


def test_the_log_is_a_control_channel() -> None:
    """What stands where the runner obeys it, and what does not."""
    obeyed = obey(LOG.splitlines())
    assert obeyed.annotations == [
        ("error", "it is\nslower"), ("warning", "w"), ("error", "of former times"), ("notice", "n")
    ]  # fmt: skip
    assert (obeyed.masked, obeyed.given_up, obeyed.other) == (["secret"], ["set-output"], ["group"])
