"""Checks that tasks began when they were due, and that users do not act in step."""

from collections.abc import Iterator, Sequence

import numpy as np

from perfci.judge.validity import generator
from perfci.judge.validity.case import Case, Rounds, healths, of, under_load
from perfci.judge.validity.offered import CHANCE, grew
from perfci.model import Finding, Round, Schedule, Side
from perfci.sentences import pacing as say

OVERSLEPT = 0.25
"""Share of the starts that a generator may begin late of itself. In half of a side's load rounds, more invalidates."""

MISSED = 0.10
"""Share of the starts that may never come: throughput may fall by as much before it counts."""

LATE = 0.05
"""Share of the starts that may come late or never: with more, a 95th percentile from when they were due is another."""

IN_STEP = 3.0
"""Variance over mean of the starts of users that wait equally long; 1 where they are independent."""


def overslept(case: Case) -> Iterator[Finding]:
    """Tasks that began late although their users were free: invalid where the generator was unable to do better."""
    load = under_load(case.measured)
    slow = [round_ for round_ in load if any(kept.overslept > OVERSLEPT * kept.due for kept in _kept([round_]))]
    if not slow:
        return
    worst = max(kept.overslept / kept.due for kept in _kept(slow))
    unable = any(own and 2 * sum(map(_unable, of(slow, side))) >= len(own) for side in Side for own in [of(load, side)])
    yield say.Overslept(share=worst, unable=unable)


def _unable(round_: Round) -> bool:
    health = round_.generator
    return health is not None and (
        health.cpu_share > generator.SATURATED
        or health.run_delay_share > generator.STARVED
        or health.loop_lag_p99_ms > generator.LATE_MS
    )


def behind(case: Case) -> Iterator[Finding]:
    """Starts that came late or never, because the users waited for answers: no latency tells of them."""
    before, after = _kept(case.alike), _kept(case.candidate)
    if not after:
        return
    lost, usual = [_missed(schedule) for schedule in after], [_missed(schedule) for schedule in before]
    more = float(np.mean(lost)) - (float(np.mean(usual)) if usual else 0.0)
    certain = len(usual) > 1 and len(lost) > 1 and more > MISSED
    if certain and grew(usual, lost, least_variance=_by_chance(before, after)) < CHANCE:
        loaded = under_load(case.candidate)
        unable = 2 * sum(map(_unable, loaded)) >= len(loaded)
        yield say.MissedMore(base=float(np.mean(usual)), candidate=float(np.mean(lost)), unable=unable)
        return
    yield from _too_slow(case, max((lost, usual), key=lambda shares: float(np.mean(shares)) if shares else 0.0))


def _too_slow(case: Case, shares: Sequence[float]) -> Iterator[Finding]:
    """Why late starts are no regression: the load was too much for the service on the reference, too, or nearly so."""
    open_ = case.run.fingerprint.plan is not None and case.run.fingerprint.plan.arrivals is not None
    if (share := float(np.mean(shares))) > MISSED:
        yield say.Missed(share=share, arrivals=open_)
        return
    late = [
        (schedule.late - schedule.overslept + schedule.missed) / schedule.due
        for side in (case.alike, case.candidate)
        for schedule in _kept(side)
    ]
    if max(late) > LATE:
        yield say.Late(share=max(late))


def _kept(rounds: Rounds) -> list[Schedule]:
    return [health.schedule for health in healths(under_load(rounds)) if health.schedule is not None]


def _by_chance(before: Sequence[Schedule], after: Sequence[Schedule]) -> float:
    """The variance of the difference of two shares by the number of starts alone, for identical sides."""
    due = [sum(kept.due for kept in side) for side in (before, after)]
    share = sum(kept.missed for kept in (*before, *after)) / sum(due)
    return sum(share * (1 - share) / each for each in due)


def _missed(schedule: Schedule) -> float:
    return schedule.missed / schedule.due


def in_step(case: Case) -> Iterator[Finding]:
    """
    Users with the same pace that act at the same time, for as long as the round lasts.

    Users that wait equally long after each answer are no news: answers take different times, which spreads them.
    """
    paced = [health for health in healths(under_load(case.measured)) if health.schedule is not None]
    found = [health.in_step for health in paced if health.in_step is not None]
    worst = max(found, key=lambda bursts: bursts.dispersion, default=None)
    if worst is not None and worst.dispersion > IN_STEP:
        yield say.InStep(wait_s=worst.wait_s, dispersion=worst.dispersion)
