"""The comment over real HTTP: PyGithub against a server that behaves like GitHub's API."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from perfci.model import Verdict
from perfci.publish.comment import CommentResult, Policy, Status, post
from perfci.publish.event import Job
from perfci.publish.patience import Patience
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
    )
    return replace(job, **changes)


def marker(*, key: str = "perf-smoke", run: int = 99, attempt: int = 1, sha: str = OLD) -> str:
    """The first line of an earlier comment."""
    return f"<!-- perfci:v1 key={key} run={run} attempt={attempt} sha={sha} -->"


def unhurried(slept: list[float] | None = None, limit_s: float = 55) -> Patience:
    """Patience whose waits take no time; they are noted in *slept* and count against the deadline."""
    waits = [] if slept is None else slept
    return Patience(limit_s, clock=lambda: sum(waits), sleep=waits.append, now=lambda: 1_800_000_000.0)


def say(job: Job, body: str = "## Regression", verdict: Verdict = Verdict.REGRESSION, **how: Any) -> CommentResult:
    """Post without waiting between tries."""
    options: dict[str, Any] = {"key": "perf-smoke", "token": TOKEN, "patience": unhurried(), "timeout": 30}
    return post(job, body, verdict, **options | how)


def test_first_run_creates(api: FakeGitHub) -> None:
    """The first run makes one comment, whose first line is the marker."""
    result = say(a_job(api))
    assert result.status is Status.CREATED
    assert result.url.endswith(f"#issuecomment-{api.comments[0].id}")
    assert [c.body for c in api.comments] == [f"{marker(run=100, sha=HEAD)}\n## Regression"]


def test_must_11_second_run_updates(api: FakeGitHub) -> None:
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


def test_must_22_server_of_ones_own(api: FakeGitHub) -> None:
    """An API address with a path works as GitHub Enterprise Server has it."""
    with FakeGitHub(pulls=[Pull(number=7, sha=HEAD)], prefix="/api/v3") as enterprise:
        assert say(a_job(enterprise)).status is Status.CREATED
        assert say(a_job(enterprise, run_id=101)).status is Status.UPDATED
    assert not api.requests


@pytest.mark.parametrize("others", [99, 100, 150, 250])
def test_must_11_marker_on_a_late_page(api: FakeGitHub, others: int) -> None:
    """Our comment is found on whatever page it is."""
    for number in range(others):
        api.add_comment(7, f"remark {number}", login="octocat")
    ours = api.add_comment(7, marker())
    assert say(a_job(api)).status is Status.UPDATED
    assert ours.body.startswith(marker(run=100, sha=HEAD))
    assert len(api.comments) == others + 1


@pytest.mark.parametrize("login", ["mallory", "github-actions", None])
def test_must_11_planted_marker(api: FakeGitHub, login: str | None) -> None:
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


@pytest.mark.parametrize("earlier", [marker(run=101, sha=HEAD), marker(run=100, attempt=2, sha=HEAD)])
def test_newer_run_stays(api: FakeGitHub, earlier: str) -> None:
    """A run that finishes late does not overwrite the comment of a newer one on the same commit; that is no warning."""
    comment = api.add_comment(7, earlier)
    result = say(a_job(api))
    assert (result.status, comment.body) == (Status.SKIPPED, earlier)
    assert (result.reason, result.warning) == ("a newer run has commented on this commit", "")


def test_a_commit_that_is_not_the_head_any_more_gives_way(api: FakeGitHub) -> None:
    """After a push that took commits back, a run for the head replaces what a later run said of a commit now gone."""
    comment = api.add_comment(7, marker(run=101, sha=OLD))
    assert say(a_job(api)).status is Status.UPDATED
    assert comment.body.startswith(marker(run=100, sha=HEAD))


@pytest.mark.parametrize("run", [99, 100, 10**9])
@pytest.mark.parametrize("earlier", [None, marker(run=99, sha=HEAD), marker(run=98, sha=OLD)])
def test_an_outdated_head_writes_nothing(api: FakeGitHub, earlier: str | None, run: int) -> None:
    """A run for a commit that is no longer the head neither creates nor changes a comment, however late it started."""
    if earlier:
        api.add_comment(7, earlier)
    result = say(a_job(api, head_sha=OLD, run_id=run))
    assert [comment.body for comment in api.comments] == ([earlier] if earlier else [])
    assert (result.status, result.warning) == (Status.SKIPPED, "")
    assert result.reason == "this run is for 0ddba11, and the head of pull request #7 is now f00dfee"


def test_two_of_ours(api: FakeGitHub) -> None:
    """Where there are two comments of ours, the first is kept up to date and the other goes."""
    first, _ = api.add_comment(7, marker(run=98)), api.add_comment(7, marker(run=99))
    assert say(a_job(api)).status is Status.UPDATED
    assert api.comments == [first]
    assert first.body.startswith(marker(run=100, sha=HEAD))


def test_what_cannot_be_deleted(api: FakeGitHub) -> None:
    """A second comment that stays is a warning; the first is up to date all the same."""
    first, second = api.add_comment(7, marker(run=98)), api.add_comment(7, marker(run=99))
    api.fail("DELETE", "/comments/", status=403, message="Resource not accessible by integration")
    result = say(a_job(api))
    assert (result.status, api.comments) == (Status.UPDATED, [first, second])
    assert result.warning.startswith("An earlier comment of this gate could not be deleted (HTTP 403): http")


IMPOSSIBLE = {
    "more digits than a number of the API has": marker(run=9_999_999_999_999_999_999, sha=HEAD),
    "no exact number in JSON": marker(run=2**53, sha=HEAD),
    "no run": marker(run=0, sha=HEAD),
    "no attempt": marker(attempt=0, sha=HEAD),
    "an attempt that nobody made": marker(run=101, attempt=10_000, sha=HEAD),
    "leading zeros": "<!-- perfci:v1 key=perf-smoke run=0101 attempt=1 sha=" + HEAD + " -->",
    "other digits": "<!-- perfci:v1 key=perf-smoke run=\u0661\u0662 attempt=1 sha=" + HEAD + " -->",
    "no commit": marker(run=101, sha=""),
    "half a commit": marker(run=101, sha=HEAD[:20]),
    "more than the marker": marker(run=101, sha=HEAD) + " and more",
    "something before": "x" + marker(run=101, sha=HEAD),
    "indented": " " + marker(run=101, sha=HEAD),
    "an empty line before": "\n" + marker(run=101, sha=HEAD),
    "another version": marker(run=101, sha=HEAD).replace("v1", "v2"),
    "a key that is none": "<!-- perfci:v1 key=perf_Smoke run=101 attempt=1 sha=" + HEAD + " -->",
}


@pytest.mark.parametrize("line", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_a_line_that_no_run_wrote(api: FakeGitHub, line: str) -> None:
    """A first line that only looks like ours neither stops a run nor is written over, although we are its author."""
    planted = api.add_comment(7, line)
    assert say(a_job(api)).status is Status.CREATED
    assert planted.body == line


def test_line_ends_of_the_api(api: FakeGitHub) -> None:
    """A body that comes back with other line ends is still ours, and the same."""
    say(a_job(api))
    api.comments[0].body = api.comments[0].body.replace("\n", "\r\n") + "\r\n"
    assert say(a_job(api)).status is Status.UNCHANGED


class TestFormerKey:
    """Comments from when the key knew no profile."""

    def test_it_is_replaced_once(self, api: FakeGitHub) -> None:
        """The run creates its own comment, also for a pass, and the former one goes; the next run only updates."""
        api.add_comment(7, marker(key="ci-perf", sha=HEAD))
        result = say(a_job(api), "## Pass", Verdict.PASS, former_key="ci-perf")
        assert result.status is Status.CREATED
        assert [c.body for c in api.comments] == [f"{marker(run=100, sha=HEAD)}\n## Pass"]
        assert say(a_job(api, run_id=101), former_key="ci-perf").status is Status.UPDATED
        assert len(api.comments) == 1

    @pytest.mark.parametrize("other", [marker(key="ci-perf-2"), marker(key="ci-perf", run=100, sha=HEAD)])
    def test_others_stay(self, api: FakeGitHub, other: str) -> None:
        """Another gate's comment stays, and so does one that was written in this very run."""
        api.add_comment(7, other)
        assert say(a_job(api), former_key="ci-perf").status is Status.CREATED
        assert len(api.comments) == 2


class TestOneKeyTwice:
    """Two gates of one run to which somebody gave the same key."""

    def test_red_never_disappears_behind_green(self, api: FakeGitHub) -> None:
        """The pass leaves the other's comment as it is, and a warning names the input."""
        say(a_job(api), "## Regression")
        result = say(a_job(api), "## Pass", Verdict.PASS)
        assert (result.status, api.comments[0].body.splitlines()[1]) == (Status.SKIPPED, "## Regression")
        assert "give each of them a `key` of its own" in result.warning

    def test_red_replaces_green(self, api: FakeGitHub) -> None:
        """The other way round the regression is shown, with the same warning."""
        say(a_job(api), "## Pass", Verdict.PASS, policy=Policy.ALWAYS)
        result = say(a_job(api), "## Regression")
        assert (result.status, api.comments[0].body.splitlines()[1]) == (Status.UPDATED, "## Regression")
        assert "perf-smoke" in result.warning


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
    result = say(a_job(api, **who))
    assert (result.status, result.warning, result.url) == (Status.DEFERRED, "", "")
    assert "cannot write" in result.reason
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
    result = say(a_job(api, event="push", pr=None, head_label=""))
    assert result.status is status
    assert result.reason == ("" if result.url else "no open pull request has f00dfee as its head")


def test_closed(api: FakeGitHub) -> None:
    """Nothing is said on a closed pull request, and why."""
    api.pulls = {7: Pull(number=7, sha=HEAD, state="closed")}
    assert say(a_job(api)) == CommentResult(status=Status.SKIPPED, reason="pull request #7 is closed")
    assert not api.comments


def test_locked(api: FakeGitHub) -> None:
    """A locked conversation is no missing permission."""
    api.pulls = {7: Pull(number=7, sha=HEAD, locked=True)}
    result = say(a_job(api))
    assert result.status is Status.DENIED
    assert result.warning.startswith("No comment: the conversation of the pull request is locked (HTTP 403, ")
    assert "permissions" not in result.warning


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
    assert time.monotonic() - started < 30


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


@pytest.mark.parametrize("request_", [_PULL, _READ, _CREATE])
@pytest.mark.parametrize("location", ["", "/repos/octo/shop/pulls/7", "https://elsewhere.example.org/", "::"])
def test_redirects_that_lead_nowhere(api: FakeGitHub, request_: tuple[str, str], location: str) -> None:
    """A redirect in a circle, to another host or to no address is a failed comment."""
    to = f"{api.url}{location}" if location.startswith("/") else location
    api.fail(*request_, status=301, headers={"Location": to})
    assert say(a_job(api)).status is Status.FAILED


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
    api.fail(*_READ, status=502, times=2)
    assert say(a_job(api)).status is Status.CREATED
    api.comments.clear()
    api.fail(*_CREATE, status=502, times=1)
    assert say(a_job(api)).status is Status.FAILED
    assert len(api.sent("POST")) == 2


@pytest.mark.parametrize("how", [{"cut": True}, {"status": 502}, {"status": 504}, {"hang": True}])
def test_a_comment_of_which_nobody_knows(api: FakeGitHub, how: dict[str, Any]) -> None:
    """Where the API did its work and the answer was lost, the comment is found, and not made again."""
    api.fail(*_CREATE, done=True, times=1, **how)
    assert say(a_job(api), timeout=3).status is Status.CREATED
    assert (len(api.comments), len(api.sent("POST"))) == (1, 1)


@pytest.mark.parametrize("request_", [_PULL, _READ, _CREATE, _UPDATE], ids=["pull", "read", "create", "update"])
def test_a_connection_that_is_cut(api: FakeGitHub, request_: tuple[str, str]) -> None:
    """No answer at all is a failed comment and one warning."""
    if request_ == _UPDATE:
        api.add_comment(7, marker())
    api.fail(*request_, cut=True)
    result = say(a_job(api))
    assert result.status is Status.FAILED
    assert "verdict stands" in result.warning


@pytest.mark.parametrize(
    ("changes", "token", "status"),
    [
        ({}, "", Status.DENIED),
        ({}, TOKEN + "\n", Status.DENIED),
        ({"run_id": 0}, TOKEN, Status.FAILED),
        ({"api_url": ""}, TOKEN, Status.FAILED),
        ({"api_url": "ftp://127.0.0.1"}, TOKEN, Status.FAILED),
        ({"pr": None, "head_sha": ""}, TOKEN, Status.SKIPPED),
    ],
)
def test_not_even_asked(api: FakeGitHub, changes: dict[str, Any], token: str, status: Status) -> None:
    """What cannot work is not tried, and the token is not repeated in the reason."""
    result = say(a_job(api, **changes), token=token)
    assert result.status is status
    assert TOKEN not in result.warning
    assert not api.requests


def test_must_11_never_asks_who_it_is(api: FakeGitHub) -> None:
    """`GET /user`, which the job's token may not ask, is never asked; every request carries the token."""
    say(a_job(api))
    assert {request.path for request in api.requests} == {
        "/repos/octo/shop",
        "/repos/octo/shop/pulls/7",
        "/repos/octo/shop/issues/7/comments",
    }
    assert all(request.authorized for request in api.requests)
    assert [request.query["per_page"] for request in api.sent("GET") if "comments" in request.path] == ["100", "100"]


class TestDeadline:
    """All waiting shares one deadline."""

    @pytest.mark.parametrize("status", [403, 429])
    @pytest.mark.parametrize(
        ("headers", "waits"),
        [
            ({"Retry-After": "7"}, [7.0]),
            ({"Retry-After": "Fri, 15 Jan 2027 08:00:09 GMT"}, [9.0]),
            ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800000004"}, [5.0]),
        ],
    )
    def test_what_the_api_asks_for_is_waited(
        self, api: FakeGitHub, status: int, headers: dict[str, str], waits: list[float]
    ) -> None:
        """The request, also the creation, is made again when the API says so."""
        slept: list[float] = []
        api.fail(*_CREATE, status=status, message="You have exceeded a secondary rate limit", headers=headers, times=1)
        assert say(a_job(api), patience=unhurried(slept)).status is Status.CREATED
        assert slept == waits

    @pytest.mark.parametrize("headers", [{"Retry-After": "3600"}, {"Retry-After": "9" * 40}, {}])
    def test_a_longer_wait_is_not_begun(self, api: FakeGitHub, headers: dict[str, str]) -> None:
        """What the deadline does not leave is a failed comment at once; without a time, the API means a minute."""
        slept: list[float] = []
        api.fail(*_READ, status=429, message="You have exceeded a secondary rate limit", headers=headers)
        result = say(a_job(api), patience=unhurried(slept))
        assert (result.status, slept) == (Status.FAILED, [])
        assert "HTTP 429, the next try would be in " in result.warning

    @pytest.mark.parametrize("seconds", [1, 20, 50])
    def test_waits_add_up(self, api: FakeGitHub, seconds: int) -> None:
        """Waits of several requests together stay below the deadline, however often the API asks for one."""
        slept: list[float] = []
        for request_ in (_PULL, _READ, _CREATE):
            api.fail(*request_, status=429, message="wait", headers={"Retry-After": str(seconds)}, times=2)
        result = say(a_job(api), patience=unhurried(slept))
        assert sum(slept) < 55
        assert (result.status is Status.CREATED) == (seconds == 1)

    def test_a_deletion_that_would_take_too_long(self, api: FakeGitHub) -> None:
        """The comment that counts is written by then: what is left over is a warning."""
        api.add_comment(7, marker(run=98))
        api.add_comment(7, marker(run=99))
        api.fail("DELETE", "/comments/", status=429, message="wait", headers={"Retry-After": "3600"})
        result = say(a_job(api))
        assert result.status is Status.UPDATED
        assert "could not be deleted (HTTP 429)" in result.warning

    def test_an_answer_in_drops(self, api: FakeGitHub) -> None:
        """An answer that never ends, which no time-out of a read notices, is given up at the deadline."""
        api.fail(*_READ, drip_s=0.5)
        for number in range(20):
            api.add_comment(7, f"remark {number}")
        started = time.monotonic()
        result = say(a_job(api), patience=Patience(1.0))
        assert time.monotonic() - started < 30
        assert (result.status, "no end after 1 s" in result.warning) == (Status.FAILED, True)
