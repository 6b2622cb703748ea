"""The comment over real HTTP: PyGithub against a server that behaves like GitHub's API."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from github import GithubRetry

from perfci.model import Verdict
from perfci.publish.comment import CommentResult, Policy, Status, post
from perfci.publish.event import Job
from tests.fakes.github import FakeGitHub, Pull

HEAD = "f00dfeed" * 5
OLD = "0ddba115" * 5
TOKEN = "ghs_canary0123456789"


@pytest.fixture
def api() -> Iterator[FakeGitHub]:
    with FakeGitHub(pulls=[Pull(number=7, sha=HEAD)]) as server:
        yield server


def a_job(api: FakeGitHub, **changes: Any) -> Job:
    """A run of a pull request from the same repository."""
    job = Job(
        event="pull_request",
        repository="octo/shop",
        pr=7,
        head_sha=HEAD,
        head_label="octo:feature",
        base_sha="ba5eba11" * 5,
        base_ref="main",
        default_branch="main",
        is_fork=False,
        is_dependabot=False,
        run_id=100,
        attempt=1,
        api_url=api.url,
        server_url="http://127.0.0.1:1",
        key="perf-smoke",
    )
    return replace(job, **changes)


def marker(*, key: str = "perf-smoke", run: int = 99, attempt: int = 1, sha: str = OLD) -> str:
    """The first line of an earlier comment."""
    return f"<!-- perfci:v1 key={key} run={run} attempt={attempt} sha={sha} -->"


def say(job: Job, body: str = "## Regression", verdict: Verdict = Verdict.REGRESSION, **how: Any) -> CommentResult:
    """Post without waiting between tries."""
    options: dict[str, Any] = {"token": TOKEN, "retry": GithubRetry(total=0), "timeout": 5}
    return post(job, body, verdict, **options | how)


def test_first_run_creates(api: FakeGitHub) -> None:
    """The first run makes one comment, whose first line is the marker."""
    result = say(a_job(api))
    assert result.status is Status.CREATED
    assert result.url.endswith(f"#issuecomment-{api.comments[0].id}")
    assert [c.body for c in api.comments] == [f"{marker(run=100, sha=HEAD)}\n## Regression"]


def test_second_run_updates(api: FakeGitHub) -> None:
    """The second run changes the same comment."""
    say(a_job(api))
    assert say(a_job(api, run_id=101), "## Pass", Verdict.PASS).status is Status.UPDATED
    assert [c.body for c in api.comments] == [f"{marker(run=101, sha=HEAD)}\n## Pass"]
    assert [len(api.sent(method)) for method in ("POST", "PATCH")] == [1, 1]


def test_second_attempt_updates(api: FakeGitHub) -> None:
    """A re-run of the same run changes its own comment."""
    say(a_job(api))
    assert say(a_job(api, attempt=2)).status is Status.UPDATED


def test_same_step_twice(api: FakeGitHub) -> None:
    """The same text again writes nothing."""
    say(a_job(api))
    assert say(a_job(api)).status is Status.UNCHANGED
    assert not api.sent("PATCH")


def test_server_of_ones_own(api: FakeGitHub) -> None:
    """An API address with a path works as GitHub Enterprise Server has it."""
    with FakeGitHub(pulls=[Pull(number=7, sha=HEAD)], prefix="/api/v3") as enterprise:
        assert say(a_job(enterprise)).status is Status.CREATED
        assert say(a_job(enterprise, run_id=101)).status is Status.UPDATED
    assert not api.requests


@pytest.mark.parametrize("others", [99, 100, 150, 250])
def test_marker_on_a_late_page(api: FakeGitHub, others: int) -> None:
    """Our comment is found on whatever page it is."""
    for number in range(others):
        api.add_comment(7, f"remark {number}", login="octocat")
    ours = api.add_comment(7, marker())
    assert say(a_job(api)).status is Status.UPDATED
    assert ours.body.startswith(marker(run=100, sha=HEAD))
    assert len(api.comments) == others + 1


@pytest.mark.parametrize("login", ["mallory", "github-actions", None])
def test_planted_marker(api: FakeGitHub, login: str | None) -> None:
    """Somebody else's comment with our marker is ignored."""
    planted = api.add_comment(7, marker(), login=login)
    assert say(a_job(api)).status is Status.CREATED
    assert planted.body == marker()


def test_configured_login(api: FakeGitHub) -> None:
    """Who writes with a token of its own is found by its configured login."""
    api.add_comment(7, marker(), login="perf-app[bot]")
    say(a_job(api), login="perf-app[bot]")
    assert len(api.sent("PATCH")) == 1


def test_marker_further_down(api: FakeGitHub) -> None:
    """A marker that is not on the first line is somebody's quotation."""
    api.add_comment(7, f"> quote\n{marker()}")
    assert say(a_job(api)).status is Status.CREATED


def test_other_key(api: FakeGitHub) -> None:
    """Another matrix leg has a comment of its own."""
    other = api.add_comment(7, marker(key="perf-large"))
    assert say(a_job(api)).status is Status.CREATED
    assert other.body == marker(key="perf-large")


@pytest.mark.parametrize("earlier", [marker(run=101, sha=HEAD), marker(run=101), marker(run=100, attempt=2, sha=HEAD)])
def test_newer_run_stays(api: FakeGitHub, earlier: str) -> None:
    """A run that finishes late does not overwrite the comment of a newer one."""
    comment = api.add_comment(7, earlier)
    result = say(a_job(api))
    assert (result.status, comment.body) == (Status.SKIPPED, earlier)
    assert "newer" in result.warning


def test_comment_on_the_head_stays(api: FakeGitHub) -> None:
    """A later run for an older commit does not overwrite what was said of the head."""
    comment = api.add_comment(7, marker(run=99, sha=HEAD))
    assert say(a_job(api, head_sha=OLD)).status is Status.SKIPPED
    assert comment.body == marker(run=99, sha=HEAD)


def test_two_of_ours(api: FakeGitHub) -> None:
    """Where there are two comments of ours, the newer is kept up to date."""
    older, newer = api.add_comment(7, marker(run=98)), api.add_comment(7, marker(run=99))
    assert say(a_job(api)).status is Status.UPDATED
    assert (older.body, newer.body.partition("\n")[0]) == (marker(run=98), marker(run=100, sha=HEAD))


@pytest.mark.parametrize(
    ("policy", "verdict", "status"),
    [
        (Policy.AUTO, Verdict.PASS, Status.SKIPPED),
        (Policy.AUTO, Verdict.REGRESSION, Status.CREATED),
        (Policy.AUTO, Verdict.SLO_BREACH, Status.CREATED),
        (Policy.AUTO, Verdict.INCONCLUSIVE, Status.CREATED),
        (Policy.AUTO, Verdict.NO_BASELINE, Status.CREATED),
        (Policy.AUTO, Verdict.INVALID, Status.CREATED),
        (Policy.ALWAYS, Verdict.PASS, Status.CREATED),
        (Policy.ON_REGRESSION, Verdict.REGRESSION, Status.CREATED),
        (Policy.ON_REGRESSION, Verdict.SLO_BREACH, Status.CREATED),
        (Policy.ON_REGRESSION, Verdict.INVALID, Status.SKIPPED),
        (Policy.OFF, Verdict.REGRESSION, Status.SKIPPED),
    ],
)
def test_policy(api: FakeGitHub, policy: Policy, verdict: Verdict, status: Status) -> None:
    """The policy decides whether something is said where nothing has been said."""
    assert say(a_job(api), verdict=verdict, policy=policy).status is status
    assert len(api.comments) == (status is Status.CREATED)


@pytest.mark.parametrize("policy", [Policy.AUTO, Policy.ALWAYS, Policy.ON_REGRESSION])
def test_green_after_red(api: FakeGitHub, policy: Policy) -> None:
    """A pass brings an earlier comment up to date under every policy that comments."""
    api.add_comment(7, marker())
    assert say(a_job(api), verdict=Verdict.PASS, policy=policy).status is Status.UPDATED


def test_off_asks_nothing(api: FakeGitHub) -> None:
    """Switched off means no request at all."""
    say(a_job(api), policy=Policy.OFF)
    assert not api.requests


@pytest.mark.parametrize("who", [{"is_fork": True, "pr": 7}, {"is_dependabot": True}])
def test_deferred(api: FakeGitHub, who: dict[str, Any]) -> None:
    """A fork's job and Dependabot's write nothing and ask nothing."""
    assert say(a_job(api, **who)) == CommentResult(status=Status.DEFERRED)
    assert not api.requests


def test_trusted_workflow(api: FakeGitHub) -> None:
    """`workflow_run` comments for a fork, on the open pull request whose head it measured."""
    api.pulls = {n: Pull(number=n, sha=sha, label="mallory:fix") for n, sha in ((7, OLD), (8, HEAD))}
    job = a_job(api, event="workflow_run", is_fork=True, pr=None, head_label="mallory:fix")
    assert say(job).status is Status.CREATED
    assert [comment.issue for comment in api.comments] == [8]


@pytest.mark.parametrize("changes", [{"pr": 7, "head_sha": OLD}, {"pr": None, "head_sha": OLD}])
def test_trusted_workflow_for_another_commit(api: FakeGitHub, changes: dict[str, Any]) -> None:
    """`workflow_run` says nothing of a pull request whose head is another commit."""
    assert say(a_job(api, event="workflow_run", is_fork=True, **changes)).status is Status.SKIPPED
    assert not api.comments


@pytest.mark.parametrize(
    ("pull", "status"),
    [
        (Pull(number=7, sha=HEAD), Status.CREATED),
        (Pull(number=7, sha=OLD), Status.SKIPPED),
        (Pull(number=7, sha=HEAD, state="closed"), Status.SKIPPED),
    ],
)
def test_push(api: FakeGitHub, pull: Pull, status: Status) -> None:
    """A push comments on the open pull request of its commit, where there is one."""
    api.pulls = {7: pull}
    assert say(a_job(api, event="push", pr=None, head_label="")).status is status


_READ = ("GET", r"/issues/7/comments$")
_CREATE = ("POST", r"/issues/7/comments$")
_UPDATE = ("PATCH", r"/issues/comments/\d+$")
_PULL = ("GET", r"/pulls/7$")


@pytest.mark.parametrize("request_", [_PULL, _READ, _CREATE, _UPDATE], ids=["pull", "read", "create", "update"])
@pytest.mark.parametrize(
    ("http_status", "message", "status"),
    [
        (401, "Bad credentials", Status.DENIED),
        (403, "Resource not accessible by integration", Status.DENIED),
        (403, "API rate limit exceeded for installation", Status.FAILED),
        (403, "You have exceeded a secondary rate limit", Status.FAILED),
        (404, "Not Found", Status.FAILED),
        (410, "This issue was deleted", Status.FAILED),
        (422, "Validation Failed", Status.FAILED),
        (429, "Too many requests", Status.FAILED),
        (500, "Server Error", Status.FAILED),
        (502, "Bad Gateway", Status.FAILED),
        (503, "Unavailable", Status.FAILED),
    ],
)
def test_failures(api: FakeGitHub, request_: tuple[str, str], http_status: int, message: str, status: Status) -> None:
    """Every HTTP failure of every request becomes a status and one warning."""
    if request_ == _UPDATE:
        api.add_comment(7, marker())
    api.fail(*request_, status=http_status, message=message)
    result = say(a_job(api))
    assert result.status is status
    assert "\n" not in result.warning
    assert "verdict stands" in result.warning
    assert TOKEN not in result.warning


@pytest.mark.parametrize("request_", [_READ, _CREATE])
def test_no_answer(api: FakeGitHub, request_: tuple[str, str]) -> None:
    """A server that never answers costs the time-out and no more."""
    api.fail(*request_, hang=True)
    started = time.monotonic()
    assert say(a_job(api), timeout=1).status is Status.FAILED
    assert time.monotonic() - started < 5


def test_nobody_there(api: FakeGitHub) -> None:
    """An address where nothing listens is a failed comment."""
    result = say(a_job(api, api_url="http://127.0.0.1:9"))
    assert result.status is Status.FAILED


@pytest.mark.parametrize("request_", [_PULL, _READ, _CREATE])
@pytest.mark.parametrize("raw", ["<html>Sign in</html>", "{", "[]", "{}", "null", '[{"id": "x"}]'])
def test_no_sense(api: FakeGitHub, request_: tuple[str, str], raw: str) -> None:
    """An answer that is no API answer never ends in a traceback."""
    api.fail(*request_, raw=raw)
    assert say(a_job(api)).status in {Status.FAILED, Status.CREATED}


def test_body_too_long(api: FakeGitHub) -> None:
    """A body that the API refuses as too long is a failed comment."""
    assert say(a_job(api), "x" * 70_000).status is Status.FAILED


def test_forged_warning(api: FakeGitHub) -> None:
    """What a server says cannot become a workflow command or fill the log."""
    api.fail("GET", "/pulls/7", status=500, message="##[error]x\n::set-output name=a::b" + "y" * 5000)
    warning = say(a_job(api)).warning
    assert "##[" not in warning
    assert "\n" not in warning
    assert len(warning) < 500


def test_retry(api: FakeGitHub) -> None:
    """A passing failure of a read is tried again; a comment is never posted twice."""
    patient = GithubRetry(total=3, allowed_methods={"GET", "PATCH"})
    api.fail(*_READ, status=502, times=2)
    assert say(a_job(api), retry=patient).status is Status.CREATED
    api.comments.clear()
    api.fail(*_CREATE, status=502, times=1)
    assert say(a_job(api), retry=patient).status is Status.FAILED


@pytest.mark.parametrize(
    ("changes", "token", "status"),
    [
        ({}, "", Status.DENIED),
        ({"api_url": ""}, TOKEN, Status.FAILED),
        ({"api_url": "ftp://127.0.0.1"}, TOKEN, Status.FAILED),
        ({"pr": None, "head_sha": ""}, TOKEN, Status.SKIPPED),
    ],
)
def test_not_even_asked(api: FakeGitHub, changes: dict[str, Any], token: str, status: Status) -> None:
    """What cannot work is not tried."""
    assert say(a_job(api, **changes), token=token).status is status
    assert not api.requests


def test_never_asks_who_it_is(api: FakeGitHub) -> None:
    """`GET /user`, which the job's token may not ask, is never asked; every request carries the token."""
    say(a_job(api))
    assert {request.path for request in api.requests} == {
        "/repos/octo/shop",
        "/repos/octo/shop/pulls/7",
        "/repos/octo/shop/issues/7/comments",
    }
    assert all(request.authorized for request in api.requests)
    assert [request.query["per_page"] for request in api.sent("GET") if "comments" in request.path] == ["100"]
