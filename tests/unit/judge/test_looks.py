"""Looks at a run while it is measured: their levels against published tables, and what they may and may not decide."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from perfci.judge import judge
from perfci.judge.policy import DEFAULT
from perfci.judge.sequential import Standing, follow, look
from perfci.judge.stats.looks import OF_INTERVALS, OF_TESTS, Spend, confidence_now, level_now, repeated_p
from perfci.model import Decision, LookPlan, Outcome, RoundKind, Run, SeriesVerdict, Verdict
from tests.builders import a_paired_run, a_rule, a_subject

FIFTHS = (0.2, 0.4, 0.6, 0.8, 1.0)
TWELFTHS = tuple(number / 12 for number in range(3, 13))
PLAN = LookPlan(first=3, most={RoundKind.DUET: 12})
SLOWER = {"GET /tickets/": 1.10}


def like_obrien_fleming(level: float, fraction: float) -> float:
    """Lan and DeMets (1983), as a one-sided test."""
    return float(2 * special.ndtr(special.ndtri(level / 2) / np.sqrt(fraction)))


def like_pocock(level: float, fraction: float) -> float:
    """The same paper."""
    return float(level * np.log1p((np.e - 1) * fraction))


@pytest.mark.parametrize(
    ("spending", "published"),
    [
        (like_obrien_fleming, (4.8769, 3.3569, 2.6803, 2.2898, 2.0310)),
        (like_pocock, (2.4380, 2.4268, 2.4102, 2.3966, 2.3860)),
    ],
)
def test_boundaries_are_those_of_the_published_tables(spending: Spend, published: tuple[float, ...]) -> None:
    """Five equally spaced looks at a two-sided level of 0.05, as every textbook and package has them."""
    found = [-special.ndtri(level_now(0.025, FIFTHS[: number + 1], spending)) for number in range(5)]
    assert found == pytest.approx(published, abs=2e-4)


@pytest.mark.parametrize("spending", [OF_TESTS, OF_INTERVALS], ids=["tests", "intervals"])
def test_the_level_holds_over_all_looks(spending: Spend) -> None:
    """Of 40,000 paths without any drift as many cross one of the boundaries as the level says, and no more by then."""
    rng = np.random.default_rng(1)
    steps = np.diff((0.0, *TWELFTHS))
    paths = np.cumsum(rng.normal(0.0, np.sqrt(steps), (40_000, len(steps))), axis=1)
    limits = [-special.ndtri(level_now(0.05, TWELFTHS[: number + 1], spending)) for number in range(len(steps))]
    crossed = np.cumsum(paths / np.sqrt(TWELFTHS) >= limits, axis=1) > 0
    for fraction, share in zip(TWELFTHS, crossed.mean(axis=0), strict=True):
        due = spending(0.05, fraction)
        assert share == pytest.approx(due, abs=4 * np.sqrt(due / 40_000))


@given(st.floats(0, 1), st.integers(1, len(TWELFTHS)))
def test_a_repeated_p_value_is_the_level_at_which_its_look_succeeds(p: float, number: int) -> None:
    """Never below the p-value itself; at the boundary of a look it is the level of all looks."""
    fractions = TWELFTHS[:number]
    repeated = repeated_p(p, fractions)
    assert p <= repeated <= 1.0 or repeated == p
    if 1e-10 < repeated < 0.3:
        assert level_now(repeated, fractions) == pytest.approx(p, rel=0.01)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8).map(sorted))
def test_a_smaller_p_value_stays_the_smaller_one(values: list[float]) -> None:
    """Whatever the look."""
    repeated = [repeated_p(p, TWELFTHS[:4]) for p in values]
    assert repeated == sorted(repeated)


def test_one_look_is_an_ordinary_test() -> None:
    """Without looks nothing is adjusted."""
    assert (repeated_p(0.03, ()), level_now(0.01, ()), confidence_now(0.95, ())) == (0.03, 0.01, 0.95)
    assert confidence_now(0.95, TWELFTHS[:1]) > confidence_now(0.95, TWELFTHS) > 0.95


def a_run_with_looks(*, blocks: int, **rounds: Any) -> Run:
    """Turns alone, with looks after each block from the third to the twelfth."""
    return a_paired_run(blocks=blocks, kinds=(RoundKind.DUET,), changes={"looks": PLAN}, **rounds)


def judged(run: Run) -> Outcome:
    """Against its own base."""
    return judge(run, baseline=None, policy=DEFAULT, subject=a_subject())


def verdicts(standing: Standing) -> Mapping[str, SeriesVerdict]:
    """Of the required series, by endpoint."""
    return {decision.comparison.series.endpoint: decision.verdict for decision in timed(standing.decisions)}


def timed(decisions: tuple[Decision, ...]) -> list[Decision]:
    """Service times."""
    return [decision for decision in decisions if decision.comparison.series.metric.name == "service_time"]


def test_a_quiet_run_is_decided_by_its_first_looks() -> None:
    """Nothing changed, or something large did: three or four of twelve blocks tell."""
    same, slower = (
        follow(run, PLAN, DEFAULT)
        for run in (a_run_with_looks(blocks=4), a_run_with_looks(blocks=3, slower={"GET /tickets/": 1.6}))
    )
    assert not same.is_open(RoundKind.DUET)
    assert not same.red
    assert slower.red
    assert verdicts(slower)["GET /tickets/"] is SeriesVerdict.REGRESSION


def test_endpoints_are_settled_one_by_one() -> None:
    """None before the first look, and none while all endpoints together are open: each tells something of that."""
    assert not Standing().settled(RoundKind.DUET)
    same = follow(a_run_with_looks(blocks=4), PLAN, DEFAULT)
    assert same.settled(RoundKind.DUET) == {"GET /tickets/", "GET /tickets/[id]", "POST /tickets/"}
    assert not same.settled(RoundKind.LOAD)
    restless = follow(a_run_with_looks(blocks=4, scatter=0.1), PLAN, DEFAULT)
    assert restless.is_open(RoundKind.DUET)
    assert not restless.settled(RoundKind.DUET)


def test_a_look_before_the_first_planned_one_says_nothing() -> None:
    """Two blocks of twelve are no look, and so everything is open."""
    standing = follow(a_run_with_looks(blocks=2, slower=SLOWER), PLAN, DEFAULT)
    assert standing == Standing()
    assert standing.is_open(RoundKind.DUET)


def test_a_stored_run_judged_again_gives_the_same_verdict() -> None:
    """Block by block while it is measured, or all looks again from its rounds: the same decisions and looks."""
    run = a_run_with_looks(blocks=6, slower=SLOWER, scatter=0.02)
    standing = Standing()
    for block in range(1, 7):
        seen = replace(run, rounds=tuple(round_ for round_ in run.rounds if round_.block <= block))
        standing = look(standing, seen, PLAN, DEFAULT, block=block)
    assert standing == follow(run, PLAN, DEFAULT)
    known = judge(run, baseline=None, policy=DEFAULT, subject=a_subject(), standing=standing)
    assert known == judged(run)
    assert [look.block for look in timed(known.decisions)[0].looks] == [3, 4, 5, 6]


def test_what_was_decided_early_stays_decided() -> None:
    """A regression at an early look is one at the last, though the blocks after it were faster than the base."""
    early = a_run_with_looks(blocks=4, slower=SLOWER)
    late = a_run_with_looks(blocks=12, slower={"GET /tickets/": 0.96}, rng_seed=2)
    mixed = replace(early, rounds=(*early.rounds, *(round_ for round_ in late.rounds if round_.block > 4)))
    assert judged(early).verdict is judged(mixed).verdict is Verdict.REGRESSION
    kept = next(decision for decision in timed(judged(mixed).decisions) if decision.verdict is SeriesVerdict.REGRESSION)
    assert "; decided after block" in kept.reason
    assert kept.comparison.change is not None
    assert kept.comparison.change.estimate < 0.0175  # of all blocks: what is shown is what was measured


def test_a_regression_that_shows_later_takes_the_place_of_no_change() -> None:
    """Its error is paid for at every look, and nobody wants to read "equivalent" beside it."""
    same, slower = a_run_with_looks(blocks=4), a_run_with_looks(blocks=12, slower={"GET /tickets/": 1.3}, rng_seed=2)
    mixed = replace(same, rounds=(*same.rounds, *(round_ for round_ in slower.rounds if round_.block > 4)))
    assert verdicts(follow(same, PLAN, DEFAULT))["GET /tickets/"] is SeriesVerdict.EQUIVALENT
    assert verdicts(follow(mixed, PLAN, DEFAULT))["GET /tickets/"] is SeriesVerdict.REGRESSION


def test_what_was_shown_to_be_no_worse_stays_so() -> None:
    """Faster, but not known how much: restless blocks do not open such an endpoint again."""
    wide = a_rule(kind=RoundKind.DUET, metric="service_time", change=0.05, margin=0.05)
    policy = replace(DEFAULT, budgets=(*DEFAULT.budgets, wide))
    calm, wild = (
        a_run_with_looks(blocks=12, slower={"GET /tickets/": 0.975}, scatter=scatter, rng_seed=5)
        for scatter in (0.03, 0.3)
    )
    early = replace(calm, rounds=tuple(round_ for round_ in calm.rounds if round_.block <= 6))
    mixed = replace(early, rounds=(*early.rounds, *(round_ for round_ in wild.rounds if round_.block > 6)))
    assert verdicts(follow(early, PLAN, policy))["GET /tickets/"] is SeriesVerdict.BELOW_BUDGET
    decisions = timed(follow(mixed, PLAN, policy).decisions)
    (kept,) = (decision for decision in decisions if decision.reason.startswith("GET /tickets/ "))
    assert "stays below its budget" in kept.reason
    assert "; decided after block" in kept.reason
    assert kept.looks[-1].verdict is SeriesVerdict.INCONCLUSIVE


def test_intervals_are_wider_than_those_of_one_look() -> None:
    """They hold at every look; after the last planned block they are hardly wider."""

    def half_width(run: Run) -> float:
        change = timed(judged(run).decisions)[0].comparison.change
        assert change is not None
        return change.high - change.low

    for blocks, (least, most) in {4: (1.5, 4.0), 12: (1.0, 1.25)}.items():
        run = a_run_with_looks(blocks=blocks, scatter=0.02)
        assert least < half_width(run) / half_width(replace(run, looks=None)) < most


@pytest.mark.parametrize("factor", [1.025, 1.03])
def test_a_change_between_budget_and_margin_does_not_pass_early(factor: float) -> None:
    """What eight blocks call a regression is not called unchanged after three, four or five."""
    for seed in range(12):
        run = a_run_with_looks(blocks=12, slower={"GET /tickets/": factor}, scatter=0.006, rng_seed=seed)
        standing = Standing()
        for block in range(3, 13):
            seen = replace(run, rounds=tuple(round_ for round_ in run.rounds if round_.block <= block))
            standing = look(standing, seen, PLAN, DEFAULT, block=block)
            if standing.red or not standing.is_open(RoundKind.DUET):
                break
        assert standing.red


def test_a_run_without_looks_is_judged_once() -> None:
    """A fixed number of blocks has no looks in its result."""
    outcome = judged(replace(a_run_with_looks(blocks=8), looks=None))
    assert outcome.verdict is Verdict.PASS
    assert all(decision.looks == () for decision in outcome.decisions)


def test_one_block_of_load_is_no_look() -> None:
    """Its series have no numbers yet; more load could settle them."""
    plan = LookPlan(first=3, most={RoundKind.DUET: 12, RoundKind.LOAD: 4})
    run = a_paired_run(blocks=4, changes={"looks": plan})
    once = tuple(round_ for round_ in run.rounds if round_.kind is RoundKind.DUET or round_.block == 3)
    standing = follow(replace(run, rounds=once), plan, DEFAULT)
    under_load = [decision for decision in standing.decisions if decision.comparison.kind is RoundKind.LOAD]
    assert {decision.verdict for decision in under_load} == {SeriesVerdict.NOT_COMPARED}
    assert all("at least 2" in decision.reason for decision in under_load)
    assert standing.is_open(RoundKind.LOAD)
