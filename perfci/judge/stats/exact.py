"""
Compares the failures of two sides by exact tests, without ratios and large-sample theory.

Failures come in bursts: fifty in one block are one event, not fifty. Counts are therefore divided by their design
effect first, how much more they scatter between blocks than independent requests would (J. N. K. Rao and A. J. Scott,
"A simple method for the analysis of clustered binary data", Biometrics 48, 1992).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import special

from perfci.model import Interval


@dataclass(frozen=True, slots=True)
class Count:
    """Failures among requests: of one block, or of one side."""

    failures: int
    requests: int

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return self.failures / self.requests if self.requests else 0.0


def pool(clusters: Sequence[Count]) -> Count:
    """All blocks of a side together, as counted."""
    return Count(sum(c.failures for c in clusters), sum(c.requests for c in clusters))


def effective(clusters: Sequence[Count]) -> Count:
    """All blocks of a side together, reduced to the number of independent requests that they are worth."""
    total, blocks = pool(clusters), len(clusters)
    by_chance = total.requests * total.share * (1 - total.share)
    if blocks < 2 or by_chance == 0:
        return total
    between = blocks / (blocks - 1) * sum((c.failures - c.requests * total.share) ** 2 for c in clusters)
    design = max(1.0, between / by_chance)
    return Count(round(total.failures / design), round(total.requests / design))


def fisher(base: Count, candidate: Count) -> tuple[float, float]:
    """
    One-sided p-values that the candidate fails more often, and less often.

    Fisher's exact test: given how many failed in all, how they fell on the two sides is hypergeometric. Where none did
    there is one way to fall, and the largest import of this package is spared.
    """
    if not base.failures and not candidate.failures:
        return 1.0, 1.0
    from scipy import stats

    drawn = (base.requests + candidate.requests, base.failures + candidate.failures, candidate.requests)
    more = stats.hypergeom.sf(candidate.failures - 1, *drawn)
    fewer = stats.hypergeom.cdf(candidate.failures, *drawn)
    return min(1.0, float(more)), min(1.0, float(fewer))


def newcombe(base: Count, candidate: Count, *, confidence: float) -> Interval:
    """
    Newcombe's interval of the difference of two shares, candidate minus base.

    R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statist. Med. 17, 1998,
    method 10: the Wilson intervals of both sides, joined.
    """
    low_b, high_b = _wilson(base, confidence)
    low_c, high_c = _wilson(candidate, confidence)
    difference = candidate.share - base.share
    return Interval(
        estimate=difference,
        low=difference - sqrt((candidate.share - low_c) ** 2 + (high_b - base.share) ** 2),
        high=difference + sqrt((high_c - candidate.share) ** 2 + (base.share - low_b) ** 2),
    )


def _wilson(count: Count, confidence: float) -> tuple[float, float]:
    n, share, z = count.requests, count.share, float(special.ndtri((1 + confidence) / 2))
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return tuple(float(x) for x in np.clip((centre - half, centre + half), 0.0, 1.0))  # type: ignore[return-value]


def smallest_detectable(base: Count, candidate: Count, *, alpha: float, power: float) -> float:
    """
    The growth of the share that would have been detected at *alpha* with this *power*.

    The normal approximation for two shares, started from the base's own (at least one failure, so that it holds near
    zero) and repeated because the rise itself adds variance.
    """
    start = max(base.share, 1 / max(base.requests, 2))
    z = float(special.ndtri(power) - special.ndtri(alpha))
    rise = 0.0
    for _ in range(30):
        raised = min(start + rise, 1.0)
        rise = z * sqrt(start * (1 - start) / base.requests + raised * (1 - raised) / candidate.requests)
    return min(rise, 1.0)


def standard_error(base: Count, candidate: Count) -> float:
    """Standard error of the difference of two shares (Wald)."""
    return sqrt(sum(count.share * (1 - count.share) / count.requests for count in (base, candidate)))
