"""
The probability of counting nothing where a reference counted something.

Requests are no Poisson process: users act in journeys, wait in step, and are few. So what is counted is divided by how
much it clusters, and the rate itself may differ between two measurements of the same load.
"""

from collections.abc import Sequence
from math import inf, log1p

import numpy as np

FEWEST_WINDOWS = 6
"""Smallest number of windows from which a variance is estimated."""


def chance_of_none(events: float, *, there: float, here: float, clusters: float = 1.0, shape: float = inf) -> float:
    """
    The chance that nothing is counted in the exposure *here* if the rate is that of *events* in the exposure *there*.

    The larger of two, after the events are divided by their *clusters* (the design effect of Rao and Scott, see
    `stats/exact.py`):

    - Of the events of two Poisson processes of one rate, each falls *there* with the chance there / (there + here), and
      all of them with that to the power of their number (J. Przyborowski and H. Wilenski, "Homogeneity of results in
      testing samples from Poisson series", Biometrika 31, 1940). It needs no estimate of the rate.
    - Where the rate of a measurement follows a gamma distribution of this *shape* (coefficient of variation
      1 / sqrt(shape)), the count is negative binomial, and zero with (1 + due / shape) to the power of -shape
      (M. Greenwood and G. U. Yule, J. R. Stat. Soc. 83, 1920).

    Exposures are in any unit that both share, and positive. No events: 1.
    """
    independent = events / max(1.0, clusters)
    if not independent or not here:
        return 1.0
    fell_there = -independent * log1p(here / there)
    due = independent * here / there
    uneven = -shape * log1p(due / shape) if shape < inf else -due
    return float(np.exp(max(fell_there, uneven)))


def index_of_dispersion(sequences: Sequence[Sequence[float]]) -> float:
    """
    How much events cluster: variance over mean of the counts in equal windows; 1 where events are independent.

    The index of dispersion for counts (D. R. Cox and P. A. W. Lewis, "The Statistical Analysis of Series of Events",
    1966, chapter 4): the largest over windows of 1, 2, 4, ... values, of which there are `FEWEST_WINDOWS` in all
    *sequences* together. Never below 1.
    """
    largest, width = 1.0, 1
    while True:
        windows = [
            sum(counts[at : at + width]) for counts in sequences for at in range(0, len(counts) - width + 1, width)
        ]
        if len(windows) < FEWEST_WINDOWS:
            return largest
        if mean := float(np.mean(windows)):
            largest = max(largest, float(np.var(windows, ddof=1)) / mean)
        width *= 2


def shape_of_rates(counts: Sequence[float], *, clusters: float = 1.0) -> float:
    """
    The shape of the gamma distribution of which the rates behind these *counts* are drawn, by their first two moments.

    Infinite where the counts scatter no more than those of one rate do, and where there are fewer than two.
    """
    if len(counts) < 2 or not any(counts):
        return inf
    independent = np.asarray(counts, dtype=float) / max(1.0, clusters)
    mean, more = float(independent.mean()), float(independent.var(ddof=1) - independent.mean())
    return mean**2 / more if more > 0 else inf
