"""The rules of others compute what they say they compute."""

import numpy as np
import pytest
from scipy import stats

from bench import rivals
from bench.corpora import Column, LoadCorpus, Take, slower, take
from bench.oracle import oracle
from bench.resampling import NONE, Spec, Trial
from bench.rivals import RIVALS
from perfci.model import EndpointRound, RoundKind


def a_take(*latencies_ms: float) -> Take:
    """One endpoint with these latencies, five requests a second."""
    values = np.array(latencies_ms)
    seen = EndpointRound(requests=len(values), failures=0, values={"mean": float(values.mean())})
    return Take({"list": seen}, {"list": Column(values, np.arange(len(values)) / 5)})


def a_trial(base: list[Take], candidate: list[Take], *, history: bool = False) -> Trial:
    """Paired, or each base a stored run of one round."""
    groups = tuple((take,) for take in base) if history else (tuple(base),)
    return Trial(RoundKind.LOAD, groups, tuple(candidate), history=history)


def constant(*levels: float) -> list[Take]:
    """Rounds that scatter around these levels."""
    return [a_take(*(level * (1 + 0.001 * at) for at in range(10))) for level in levels]


@pytest.mark.parametrize(("n", "m"), [(3, 3), (4, 6), (8, 8), (12, 5)])
def test_exact_p_is_scipys(n: int, m: int) -> None:
    """On samples without ties, for whatever statistic they show."""
    rng = np.random.default_rng(n)
    for _ in range(5):
        base, candidate = rng.normal(0, 1, n), rng.normal(0.5, 1, m)
        expected = stats.mannwhitneyu(candidate, base, method="exact")
        assert rivals.exact_p(n, m, int(expected.statistic)) == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("shift", [0.0, 0.03, 0.06, 0.1, 0.15, 0.2])
def test_tests_on_requests_agree_with_scipy(shift: float) -> None:
    """The sums over rounds are the statistics of all requests together."""
    rng = np.random.default_rng(5)
    base = [a_take(*rng.lognormal(2, 0.3, 80)) for _ in range(3)]
    candidate = [a_take(*rng.lognormal(2 + shift, 0.3, 70)) for _ in range(3)]
    left, right = (np.concatenate([take.columns["list"].latency_ms for take in side]) for side in (base, candidate))
    trial = a_trial(base, candidate)
    welch = stats.ttest_ind(right, left, equal_var=False)
    ranks = stats.mannwhitneyu(right, left, method="asymptotic", use_continuity=False)
    assert rivals._welch(trial, "list") == (welch.pvalue < 0.05 and welch.statistic > 0)
    assert rivals._mann_whitney(trial, "list") == (ranks.pvalue < 0.05 and ranks.statistic > len(left) * len(right) / 2)


def test_fixed_limits() -> None:
    """+15 % on the 95th percentile breaks one and holds the other; only more than a doubling breaks 200 %."""
    trial = a_trial(constant(10), constant(11.5))
    verdicts = {name: rule(trial) for name, rule in RIVALS["paired"].items()}
    assert (verdicts["p95 +10 %"], verdicts["p95 +20 %"], verdicts["200 %"]) == ("regression", "pass", "pass")
    assert RIVALS["paired"]["200 %"](a_trial(constant(10), constant(20.1))) == "regression"


def test_bencher_needs_a_history_that_scatters() -> None:
    """Its boundary is that of a prediction interval; without one everything is green."""
    rule = RIVALS["baseline"]["Bencher"]
    levels = [10.0, 10.2, 9.9, 10.1]
    boundary = np.mean(levels) + stats.t.ppf(0.99, 3) * np.std(levels, ddof=1) * np.sqrt(1.25)
    for factor, verdict in ((0.999, "pass"), (1.001, "regression")):
        assert rule(a_trial(constant(*levels), constant(boundary * factor), history=True)) == verdict
    assert rule(a_trial(constant(10), constant(90), history=True)) == "pass"
    assert rule(a_trial(constant(10, 10), constant(90), history=True)) == "pass"


def test_kayenta_has_no_practical_threshold() -> None:
    """A shift of half a percent is high where points scatter little; none is not, nor is an improvement."""
    rng = np.random.default_rng(6)
    base, same = ([a_take(*rng.normal(10, 0.05, 300))] for _ in range(2))
    rule = RIVALS["paired"]["Kayenta"]
    assert rule(a_trial(base, same)) == "pass"
    assert rule(a_trial(base, [a_take(*rng.normal(10.05, 0.05, 300))])) == "regression"
    assert rule(a_trial(base, [a_take(*rng.normal(9.5, 0.05, 300))])) == "pass"


def test_benchstat_needs_four_rounds_a_side() -> None:
    """The smallest p of three against three is 0.1."""
    rule = RIVALS["paired"]["benchstat"]
    assert rule(a_trial(constant(10, 10.1, 10.2), constant(20, 20.1, 20.2))) == "pass"
    assert rule(a_trial(constant(10, 10.1, 10.2, 10.3), constant(20, 20.1, 20.2, 20.3))) == "regression"


def test_change_points_are_where_the_series_steps() -> None:
    """One, two, or none in plain noise; a rise elsewhere than at the candidate is not the candidate's."""
    noise = np.random.default_rng(7).normal(0, 0.1, 24)
    assert rivals.change_points(noise) == []
    assert rivals.change_points(noise + 3 * (np.arange(24) >= 15)) == [15]
    assert rivals.change_points(noise + 3 * (np.arange(24) >= 8) - 5 * (np.arange(24) >= 16)) == [8, 16]
    rule = RIVALS["paired"]["Otava"]
    quiet = [10 + 0.01 * (at % 3) for at in range(8)]
    assert rule(a_trial(constant(*quiet), constant(*(1.1 * level for level in quiet)))) == "regression"
    assert rule(a_trial(constant(*quiet[:4], 20, 20.1, 20, 20.1), constant(*(2 * level for level in quiet)))) == "pass"


def test_the_oracle_sees_what_is_there_and_nothing_else(rounds: LoadCorpus) -> None:
    """Rounds scatter by 1.4 % as pairs: 10 % on one endpoint cannot be missed, the same rounds are never red."""
    rule = oracle(rounds, Spec(mode="paired", where=NONE, replicates=4, seconds=17.0))
    base = tuple(take(round_, 17.0) for round_ in rounds.unchanged[:4])
    assert rule(Trial(RoundKind.LOAD, (base,), base)) == "pass"
    assert rule(Trial(RoundKind.LOAD, (base,), tuple(slower(take, "list", 1.1) for take in base))) == "regression"
    assert rule(Trial(RoundKind.LOAD, (base,), tuple(slower(take, "list", 0.9) for take in base))) == "pass"
