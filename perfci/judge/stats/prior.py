"""
The prior for the scatter between runs, before a baseline has enough of them.

Between jobs the machine changes, and one stored run says nothing about by how much. So the variance between runs starts
from a prior, and moves to what the stored runs show as they accumulate.

A machine that is slower is slower for every endpoint, nearly. So the level of a whole service is known badly, and an
endpoint's change beside the other endpoints far better: each has a prior of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from perfci.judge.stats.effect import Effect
from perfci.judge.stats.moderated import Spread, shrink

OTHER_MACHINE_SD = 0.15
"""SD of the log level of one run, between machines of one class (published jobs: 14.8 %, 15.0 %)."""

SAME_MACHINE_SD = 0.045
"""
SD of the log level of one run on the very same machine (load rounds of 20 s differ by 3 to 6 % from pair to pair).
"""

WITHOUT_COMMON_SHIFT = 0.5
"""
Share of it that stays where an endpoint is judged beside the others: a machine that is slow at computing leaves an
endpoint that waits alone, and the two are then as far apart as half of what the machine does to one of them.
"""

PRIOR_DF = 20.0
"""Weight of the prior beside one stored run, in degrees of freedom."""

RUNS_WITHOUT_PRIOR = 8
"""Number of stored runs from which the prior has no weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """The scatter between runs that is assumed before any is measured."""

    same_machine: bool
    without_common_shift: bool = False

    @property
    def variance(self) -> float:
        """The variance of one run's level."""
        sd = SAME_MACHINE_SD if self.same_machine else OTHER_MACHINE_SD
        return (sd * (WITHOUT_COMMON_SHIFT if self.without_common_shift else 1.0)) ** 2

    def df(self, runs: int) -> float:
        """Its weight in degrees of freedom, next to so many stored runs."""
        return PRIOR_DF * max(0, RUNS_WITHOUT_PRIOR - runs) / (RUNS_WITHOUT_PRIOR - 1)


def against_runs(
    *, candidate: float, stored: Sequence[float], shown: Spread, own_variance: float, prior: Prior
) -> Effect:
    """
    One run against the mean of the *stored* ones, all as logs.

    *shown* is the variance between the stored runs, *own_variance* that of the candidate's mean, from the scatter
    between its rounds. What is shown holds both what machines do and the scatter of rounds; the prior holds
    only the first, and the second is added to it. A run that was restless itself never counts as calmer than it was.
    The prediction of one further value has the variance of a run and that of the mean (any textbook's prediction
    interval).
    """
    expected = Spread(prior.variance + own_variance, prior.df(len(stored)))
    between = shrink(shown, expected)
    variance = between.variance / len(stored) + max(between.variance, own_variance)
    return Effect(candidate - sum(stored) / len(stored), sqrt(variance), between.df)
