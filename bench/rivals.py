"""
The decision rules of other tools, as their documentation states them, on the same trials.

None of them can say "cannot tell": their verdict is "regression" where any endpoint is reported as worse, else "pass".
They see mean latencies where their tool watches one number, and requests where their users feed it requests.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from math import isfinite, sqrt
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import special

from bench.corpora import Column, Floats, Take
from bench.resampling import Rule, Trial

REGRESSION, PASS = "regression", "pass"
P_REQUESTS = 0.05  # of the whole: divided by the number of endpoints


def _any(worse: Callable[[Trial, str], bool]) -> Rule:
    """Red where any endpoint is red."""

    def rule(trial: Trial) -> str:
        return REGRESSION if any(worse(trial, endpoint) for endpoint in trial.candidate[0].columns) else PASS

    return rule


def _base(trial: Trial) -> Iterable[Take]:
    return (take for group in trial.base for take in group)


def fixed(limit: float) -> Rule:
    """
    A fixed limit, as users of load tools set it: the 95th percentile of a run grew by more than *limit*.

    Thresholds like k6's (https://grafana.com/docs/k6/latest/using-k6/thresholds/), put on a ratio.
    """

    def worse(trial: Trial, endpoint: str) -> bool:
        base, candidate = _p95s(trial)[endpoint]
        return candidate > (1 + limit) * base

    return _any(worse)


@lru_cache(maxsize=2)
def _p95s(trial: Trial) -> Mapping[str, tuple[float, float]]:
    sides = [list(_base(trial)), list(trial.candidate)]
    return {name: (_p95(sides[0], name), _p95(sides[1], name)) for name in trial.candidate[0].columns}


def _p95(takes: Iterable[Take], endpoint: str) -> float:
    return float(np.quantile(np.concatenate([take.columns[endpoint].latency_ms for take in takes]), 0.95))


def _twice(trial: Trial, endpoint: str) -> bool:
    """
    github-action-benchmark's rule: above 200 % of the last stored value.

    https://github.com/benchmark-action/github-action-benchmark, `alert-threshold`.
    """
    return _mean(trial.candidate, endpoint) > 2 * _mean(trial.base[-1], endpoint)


def _mean(takes: Iterable[Take], endpoint: str) -> float:
    count, total, _ = _moments([take.columns[endpoint] for take in takes])
    return total / count


def _moments(columns: Iterable[Column]) -> tuple[float, float, float]:
    """Number of requests, their sum and sum of squares."""
    count, total, squares = (sum(each) for each in zip(*map(_sums, columns), strict=True))
    return count, total, squares


@cache
def _sums(column: Column) -> tuple[float, float, float]:
    values = column.latency_ms
    return float(len(values)), float(values.sum()), float(values @ values)


def _welch(trial: Trial, endpoint: str) -> bool:
    """
    Welch's t test on requests, two-sided, corrected for the number of endpoints.

    B. L. Welch, "The generalization of 'Student's' problem", Biometrika 34, 1947.
    """
    sides = [_moments([take.columns[endpoint] for take in side]) for side in (_base(trial), trial.candidate)]
    means = [total / count for count, total, _ in sides]
    errors = [
        (squares - count * mean**2) / (count - 1) / count
        for (count, _, squares), mean in zip(sides, means, strict=True)
    ]
    df = sum(errors) ** 2 / sum(error**2 / (count - 1) for error, (count, _, _) in zip(errors, sides, strict=True))
    p = 2 * special.stdtr(df, -abs(means[1] - means[0]) / sqrt(sum(errors)))
    return bool(means[1] > means[0] and p < P_REQUESTS / len(trial.candidate[0].columns))


def _mann_whitney(trial: Trial, endpoint: str) -> bool:
    """
    Mann and Whitney's test on requests, two-sided by the normal approximation, corrected for the number of endpoints.

    H. B. Mann, D. R. Whitney, Annals of Mathematical Statistics 18, 1947. The statistic of pooled rounds is the sum of
    those of all pairs of rounds, which are computed once.
    """
    base = [take.columns[endpoint] for take in _base(trial)]
    candidate = [take.columns[endpoint] for take in trial.candidate]
    wins = sum(_wins(column, other) for column in base for other in candidate)
    n, m = (sum(len(column.latency_ms) for column in side) for side in (base, candidate))
    z = (wins - n * m / 2) / sqrt(n * m * (n + m + 1) / 12)
    return bool(2 * special.ndtr(-z) < P_REQUESTS / len(trial.candidate[0].columns))


@cache
def _wins(base: Column, candidate: Column) -> float:
    """Number of pairs of requests in which the candidate is slower; ties count half."""
    below = np.searchsorted(base.sorted, candidate.sorted, side="left").sum()
    upto = np.searchsorted(base.sorted, candidate.sorted, side="right").sum()
    return float(below + upto) / 2


BENCHER_BOUNDARY = 0.99


def _bencher(trial: Trial, endpoint: str) -> bool:
    """
    Bencher's `t_test` threshold: above the prediction interval of the history.

    https://bencher.dev/docs/explanation/thresholds/: mean + t * sd * sqrt(1 + 1/n), upper boundary 0.99. One run, or
    runs without scatter, give no boundary, and that is green.
    """
    history = np.array([_mean(run, endpoint) for run in trial.base])
    spread = float(np.std(history, ddof=1)) if len(history) > 1 else 0.0
    if not spread:
        return False
    reach = special.stdtrit(len(history) - 1, BENCHER_BOUNDARY) * spread * sqrt(1 + 1 / len(history))
    return bool(_mean(trial.candidate, endpoint) > history.mean() + reach)


KAYENTA_CONFIDENCE, KAYENTA_TOLERANCE = 0.98, 0.25


def _kayenta(trial: Trial, endpoint: str) -> bool:
    """
    Kayenta's classifier "High": the interval of the shift clears a quarter of the shift itself.

    https://github.com/spinnaker/kayenta, MannWhitneyClassifier: 98 % interval of the Hodges-Lehmann shift between the
    points of a monitoring system (here the means of seconds), tolerance 0.25.
    """
    base = np.concatenate([take.columns[endpoint].seconds for take in _base(trial)])
    candidate = np.concatenate([take.columns[endpoint].seconds for take in trial.candidate])
    shifts = np.subtract.outer(candidate, base).ravel()
    size, half = len(shifts), len(shifts) / 2
    reach = special.ndtri((1 + KAYENTA_CONFIDENCE) / 2) * sqrt(size * (len(base) + len(candidate) + 1) / 12)
    lowest = max(0, int(half - reach))
    ordered = np.partition(shifts, [lowest, size // 2])
    return bool(ordered[lowest] > KAYENTA_TOLERANCE * abs(ordered[size // 2]))


BENCHSTAT_ALPHA = 0.05


def _benchstat(trial: Trial, endpoint: str) -> bool:
    """
    benchstat on the means of rounds: an exact Mann-Whitney test, two-sided, alpha 0.05, for each series by itself.

    https://pkg.go.dev/golang.org/x/perf/cmd/benchstat
    """
    base, candidate = _means(_base(trial), endpoint), _means(trial.candidate, endpoint)
    wins = int((np.subtract.outer(candidate, base) > 0).sum())
    return bool(np.median(candidate) > np.median(base) and exact_p(len(base), len(candidate), wins) < BENCHSTAT_ALPHA)


def _means(takes: Iterable[Take], endpoint: str) -> Floats:
    return np.array([take.endpoints[endpoint].values["mean"] for take in takes])


@cache
def exact_p(n: int, m: int, wins: int) -> float:
    """Two-sided p of Mann and Whitney's statistic without ties: their generating function, multiplied out."""
    ways = np.zeros(n * m + 1)
    ways[0] = 1.0
    for i in range(1, n + 1):
        if m + i < len(ways):
            ways[m + i :] -= ways[: -(m + i)].copy()
        for k in range(i, len(ways)):
            ways[k] += ways[k - i]
    tail = ways[: min(wins, n * m - wins) + 1].sum() / ways.sum()
    return float(min(1.0, 2 * tail))


OTAVA_P, OTAVA_WEAK, OTAVA_WINDOW = 0.001, 10.0, 50


def _otava(trial: Trial, endpoint: str) -> bool:
    """
    Apache Otava on the series of round means, the candidate's at its end: a rise where the candidate begins.

    https://github.com/apache/otava: splits by E-divisive (D. S. Matteson, N. A. James, JASA 109, 2014), those with
    p < 0.01 kept for now, then merged until every one has p < 0.001 by Student's t with the population's deviation.
    One point beside the right place counts as found.
    """
    base, candidate = _means(_base(trial), endpoint), _means(trial.candidate, endpoint)
    series = np.concatenate([base, candidate])[-OTAVA_WINDOW:]
    start = len(series) - len(candidate)
    points = change_points(series)
    edges = [0, *points, len(series)]
    return any(
        abs(at - start) <= 1 and series[at:right].mean() > series[left:at].mean()
        for left, at, right in zip(edges, edges[1:], edges[2:], strict=False)
    )


def change_points(series: Floats) -> list[int]:
    """Where the mean of *series* changes, as indexes of the first value after it."""
    points = _splits(series, 0, len(series))
    while points:
        edges = [0, *points, len(series)]
        p = [_student(series[a:b], series[b:c]) for a, b, c in zip(edges, edges[1:], edges[2:], strict=False)]
        worst = int(np.argmax(p))
        if p[worst] < OTAVA_P:
            break
        del points[worst]
    return points


def _splits(series: Floats, first: int, last: int) -> list[int]:
    if last - first < 4:
        return []
    at = first + _best_split(series[first:last])
    if _student(series[first:at], series[at:last]) >= OTAVA_P * OTAVA_WEAK:
        return []
    return [*_splits(series, first, at), at, *_splits(series, at, last)]


def _best_split(values: Floats) -> int:
    """The split with the largest energy distance; each side has at least two values."""
    size = len(values)
    sums = np.zeros((size + 1, size + 1))
    sums[1:, 1:] = np.abs(np.subtract.outer(values, values)).cumsum(axis=0).cumsum(axis=1)
    at: npt.NDArray[np.int64] = np.arange(2, size - 1)
    left, right = at, size - at
    within_left = sums[at, at]
    within_right = sums[size, size] - 2 * sums[at, size] + sums[at, at]
    across = sums[at, size] - sums[at, at]
    energy = 2 * across / (left * right) - within_left / (left * (left - 1)) - within_right / (right * (right - 1))
    return int(at[np.argmax(left * right / size * energy)])


def _student(left: Floats, right: Floats) -> float:
    """Two-sided p of Student's t with the deviations that Otava passes on."""
    df = len(left) + len(right) - 2
    if df < 1:
        return 1.0
    pooled = ((len(left) - 1) * left.var() + (len(right) - 1) * right.var()) / df
    t = abs(right.mean() - left.mean()) / sqrt(pooled * (1 / len(left) + 1 / len(right))) if pooled else np.inf
    return float(2 * special.stdtr(df, -t)) if isfinite(t) else float(left.mean() == right.mean())


_REQUESTS: Mapping[str, Rule] = MappingProxyType(
    {
        "p95 +10 %": fixed(0.10),
        "p95 +20 %": fixed(0.20),
        "200 %": _any(_twice),
        "Welch on requests": _any(_welch),
        "Mann-Whitney on requests": _any(_mann_whitney),
        "benchstat": _any(_benchstat),
    }
)

RIVALS: Mapping[str, Mapping[str, Rule]] = MappingProxyType(
    {
        "paired": {**_REQUESTS, "Kayenta": _any(_kayenta), "Otava": _any(_otava)},
        "baseline": {**_REQUESTS, "Bencher": _any(_bencher), "Otava": _any(_otava)},
        "duet": _REQUESTS,
    }
)
"""Mode -> the rules that apply in it."""
