"""
Moderates variances by borrowing strength across series.

Eight blocks estimate a variance badly, but a run has many series of the same kind. Each series' own variance is drawn
towards the one to be expected of it, as far as the series really are alike: the moderated t of G. K. Smyth, "Linear
models and empirical Bayes methods for assessing differential expression", Stat. Appl. Genet. Mol. Biol. 3(1), 2004.

What is to be expected differs from series to series. Few requests that scatter much make a mean that scatters, and how
much is known from the requests themselves; what machine and starts do to all of them comes on top, and is pooled. (That
the prior follows what is known of each series is the trend of C. W. Law et al., "voom", Genome Biology 15:R29, 2014.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

SMALLEST_SD = 0.001
"""
Smallest standard deviation of the log effect of one block. The quietest series measured so far scatters by 0.4 %;
values that agree better than 0.1 % were rounded, or are few and lucky.
"""

MOST_BORROWED = 12.0
"""Largest weight of a prior in degrees of freedom: with few series their similarity is only a guess."""

MOST_BESIDE_OWN = 1.5
"""
Largest weight of a prior per degree of freedom of the series: after four blocks three times as many let 1.6 % of
identical pairs of recorded rounds turn red, twice as many 1.3 %, this many 0.9 %.
"""

_ENOUGH_SERIES = 2  # one has nobody to borrow from


@dataclass(frozen=True, slots=True)
class Spread:
    """A variance and what is known about it."""

    variance: float
    df: float  # degrees of freedom: how much is known about it
    within_variance: float = 0.0  # the part of it that the scatter among the requests explains


def moderate(own: Sequence[Spread]) -> list[Spread]:
    """Draw the variances of alike series towards what is to be expected of each."""
    return [shrink(spread, prior) for spread, prior in zip(own, _priors(own), strict=True)]


def shrink(own: Spread, prior: Spread) -> Spread:
    """
    The posterior of one variance: the mean of both, weighted by what is known about each (Smyth 2004, section 4).

    A prior without weight leaves the series alone, and the test is the ordinary t test.
    """
    df = own.df + prior.df
    variance = (own.df * own.variance + prior.df * prior.variance) / df if df else 0.0
    return Spread(max(variance, SMALLEST_SD**2), df)


def _priors(own: Sequence[Spread]) -> list[Spread]:
    """
    The variance to be expected of each, with the weight that the scatter of the variances about it allows.

    The variance of a log variance is trigamma(df / 2) by chance alone; what is beyond that is real unlikeness, and
    the prior's own degrees of freedom are where trigamma equals it (Smyth 2004, section 6.2).
    """
    known = [spread for spread in own if spread.df > 0]
    if len(known) < _ENOUGH_SERIES:
        return [Spread(0.0, 0.0)] * len(own)
    halves = np.array([spread.df for spread in known]) / 2
    shared = max(0.0, float(np.average([spread.variance - spread.within_variance for spread in known], weights=halves)))
    variances = np.array([max(spread.variance, SMALLEST_SD**2) for spread in known])
    expected = np.array([max(spread.within_variance + shared, SMALLEST_SD**2) for spread in known])
    centred = np.log(variances / expected) - special.digamma(halves) + np.log(halves)
    unlike = float(np.var(centred, ddof=1) - special.polygamma(1, halves).mean())
    borrowed = float(2 * halves.sum()) - float(2 * halves.max())  # no more than the other series really know
    own_share = MOST_BESIDE_OWN * 2 * float(halves.mean())
    df = min(_inverse_trigamma(unlike), MOST_BORROWED, borrowed, own_share)
    return [Spread(spread.within_variance + shared, df) for spread in own]


def _inverse_trigamma(value: float) -> float:
    """Twice the x at which trigamma(x) = *value*, by Newton's method on 1 / trigamma (Smyth 2004, appendix)."""
    if value <= special.polygamma(1, MOST_BORROWED):
        return 2 * MOST_BORROWED
    x = 0.5 + 1.0 / value
    for _ in range(50):
        trigamma = float(special.polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(special.polygamma(2, x))
        x += step
        if abs(step) < 1e-8 * x:
            break
    return 2 * x
