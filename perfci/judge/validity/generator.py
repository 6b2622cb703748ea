"""Checks the load generator, its request log and the machine, for which the candidate is never blamed."""

from collections.abc import Iterator
from itertools import pairwise

from perfci.judge.stats.exact import Count
from perfci.judge.validity import zeros
from perfci.judge.validity.case import Case, Rounds, healths, of, total, under_load, who_shows
from perfci.metrics.registry import METRICS
from perfci.model import Finding, Quantity, Round, RoundKind, Side
from perfci.sentences import generator as say
from perfci.sentences.finding import times

SATURATED = 0.9
"""
Share of a core above which the generator itself is the bottleneck. In half of a side's load rounds it invalidates the
run.
"""

BUSY = 0.7
"""Share of a core that is worth a warning; on a machine whose cores the service shares it is normal."""

STARVED = 0.3
"""Share of its time that the generator waited for a core. A warning: both sides wait for the same cores."""

LATE_MS = 100.0
"""Lag of the generator's event loop, 99th percentile: latencies are stretched by about as much."""

CUT = 0.8
"""
Share of the planned length below which a load round was cut off. Windows are exact, so this is far from any rounding.
"""

DUET_CUT = CUT / 2
"""
Share of the longest duet below which a duet was cut off: one may go on for as long again for endpoints with few turns.
"""

STEPPED = 0.05
"""
Share of a round by which the wall clock may jump: a jump moves that share of the requests into or out of the round.
"""

LEAST_STEP_S = 0.128
"""NTP steps a clock that is wrong by more, and slews it smoothly below (RFC 5905, appendix A.5.1.1: STEPT)."""

ABSURD_MS = 3_600_000.0
"""No request of a load test takes an hour; a clock that was set does."""

_TIMED = frozenset(name for name, metric in METRICS.items() if metric.quantity is Quantity.TIME)


def saturation(case: Case) -> Iterator[Finding]:
    """The load generator was the bottleneck."""
    load = under_load(case.measured)
    for side in Side:
        own = of(load, side)
        saturated = [health for health in healths(own) if health.cpu_share > SATURATED]
        if own and 2 * len(saturated) >= len(own):
            yield say.Saturated(side=side, saturated=len(saturated), rounds=len(own))
    busiest = max((health.cpu_share for health in healths(load)), default=0.0)
    if busiest > BUSY:
        yield say.Busy(share=busiest)


def starvation(case: Case) -> Iterator[Finding]:
    """The generator did not get enough processor time, or its event loop ran late."""
    waited = max((health.run_delay_share for health in healths(case.measured)), default=0.0)
    if waited > STARVED:
        yield say.Starved(share=waited)
    lag = max((health.loop_lag_p99_ms for health in healths(case.measured)), default=0.0)
    if lag > LATE_MS:
        yield say.Late(lag_ms=lag)


def ended(case: Case) -> Iterator[Finding]:
    """
    Rounds without a measurement, because the Locust file itself ended the run or its users could not start.

    Red where that happened in all rounds of a kind on the candidate, and never on the reference. Nothing else is to be
    learnt from such rounds.
    """
    early = [round_ for round_ in case.measured if _ended_early(round_)]
    if not early:
        return
    on_base = any(map(_ended_early, case.base))
    always = any(
        own and all(map(_ended_early, own))
        for kind in RoundKind
        if (own := [round_ for round_ in case.candidate if round_.kind is kind])
    )
    why = _ended_early(early[0])
    errors = [times(count, message) for round_ in early for message, count in round_.errors.items()]
    first_error = errors[0] if errors else ""
    if case.base and always and not on_base:
        yield say.CandidateEndedLoad(why=why, first_error=first_error)
        return
    yield say.LoadEnded(
        sides=tuple(side for side in Side if of(early, side)),
        ended=len(early),
        rounds=len(case.measured),
        why=why,
        first_error=first_error,
    )


def _ended_early(round_: Round) -> str:
    """Why the load ended before anything was measured; empty where it did not, or the reason is unknown."""
    return round_.generator.ended_early if round_.generator else ""


def tasks(case: Case) -> Iterator[Finding]:
    """
    Exceptions outside requests: a broken locustfile, or answers that it cannot work with.

    Red where the candidate raises more than the reference does by chance: of one task that was due, and raised, nothing
    is known.
    """

    def shows(rounds: Rounds) -> bool:
        raised = sum(health.exceptions for health in healths(rounds))
        return raised > 0 and raised >= total(rounds)[0]

    base, candidate = ([_raised(round_) for round_ in side] for side in (case.base, case.candidate))
    by_chance = bool(case.base) and not shows(case.base) and zeros.chance_of_failing(base, candidate) >= zeros.ALPHA

    raised_first = [text for round_ in case.measured for text in round_.errors if text.startswith("exception in ")]
    first = raised_first[0] if raised_first else ""
    who = None if by_chance and shows(case.candidate) else who_shows(case, case.base, shows)
    raised = {side: sum(health.exceptions for health in healths(of(case.measured, side))) for side in Side}
    if who is not None:
        yield say.EveryTaskRaises(who=who, first=first)
    elif any(raised.values()):
        sides = [side for side in Side if raised[side]] if len({round_.side for round_ in case.measured}) == 2 else []
        only = sides[0] if len(sides) == 1 else None
        yield say.TasksRaised(exceptions=sum(raised.values()), side=only, first=first)


def _raised(round_: Round) -> Count:
    """Tasks that raised, among those and the requests that were made."""
    exceptions = round_.generator.exceptions if round_.generator else 0
    return Count(exceptions, exceptions + total([round_])[0])


def records(case: Case) -> Iterator[Finding]:
    """Rounds whose request log is incomplete, or that are shorter than planned."""
    watched = healths(case.measured)
    if ended := [health for health in watched if health.cut_off_s]:
        limit_s = max(health.cut_off_s for health in ended)
        yield say.RoundTooLong(ended=len(ended), rounds=len(case.measured), limit_s=limit_s)
    if broken := [health for health in watched if not (health.complete or health.cut_off_s)]:
        yield say.RecordIncomplete(broken=len(broken), rounds=len(case.measured))
    planned = case.run.fingerprint.plan.duration_s if case.run.fingerprint.plan else 0.0
    load = under_load(case.measured)
    if cut := [round_ for round_ in load if round_.duration_s < CUT * planned]:
        shortest = min(round_.duration_s for round_ in cut)
        yield say.RoundCut(cut=len(cut), rounds=len(load), shortest_s=shortest, planned_s=planned)
    duets = [round_ for round_ in case.measured if round_.kind is RoundKind.DUET]
    longest = max((duet.duration_s for duet in duets), default=0.0)
    if short := {duet.block for duet in duets if duet.duration_s < DUET_CUT * longest}:
        yield say.DuetCut(cut=len(short), blocks=len({duet.block for duet in duets}))


def clocks(case: Case) -> Iterator[Finding]:
    """Impossible times, and clocks that were set during the run."""
    timed = [round_ for round_ in case.measured if round_.generator is not None]  # other tools often note no times
    if wrong := list(filter(_absurd, case.measured)):
        yield say.ClockAbsurd(wrong=len(wrong), rounds=len(case.measured))
    if stepped := [round_ for round_ in case.measured if _stepped(round_)]:
        largest = max((health.clock_step_s for health in healths(stepped)), key=abs)
        yield say.ClockStepped(step_s=largest)
    if _overlap(timed):
        yield say.ClockOverlap()


def _stepped(round_: Round) -> bool:
    step_s = round_.generator.clock_step_s if round_.generator else 0.0
    return abs(step_s) > max(STEPPED * round_.duration_s, LEAST_STEP_S)


def _absurd(round_: Round) -> bool:
    """Whether the round holds a time below zero, beyond an hour, or not a number."""
    values = (item for seen in round_.endpoints.values() for item in seen.values.items())
    timed = round_.generator is not None  # other tools often do not note how long they measured
    return (timed and round_.duration_s <= 0) or any(
        not 0 <= value <= ABSURD_MS and name in _TIMED for name, value in values
    )


def _overlap(rounds: Rounds) -> bool:
    for side in Side:
        for kind in RoundKind:
            own = sorted(round_.started_at for round_ in of(rounds, side) if round_.kind is kind)
            shortest = min((round_.duration_s for round_ in of(rounds, side) if round_.kind is kind), default=0.0)
            if any(after - before < shortest for before, after in pairwise(own)):
                return True
    return False
