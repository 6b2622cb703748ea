"""A red is measured again on a fresh runner: confirmed, not confirmed, or nobody can tell; one comment, one status."""

from dataclasses import replace

import pytest

from perfci.errors import ExitCode
from perfci.model import Run, SeriesVerdict, Verdict
from perfci.pipeline.documents import read, read_exit
from tests.builders import a_machine, a_paired_run
from tests.fakes.judging import Judge, Judging
from tests.fakes.measured import ARTIFACT

SLOWER = a_paired_run(slower={"GET /tickets/": 1.5})
AGAIN = f"again-{ARTIFACT}-1"


def elsewhere(run: Run, **changes: object) -> Run:
    """*run* as a fresh runner would have measured it."""
    machine = replace(a_machine(), cpu_model="Fresh Runner 9", id="fresh")
    fingerprint = replace(run.fingerprint, machine=machine)
    return replace(run, id="20261121-113000-0ddba115", fingerprint=fingerprint, **changes)  # type: ignore[arg-type]


def judged(job: Judging, result: str = "success") -> Verdict:
    """The verdict of the job that judges, after the job that repeats ended with *result*."""
    code, _, err = job.publish("--repeated", result)
    assert (code, err) == (0, "")
    return read(job.folder / "run").verdict


def test_what_is_red_again_is_confirmed(judging: Judge) -> None:
    """The verdict stays, and comment and reasons say that two machines agree."""
    job = judging()
    job.upload(SLOWER)
    job.upload(elsewhere(SLOWER), name=AGAIN)
    assert judged(job) is Verdict.REGRESSION
    assert "second run: confirmed" in job.comment
    assert "on another runner (Fresh Runner 9" in job.comment.replace("\\", "")
    assert job.remote.statuses[-1]["state"] == "failure"
    assert "not confirmed" not in job.comment


def test_what_is_not_red_again_is_inconclusive(judging: Judge) -> None:
    """One machine says so and the other does not: nobody blocks a merge for it, and it is never called green."""
    job = judging()
    job.upload(SLOWER)
    job.upload(elsewhere(a_paired_run()), name=AGAIN)
    assert judged(job) is Verdict.INCONCLUSIVE
    outcome = read(job.folder / "run")
    assert "not confirmed" in outcome.reason
    assert not [each for each in outcome.decisions if each.counts and each.verdict is SeriesVerdict.REGRESSION]
    assert job.comment.count("Inconclusive") >= 1
    assert job.remote.statuses[-1]["description"].startswith("inconclusive: a second run")
    assert read_exit(job.folder / "run") is ExitCode.OK


def test_one_of_two_red_endpoints_is_confirmed(judging: Judge) -> None:
    """It keeps the whole red; the other one is inconclusive."""
    job = judging()
    job.upload(a_paired_run(slower={"GET /tickets/": 1.5, "POST /tickets/": 1.5}))
    job.upload(elsewhere(SLOWER), name=AGAIN)
    assert judged(job) is Verdict.REGRESSION
    outcome = read(job.folder / "run")
    verdicts = {
        each.comparison.series.endpoint: each.verdict for each in outcome.decisions if "second run" in each.reason
    }
    assert verdicts["GET /tickets/"] is SeriesVerdict.REGRESSION
    assert verdicts["POST /tickets/"] is SeriesVerdict.INCONCLUSIVE


def test_another_series_that_is_red_in_the_second_run_alone_is_not(judging: Judge) -> None:
    """The second run answers one question: is it red again?"""
    job = judging()
    job.upload(SLOWER)
    job.upload(elsewhere(a_paired_run(slower={"POST /tickets/": 1.5})), name=AGAIN)
    assert judged(job) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("rounds", [(), None])
def test_a_second_run_that_says_nothing_changes_nothing(judging: Judge, rounds: tuple[()] | None) -> None:
    """It left no artifact, or measured nothing: the red of the first stands, and the comment says why."""
    job = judging()
    job.upload(SLOWER)
    if rounds is not None:
        job.upload(elsewhere(a_paired_run(), rounds=rounds), name=AGAIN)
    assert judged(job, "failure") is Verdict.REGRESSION
    assert "cannot tell, and the red stands" in job.comment
    assert read_exit(job.folder / "run") is ExitCode.REGRESSION


@pytest.mark.parametrize("result", ["skipped", ""])
def test_without_a_second_run_nothing_is_said(judging: Judge, result: str) -> None:
    """Where nobody was asked to repeat it, an artifact of that name takes no part."""
    job = judging()
    job.upload(SLOWER)
    job.upload(elsewhere(a_paired_run()), name=AGAIN)
    assert judged(job, result) is Verdict.REGRESSION
    assert "second run" not in job.comment


def test_a_publisher_takes_the_second_run_where_there_is_one(judging: Judge) -> None:
    """It knows no jobs of the workflow that measured: without an artifact nothing is said."""
    job = judging()
    job.upload(SLOWER)
    assert judged(job, "unknown") is Verdict.REGRESSION
    assert "second run" not in job.comment
    other = judging("other")
    other.upload(SLOWER)
    other.upload(elsewhere(a_paired_run()), name=AGAIN)
    assert judged(other, "unknown") is Verdict.INCONCLUSIVE


def test_a_second_run_of_another_attempt_takes_no_part(judging: Judge) -> None:
    """What was measured anew is repeated anew."""
    job = judging()
    job.upload(SLOWER)
    job.upload(elsewhere(a_paired_run()), name=f"again-{ARTIFACT[:-1]}2-1")
    assert judged(job) is Verdict.REGRESSION
    assert "cannot tell" in job.comment


def test_a_pass_is_not_repeated(judging: Judge) -> None:
    """The second run is for what is red."""
    job = judging()
    job.upload(a_paired_run())
    job.upload(elsewhere(SLOWER), name=AGAIN)
    assert judged(job) is Verdict.PASS


def test_a_second_run_of_another_change_is_refused(judging: Judge) -> None:
    """It is a claim as the first one is: nothing is published where it is not of this change."""
    job = judging()
    job.upload(SLOWER)
    job.upload(elsewhere(SLOWER), name=AGAIN, profile="other")
    code, _, err = job.publish("--repeated", "success")
    assert code == 3
    assert "the artifact is not of this change" in err
    assert job.api.comments == []
