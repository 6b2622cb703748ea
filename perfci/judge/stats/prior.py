"""
How much two runs differ for no reason: what is believed before a baseline has shown it.

Between jobs the machine changes, and one stored run says nothing about by how much. So the variance between runs starts
from a prior, and moves to what the stored runs show as they accumulate.

Simulated with twelve endpoints, four rounds a run that scatter by 3 % each, and the default policy: machines that
really scatter by 15 % turn 0 to 1.3 % of unchanged runs red with one to eight stored runs. One stored run of another
machine finds a doubling of one endpoint in 97 % of trials where machines scatter by 5 %, in 72 % where by 15 %; three
of the same machine find +35 % in 98 %.
"""

from collections.abc import Sequence
from math import sqrt

from perfci.judge.stats.effect import Effect
from perfci.judge.stats.moderated import Spread, shrink

OTHER_MACHINE_SD = 0.15
"""Of the log ratio of two runs on different machines of one class (published jobs: 14.8 %, 15.0 %)."""

SAME_MACHINE_SD = 0.06
"""Of the log ratio of two runs on the very same machine (load rounds of 20 s scatter by 3 to 6 %)."""

PRIOR_FREEDOM = 20.0
"""Weight of the prior beside one stored run, in degrees of freedom."""

RUNS_WITHOUT_PRIOR = 8
"""From so many stored runs on, only what they show counts."""


def prior(runs: int, *, same_machine: bool) -> Spread:
    """
    The believed variance of the level of a single run, and the weight of that belief beside *runs* stored ones.

    The constants are of a ratio of two runs, hence the half.
    """
    sd = SAME_MACHINE_SD if same_machine else OTHER_MACHINE_SD
    weight = PRIOR_FREEDOM * max(0, RUNS_WITHOUT_PRIOR - runs) / (RUNS_WITHOUT_PRIOR - 1)
    return Spread(sd**2 / 2, weight)


def against_runs(
    *, candidate: float, stored: Sequence[float], shown: Spread, own_variance: float, same_machine: bool
) -> Effect:
    """
    One run against the mean of the *stored* ones, all as logs.

    *shown* is the variance between the stored runs, *own_variance* that of the candidate's mean, from the scatter
    between its rounds: a run that was restless itself proves less. The prediction of one further value has the variance
    of a run times 1 + 1 / runs (any textbook's prediction interval).
    """
    between = shrink(shown, prior(len(stored), same_machine=same_machine))
    variance = between.variance * (1 + 1 / len(stored)) + own_variance
    return Effect(candidate - sum(stored) / len(stored), sqrt(variance), between.freedom)
