"""Decides which requests of a duet are compared with each other, and how precise their ratio is."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from perfci.metrics.columns import Floats, Table

_TRIMMED_PAIRS = 0.2  # of each end: the pairs that count least
_TRIMMED_CROSSED = 0.3  # the same where all requests of a visit are compared
_LIKE = 1.25  # times the scatter of pairs, up to which the requests of a visit are taken to ask for the same
SHORTEST_MS = 1e-3  # what a clock calls zero; keeps logarithms finite
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Turns:
    """One side of the comparisons that count, without the extreme ones."""

    latencies_ms: Floats
    standard_error: float  # of the mean of their logs, so that the squares of both sides add up to that of the ratio

    def __len__(self) -> int:
        """The number of comparisons."""
        return len(self.latencies_ms)


NO_TURNS = Turns(np.empty(0), 0.0)


def turns_of(base: Table | None, candidate: Table | None) -> tuple[Turns, Turns]:
    """
    The requests of one endpoint on both sides, in the order sent, as they are compared.

    The k-th request of one side is the partner of the k-th of the other: both drew the same data, and were sent within
    milliseconds. Two pairs in a row are a visit (A B B A). Its requests are compared crosswise, too, each of the base
    with each of the candidate: what the place in a visit does to a time cancels out, and a request that the machine
    disturbed spoils two comparisons, while its partner still counts in two others. Where crossed comparisons scatter
    much more than pairs, for the data that was drawn, only pairs are compared.
    """
    if base is None or candidate is None:
        return NO_TURNS, NO_TURNS
    count = min(len(base.failed), len(candidate.failed))
    both = ~(base.failed[:count] | candidate.failed[:count])
    before, after = (np.maximum(side.latency_ms[:count][both], SHORTEST_MS) for side in (base, candidate))
    first, second, trimmed = _compared(np.log(before), np.log(after))
    logs = np.log(after[second] / before[first])
    order = np.argsort(logs, kind="stable")
    cut = int(trimmed * len(order))
    kept = order[cut : len(order) - cut]
    error = _standard_error(logs, kept, first if len(first) == len(before) else first // 2) / sqrt(2)
    return Turns(before[first[kept]], error), Turns(after[second[kept]], error)


def _compared(before: Floats, after: Floats) -> tuple[Positions, Positions, float]:
    """Positions of base and candidate in each comparison, and the share of them that is left out at each end."""
    pairs = np.arange(len(before))
    visits = pairs[: len(pairs) - len(pairs) % 2]  # an odd pair at the end has no visit
    crossed = visits ^ 1
    if len(visits) and _scatter(after[crossed] - before[visits]) <= _LIKE * _scatter(after[visits] - before[visits]):
        return np.concatenate([pairs, visits]), np.concatenate([pairs, crossed]), _TRIMMED_CROSSED
    return pairs, pairs, _TRIMMED_PAIRS


def _scatter(logs: Floats) -> float:
    """The median distance from the median."""
    return float(np.median(np.abs(logs - np.median(logs))))


def _standard_error(logs: Floats, kept: Positions, groups: Positions) -> float:
    """
    Standard error of the mean of the *kept* ones of *logs*, of which those of a group depend on each other.

    From the Winsorised variance, as if what was left out had the nearest value that was kept (K. K. Yuen, "The
    two-sample trimmed t for unequal population variances", Biometrika 61, 1974), of the means of the groups. Of one
    group nothing is known: zero.
    """
    sizes = np.bincount(groups)
    inside = len(sizes) * len(kept) / max(1, len(logs))
    if inside <= 1:
        return 0.0
    near = np.clip(logs, logs[kept[0]], logs[kept[-1]])
    means = np.bincount(groups, weights=near) / sizes
    return sqrt(float(np.square(means - means.mean()).sum()) / (inside * (inside - 1)))
