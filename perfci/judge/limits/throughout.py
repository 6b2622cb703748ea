"""
Holds a limit in every window of a round, instead of in the round as a whole.

Each window has an interval of its own. A limit is broken where one of them lies beyond it, with the errors of all
windows together (Bonferroni); it is held where all of them lie within it, each with its own error.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf, isfinite

from perfci import histogram
from perfci.judge.limits.reading import CONFIDENCE, Reading, complement, least_share, share
from perfci.model import Slo, Stretch
from perfci.sentences.analyses import WorstWindow

QUANTILES: Mapping[str, float] = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
METRICS = frozenset({*QUANTILES, "failure_rate", "success_rate"})
"""What is known of a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """All requests that started in a part of a round."""

    at_s: float  # seconds since the round began
    seconds: float
    requests: int
    failures: int
    counts: Mapping[int, int]  # of those that succeeded, by the key of the histogram's bin


def reading(slo: Slo, stretches: Sequence[Stretch], *, settled: bool) -> Reading | None:
    """
    The worst of the limit's windows in a round: its value, and the bounds of all; None where none is known.

    Where it need not be *settled* that the limit is held, the value is the upper bound.
    """
    found = windows(stretches, slo.throughout_s)
    if not found:
        return None
    error = (1 - CONFIDENCE) / len(found)
    readings = [_quantile(slo.metric, window, error) or _failing(window, error) for window in found]
    known = [(seen.value, window.at_s) for seen, window in zip(readings, found, strict=True) if seen.value is not None]
    value, at_s = max(known, key=lambda pair: pair[0], default=(None, 0.0))
    low, high = max(seen.low for seen in readings), max(seen.high for seen in readings)
    if not settled and value is not None:
        high = max(low, value)
    seconds = min(window.seconds for window in found)
    worst = Reading(value, low, high, WorstWindow(windows=len(found), seconds=seconds, at_s=at_s))
    return complement(worst) if slo.metric == "success_rate" else worst


def windows(stretches: Sequence[Stretch], length_s: float) -> list[Window]:
    """Windows of at least *length_s* that cover the round; a shorter round is one window."""
    groups: list[list[Stretch]] = [[]]
    for stretch in stretches:
        if sum(each.seconds for each in groups[-1]) >= length_s:
            groups.append([])
        groups[-1].append(stretch)
    if len(groups) > 1 and sum(each.seconds for each in groups[-1]) < length_s:
        rest = groups.pop()
        groups[-1] += rest
    return [_together(group) for group in groups if group]


def _together(group: Sequence[Stretch]) -> Window:
    counts: Counter[int] = Counter()
    for stretch in group:
        counts.update(histogram.counts_of(stretch.histogram))
    return Window(
        at_s=group[0].at_s,
        seconds=sum(each.seconds for each in group),
        requests=sum(each.requests for each in group),
        failures=sum(each.failures for each in group),
        counts=dict(sorted(counts.items())),
    )


def _quantile(metric: str, window: Window, error: float) -> Reading | None:
    """
    The quantile of the latencies, bounded by order statistics; None where the metric is none.

    Of n requests, as many lie below the true quantile as a binomial distribution says (W. J. Conover, "Practical
    Nonparametric Statistics", 3.2). Where all failed, each took longer than any limit.
    """
    from scipy import stats

    if metric not in QUANTILES:
        return None
    times = [(*histogram.edges(key), histogram.middle(key), count) for key, count in window.counts.items()]
    if not times and window.failures:
        times = [(inf, inf, inf, window.failures)]
    up_to = list(accumulate(count for *_, count in times))
    total = up_to[-1] if up_to else 0
    if not total:
        return Reading(None, 0.0, inf)
    lowest, centre, highest = (
        int(stats.binom.ppf(chance, total, QUANTILES[metric])) for chance in (error, 0.5, CONFIDENCE)
    )
    value = _ranked(times, up_to, max(1, centre))[2]
    return Reading(
        value if isfinite(value) else None,
        _ranked(times, up_to, lowest)[0] if lowest else 0.0,
        _ranked(times, up_to, highest + 1)[1] if highest < total else inf,
    )


def _ranked(times: Sequence[tuple[float, float, float, int]], up_to: Sequence[int], rank: int) -> tuple[float, ...]:
    """The bin of the request with that *rank*, from 1 for the fastest on."""
    return next(each[:3] for each, reached in zip(times, up_to, strict=True) if reached >= rank)


def _failing(window: Window, error: float) -> Reading:
    """The share of the requests that failed."""
    if not window.requests:
        return Reading(None, 0.0, 1.0)
    found = share(window.failures, window.requests)
    return Reading(found.value, least_share(window.failures, window.requests, error), found.high)
