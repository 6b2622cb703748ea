"""What has to be known before numbers are believed, and who is to blame."""

from dataclasses import replace
from typing import Any

import pytest

from perfci.judge import judge
from perfci.judge.policy import DEFAULT
from perfci.judge.validity import findings
from perfci.model import EndpointRound, Finding, Round, Run, Side, TargetHealth, Verdict, Weight
from tests.builders import a_baseline, a_generator, a_paired_run, a_run, a_subject

DEAD = {"target": TargetHealth(alive=False, restarts=0, note="exit code 137")}
SILENT: dict[str, Any] = {"endpoints": {}}
SHORT = {"generator": a_generator(users_reached=6)}
RAISING = {"endpoints": {}, "generator": a_generator(exceptions=50)}
FAILING = {"endpoints": {"GET /": EndpointRound(requests=40, failures=40, values={"failure_rate": 1.0})}}


def with_rounds(run: Run, changes: dict[str, Any], *sides: Side, first: int | None = None) -> Run:
    """The run with its rounds of these sides changed, or only the first few of them."""
    left = {side: first if first is not None else len(run.rounds) for side in sides}

    def change(round_: Round) -> Round:
        if not left.get(round_.side):
            return round_
        left[round_.side] -= 1
        return replace(round_, **changes)

    return replace(run, rounds=tuple(change(round_) for round_ in run.rounds))


def weights(found: tuple[Finding, ...]) -> dict[str, Weight]:
    return {finding.code: finding.weight for finding in found}


def test_a_healthy_run_has_no_findings() -> None:
    """Nothing to say, in either mode."""
    assert findings(a_paired_run(), None) == ()
    assert findings(a_run(), a_baseline()) == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [(DEAD, "target-died"), (FAILING, "everything-failed"), (SHORT, "users-not-reached"), (RAISING, "tasks-raise")],
)
def test_what_only_the_candidate_shows_is_its_regression(changes: dict[str, Any], code: str) -> None:
    """Both sides or the base alone: invalid. The candidate alone: red, in either mode."""
    run = a_paired_run()
    assert weights(findings(with_rounds(run, changes, Side.CANDIDATE), None))[code] is Weight.REGRESSION
    assert weights(findings(with_rounds(run, changes, Side.BASE), None))[code] is Weight.INVALID
    assert weights(findings(with_rounds(run, changes, *Side), None))[code] is Weight.INVALID


@pytest.mark.kind("E")
def test_what_every_task_raises_is_told_before_the_silence_that_follows() -> None:
    """The exception is in the first sentence. Where every request failed, that comes first: tasks raise for it."""
    raised = "exception in Visitor: Exception: No tasks defined on Visitor"
    first, *_ = findings(with_rounds(a_paired_run(), {**RAISING, "errors": {raised: 50}}, *Side), None)
    assert first.message == f"Both sides made every task of the load raise ({raised})"
    failing = {**FAILING, "generator": a_generator(exceptions=50)}
    assert findings(with_rounds(a_paired_run(), failing, *Side), None)[0].code == "everything-failed"


@pytest.mark.kind("F")
def test_users_that_raise_as_they_start_are_told_by_their_error() -> None:
    """Accounts that are used up, say: to start more slowly would not help."""
    (hint,) = (found.hint for found in findings(with_rounds(a_paired_run(), SHORT, *Side), None))
    assert "spawn rate" in hint
    raising = {**SHORT, "errors": {"exception in Visitor: Empty: ": 2}}
    (hint,) = (found.hint for found in findings(with_rounds(a_paired_run(), raising, *Side), None))
    assert hint.startswith("The first error: exception in Visitor: Empty. ")


def test_a_death_is_red_beside_stored_runs_that_lived_and_invalid_without() -> None:
    """Only a reference can show that it was the candidate."""
    dead = with_rounds(a_run(), DEAD, Side.CANDIDATE)
    assert weights(findings(dead, a_baseline()))["target-died"] is Weight.REGRESSION
    assert weights(findings(dead, None))["target-died"] is Weight.INVALID


def test_a_restart_counts_as_a_death() -> None:
    """A service that came back was still gone."""
    restarted = {"target": TargetHealth(alive=True, restarts=1)}
    found = findings(with_rounds(a_paired_run(), restarted, Side.CANDIDATE, first=1), None)
    assert weights(found) == {"target-died": Weight.REGRESSION}


def test_a_run_cut_short_by_the_candidates_death_is_red_not_invalid() -> None:
    """The cause is judged, not its consequence."""
    cut = replace(a_paired_run(), complete=False, incidents=("stopped by the runner",))
    assert weights(findings(cut, None)) == {"run-incomplete": Weight.INVALID}
    dead = with_rounds(cut, DEAD, Side.CANDIDATE, first=1)
    assert weights(findings(dead, None)) == {"target-died": Weight.REGRESSION}


@pytest.mark.parametrize(
    "rounds", [(), a_paired_run(sides=(Side.BASE,)).rounds, with_rounds(a_paired_run(), SILENT, *Side).rounds]
)
def test_nothing_measured_is_invalid_and_never_green(rounds: tuple[Round, ...]) -> None:
    """The silent pass of a gate that had no data."""
    outcome = judge(a_paired_run(changes={"rounds": rounds}), baseline=None, policy=DEFAULT, subject=a_subject())
    assert outcome.verdict is Verdict.INVALID


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        ({"cpu_share": 0.5}, {}),
        ({"cpu_share": 0.8}, {"generator-busy": Weight.WARNING}),
        ({"cpu_share": 0.97}, {"generator-saturated": Weight.INVALID, "generator-busy": Weight.WARNING}),
        ({"run_delay_share": 0.4}, {"generator-starved": Weight.WARNING}),
        ({"loop_lag_p99_ms": 140.0}, {"generator-late": Weight.WARNING}),
        ({"exceptions": 3}, {"task-exceptions": Weight.WARNING}),
        ({"complete": False}, {"record-incomplete": Weight.INVALID}),
        ({"complete": False, "cut_off_s": 95.0}, {"round-too-long": Weight.INVALID}),
    ],
)
def test_the_generators_own_health(health: dict[str, Any], expected: dict[str, Weight]) -> None:
    """Ordinary noise warns; a generator that cannot keep up invalidates."""
    run = with_rounds(a_paired_run(), {"generator": a_generator(**health)}, *Side)
    assert weights(findings(run, None)) == expected


def test_a_task_that_raises_on_one_side_only_is_told_with_the_side() -> None:
    """It is what the change did, or what it met."""
    run = with_rounds(a_paired_run(), {"generator": a_generator(exceptions=3)}, Side.CANDIDATE, first=2)
    (found,) = findings(run, None)
    assert found.message == "6 tasks of the load raised an exception, all of them on the candidate"
    both = with_rounds(run, {"generator": a_generator(exceptions=1)}, Side.BASE, first=1)
    assert findings(both, None)[0].message == "7 tasks of the load raised an exception"


def test_one_saturated_round_of_eight_only_warns() -> None:
    """A passing neighbour on the machine does not cost the whole run."""
    run = with_rounds(a_paired_run(), {"generator": a_generator(cpu_share=0.97)}, Side.CANDIDATE, first=2)
    assert weights(findings(run, None)) == {"generator-busy": Weight.WARNING}


def test_another_locust_warns() -> None:
    """Versions are compared, and named."""
    run = a_run()
    newer = replace(run.fingerprint, versions={**run.fingerprint.versions, "locust": "3.0.0"})
    (found,) = findings(replace(run, fingerprint=newer), a_baseline())
    assert (found.code, found.weight) == ("baseline-differs", Weight.WARNING)
    assert found.message == "The stored runs were measured under other conditions: Locust version 3.0, not 2.46"


SAME, OTHER, THIRD = ("a" * 64,), ("b" * 64,), ("c" * 64, "d" * 64)


@pytest.mark.parametrize(
    ("base", "candidate", "reported"),
    [(SAME, SAME, False), (SAME, OTHER, True), (SAME, THIRD, False), (THIRD, OTHER, False), ((), OTHER, False)],
)
def test_sides_with_different_data_cannot_pass(
    base: tuple[str, ...], candidate: tuple[str, ...], *, reported: bool
) -> None:
    """Unless the data of a side varies by itself, or no digest is known."""
    run = replace(a_paired_run(), seed_digests={Side.BASE: base, Side.CANDIDATE: candidate})
    found = weights(findings(run, None))
    assert found == ({"data-differs": Weight.INCONCLUSIVE} if reported else {})
    assert findings(run, a_baseline()) == findings(replace(run, seed_digests={}), a_baseline())
