"""`perfci trend --issue`: what drifts on the main branch is told in one issue, over real HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from perfci.judge.policy import DEFAULT
from perfci.judge.trend import events, follow
from perfci.judge.trend.events import Accepted
from perfci.model import HistoryRow, RoundKind, SeriesName, Trend
from perfci.pipeline.drift_issue import LABEL, keep
from perfci.publish.issue import Kept
from tests.fakes.github import FakeGitHub
from tests.fakes.github_issues import Tracker
from tests.fakes.shell import Perfci

SERIES = SeriesName(kind=RoundKind.LOAD, endpoint="GET /@octo|x/", metric="trimmed_gmean")


def a_trend(*, growth: float, runs: int = 120, every: int = 15) -> Trend:
    """One run a day of a series that grows by *growth* every so many runs, without any scatter but a small one."""
    rows = [
        HistoryRow(
            run=f"run-{number:03d}",
            created_at=f"2026-{1 + number // 28:02d}-{1 + number % 28:02d}T03:00:00Z",
            commit=f"{number:04x}" * 10,
            machine="A",
            machine_id="A",
            conditions="under A",
            values={SERIES: 4.0 * (1 + growth) ** (number // every) * (1.002 if number % 2 else 0.998)},
        )
        for number in range(runs)
    ]
    found = follow.changes(rows, DEFAULT)
    return events.trend(rows, found, DEFAULT, accepted=Accepted(runs={}), name=("tickets", "smoke"), place="here")


DRIFTS, FURTHER, STEADY = a_trend(growth=0.012), a_trend(growth=0.012, runs=240), a_trend(growth=0.0)


@pytest.fixture
def api() -> Iterator[FakeGitHub]:
    """An API without an issue."""
    with FakeGitHub(tracker=Tracker()) as started:
        yield started


def environ(api: FakeGitHub, event: str = "schedule") -> dict[str, str]:
    """The variables of the nightly job."""
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REPOSITORY": api.repository,
        "GITHUB_API_URL": api.url,
        "GITHUB_SHA": "f00d" * 10,
        "PERFCI_TOKEN": "ghs_canary",
    }


def kept(api: FakeGitHub, trend: Trend) -> Kept:
    """What the nightly job does."""
    return keep([trend], environ(api))


def issues(api: FakeGitHub) -> Tracker:
    """What the repository has."""
    assert api.tracker is not None
    return api.tracker


def test_a_drift_opens_one_issue_and_updates_it(api: FakeGitHub) -> None:
    """Night after night there is one, with label, marker and the numbers; names in it link and mention nobody."""
    assert DRIFTS.lines[0].drift is not None
    assert kept(api, DRIFTS).status == "opened"
    assert kept(api, DRIFTS).status == "unchanged"
    assert kept(api, FURTHER).status == "updated"
    (issue,) = issues(api).issues
    assert (issue.labels, issue.state) == ([LABEL], "open")
    assert issue.body.startswith("<!-- perfci:v1 drift ")
    assert "over 240" not in issue.body
    assert "| 240 |" in issue.body
    assert "@\u200bocto\\|x" in issue.body


def test_a_steady_branch_opens_none(api: FakeGitHub) -> None:
    """Nor is anything said."""
    assert kept(api, STEADY).status == "nothing to tell"
    assert issues(api).issues == []


def test_the_issue_is_closed_when_nothing_drifts(api: FakeGitHub) -> None:
    """With a comment that says so; what comes back is told again."""
    kept(api, DRIFTS)
    assert kept(api, STEADY).status == "closed"
    (issue,) = issues(api).issues
    assert (issue.state, issue.said) == ("closed", ["No series drifts any more."])
    assert kept(api, DRIFTS).status == "opened"
    assert [each.state for each in issues(api).issues] == ["closed", "open"]


def test_who_closes_it_accepts_the_level(api: FakeGitHub) -> None:
    """It stays closed while the same series are where they are; another one is opened once one has moved further."""
    kept(api, DRIFTS)
    issues(api).issues[0].state = "closed"
    assert kept(api, DRIFTS).status == "closed by somebody, and nothing new"
    assert kept(api, FURTHER).status == "opened"


def test_the_issue_of_somebody_else_is_left_alone(api: FakeGitHub) -> None:
    """Anybody can copy the first line."""
    mine = issues(api).add("<!-- perfci:v1 drift 0a1b2c3d -->\nbuy", login="mallory", labels=[LABEL])
    assert kept(api, DRIFTS).status == "opened"
    assert mine.body.endswith("buy")


def test_of_two_issues_the_older_stays(api: FakeGitHub) -> None:
    """Two jobs at once may have opened one each."""
    for _ in range(2):
        issues(api).add("<!-- perfci:v1 drift -->\n", labels=[LABEL])
    assert kept(api, DRIFTS).status == "updated"
    assert [each.state for each in issues(api).issues] == ["open", "closed"]


def test_what_the_api_refuses_is_said(
    api: FakeGitHub, tmp_path: Path, perfci: Perfci, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the permission that the job lacks; a part of the history keeps no issue, since it would close it."""
    for name, value in environ(api).items():
        monkeypatch.setenv(name, value)
    code, _, err = perfci("trend", "tickets", "--issue", "--folder", str(tmp_path))
    assert code == 2
    assert "--issue" in err
    monkeypatch.chdir(tmp_path)
    (tmp_path / "history").mkdir()
    code, _, err = perfci("trend", "--issue", "--folder", "history")
    assert code == 2
    assert "no run" in err


@pytest.mark.parametrize("event", ["pull_request", "merge_group"])
def test_a_job_of_a_change_keeps_no_issue(api: FakeGitHub, event: str) -> None:
    """Its runs are not those of the main branch."""
    from perfci.errors import ConfigError

    with pytest.raises(ConfigError, match="about a change"):
        keep([DRIFTS], environ(api, event))


def test_a_refusal_names_the_permission(api: FakeGitHub) -> None:
    """HTTP 403 is nearly always that."""
    from perfci.errors import PublishError

    api.fail("POST", r"/issues$", status=403, message="Resource not accessible by integration")
    with pytest.raises(PublishError, match="refuses the issue") as refused:
        kept(api, DRIFTS)
    assert "`issues: write`" in refused.value.hint
