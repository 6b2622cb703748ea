"""Distributes alpha among the series, so that the chance of a false alarm holds for the whole verdict."""

from collections.abc import Sequence

from perfci.model import ALL_ENDPOINTS, Comparison, Role, Scale

GUARDING = 0.25
"""
Weight of a guarding series, beside 1 of a required one. Its budget lies far beyond its noise, so that a small share
finds what it is there for, while each share is taken from the series that find the small changes.
"""


def in_family(comparison: Comparison) -> bool:
    """
    Whether a series can turn the whole verdict red, and therefore takes part in the correction.

    Where nothing failed on either side no test of the failures could ever reject, and it costs nothing (R. E. Tarone,
    "A modified Bonferroni method for discrete data", Biometrics 46, 1990).
    """
    counts = comparison.budget.role is not Role.ADVISORY and comparison.p_worse is not None
    silent = comparison.series.metric.scale is Scale.DIFFERENCE and not comparison.base and not comparison.candidate
    return counts and not silent


def shares(comparisons: Sequence[Comparison]) -> list[float]:
    """
    Return each series' fraction of alpha; the fractions of the family's members add up to one.

    A required series weighs four times a guarding one, and the headline half of all its endpoints together: one
    endpoint slower and all of them slower are the two things that happen, and the headline scatters less than any
    endpoint. Where the common shift is taken out of the endpoints, the headline alone can see it, knows it badly, and
    weighs twice of them. A series outside the family is shown as strictly as a guarding endpoint inside.
    """
    family = [comparison for comparison in comparisons if in_family(comparison)]
    total = sum(_weight(comparison, family) for comparison in family) or 1.0
    return [(_weight(comparison, family) if in_family(comparison) else GUARDING) / total for comparison in comparisons]


def _weight(comparison: Comparison, family: Sequence[Comparison]) -> float:
    weight = 1.0 if comparison.budget.role is Role.REQUIRED else GUARDING
    if comparison.series.endpoint != ALL_ENDPOINTS:
        return weight
    peers = [
        other for other in family if (other.kind, other.series.metric) == (comparison.kind, comparison.series.metric)
    ]
    alone = any(peer.common_shift is not None for peer in peers)
    return weight * max(1.0, (len(peers) - 1) * (2.0 if alone else 0.5))
