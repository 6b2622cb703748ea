"""
Estimates growth over a round: the Theil-Sen slope, with an interval by Kendall's test.

Values of neighbouring seconds resemble each other, so they are first averaged over stretches, few enough to be nearly
independent (P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63, 1968).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from perfci.judge.stats import welch

STRETCHES = 20
LEAST = 8
"""Smallest number of stretches that a trend needs."""

SETTLING = 0.2
"""Share of the round's beginning that is left out, in which caches and pools fill."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The growth from the beginning of the judged part to its end, in the values' unit, with its 95 % interval."""

    growth: float
    low: float
    high: float
    level: float  # at the beginning
    later: float  # growth of the second half alone: what only settles has none there


def trend(points: Sequence[float | None], *, settling: float = SETTLING) -> Trend | None:
    """The trend of evenly spaced *points*, without the *settling* share at the beginning; None of too few."""
    from scipy import stats

    kept = np.array([np.nan if point is None else point for point in points[int(settling * len(points)) :]], float)
    parts = [part[~np.isnan(part)] for part in np.array_split(kept, min(STRETCHES, len(kept)))] if len(kept) else []
    means = np.array([part.mean() for part in parts if len(part)])
    if len(means) < LEAST:
        return None
    places = np.linspace(0.0, 1.0, len(means))
    slope, intercept, low, high = stats.theilslopes(means, places, alpha=0.95)
    half = len(means) // 2
    later = float(stats.theilslopes(means[half:], places[half:])[0])
    if np.ptp(means) == 0:
        low = high = 0.0
    return Trend(float(slope), _finite(low, -inf), _finite(high, inf), float(intercept), later * 0.5)


def shift(points: Sequence[float | None]) -> Trend | None:
    """
    How far the last third of evenly spaced *points* lies above the first third after the settling part.

    With the interval of Welch's test. A slope misses what happens from one moment to the next: it is flat before, and
    flat after. None of too few points.
    """
    kept = points[int(SETTLING * len(points)) :]
    third = len(kept) // 3
    first, last = (np.array([each for each in part if each is not None]) for part in (kept[:third], kept[-third:]))
    if third == 0 or min(len(first), len(last)) < LEAST // 2:
        return None
    before, after = _sample(first), _sample(last)
    growth = after.mean - before.mean
    if before.variance == after.variance == 0:
        return Trend(growth, growth, growth, before.mean, growth)
    interval = welch.difference(before, after).interval(0.95)
    return Trend(growth, interval.low, interval.high, before.mean, growth)


def _sample(values: np.ndarray) -> welch.Sample:
    """The sample for Welch's test: no variance where all values are equal, whatever rounding of their mean leaves."""
    variance = float(np.var(values, ddof=1)) if np.ptp(values) else 0.0
    return welch.Sample(len(values), float(np.mean(values)), variance)


def _finite(value: float, instead: float) -> float:
    return instead if np.isnan(value) else float(value)
