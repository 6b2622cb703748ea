"""`/perf accept`: a regression that is meant is accepted by a comment of somebody who may, over real HTTP."""

from typing import Any

import pytest

from perfci.errors import ExitCode
from perfci.model import Outcome, SeriesVerdict, Verdict
from perfci.pipeline.documents import read, read_exit
from tests.builders import a_paired_run
from tests.fakes.judging import Judge, Judging

SLOWER = a_paired_run(slower={"GET /tickets/": 1.5})


def red(outcome: Outcome) -> list[str]:
    """The labels of the series that are red."""
    found = [each for each in outcome.decisions if each.counts and each.verdict is SeriesVerdict.REGRESSION]
    return list(dict.fromkeys(each.comparison.series.label for each in found))


def judged(job: Judging, *, attempt: int = 2, **how: Any) -> Outcome:
    """What the judging job says, when it is started again."""
    assert job.publish(attempt=attempt, **how)[0] == 0
    return read(job.folder / "run")


@pytest.fixture
def job(judging: Judge) -> Judging:
    """A change with a red series, judged once; *octo* may write, *mallory* may not."""
    made = judging()
    made.api.permissions = {"octo": "write", "admiral": "admin", "reader": "read", "triager": "triage"}
    made.upload(SLOWER)
    assert judged(made, attempt=1).verdict is Verdict.REGRESSION
    return made


def accepting(job: Judging, *, commit: str = "", series: list[str] | None = None) -> str:
    """The comment that accepts all red series for *commit*, the head if none is given."""
    named = red(read(job.folder / "run")) if series is None else series
    return "The audit costs it.\n" + "\n".join(f"/perf accept {each} at {commit or job.change.head}" for each in named)


@pytest.mark.parametrize("login", ["octo", "admiral"])
def test_who_may_write_accepts_a_regression(job: Judging, login: str) -> None:
    """The series is accepted and shown with who, when, why and where; nothing is red any more."""
    job.api.add_comment(7, accepting(job), login=login)
    outcome = judged(job)
    assert outcome.verdict is not Verdict.REGRESSION
    accepted = [each for each in outcome.decisions if each.verdict is SeriesVerdict.ACCEPTED]
    assert accepted
    (acceptance, *_) = [each.acceptance for each in accepted]
    assert acceptance is not None
    assert (acceptance.by, acceptance.why, acceptance.commit) == (login, "The audit costs it.", job.change.head)
    assert "☑️ accepted" in job.api.comments[0].body
    assert f"by {login} on 2026-11-20T10" in job.api.comments[0].body
    assert f"[Accepted by `{login}`]({acceptance.url})" in job.api.comments[0].body
    assert "“The audit costs it.”" in job.api.comments[0].body
    assert read_exit(job.folder / "run") is ExitCode.OK
    assert job.remote.statuses[-1]["state"] == "success"


@pytest.mark.parametrize("login", ["mallory", "reader", "triager", None])
def test_who_may_not_write_accepts_nothing(job: Judging, login: str | None) -> None:
    """Least of all the author of the pull request; the report says that somebody tried."""
    job.api.add_comment(7, accepting(job), login=login)
    assert judged(job).verdict is Verdict.REGRESSION
    assert f"{login or 'a deleted user'} accept nothing" in job.api.comments[0].body
    assert read_exit(job.folder / "run") is ExitCode.REGRESSION


def test_the_gates_own_comment_accepts_nothing(job: Judging) -> None:
    """Whoever names an endpoint has words in it, and the job's token may write."""
    job.api.permissions["github-actions[bot]"] = "write"
    job.api.add_comment(7, accepting(job))
    assert judged(job).verdict is Verdict.REGRESSION


def test_an_edited_comment_accepts_nothing(job: Judging) -> None:
    """Somebody else may have edited it."""
    job.api.add_comment(7, accepting(job), login="octo", edited=True)
    assert judged(job).verdict is Verdict.REGRESSION
    assert "is void: it was edited after it was written" in job.api.comments[0].body


def test_an_acceptance_ends_with_a_new_head(job: Judging) -> None:
    """It names the commit that it is for, and the report says that it is void."""
    job.api.add_comment(7, accepting(job, commit="0ddba115" * 5), login="octo")
    assert judged(job).verdict is Verdict.REGRESSION
    assert "is void: it is for another commit, and the head is new since" in job.api.comments[0].body


def test_an_acceptance_names_the_commit(job: Judging) -> None:
    """Without it, the next push could be accepted unseen; the report shows what to write instead."""
    (first, *_) = red(read(job.folder / "run"))
    job.api.add_comment(7, f"/perf accept {first}", login="octo")
    assert judged(job).verdict is Verdict.REGRESSION
    assert "is void: it does not name the commit" in job.api.comments[0].body
    assert f"\n/perf accept {first} at {job.change.head}\n" in job.api.comments[0].body


def test_what_is_not_accepted_decides(judging: Judge) -> None:
    """One of two red endpoints is accepted: the other one keeps the whole red."""
    job = judging()
    job.api.permissions = {"octo": "write"}
    job.upload(a_paired_run(slower={"GET /tickets/": 1.5, "POST /tickets/": 1.5}))
    both = red(judged(job, attempt=1))
    mine = [each for each in both if each.startswith("GET /tickets/ ")]
    others = [each for each in both if each not in mine]
    assert mine
    assert others
    job.api.add_comment(7, accepting(job, series=mine), login="octo")
    outcome = judged(job)
    assert outcome.verdict is Verdict.REGRESSION
    assert red(outcome) == others


def test_a_series_that_is_not_red_is_not_accepted(job: Judging) -> None:
    """Nobody accepts in advance what may become red."""
    job.api.add_comment(7, accepting(job, series=["GET /nothing p95"]), login="octo")
    assert judged(job).verdict is Verdict.REGRESSION
    assert "is void: no red series has this name" in job.api.comments[0].body


def test_comments_that_cannot_be_read_accept_nothing(job: Judging) -> None:
    """The verdict stands, and a warning says why nobody was asked."""
    job.api.add_comment(7, accepting(job), login="octo")
    job.api.fail("GET", r"/permission$", status=403, message="Resource not accessible by integration", times=9)
    assert judged(job).verdict is Verdict.REGRESSION
    assert "no comment was asked whether it accepts a series" in job.api.comments[0].body


def test_a_merge_group_keeps_what_its_pull_request_accepted(job: Judging) -> None:
    """Else the queue would refuse what people have agreed on; the pull request has the head that they named."""
    job.api.add_comment(7, accepting(job), login="octo")
    job.remote.add_run(41, head=job.change.merge)
    assert judged(job, event="merge_group").verdict is Verdict.REGRESSION  # the event names no pull request
    assert judged(job, event="merge_group", queued=7).verdict is not Verdict.REGRESSION
