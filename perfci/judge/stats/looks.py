"""
Corrects p-values and intervals for repeated looks at growing data.

Who tests after every block and stops at the first success is wrong more often than the level of one test says. A group
sequential test shares the level among its looks: a spending function says how much of it may be used up to which
fraction of the planned blocks (K. K. G. Lan and D. L. DeMets, "Discrete sequential boundaries for clinical trials",
Biometrika 70, 1983), and an integration over all paths that were not stopped before turns that into the level of each
look (P. Armitage, C. K. McPherson and B. C. Rowe, J. R. Stat. Soc. A 132, 1969).

The other way round, the repeated p-value of a look is the whole level at which this look would have succeeded, and an
interval at the level of its look is a repeated confidence interval: all of them together hold the true value with the
confidence promised, whatever made the run end (C. Jennison and B. W. Turnbull, "Interim analyses: the repeated
confidence interval approach", J. R. Stat. Soc. B 51, 1989).

The statistics are taken for those of a Brownian motion. A t test uses the level of its look with the t distribution of
that look (Jennison and Turnbull, "Group Sequential Methods", 2000, section 4.4).
"""

from collections.abc import Callable
from functools import cache, partial
from math import pi, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]
Fractions = tuple[float, ...]
"""
Fractions of the planned blocks at each look so far, increasing; 1 is the last planned one. Empty: there is one look.
"""

Spend = Callable[[float, float], float]
"""Level, fraction of the planned blocks -> the part of the level that may be spent up to there."""

RHO_OF_TESTS = 3.0
"""Exponent of the spending function of the tests; the larger, the less is spent early."""

RHO_OF_INTERVALS = 1.5
"""
The same of the intervals. Most runs compare sides that are equally fast, and end as soon as the intervals are narrow
enough to say so: they may spend more early than a test whose first mistake is a false alarm.
"""

_WIDTH = 8.5  # standard deviations below the middle at which the density of a path counts as nothing
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_DEVIATES = np.linspace(-1.7, 7.7, 95)  # of the levels that are tabulated: 0.96 to 1e-14


def power(level: float, fraction: float, *, rho: float) -> float:
    """
    The power family: level * fraction ** *rho*.

    (K. Kim and D. L. DeMets, "Design and analysis of group sequential tests based on the type I error spending rate
    function", Biometrika 74, 1987.)
    """
    return float(level * fraction**rho)


OF_TESTS: Spend = partial(power, rho=RHO_OF_TESTS)
OF_INTERVALS: Spend = partial(power, rho=RHO_OF_INTERVALS)


def spent(fraction: float) -> float:
    """The share of alpha that the tests of all looks up to this *fraction* of the planned blocks may have spent."""
    return OF_TESTS(1.0, fraction)


def level_now(level: float, fractions: Fractions, spending: Spend = OF_TESTS) -> float:
    """The one-sided level at which the last of the looks tests, out of the whole *level*."""
    return float(special.ndtr(-_paths(level, fractions, spending).boundary)) if fractions else level


def confidence_now(confidence: float, fractions: Fractions) -> float:
    """The confidence of an interval at the last of the looks, so that those of all looks hold with *confidence*."""
    return 1 - 2 * level_now((1 - confidence) / 2, fractions, OF_INTERVALS) if fractions else confidence


def repeated_p(p: float, fractions: Fractions) -> float:
    """The whole level at which a one-sided *p* of the last look succeeds; 1e-14 where it is smaller than that."""
    if not fractions:
        return p
    z, levels = _table(fractions)
    return max(p, float(special.ndtr(-np.interp(-special.ndtri(p), z, levels))))


@cache
def _table(fractions: Fractions) -> tuple[Floats, Floats]:
    """Boundaries of the last look and the levels that they belong to, both as normal deviates, increasing."""
    boundaries = [_paths(float(special.ndtr(-deviate)), fractions, OF_TESTS).boundary for deviate in _DEVIATES]
    return np.array([-_WIDTH, *boundaries]), np.array([-_WIDTH, *_DEVIATES])


class _Paths(NamedTuple):
    """The paths of a Brownian motion that no look up to now has stopped."""

    boundary: float  # normal deviate from which on the last look succeeds
    nodes: Floats  # where they are
    mass: Floats  # how many of all are there


@cache
def _paths(level: float, fractions: Fractions, spending: Spend) -> _Paths:
    *_, now = fractions
    before = fractions[-2] if fractions[1:] else 0.0
    earlier = _paths(level, fractions[:-1], spending) if fractions[1:] else _Paths(0.0, np.zeros(1), np.ones(1))
    _, nodes, mass = earlier
    share = spending(level, now) - (spending(level, before) if before else 0.0)
    step, scale = sqrt(now - before), sqrt(now)
    limit = _limit(share, nodes, mass, step, scale)
    half = (limit + _WIDTH * scale) / 2
    after = half * (1 + _NODES) - _WIDTH * scale
    density = np.exp(-(((after[:, None] - nodes) / step) ** 2) / 2) @ mass / (step * sqrt(2 * pi))
    return _Paths(limit / scale, after, density * _WEIGHTS * half)


def _limit(share: float, nodes: Floats, mass: Floats, step: float, scale: float) -> float:
    """Where so large a *share* of all paths comes to lie above."""
    from scipy import optimize  # 0.2 s, which a run that is judged once need not pay

    def excess(limit: float) -> float:
        return float(np.log(max(special.ndtr((nodes - limit) / step) @ mass, 1e-300)) - np.log(share))

    return float(optimize.brentq(excess, -_WIDTH * scale, 4 * _WIDTH * scale, xtol=1e-10))
