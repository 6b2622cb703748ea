"""The Action's steps one after the other, as a runner has them, with the API on loopback."""

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from perfci.errors import ExitCode
from perfci.pipeline import documents
from perfci.report.view import View
from tests.builders import HEAD, a_red_outcome
from tests.fakes.github import FakeGitHub, Pull
from tests.fakes.runner import Job, Runner

ROOT = Path(__file__).parents[2]
TOKEN = "ghs_canary0123456789"
COMMANDS = "::set-output name=verdict::pass\n##[error]x\n::stop-commands::t\n::add-mask::regression"


@pytest.fixture
def api() -> Iterator[FakeGitHub]:
    """An API with one open pull request."""
    with FakeGitHub(pulls=[Pull(number=7, sha=HEAD)]) as server:
        yield server


@pytest.fixture
def runner(api: FakeGitHub, tmp_path: Path) -> Runner:
    """The runner of a pull request's job, whose checkout has no service: the measuring step ends with a bad input."""
    for name in ("action", "workspace", "temp"):
        (tmp_path / name).mkdir()
    shutil.copy(ROOT / "action.yml", tmp_path / "action")
    head = {"sha": HEAD, "label": "octo:feature", "repo": {"full_name": "octo/shop"}}
    event = {"pull_request": {"number": 7, "head": head, "base": {"sha": "ba5e" * 10, "ref": "main"}}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    environ = {
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REPOSITORY": "octo/shop",
        "GITHUB_WORKFLOW_REF": "octo/shop/.github/workflows/performance.yml@refs/heads/main",
        "GITHUB_JOB": "gate",
        "GITHUB_RUN_ID": "100",
        "GITHUB_API_URL": api.url,
        "GITHUB_SERVER_URL": "https://git.example",
    }
    return Runner(action=tmp_path / "action", workspace=tmp_path / "workspace", temp=tmp_path / "temp", environ=environ)


def _job(runner: Runner, seen: dict[str, int] | None = None, api: FakeGitHub | None = None) -> Job:
    """A job that measured a regression; *seen* gets the number of comments before the gate."""
    folder = runner.temp / "run"
    outcome = replace(a_red_outcome(), reason=f"GET /tickets/ is slower\n{COMMANDS}")

    def measured() -> None:
        documents.write(View(outcome=outcome), folder, code=ExitCode.REGRESSION)

    def gate() -> None:
        if seen is not None and api is not None:
            seen["comments"] = len(api.comments)

    def keep(given: Mapping[str, str]) -> Mapping[str, str]:
        return {"artifact-url": f"https://git.example/{given['name']}", "artifact-digest": "ab" * 32}

    return runner.job(
        inputs={"profile": "shop", "users": "-1", "github-token": TOKEN},
        setup={"python": sys.executable, "run": str(folder), "libraries": ""},
        uses={"Keep the evidence": keep},
        before={"Publish": measured, "Gate": gate},
    )


def test_must_09_comment_summary_and_artifact_come_before_the_gate(runner: Runner, api: FakeGitHub) -> None:
    """The measuring step may fail; then everything is told, what was started is stopped, and the gate fails last."""
    seen: dict[str, int] = {}
    job = _job(runner, seen, api)
    assert {name: step.code for name, step in job.steps.items()} == {
        "Measure and judge": 2,
        "Keep the evidence": 0,
        "Publish": 0,
        "Clean up": 0,
        "Gate": 10,
    }
    assert seen == {"comments": 1}
    assert "Regression" in job.steps["Publish"].files["GITHUB_STEP_SUMMARY"]
    assert job.outputs["verdict"] == "regression"
    assert job.outputs["comment-status"] == "created"
    assert job.outputs["artifact-name"] in api.comments[0].body
    assert job.failed


def test_must_10_a_comment_that_fails_leaves_the_gate_as_it_is(runner: Runner, api: FakeGitHub) -> None:
    """One warning, an output that says so, and the exit code of the verdict."""
    api.fail("GET", "/pulls/7", status=403)
    job = _job(runner)
    levels = [level for level, _ in job.steps["Publish"].obeyed.annotations]
    assert levels.count("warning") == 1
    assert job.outputs["comment-status"] == "denied"
    assert job.steps["Gate"].code == 10


def test_must_15_what_others_wrote_gives_no_orders(runner: Runner) -> None:
    """Neither in the log of any step nor in the outputs, which are read back as they were meant."""
    job = _job(runner)
    for name, step in job.steps.items():
        obeyed = step.obeyed
        assert (obeyed.given_up, obeyed.masked, obeyed.other) == ([], [], []), name
    assert job.outputs["verdict"] == "regression"
    assert job.outputs["reason"].startswith("GET /tickets/ is slower")


def test_must_18_the_token_is_given_to_the_publishing_step_alone(runner: Runner) -> None:
    """And stands in no log, file or argument of any."""
    job = _job(runner)
    assert [name for name, step in job.steps.items() if TOKEN in step.given.values()] == ["Publish"]
    assert not [name for name, step in job.steps.items() if TOKEN in step.log + "".join(step.files.values())]
    assert not [file for file in runner.temp.rglob("*") if file.is_file() and TOKEN.encode() in file.read_bytes()]


def test_must_12_two_legs_of_a_matrix_have_comments_and_artifacts_of_their_own(runner: Runner, api: FakeGitHub) -> None:
    """And a second attempt has another artifact, and the same comment."""
    first = _job(replace(runner, matrix={"database": "postgres"}))
    second = _job(replace(runner, matrix={"database": "mysql"}))
    again = replace(runner, matrix={"database": "mysql"}, environ={**runner.environ, "GITHUB_RUN_ATTEMPT": "2"})
    names = [job.outputs["artifact-name"] for job in (first, second, _job(again))]
    assert len(set(names)) == 3
    assert names[1][:-2] == names[2][:-2]
    assert len(api.comments) == 2
