"""
What follows from an effect and its standard error: p-values, intervals, and what could have been seen.

Student's t by the functions under `scipy.stats.t` (`stdtr` is its distribution, `stdtrit` the inverse): the same
numbers, without tens of microseconds for the checking of arguments, which a thousand endpoints would feel.
"""

from dataclasses import dataclass
from math import expm1, log1p, sqrt

import numpy as np
from scipy import special

from perfci.model import Interval

POWER = 0.8
"""The smallest detectable change is the one that 8 of 10 such runs would have found."""

LARGEST = log1p(1000.0)
"""Nothing is told from a change of 100,000 %, and no exponential function overflows below it."""

MOST_FURTHER = 200
"""More blocks than that are no advice: nobody waits for them."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A change on the log scale, and how well it is known."""

    log_ratio: float
    standard_error: float
    freedom: float
    shared: float | None = None  # the change that all others showed, as a log; it was taken out of log_ratio

    @property
    def p_greater(self) -> float:
        """One-sided p-value that the value grew."""
        return float(special.stdtr(self.freedom, -self.log_ratio / self.standard_error))

    @property
    def p_smaller(self) -> float:
        """One-sided p-value that the value fell."""
        return float(special.stdtr(self.freedom, self.log_ratio / self.standard_error))

    def interval(self, confidence: float) -> Interval:
        """The relative change: +0.1 is 10 % more."""
        half = float(special.stdtrit(self.freedom, (1 + confidence) / 2)) * self.standard_error
        return Interval(
            estimate=relative(self.log_ratio),
            low=relative(self.log_ratio - half),
            high=relative(self.log_ratio + half),
        )


def relative(log_ratio: float) -> float:
    """The relative change: +0.1 is 10 % more."""
    return expm1(min(log_ratio, LARGEST))


def standing_out(effect: Effect, *, alpha: float) -> float:
    """The relative change from which on the t test at *alpha* would have called it more than noise."""
    return relative(-float(special.stdtrit(effect.freedom, alpha)) * effect.standard_error)


def smallest_detectable(effect: Effect, *, alpha: float, change: float) -> float:
    """
    The relative change that the gate would have called red with probability `POWER`.

    It must stand out at *alpha* (the share of one series in the family) and its estimate must reach the budget
    *change*; the normal shift of the t test (J. Cohen, "Statistical power analysis", 1988, chapter 2).
    """
    needed = log1p(standing_out(effect, alpha=alpha))
    reserve = float(special.stdtrit(effect.freedom, POWER)) * effect.standard_error
    return relative(max(needed, log1p(change)) + reserve)


def further_blocks(
    estimate: float,
    standard_error: float,
    *,
    blocks: int,
    budget: float,
    margin: float,
    alpha: float,
    confidence: float,
) -> int | None:
    """
    How many more blocks like these would settle an inconclusive series, if its estimate stays where it is.

    Either the interval shrinks into the margin, or the change reaches the budget and stands out at *alpha*. The error
    shrinks with the root of the blocks, and the quantiles of t with them. *estimate*, *budget* and *margin* are logs of
    ratios. None: no number worth naming.
    """
    more = np.arange(1, MOST_FURTHER + 1)
    errors = standard_error * np.sqrt(blocks / (blocks + more))
    within = special.stdtrit(blocks + more - 1, (1 + confidence) / 2) * errors <= margin - abs(estimate)
    red = -special.stdtrit(blocks + more - 1, alpha) * errors <= abs(estimate)
    settled = within | (red & (abs(estimate) >= budget))
    return int(more[settled.argmax()]) if settled.any() else None


def standard_error(variance: float, count: int) -> float:
    """Of a mean of *count* values with this variance."""
    return sqrt(variance / count)
