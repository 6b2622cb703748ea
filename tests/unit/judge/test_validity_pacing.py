"""Tasks that began late or never, and users in step: who is told to be the cause."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from perfci.judge.compare.series import paired
from perfci.judge.policy import DEFAULT
from perfci.judge.validity import findings
from perfci.model import (
    Arrivals,
    BudgetRule,
    Finding,
    GatePolicy,
    InStep,
    Role,
    Round,
    RoundKind,
    Run,
    Schedule,
    Side,
    Weight,
)
from tests.builders import a_fingerprint, a_paired_run, a_plan

OPEN = Arrivals(rate=50.0, pattern="poisson", rng_seed=1)


def a_schedule(*, missed: float = 0.0, late: float = 0.0, overslept: float = 0.0) -> Schedule:
    """Of a thousand starts; what is given are shares."""
    return Schedule(
        due=1000.0, late=round(1000 * late), missed=1000 * missed, overslept=round(1000 * overslept), late_s=1.0
    )


def a_kept_run(*, base: Sequence[float], candidate: Sequence[float], arrivals: Arrivals | None = None) -> Run:
    """A run whose rounds let these shares of their starts never begin."""
    shares = {Side.BASE: iter(base), Side.CANDIDATE: iter(candidate)}
    run = a_paired_run(kinds=(RoundKind.LOAD,), blocks=len(base))
    rounds = [_with(round_, schedule=a_schedule(missed=next(shares[round_.side]))) for round_ in run.rounds]
    plan = a_plan(arrivals=arrivals)
    return replace(run, rounds=tuple(rounds), fingerprint=a_fingerprint(plan=plan))


def _with(round_: Round, **changes: Any) -> Round:
    assert round_.generator is not None
    return replace(round_, generator=replace(round_.generator, **changes))


def every(run: Run, **changes: Any) -> Run:
    return replace(run, rounds=tuple(_with(round_, **changes) for round_ in run.rounds))


def of_schedule(run: Run) -> list[Finding]:
    return [
        finding
        for finding in findings(run, None)
        if finding.code.startswith("schedule") or finding.code == "users-in-step"
    ]


FEW, MANY = [0.0, 0.01, 0.0, 0.01], [0.3, 0.31, 0.28, 0.3]


@pytest.mark.parametrize("arrivals", [None, OPEN])
def test_what_the_candidate_alone_cannot_take_is_its_regression(arrivals: Arrivals | None) -> None:
    """With the shares of both sides."""
    (finding,) = of_schedule(a_kept_run(base=FEW, candidate=MANY, arrivals=arrivals))
    assert (finding.code, finding.weight) == ("schedule-missed", Weight.REGRESSION)
    assert "30 % of the tasks that were due never began on the candidate, 0 % on the reference" in finding.message


def test_a_starved_generator_is_not_the_candidates_fault() -> None:
    """The same shares, and a generator that was late itself."""
    (finding,) = of_schedule(every(a_kept_run(base=FEW, candidate=MANY), loop_lag_p99_ms=400.0))
    assert (finding.code, finding.weight) == ("schedule-missed", Weight.INVALID)


@pytest.mark.parametrize(("arrivals", "weight"), [(None, Weight.WARNING), (OPEN, Weight.INVALID)])
def test_what_neither_side_can_take(arrivals: Arrivals | None, weight: Weight) -> None:
    """A pace that nobody keeps makes a closed load, which is a load; arrivals that nobody takes were not offered."""
    (finding,) = of_schedule(a_kept_run(base=MANY, candidate=MANY, arrivals=arrivals))
    assert (finding.code, finding.weight) == ("schedule-missed", weight)
    assert finding.message.startswith("30 % of the tasks that were due never began")


def test_a_little_lateness_is_told_and_no_more() -> None:
    """What latencies hide is said, once."""
    run = every(a_kept_run(base=FEW, candidate=FEW), schedule=a_schedule(late=0.08))
    (finding,) = of_schedule(run)
    assert (finding.code, finding.weight) == ("schedule-late", Weight.WARNING)
    assert "8 %" in finding.message


def test_users_that_were_free_were_kept_by_the_generator() -> None:
    """Late by itself and starved: invalid. Late by itself with all it needs: told; it may be a burst of users."""
    late = every(a_kept_run(base=FEW, candidate=FEW), schedule=a_schedule(late=0.3, overslept=0.3))
    (busy,), (starved,) = of_schedule(late), of_schedule(every(late, run_delay_share=0.6))
    assert {busy.code, starved.code} == {"schedule-overslept"}
    assert (busy.weight, starved.weight) == (Weight.WARNING, Weight.INVALID)
    assert "began up to 30 % of the tasks in a round too late by itself" in starved.message


def test_a_schedule_that_was_kept_says_nothing() -> None:
    """Nor does a load without any."""
    assert of_schedule(a_kept_run(base=FEW, candidate=FEW)) == []
    assert of_schedule(a_paired_run()) == []


@pytest.mark.parametrize(("dispersion", "said"), [(0.9, 0), (2.9, 0), (9.4, 1)])
def test_users_in_step_are_told_once(dispersion: float, said: int) -> None:
    """For the whole run, with what to do."""
    run = every(a_paired_run(), schedule=a_schedule(), in_step=InStep(wait_s=0.2, dispersion=dispersion))
    found = of_schedule(run)
    assert len(found) == said
    for finding in found:
        assert finding.weight is Weight.WARNING
        assert "a pace of 0.2 s" in finding.message
        assert "9 times the mean" in finding.message
        assert "between" in finding.hint
        assert "arrivals" in finding.hint


def test_users_with_a_constant_wait_are_no_news() -> None:
    """An ordinary profile with `constant()` has no pace that could keep its users together."""
    assert of_schedule(every(a_paired_run(), in_step=InStep(wait_s=1.0, dispersion=9.4))) == []


def test_response_times_have_lines_where_something_was_due() -> None:
    """Nowhere else, unless somebody gave them a budget that counts: then their absence is told."""

    def compared(run: Run, policy: GatePolicy = DEFAULT) -> set[str]:
        return {comparison.series.metric.name for comparison in paired(run, policy)}

    run = a_paired_run(kinds=(RoundKind.LOAD,))
    assert "p95" in compared(run)
    assert not any(name.startswith("response") for name in compared(run))
    assert {"response_p50", "response_p95", "response_p99"} < compared(every(run, schedule=a_schedule()))
    counts: dict[str, Any] = {"kind": RoundKind.LOAD, "role": Role.GUARDING, "change": 0.2, "margin": 0.4}
    budgets = tuple(BudgetRule(metric=name, **counts) for name in ("p95", "response_p95"))
    assert compared(run, replace(DEFAULT, budgets=budgets)) == {"p95", "response_p95"}
