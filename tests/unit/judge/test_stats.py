"""Our numbers against reference computations."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from perfci.judge.stats import exact
from perfci.judge.stats.centre import median_of_others
from perfci.judge.stats.effect import Effect, further_blocks, smallest_detectable, standard_error
from perfci.judge.stats.exact import Count
from perfci.judge.stats.family import holm
from perfci.judge.stats.moderated import SMALLEST_SD, Spread, moderate, shrink
from perfci.judge.stats.prior import RUNS_WITHOUT_PRIOR, Prior, against_runs

PROBABILITIES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def brute_force_holm(p: list[float]) -> list[float]:
    """By the definition: reject while the smallest left passes alpha over how many are left."""

    def rejected(alpha: float) -> set[int]:
        left, gone = set(range(len(p))), set()
        while left:
            smallest = min(left, key=lambda index: (p[index], index))
            if p[smallest] * len(left) > alpha:
                break
            left.remove(smallest)
            gone.add(smallest)
        return gone

    levels = sorted({min(1.0, value * count) for value in p for count in range(1, len(p) + 1)} | {1.0})
    return [min((a for a in levels if i in rejected(a)), default=1.0) for i in range(len(p))]


@given(PROBABILITIES)
def test_holm_is_its_definition(p: list[float]) -> None:
    """The adjusted p-value is the smallest alpha at which the step-down procedure rejects."""
    assert holm(p) == pytest.approx(brute_force_holm(p))


@given(PROBABILITIES, st.floats(0, 1))
def test_one_more_series_never_lowers_a_p_value(p: list[float], another: float) -> None:
    """A larger family is corrected more, but never beyond Bonferroni."""
    before, after = holm(p), holm([*p, another])[:-1]
    assert all(new >= old for old, new in zip(before, after, strict=True))
    assert holm([*p, another])[p.index(min(p))] <= min(1.0, min(p) * (len(p) + 1)) or another < min(p)


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=12).filter(lambda v: np.std(v) > 0.01))
def test_without_a_prior_the_moderated_t_is_the_ordinary_one(values: list[float]) -> None:
    """Zero prior weight leaves SciPy's one-sample t test."""
    spread = shrink(Spread(float(np.var(values, ddof=1)), len(values) - 1), Spread(0.0, 0.0))
    mean = float(np.mean(values))
    ours = Effect(mean, standard_error(spread.variance, len(values)), spread.df)
    reference = stats.ttest_1samp(values, 0.0, alternative="greater")
    assert ours.p_greater == pytest.approx(reference.pvalue, rel=1e-9)
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    interval = ours.relative_interval(0.95)
    assert (log(1 + interval.low), log(1 + interval.high)) == pytest.approx((low, high))


def test_variances_move_towards_the_pooled_one_and_gain_freedom() -> None:
    """A lucky quiet series is believed less, a restless one is calmed, none leaves its place in the order."""
    own = [Spread(variance, 7.0) for variance in (1e-4, 2e-4, 3e-4, 4e-4)]
    posterior = moderate(own)
    assert own[0].variance < posterior[0].variance < posterior[3].variance < own[3].variance
    assert all(spread.df > 7.0 for spread in posterior)


def test_unlike_variances_lend_each_other_little() -> None:
    """Where one series is a hundred times as restless, likeness is not assumed."""
    alike = moderate([Spread(v, 30.0) for v in (1e-4, 1.1e-4, 0.9e-4, 1e-4)])
    unlike = moderate([Spread(v, 30.0) for v in (1e-4, 1e-2, 1e-3, 1e-1)])
    assert alike[0].df - 30 > 5 > unlike[0].df - 30


def test_a_series_of_few_requests_is_expected_to_scatter_more() -> None:
    """What the requests explain is no unlikeness, and what it leaves over is shared by all."""
    shared, sampled = 1e-4, (1e-5, 1e-4, 1e-3, 1e-2)
    plain = moderate([Spread(shared + each, 8.0) for each in sampled])
    known = moderate([Spread(shared + each, 8.0, within_variance=each) for each in sampled])
    assert [spread.variance for spread in known] == pytest.approx([shared + each for each in sampled])
    assert min(spread.df for spread in known) > 8 + 10 > 8 + 5 > max(spread.df for spread in plain)
    assert plain[0].variance > 4 * (shared + sampled[0])


def test_rounds_that_agree_better_than_their_requests_are_lucky() -> None:
    """No more is believed to be shared than nothing, and the variance is drawn up to what the requests tell."""
    posterior = moderate([Spread(1e-4, 8.0, within_variance=4e-4) for _ in range(4)])
    assert all(1e-4 < spread.variance < 4e-4 for spread in posterior)


def test_zero_variance_is_not_infinite_certainty() -> None:
    """Equal values scatter by the smallest standard deviation that is believed."""
    assert moderate([Spread(0.0, 7.0)])[0].variance == SMALLEST_SD**2


@given(st.integers(0, 30), st.integers(0, 30))
def test_failures_are_compared_by_fishers_test(base: int, candidate: int) -> None:
    """Both directions agree with SciPy's exact test."""
    table = [[candidate, 40 - candidate], [base, 50 - base]]
    worse, better = exact.fisher(Count(base, 50), Count(candidate, 40))
    assert worse == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)
    assert better == pytest.approx(stats.fisher_exact(table, alternative="less").pvalue)


def test_newcombes_own_example() -> None:
    """56/70 against 48/80 gives 0.2 (0.0524 to 0.3339), Newcombe 1998, table II, case (a), method 10."""
    interval = exact.newcombe(Count(48, 80), Count(56, 70), confidence=0.95)
    assert (interval.estimate, interval.low, interval.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from([1.0, 2.0, 5.0])), min_size=1, max_size=12))
def test_a_weight_is_as_many_equal_shares(weighted: list[tuple[float, float]]) -> None:
    """The smallest p over its weight pays for the whole family, the last only for itself."""
    p, weights = [p_value for p_value, _ in weighted], [weight for _, weight in weighted]
    adjusted = holm(p, weights)
    first = min(range(len(p)), key=lambda at: p[at] / weights[at])
    assert adjusted[first] == pytest.approx(min(1.0, p[first] * sum(weights) / weights[first]))
    assert all(after >= before - 1e-12 for before, after in zip(p, adjusted, strict=True))
    assert holm(p, [3.0] * len(p)) == pytest.approx(holm(p))


@given(st.integers(2, 9), st.integers(1, 5), st.integers(0, 999))
def test_the_median_of_the_others_is_numpys(series: int, replicates: int, rng_seed: int) -> None:
    """Leaving out a rank of the sorted values equals leaving out the value, ties included."""
    values = np.random.default_rng(rng_seed).integers(0, 6, (series, replicates)).astype(float)
    expected = [np.median(np.delete(values, at, axis=0), axis=0) for at in range(series)]
    assert median_of_others(values) == pytest.approx(np.array(expected))


def test_a_burst_in_one_block_is_one_event() -> None:
    """Fifty failures together count as one, fifty spread over all blocks as fifty."""
    burst = exact.effective([Count(48, 400)] + [Count(0, 400)] * 7)
    spread = exact.effective([Count(6, 400)] * 8)
    assert burst.failures == 1
    assert spread == Count(48, 3200)


def test_the_prior_fades_as_runs_accumulate() -> None:
    """Its weight falls with every stored run and is gone at the eighth."""
    weights = [Prior(same_machine=False).df(runs) for runs in range(1, 11)]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > 0
    assert weights[RUNS_WITHOUT_PRIOR - 1 :] == [0, 0, 0]


def test_another_machine_is_believed_to_differ_more() -> None:
    """The same change is weaker evidence between machines than on the very same one."""

    def p(*, same_machine: bool) -> float:
        shown = Spread(0.0, 0.0)
        effect = against_runs(
            candidate=0.3, stored=[0.0], shown=shown, own_variance=0.0, prior=Prior(same_machine=same_machine)
        )
        return effect.p_greater

    assert p(same_machine=True) < 0.001 < p(same_machine=False)


@pytest.mark.parametrize("freedom", [7.0, 30.0])
def test_the_smallest_detectable_change_is_detected_in_eight_of_ten(freedom: float) -> None:
    """Trials with exactly that change are significant and within budget in about 80 %."""
    error, alpha = 0.01, 0.001
    change = smallest_detectable(Effect(0.0, error, freedom), alpha=alpha, change=0.02)
    rng = np.random.default_rng(11)
    estimates = log(1 + change) + error * rng.standard_normal(20_000)
    errors = error * np.sqrt(rng.chisquare(freedom, 20_000) / freedom)
    found = (stats.t.sf(estimates / errors, freedom) < alpha) & (estimates >= log(1.02))
    assert 0.72 < found.mean() < 0.88


def test_further_blocks_shrink_the_interval_into_the_margin() -> None:
    """As many as its worse end needs, t's own quantiles considered; what can never be settled has no number."""
    limits = {"budget": 0.05, "alpha": 0.001, "confidence": 0.95}
    more = further_blocks(0.0, 0.1, blocks=4, margin=0.1, **limits)
    assert more is not None

    def half(blocks: int) -> float:
        return float(stats.t.ppf(0.975, blocks - 1)) * 0.1 * float(np.sqrt(4 / blocks))

    assert half(4 + more) <= 0.1 < half(4 + more - 1)
    assert further_blocks(0.04, 0.1, blocks=4, margin=0.04, **limits) is None
    faster = further_blocks(-0.04, 0.1, blocks=4, margin=0.1, **limits)
    assert faster == further_blocks(0.0, 0.1, blocks=4, margin=0.14, **limits)
    assert faster is not None
    assert faster < more


def test_further_blocks_make_a_change_stand_out() -> None:
    """As many as the test needs at its share of alpha, provided that the estimate reaches the budget."""
    more = further_blocks(0.06, 0.02, blocks=4, budget=0.05, margin=0.0, alpha=0.001, confidence=0.95)
    assert more is not None
    p = [stats.t.sf(0.06 / (0.02 * np.sqrt(4 / blocks)), blocks - 1) for blocks in (4 + more - 1, 4 + more)]
    assert p[1] <= 0.001 < p[0]
    assert further_blocks(0.06, 0.02, blocks=4, budget=0.07, margin=0.0, alpha=0.001, confidence=0.95) is None
