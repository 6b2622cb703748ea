"""
Our numbers, from the rounds to the p-value, against SciPy's own tests and against a second way to compute them.

`test_stats.py` holds the single functions; here the whole way counts.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from perfci.judge.compare.series import against_baseline, paired
from perfci.judge.policy import DEFAULT
from perfci.judge.stats import exact
from perfci.judge.stats.exact import Count
from perfci.judge.stats.family import holm
from perfci.judge.stats.moderated import MOST_BESIDE_OWN, MOST_BORROWED, SMALLEST_SD, Spread, moderate
from perfci.judge.validity.offered import grew
from perfci.model import Baseline, Comparison, Round, RoundKind, Run, Side
from tests.builders import a_paired_run, a_run, an_endpoint_round, some_rounds

LOAD = (RoundKind.LOAD,)
ONE: Mapping[str, float] = {"GET /a": 300.0}  # nobody lends it variance
SEEDS = st.integers(0, 1000)
FEW = settings(max_examples=15, deadline=None)


def find(comparisons: Sequence[Comparison], endpoint: str, metric: str) -> Comparison:
    (found,) = [
        comparison
        for comparison in comparisons
        if (comparison.series.endpoint, comparison.series.metric.name) == (endpoint, metric)
    ]
    return found


def values(rounds: Sequence[Round], side: Side, endpoint: str, metric: str) -> list[float]:
    return [round_.endpoints[endpoint].values[metric] for round_ in rounds if round_.side is side]


@FEW
@given(SEEDS, st.integers(2, 9), st.floats(0.01, 0.2))
def test_side_by_side_is_scipys_paired_t_test(rng_seed: int, blocks: int, scatter: float) -> None:
    """Of the logs, block by block: p-values of both directions, and the interval."""
    run = a_paired_run(blocks=blocks, kinds=LOAD, typical=ONE, scatter=scatter, rng_seed=rng_seed)
    base, candidate = (np.log(values(run.rounds, side, "GET /a", "trimmed_gmean")) for side in Side)
    assume(np.std(candidate - base, ddof=1) > SMALLEST_SD)  # below, more certainty is not believed
    ours = find(paired(run, DEFAULT), "GET /a", "trimmed_gmean")
    greater = stats.ttest_rel(candidate, base, alternative="greater")
    assert ours.p_worse == pytest.approx(greater.pvalue, rel=1e-6)
    assert ours.p_better == pytest.approx(1 - greater.pvalue, rel=1e-6)
    assert ours.change is not None
    low, high = stats.ttest_rel(candidate, base).confidence_interval(DEFAULT.confidence)
    assert (log(1 + ours.change.low), log(1 + ours.change.high)) == pytest.approx((low, high), rel=1e-6)


@FEW
@given(SEEDS, st.integers(8, 10), st.floats(0.01, 0.2))
def test_against_many_stored_runs_is_scipys_t_test_of_one_more(rng_seed: int, runs: int, scatter: float) -> None:
    """Where the prior has faded: a second sample of one, with the variance of the first."""

    def a_level(number: int) -> Run:
        rounds = some_rounds(
            blocks=1, kinds=LOAD, sides=(Side.CANDIDATE,), typical=ONE, scatter=scatter, rng_seed=rng_seed + number
        )
        return a_run(id=f"run-{number}", rounds=rounds)

    stored, run = [a_level(number) for number in range(runs)], a_level(99)
    levels = [log(run.rounds[0].endpoints["GET /a"].values["trimmed_gmean"]) for run in stored]
    assume(np.std(levels, ddof=1) > SMALLEST_SD)
    own = log(run.rounds[0].endpoints["GET /a"].values["trimmed_gmean"])
    comparisons = against_baseline(run, Baseline(location="x", runs=tuple(stored)), DEFAULT)
    reference = stats.ttest_ind_from_stats(
        own, 0.0, 1, np.mean(levels), np.std(levels, ddof=1), runs, alternative="greater"
    )
    assert find(comparisons, "GET /a", "trimmed_gmean").p_worse == pytest.approx(reference.pvalue, rel=1e-6)


@FEW
@given(st.integers(0, 40), st.integers(0, 40))
def test_failures_are_scipys_exact_test_of_all_blocks_together(before: int, after: int) -> None:
    """Where they are spread evenly; each side has 8 x 400 requests."""
    failing = {Side.BASE: before, Side.CANDIDATE: after}
    run = a_paired_run(kinds=LOAD, typical=ONE)
    rounds = tuple(
        replace(
            round_, endpoints={**round_.endpoints, "GET /a": an_endpoint_round(300.0, failures=failing[round_.side])}
        )
        for round_ in run.rounds
    )
    ours = find(paired(replace(run, rounds=rounds), DEFAULT), "GET /a", "failure_rate")
    table = [[8 * after, 3200 - 8 * after], [8 * before, 3200 - 8 * before]]
    assert ours.p_worse == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue, rel=1e-6)
    assert ours.p_better == pytest.approx(stats.fisher_exact(table, alternative="less").pvalue, rel=1e-6)


@given(st.lists(st.tuples(st.floats(1e-6, 1), st.floats(0.1, 5)), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_weighted_bonferroni(weighted: list[tuple[float, float]]) -> None:
    """A series is rejected where every subset of the family that holds it is: all subsets, one by one."""
    p, weights = zip(*weighted, strict=True)
    indexes = range(len(p))
    subsets = [set(chosen) for size in indexes for chosen in itertools.combinations(indexes, size + 1)]

    def of_subset(chosen: set[int]) -> float:
        whole: float = sum(weights[i] for i in chosen)
        return float(min(1.0, *(p[i] * whole / weights[i] for i in chosen)))

    closed = [max(of_subset(chosen) for chosen in subsets if i in chosen) for i in indexes]
    assert holm(p, weights) == pytest.approx(closed)


@given(st.integers(0, 40), st.integers(0, 30), st.sampled_from([0.9, 0.95, 0.99]))
def test_newcombes_interval_joins_the_solutions_of_wilsons_equation(base: int, new: int, confidence: float) -> None:
    """Wilson's limits are the shares whose score test just rejects: found by root finding, not by the formula."""
    z = float(stats.norm.isf((1 - confidence) / 2))

    def limits(count: Count) -> tuple[float, float]:
        def score(share: float) -> float:
            return (count.share - share) ** 2 - z * z * share * (1 - share) / count.requests

        inside = min(max(count.share, 1e-9), 1 - 1e-9)  # at the share itself the score is below zero, at the ends above
        low = 0.0 if count.failures == 0 else optimize.brentq(score, 0.0, inside, xtol=1e-14)
        high = 1.0 if count.failures == count.requests else optimize.brentq(score, inside, 1.0, xtol=1e-14)
        return low, high

    before, after = Count(base, 40), Count(new, 30)
    (low_b, high_b), (low_a, high_a) = limits(before), limits(after)
    ours = exact.newcombe(before, after, confidence=confidence)
    difference = after.share - before.share
    assert ours.low == pytest.approx(difference - sqrt((after.share - low_a) ** 2 + (high_b - before.share) ** 2))
    assert ours.high == pytest.approx(difference + sqrt((high_a - after.share) ** 2 + (before.share - low_b) ** 2))


@given(st.lists(st.floats(-6, 6), min_size=3, max_size=12), st.integers(2, 30))
def test_borrowed_variances_are_smyths_by_bisection(logs: list[float], freedom: int) -> None:
    """
    The prior's weight is where the scatter of the log variances is what chance and the prior explain.

    Bisection on the equation itself, for series of equal freedom; the pooled variance is then their mean. At most so
    much is borrowed as is allowed, or as the other series know.
    """
    own = [1e-3 * exp(value) for value in logs]
    scatter = float(np.var(np.log(own), ddof=1))

    def unexplained(weight: float) -> float:
        return scatter - float(special.polygamma(1, freedom / 2) + special.polygamma(1, weight / 2))

    most = min(MOST_BORROWED, freedom * (len(own) - 1.0), MOST_BESIDE_OWN * freedom)
    weight = most if unexplained(most) <= 0 else float(optimize.brentq(unexplained, 1e-9, most, xtol=1e-12))
    expected = [(freedom * variance + weight * float(np.mean(own))) / (freedom + weight) for variance in own]
    posterior = moderate([Spread(variance, float(freedom)) for variance in own])
    assert [spread.df for spread in posterior] == pytest.approx([freedom + weight] * len(own), rel=1e-6)
    assert [spread.variance for spread in posterior] == pytest.approx(
        [max(variance, 1e-6) for variance in expected], rel=1e-6
    )


@given(st.lists(st.tuples(st.floats(-4, 4), st.floats(-9, -5)), min_size=3, max_size=9), st.integers(2, 30))
def test_variances_are_compared_in_units_of_what_is_expected(logs: list[tuple[float, float]], freedom: int) -> None:
    """Series whose requests explain them all are Smyth's series, each divided by what its requests explain."""
    ratios = np.exp([ratio for ratio, _ in logs])
    explained = np.exp([level for _, level in logs])
    assume(float((explained * (ratios - 1)).mean()) <= 0)  # nothing is left over to be shared
    assume(float((explained * ratios).min()) > 2 * SMALLEST_SD**2)
    ours = moderate([Spread(r * e, float(freedom), within_variance=e) for r, e in zip(ratios, explained, strict=True)])
    plain = moderate([Spread(ratio, float(freedom)) for ratio in ratios])
    weight = plain[0].df - freedom
    expected = explained * (freedom * ratios + weight) / (freedom + weight)
    assert [spread.df for spread in ours] == pytest.approx([spread.df for spread in plain], rel=1e-6)
    assert [spread.variance for spread in ours] == pytest.approx(expected.tolist(), rel=1e-6)


@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=9).filter(lambda v: np.std(v) > 1e-3),
    st.lists(st.floats(-1, 1), min_size=2, max_size=9).filter(lambda v: np.std(v) > 1e-3),
)
def test_validity_compares_rounds_by_welchs_test(before: list[float], after: list[float]) -> None:
    """The p-value that the values grew is SciPy's."""
    reference = stats.ttest_ind(after, before, equal_var=False, alternative="greater")
    assert grew(before, after) == pytest.approx(reference.pvalue, rel=1e-6)
