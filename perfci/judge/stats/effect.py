"""Derives from an effect and its standard error the interval of the change and the detectable change."""

from dataclasses import dataclass, replace
from math import expm1, log1p, sqrt

import numpy as np
from scipy import special

from perfci.judge.stats.student import Estimate, quantile
from perfci.model import Interval

POWER = 0.8
"""Power of the smallest detectable change: 8 of 10 such runs would have found it."""

LARGEST = log1p(1000.0)
"""Largest relative change (100,000 %) that is reported; below it no exponential function overflows."""

MOST_FURTHER = 200
"""Largest number of further blocks that is recommended."""


@dataclass(frozen=True, slots=True)
class Effect(Estimate):
    """A change on the log scale: the estimate is the log of the ratio."""

    common_shift: float | None = None  # log ratio of all other endpoints together, taken out of the estimate

    def relative_interval(self, confidence: float) -> Interval:
        """The relative change: +0.1 is 10 % more."""
        half = self.half_width(confidence)
        return Interval(
            estimate=relative(self.estimate),
            low=relative(self.estimate - half),
            high=relative(self.estimate + half),
        )


def of_rates(effect: Effect, base: int, candidate: int) -> Effect:
    """
    The *effect* on a rate, known no better than its counted events allow.

    The log of a Poisson count n has a variance of about 1 / n; blocks that agree better by chance know no more.
    """
    if not base or not candidate:
        return effect
    return replace(effect, standard_error=max(effect.standard_error, sqrt(1 / base + 1 / candidate)))


def relative(log_ratio: float) -> float:
    """The relative change: +0.1 is 10 % more."""
    return expm1(min(log_ratio, LARGEST))


def critical_change(effect: Effect, *, alpha: float) -> float:
    """The smallest relative change that the t test at *alpha* would have called significant."""
    return relative(-quantile(alpha, effect.df) * effect.standard_error)


def smallest_detectable(effect: Effect, *, alpha: float, change: float) -> float:
    """
    The relative change that the gate would have called red with probability `POWER`.

    It must stand out at *alpha* (the share of one series in the family) and its estimate must reach the budget
    *change*; the normal shift of the t test (J. Cohen, "Statistical power analysis", 1988, chapter 2).
    """
    needed = log1p(critical_change(effect, alpha=alpha))
    reserve = quantile(POWER, effect.df) * effect.standard_error
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

    Either the interval's worse end falls below the margin, or the change reaches the budget and stands out at *alpha*.
    The error shrinks with the root of the blocks, and the quantiles of t with them. *estimate*, positive where it is
    worse, *budget* and *margin* are logs of ratios. None: no number worth naming.
    """
    more = np.arange(1, MOST_FURTHER + 1)
    errors = standard_error * np.sqrt(blocks / (blocks + more))
    within = special.stdtrit(blocks + more - 1, (1 + confidence) / 2) * errors <= margin - estimate
    red = -special.stdtrit(blocks + more - 1, alpha) * errors <= abs(estimate)
    settled = within | (red & (abs(estimate) >= budget))
    return int(more[settled.argmax()]) if settled.any() else None


def standard_error(variance: float, count: int) -> float:
    """Standard error of a mean of *count* values with this variance."""
    return sqrt(variance / count)
