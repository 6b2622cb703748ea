"""The Action's steps one after the other, as a runner has them, with the API on loopback."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from perfci.errors import ExitCode
from perfci.model import WordedReason
from perfci.pipeline import documents
from perfci.report.view import View
from tests.builders import HEAD, a_red_outcome
from tests.fakes.github import FakeGitHub, Pull
from tests.fakes.runner import Job, Runner

ROOT = Path(__file__).parents[2]
TOKEN = "ghs_canary0123456789"
INPUTS = {"profile": "shop", "users": "-1", "github-token": TOKEN}
COMMANDS = "::set-output name=verdict::pass\n##[error]x\n::stop-commands::t\n::add-mask::regression"


@pytest.fixture
def api() -> Iterator[FakeGitHub]:
    """An API with one open pull request."""
    with FakeGitHub(pulls=[Pull(number=7, sha=HEAD)]) as server:
        yield server


@pytest.fixture
def runner(api: FakeGitHub, tmp_path: Path) -> Runner:
    """The runner of a pull request's job."""
    return _runner(api, tmp_path)


def _runner(api: FakeGitHub, folder: Path) -> Runner:
    """One whose checkout has no service: the measuring step ends with a bad input."""
    for name in ("action", "workspace", "temp"):
        (folder / name).mkdir()
    shutil.copy(ROOT / "action.yml", folder / "action")
    head = {"sha": HEAD, "label": "octo:feature", "repo": {"full_name": "octo/shop"}}
    event = {"pull_request": {"number": 7, "head": head, "base": {"sha": "ba5e" * 10, "ref": "main"}}}
    (folder / "event.json").write_text(json.dumps(event))
    environ = {
        "XDG_STATE_HOME": str(folder / "state"),
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_REPOSITORY": "octo/shop",
        "GITHUB_WORKFLOW_REF": "octo/shop/.github/workflows/performance.yml@refs/heads/main",
        "GITHUB_JOB": "gate",
        "GITHUB_RUN_ID": "100",
        "GITHUB_API_URL": api.url,
        "GITHUB_SERVER_URL": "https://git.example",
    }
    return Runner(action=folder / "action", workspace=folder / "workspace", temp=folder / "temp", environ=environ)


def _setup(runner: Runner) -> dict[str, str]:
    return {"python": sys.executable, "run": str(runner.temp / "run"), "libraries": ""}


def _measured(runner: Runner) -> None:
    """Let the measuring step have found a regression, told in words that look like commands of the runner."""
    outcome = replace(a_red_outcome(), because=WordedReason(f"GET /tickets/ is slower\n{COMMANDS}"))
    documents.write(View(outcome=outcome), runner.temp / "run", code=ExitCode.REGRESSION)


def _job(runner: Runner, before_the_gate: Callable[[], object] = bool) -> Job:
    """All steps of a job that has found a regression."""

    def keep(given: Mapping[str, str]) -> Mapping[str, str]:
        return {"artifact-url": f"https://git.example/{given['name']}", "artifact-digest": "ab" * 32}

    return runner.job(
        inputs=INPUTS,
        setup=_setup(runner),
        uses={"Keep the evidence": keep},
        before={"Publish": lambda: _measured(runner), "Gate": before_the_gate},
    )


@dataclass(frozen=True, kw_only=True)
class Done:
    """A whole job, and the comments that were there before its gate."""

    job: Job
    comments: list[str]
    temp: Path


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A job of which nothing is changed."""
    comments: list[str] = []
    with FakeGitHub(pulls=[Pull(number=7, sha=HEAD)]) as api:
        runner = _runner(api, tmp_path_factory.mktemp("job"))
        job = _job(runner, lambda: comments.extend(comment.body for comment in api.comments))
    return Done(job=job, comments=comments, temp=runner.temp)


def test_must_09_comment_summary_and_artifact_come_before_the_gate(done: Done) -> None:
    """The measuring step may fail; then everything is told, what was started is stopped, and the gate fails last."""
    assert {name: step.code for name, step in done.job.steps.items()} == {
        "Measure and judge": 2,
        "Keep the evidence": 0,
        "Publish": 0,
        "Clean up": 0,
        "Gate": 10,
    }
    (comment,) = done.comments
    assert f"](https://git.example/{done.job.outputs['artifact-name']})" in comment
    assert "Regression" in done.job.steps["Publish"].files["GITHUB_STEP_SUMMARY"]
    assert done.job.outputs["verdict"] == "regression"
    assert done.job.outputs["comment-status"] == "created"
    assert done.job.failed


def test_must_10_a_comment_that_fails_leaves_the_gate_as_it_is(runner: Runner, api: FakeGitHub) -> None:
    """One warning, an output that says so, and the exit code of the verdict."""
    api.fail("GET", "/pulls/7", status=403)
    job = _job(runner)
    levels = [level for level, _ in job.steps["Publish"].obeyed.annotations]
    assert levels.count("warning") == 1
    assert job.outputs["comment-status"] == "denied"
    assert job.steps["Gate"].code == 10


def test_must_15_what_others_wrote_gives_no_orders(done: Done) -> None:
    """Neither in the log of any step nor in the outputs, which are read back as they were meant."""
    for name, step in done.job.steps.items():
        obeyed = step.obeyed
        assert (obeyed.given_up, obeyed.masked, obeyed.other) == ([], [], []), name
    assert done.job.outputs["verdict"] == "regression"
    assert done.job.outputs["reason"].startswith("GET /tickets/ is slower")


def test_must_18_the_token_is_given_to_the_publishing_step_alone(done: Done) -> None:
    """And stands in no log, file or argument of any."""
    steps = done.job.steps.items()
    assert [name for name, step in steps if TOKEN in step.given.values()] == ["Publish"]
    assert not [name for name, step in steps if TOKEN in step.log + "".join(step.files.values())]
    assert not [file for file in done.temp.rglob("*") if file.is_file() and TOKEN.encode() in file.read_bytes()]


def test_must_12_two_legs_of_a_matrix_have_comments_and_artifacts_of_their_own(runner: Runner, api: FakeGitHub) -> None:
    """And a second attempt has another artifact."""
    legs = [replace(runner, matrix={"database": database}) for database in ("postgres", "mysql")]
    again = replace(legs[1], environ={**runner.environ, "GITHUB_RUN_ATTEMPT": "2"})
    names = []
    for leg in (*legs, again):
        measuring = leg.step("Measure and judge", inputs=INPUTS, setup=_setup(leg))
        names.append(measuring.outputs["artifact-name"])
        if leg is not again:
            _measured(leg)
            assert leg.step("Publish", inputs=INPUTS, setup=_setup(leg)).code == 0
    assert len(set(names)) == 3
    assert names[1][:-2] == names[2][:-2]
    assert len(api.comments) == 2
