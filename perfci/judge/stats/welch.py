"""Welch's test of two means with different variances, for replicates that are single values such as requests."""

from math import sqrt
from typing import NamedTuple

from perfci.judge.stats.student import Estimate
from perfci.model import Tally


class Sample(NamedTuple):
    """Summary of one side's values for the test."""

    size: int
    mean: float
    variance: float  # between the values, with size - 1 in the denominator


def sample(tally: Tally) -> Sample:
    """The requests of a counter."""
    return Sample(tally.requests, tally.mean, tally.spread**2)


def difference(base: Sample, candidate: Sample) -> Estimate:
    """
    Candidate minus base, of two samples with two values or more, at least one of which varies.

    The variances are not pooled (B. L. Welch, "The generalization of 'Student's' problem when several different
    population variances are involved", Biometrika 34, 1947): work that became data-dependent varies on one side only.
    """
    parts = [(side.variance / side.size, side.size - 1) for side in (base, candidate)]
    variance = sum(part for part, _ in parts)
    df = variance**2 / sum(part**2 / own for part, own in parts)
    return Estimate(candidate.mean - base.mean, sqrt(variance), df)
