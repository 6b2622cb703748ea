"""`perfci command`: what a comment on a pull request asks for, over real HTTP."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.github import FakeGitHub, Pull
from tests.fakes.github_workflows import Dispatcher, WorkflowRun
from tests.fakes.shell import Perfci

HEAD, OTHER = "f00dfeed" * 5, "0ddba115" * 5
FORK = "a1b2c3d4" * 5

Comment = Callable[..., tuple[int, str, str]]


@pytest.fixture
def api() -> Iterator[FakeGitHub]:
    """A pull request of the repository itself and one of a fork, each with a run; *octo* may write."""
    pulls = [
        Pull(number=7, sha=HEAD, label="octo:feature", home="octo/shop"),
        Pull(number=8, sha=FORK, label="mallory:feature", home="mallory/shop"),
        Pull(number=9, sha=OTHER, state="closed"),
    ]
    runs = [WorkflowRun(id=41, commit=HEAD), WorkflowRun(id=43, commit=HEAD), WorkflowRun(id=44, commit=FORK)]
    dispatcher = Dispatcher(runs={"perf.yml": runs, "demand.yml": []})
    with FakeGitHub(pulls=pulls, dispatcher=dispatcher) as started:
        started.permissions = {"octo": "write"}
        yield started


@pytest.fixture
def comment(api: FakeGitHub, perfci: Perfci, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Comment:
    """Writes a comment; returns exit code, standard output and standard error of the job that it starts."""

    def write(body: str, *, login: str = "octo", pull: int = 7, **changes: Any) -> tuple[int, str, str]:
        said = {"body": body, "user": {"login": login, "type": "User"}}
        payload = {"action": "created", "issue": {"number": pull, "pull_request": {}}, "comment": said, **changes}
        (tmp_path / "event.json").write_text(json.dumps(payload))
        variables = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "issue_comment",
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_REPOSITORY": "octo/shop",
            "GITHUB_API_URL": api.url,
            "PERFCI_TOKEN": "ghs_canary0123456789",
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return perfci("command", "--gate", "perf.yml", "--on-demand", "demand.yml")

    return write


def started(api: FakeGitHub) -> Dispatcher:
    """What was started."""
    assert api.dispatcher is not None
    return api.dispatcher


def test_run_starts_the_newest_run_again(api: FakeGitHub, comment: Comment) -> None:
    """All of its jobs, with the rights that they have on pull_request."""
    code, out, err = comment("/perf run")
    assert (code, err) == (0, ""), (code, out, err)
    assert "started again: https://git.example/octo/shop/actions/runs/43" in out
    assert started(api).again == [(43, "rerun")]
    assert "ghs_canary" not in out


def test_a_forks_own_run_is_started_again(api: FakeGitHub, comment: Comment) -> None:
    """By its own workflow, with a token that reads; never with settings, in which it would use our caches."""
    assert comment("/perf run", pull=8)[0] == 0
    assert started(api).again == [(44, "rerun")]
    code, out, _ = comment("/perf run users=50", pull=8)
    assert code == 0
    assert "a pull request from a fork is not measured with settings" in out
    assert started(api).started == []


def test_settings_start_the_workflow_by_hand(api: FakeGitHub, comment: Comment) -> None:
    """On the branch of the pull request, with the inputs that the comment names."""
    assert comment("/perf run shop:smoke users=50 spawn-rate=5 duration=30s strategy=limits")[0] == 0
    inputs = {
        "profile": "shop",
        "scenario": "smoke",
        "users": "50",
        "spawn_rate": "5",
        "duration": "30s",
        "strategy": "limits",
    }
    assert started(api).started == [("demand.yml", "feature", inputs)]
    assert started(api).again == []


@pytest.mark.parametrize(
    "setting", ["ref=main", "users=$(id)", "users=", "commit=f00d", "USERS=5", "users=1;2", "a=b=c"]
)
def test_other_settings_are_refused(api: FakeGitHub, comment: Comment, setting: str) -> None:
    """What a workflow is not made for, or a shell could run, reaches none."""
    code, out, _ = comment(f"/perf run {setting}")
    assert code == 0
    assert "::warning" in out
    assert "cannot set" in out
    assert started(api).started == []


def test_accept_judges_again(api: FakeGitHub, comment: Comment) -> None:
    """The judging job failed, so it and no other is started: it reads the comment itself."""
    assert comment(f"/perf accept GET /a p95 at {HEAD}")[0] == 0
    assert started(api).again == [(43, "rerun-failed-jobs")]


@pytest.mark.parametrize("line", ["/perf accept GET /a p95", f"/perf accept GET /a p95 at {OTHER}"])
def test_accept_is_for_the_head(api: FakeGitHub, comment: Comment, line: str) -> None:
    """Anything else starts nothing, and the log has the line that would count."""
    code, out, _ = comment(line)
    assert code == 0
    assert f"/perf accept GET /a p95 at {HEAD}" in out
    assert started(api).again == []


def test_a_run_that_is_going_on_is_left_alone(api: FakeGitHub, comment: Comment) -> None:
    """It judges last, and reads the comment then."""
    started(api).runs["perf.yml"].append(WorkflowRun(id=50, commit=HEAD, status="in_progress"))
    assert "is still running" in comment(f"/perf accept GET /a p95 at {HEAD}")[1]
    assert started(api).again == []


@pytest.mark.parametrize(
    ("body", "how", "expected"),
    [
        ("/perf run", {"login": "mallory"}, "mallory has no write access"),
        ("/perf run", {"login": ""}, "has no write access"),
        ("/perf dance", {}, "/perf dance is no command"),
        ("please /perf run", {}, "no command"),
        ("/perf run", {"comment": {"body": "/perf run", "user": {"login": "octo", "type": "Bot"}}}, "no command"),
        ("/perf run", {"pull": 9}, "#9 is no open pull request"),
        ("/perf run", {"pull": 99}, "#99 is no open pull request"),
    ],
)
def test_nothing_is_started(api: FakeGitHub, comment: Comment, body: str, how: dict[str, Any], expected: str) -> None:
    """The reason is said, and the job is not red: anybody may write a comment."""
    code, out, _ = comment(body, **how)
    assert code == 0
    assert expected in out
    assert (started(api).again, started(api).started) == ([], [])


@pytest.mark.parametrize("changes", [{"action": "edited"}, {"issue": {"number": 7}}, {"issue": None}])
def test_another_event_is_refused(api: FakeGitHub, comment: Comment, changes: dict[str, Any]) -> None:
    """An edit, since somebody else may have made it, and a comment on an issue."""
    code, _, err = comment("/perf run", **changes)
    assert code == 2
    assert "no new comment on a pull request" in err
    assert api.requests == []


def test_a_refusal_of_the_api_names_the_permission(api: FakeGitHub, comment: Comment) -> None:
    """Exit code 4, and what the job needs."""
    api.fail("POST", r"/rerun$", status=403, message="Resource not accessible by integration", times=9)
    code, _, err = comment("/perf run")
    assert code == 4
    assert "`actions: write`" in err
