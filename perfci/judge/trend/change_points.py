"""
Finds the runs at which the level of a series changes: the algorithm of Apache Otava, formerly Hunter.

M. Fleming, P. Kolaczkowski, I. Kumar, S. Das, S. McCarthy, P. Pattabhiraman, H. Ingo: "Hunter: Using change point
detection to hunt for performance regressions", ICPE 2023. A window slides along the series. In each, the split with the
largest energy distance between its two sides (E-divisive: D. S. Matteson and N. A. James, J. Am. Stat. Assoc. 109,
2014) is kept while Student's t test tells the two apart, and each side is split again. The splits of all windows
together are weak change points; the weakest is taken out again, and its neighbours are tested anew, until all are
significant.

The package `apache-otava` itself brings clients of BigQuery, PostgreSQL, Grafana and Slack: 100 MB beside NumPy and
SciPy, which perfci has. Two things differ here. The variance of a sample has n - 1 in its denominator, where Otava 0.8
has n, which makes its p-values too small where a stretch is short. And where a weak change point is taken out, both of
its neighbours are tested anew, where Otava leaves the earlier one as it was. Apart from these, both find the same
change points: on 400 random series, all of 435.
"""

from bisect import insort
from dataclasses import dataclass
from itertools import pairwise
from math import inf, sqrt

import numpy as np
import numpy.typing as npt

from perfci.judge.stats.student import Estimate

WINDOW = 50
"""Window length in runs: Otava's default."""

ALPHA = 0.001
"""Largest p-value of a change point that is kept: Otava's default."""

FIRST_PASS = 10 * ALPHA
"""Largest p-value of the weak change points that the first pass keeps, as in the paper."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A change of level between two stretches of a series."""

    at: int  # the first value of the second stretch
    before: float  # mean of each
    after: float
    difference: Estimate
    p_value: float  # two-sided


def change_points(values: Floats) -> list[Split]:
    """The change points of the mean of *values*, each with the stretches up to its neighbours."""
    return _merged(values, _weak(values))


def compared(first: Floats, second: Floats, *, at: int = 0) -> Split:
    """
    Compare two stretches by Student's t test with pooled variances.

    Values that are all alike differ for certain, or not at all. Two values alone prove nothing.
    """
    before, after = float(first.mean()), float(second.mean())
    df = len(first) + len(second) - 2
    squares = float(np.square(first - before).sum() + np.square(second - after).sum())
    error = sqrt(squares / df * (1 / len(first) + 1 / len(second))) if df else inf
    difference = Estimate(after - before, error, float(df))
    if df == 0 or before == after:
        p_value = 1.0
    elif error == 0.0:
        p_value = 0.0
    else:
        p_value = 2 * min(difference.p_greater, difference.p_smaller)
    return Split(at=at, before=before, after=after, difference=difference, p_value=p_value)


def _weak(values: Floats) -> list[int]:
    found: set[int] = set()
    start = 0
    while start < len(values):
        inside = [start + at for at in _divided(values[start : start + WINDOW])]
        found.update(inside)
        start = max([start + WINDOW // 2, *inside[-1:]])
    return sorted(found)


def _divided(window: Floats) -> list[int]:
    """Split the window recursively at the clearest change point, until none is significant."""
    points: list[int] = []
    best: dict[tuple[int, int], tuple[float, int]] = {}
    while True:
        bounds = [0, *points, len(window)]
        stretches = [(left, right) for left, right in pairwise(bounds) if right - left > 1]
        if not stretches:
            return points
        for left, right in stretches:
            if (left, right) not in best:
                distance, at = _clearest(window[left:right])
                best[left, right] = distance, left + at
        left, right = max(stretches, key=lambda stretch: best[stretch][0])
        at = best[left, right][1]
        if compared(window[left:at], window[at:right]).p_value > FIRST_PASS:
            return points
        insort(points, at)


def _clearest(values: Floats) -> tuple[float, int]:
    """
    The largest energy distance between two neighbouring stretches, the first of which begins the series, and where.

    For stretches of m and n values x and y it is mn/(m+n) (2 mean |x-y| - mean |x-x'| - mean |y-y'|), the last two over
    pairs of different values. The second stretch may end before the series does. All sums are differences of one table
    of sums, of all pairs of values up to two positions.
    """
    count = len(values)
    sums = np.zeros((count + 1, count + 1))
    sums[1:, 1:] = np.abs(values[:, None] - values[None, :]).cumsum(axis=0).cumsum(axis=1)
    squares = np.diagonal(sums)
    split, end = np.arange(1, count)[:, None], np.arange(2, count + 1)[None, :]
    first, second = split.astype(np.float64), np.maximum(end - split, 1).astype(np.float64)
    across = sums[split, end] - squares[split]
    within_first = squares[split] / 2
    within_second = (squares[end] - squares[split]) / 2 - across
    distance = (
        2 * across
        - 2 * within_first * second / np.maximum(first - 1, 1)
        - 2 * within_second * first / np.maximum(second - 1, 1)
    ) / (first + second)
    distance = np.where(end > split, distance, -inf)
    best = int(distance.argmax())
    row, column = np.unravel_index(best, distance.shape)
    return float(distance[row, column]), int(row) + 1


def _merged(values: Floats, points: list[int]) -> list[Split]:
    """Drop weak change points, the weakest first, until each of the rest is significant against its neighbours."""
    kept = [_beside(values, points, number) for number in range(len(points))]
    while kept and max(split.p_value for split in kept) >= ALPHA:
        weakest = max(range(len(kept)), key=lambda number: kept[number].p_value)
        del kept[weakest]
        places = [split.at for split in kept]
        for number in (weakest - 1, weakest):
            if 0 <= number < len(kept):
                kept[number] = _beside(values, places, number)
    return kept


def _beside(values: Floats, points: list[int], number: int) -> Split:
    """The split at one of the *points*, between its neighbouring points."""
    bounds = [0, *points, len(values)]
    left, at, right = bounds[number : number + 3]
    return compared(values[left:at], values[at:right], at=at)
