"""A place that takes no report, met by `perfci publish`: the verdict stays what it was."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from perfci.errors import ExitCode
from perfci.model import Verdict
from perfci.pipeline import documents
from perfci.report.view import View
from tests.builders import HEAD, a_red_outcome
from tests.fakes.github import FakeGitHub, Pull
from tests.fakes.shell import Perfci, shell_in
from tests.faults import Fault, fault

RED = Verdict.REGRESSION
STANDS = "the verdict stands"
OURS = f"<!-- perfci:v1 key=ci-perf run=99 attempt=1 sha={HEAD} -->"

Prepare = Callable[[FakeGitHub, pytest.MonkeyPatch, Path], None]


@pytest.fixture
def api() -> Iterator[FakeGitHub]:
    """An API with one open pull request."""
    with FakeGitHub(pulls=[Pull(number=7, sha=HEAD)]) as server:
        yield server


@pytest.fixture
def job(api: FakeGitHub, perfci: Perfci, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Perfci:
    """`perfci` in a job of GitHub Actions that has judged a run red; its folder is `run`."""
    event = {
        "pull_request": {
            "number": 7,
            "head": {"sha": HEAD, "label": "octo:feature", "repo": {"full_name": "octo/shop"}},
            "base": {"sha": "ba5eba11" * 5, "ref": "main"},
        },
        "repository": {"full_name": "octo/shop", "default_branch": "main"},
    }
    (tmp_path / "event.json").write_text(json.dumps(event))
    documents.write(View(outcome=a_red_outcome()), tmp_path / "run", code=ExitCode.REGRESSION)
    variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REPOSITORY": "octo/shop",
        "GITHUB_WORKFLOW_REF": "octo/shop/.github/workflows/ci.yml@refs/heads/main",
        "GITHUB_JOB": "perf",
        "GITHUB_RUN_ID": "100",
        "GITHUB_API_URL": api.url,
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "PERFCI_TOKEN": "ghs_canary",
        "PERFCI_KEY": "ci-perf",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return perfci


def _answers(status: int, message: str = "no") -> Prepare:
    return lambda api, *_: api.fail("POST", r"/issues/7/comments$", status=status, message=message)


def _without(variable: str) -> Prepare:
    return lambda _, patch, __: patch.delenv(variable)


def _locked(api: FakeGitHub, *_: object) -> None:
    api.pulls = {7: Pull(number=7, sha=HEAD, locked=True)}


def _closed(api: FakeGitHub, *_: object) -> None:
    api.pulls = {7: Pull(number=7, sha=HEAD, state="closed")}


def _pushed(api: FakeGitHub, *_: object) -> None:
    api.pulls = {7: Pull(number=7, sha="0ddba115" * 5)}


def _limited(api: FakeGitHub, *_: object) -> None:
    api.fail("POST", r"/issues/7/comments$", status=429, message="slow down", headers={"Retry-After": "3600"})


def _cut(api: FakeGitHub, *_: object) -> None:
    api.fail("POST", r"/issues/7/comments$", cut=True)


def _two(api: FakeGitHub, *_: object) -> None:
    api.add_comment(7, OURS)
    api.add_comment(7, OURS)


def _read_only(_: FakeGitHub, patch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "directory.md").mkdir()  # which not even root can append to
    patch.setenv("GITHUB_STEP_SUMMARY", str(folder / "directory.md"))


@pytest.mark.parametrize(
    ("prepare", "complete"),
    [
        *(
            pytest.param(
                _answers(status),
                False,
                marks=fault(
                    "publishing",
                    "every HTTP failure of the API",
                    case="401, 403, 404, 410, 422, 429, 500, 502, 503",
                    seen="The comment could not be posted (HTTP …)",
                    then=STANDS,
                    exit=0,
                    verdict=RED,
                ),
                id=str(status),
            )
            for status in (401, 403, 404, 410, 422, 429, 500, 502, 503)
        ),
        pytest.param(
            _locked,
            False,
            marks=fault(
                "publishing",
                "pull request locked",
                seen="No comment: the conversation of the pull request is locked (HTTP 403, … issue is locked.)",
                then=STANDS,
                exit=0,
                verdict=RED,
            ),
            id="locked",
        ),
        pytest.param(
            _answers(422, "body is too long (maximum is 65536)"),
            False,
            marks=fault(
                "publishing",
                "body too long",
                seen="The comment could not be posted (HTTP 422, body is too long …)",
                then=STANDS,
                exit=0,
                verdict=RED,
            ),
            id="long",
        ),
        pytest.param(
            _closed,
            True,
            marks=fault(
                "publishing",
                "pull request closed",
                seen="comment: skipped (pull request #7 is closed)",
                exit=0,
                verdict=RED,
            ),
            id="closed",
        ),
        pytest.param(
            _pushed,
            True,
            marks=fault(
                "publishing",
                "another commit was pushed",
                seen="comment: skipped (this run is for …, and the head of pull request #7 is now …)",
                exit=0,
                verdict=RED,
            ),
            id="pushed",
        ),
        pytest.param(
            _limited,
            False,
            marks=fault(
                "publishing",
                "the API asks to wait for an hour",
                seen="The comment could not be posted (HTTP 429, the next try would be in 3600 s, and … s are left)",
                then=STANDS,
                exit=0,
                verdict=RED,
            ),
            id="limited",
        ),
        pytest.param(
            _cut,
            False,
            marks=fault(
                "publishing",
                "connection cut",
                seen="The comment could not be posted (ConnectionError: …)",
                then=STANDS,
                exit=0,
                verdict=RED,
            ),
            id="cut",
        ),
        pytest.param(
            _two,
            True,
            marks=fault("publishing", "two comments with our marker", seen="comment: updated", exit=0, verdict=RED),
            id="two",
        ),
        pytest.param(
            _without("PERFCI_TOKEN"),
            False,
            marks=fault(
                "publishing",
                "token missing",
                seen="No comment: there is no token to write it with.",
                exit=0,
                verdict=RED,
            ),
            id="token",
        ),
        pytest.param(
            _without("GITHUB_STEP_SUMMARY"),
            False,
            marks=fault(
                "publishing",
                "summary file missing",
                seen="no job summary: GITHUB_STEP_SUMMARY is not set",
                exit=0,
                verdict=RED,
            ),
            id="summary",
        ),
        pytest.param(
            _read_only,
            False,
            marks=fault(
                "publishing",
                "summary file read-only",
                seen="no job summary: GITHUB_STEP_SUMMARY=… cannot be written: …",
                exit=0,
                verdict=RED,
            ),
            id="read-only",
        ),
    ],
)
def test_what_cannot_be_published_changes_no_verdict(  # noqa: PLR0917  # fixtures come by name
    api: FakeGitHub,
    job: Perfci,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    expected: Fault,
    prepare: Prepare,
    complete: bool,
) -> None:
    """A warning says what is missing; where publishing is required, it ends with 4; the gate is as red as before."""
    prepare(api, monkeypatch, tmp_path)
    code, out, err = job("publish", "run")
    expected.check(code=code, text=out + err)
    assert documents.read(tmp_path / "run").verdict is expected.verdict
    assert job("gate", "run")[0] == ExitCode.REGRESSION
    assert job("publish", "run", "--required")[0] == (ExitCode.OK if complete else ExitCode.NOT_PUBLISHED)


@fault(
    "publishing",
    "artifact folder missing",
    seen="there is no result in run: the measuring step did not finish",
    then="see the log of that step; this one only reads its result",
    exit=3,
)
@pytest.mark.parametrize("command", ["publish", "gate"])
def test_without_a_folder_nothing_is_green(perfci: Perfci, expected: Fault, command: str) -> None:
    """The step that measured left nothing: neither publishing nor the gate makes something up."""
    code, out, err = perfci(command, "run")
    expected.check(code=code, text=err)
    assert out == ""


@pytest.mark.usefixtures("job")
def test_what_libraries_log_stays_out(api: FakeGitHub, tmp_path: Path) -> None:
    """The step's output is perfci's alone, also where the API redirects, which PyGithub would note."""
    there = {"Location": f"{api.url}/api/v3/repos/octo/shop/pulls/7"}
    api.fail("GET", "/pulls/7$", headers=there, status=301, times=1)
    with shell_in(tmp_path / "shell", {}, state=tmp_path / "state", environ=dict(os.environ)) as shell:
        done = shell.perfci("publish", str(tmp_path / "run"))
    assert (done.returncode, done.stderr) == (0, "")
    assert [
        line for line in done.stdout.splitlines() if not line.startswith(("::error title=perfci::", "comment: "))
    ] == []
