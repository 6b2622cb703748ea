"""Checks that the offered load is the planned one, throughout and on both sides."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf, sqrt

import numpy as np

from perfci.judge.compare import block_means
from perfci.judge.stats import exact, rare, welch
from perfci.judge.stats.exact import Count
from perfci.judge.stats.student import Estimate
from perfci.judge.validity import zeros
from perfci.judge.validity.case import Case, Rounds, healths, total, under_load, who_shows
from perfci.model import ALL_ENDPOINTS, Finding, Round
from perfci.sentences import generator
from perfci.sentences import offered as say

STALL_SHARE, SHORTEST_STALL_S, LONGEST_STALL_S = 0.25, 3, 10
"""
A stall is a silence of a quarter of the round, but of 3 s at least and 10 s at most, which is no chance
(`zeros.ALPHA`, over all seconds of the run) ...
"""

STALLED_LATENCIES = 2.0
"""
... and which is longer than so many of the service's slowest seconds: with responses after 4 s, users send a request
every 4 s.
"""

HELD_UP = 0.2
"""
Share of the time between a user's requests that latencies may leave unexplained; it varied by 2 % in 108 real rounds.
"""

CHANCE = 0.001
"""p-value above which a difference between rounds may be chance."""

MIX_MOVED = 0.05
"""Smallest difference between the sides in an endpoint's share of the requests that is reported."""


def users(case: Case) -> Iterator[Finding]:
    """Users that never started, or that stopped. Where the service died, that explains it."""

    def short(round_: Round) -> bool:
        health = round_.generator
        if health is None:
            return False
        least = health.users_reached if health.users_kept is None else min(health.users_reached, health.users_kept)
        return least < health.users_wanted and round_.survived

    if (who := who_shows(case, case.alike, lambda rounds: any(map(short, rounds)))) is not None:
        missing = [round_ for round_ in case.measured if short(round_)]
        raised = [text for round_ in missing for text in round_.errors if text.startswith("exception in ")]
        yield say.UsersNotReached(who=who, first=raised[0] if raised else "")


def stalls(case: Case) -> Iterator[Finding]:
    """
    Consecutive seconds without a request although there were users: all of them were waiting.

    A generator that stood still itself is told by its own event loop.
    """
    gaps = _stalls(case)

    def gap(round_: Round) -> int:
        return gaps.get(id(round_), 0)

    stood = [gap(round_) for round_ in case.measured if gap(round_) and _generator_stood_still(round_, gap(round_))]
    if stood:
        yield generator.StoodStill(seconds=max(stood))
    who = who_shows(
        case,
        case.alike,
        lambda rounds: any(gap(round_) and not _generator_stood_still(round_, gap(round_)) for round_ in rounds),
    )
    if who is not None:
        yield say.Stalled(who=who, seconds=max(map(gap, case.measured)))


def _generator_stood_still(round_: Round, gap: int) -> bool:
    return round_.generator is not None and round_.generator.loop_lag_max_ms > 500.0 * gap


def _stalls(case: Case) -> dict[int, int]:
    """
    The rounds that stalled, by their `id`, with the seconds of silence that are no chance.

    How requests come together (users in step are silent together) is read from the rounds without such a silence, or
    from all where each has one.
    """
    rounds = [round_ for round_ in (*case.alike, *case.candidate) if round_.seconds]
    gaps = {id(round_): _silence(round_) for round_ in rounds}
    ordinary = [round_ for round_ in rounds if not gaps[id(round_)]]
    clusters = zeros.together(ordinary or rounds)
    watched = sum(len(round_.seconds) for round_ in rounds)
    return {
        id(round_): gap
        for round_ in rounds
        if (gap := gaps[id(round_)])
        and rare.chance_of_none(
            sum(second.requests for second in round_.seconds),
            there=len(round_.seconds) - gap,
            here=gap,
            clusters=clusters,
        )
        * watched
        < zeros.ALPHA
    }


def _silence(round_: Round) -> int:
    """
    The longest silence of a round in seconds, where it is long enough for a stall; 0 without lines for the seconds.

    And longer than twice the service's slowest seconds: who answers in 4 s is asked every 4 s.
    """
    longest = current = 0
    for second in round_.seconds:
        current = 0 if second.requests else current + 1
        longest = max(longest, current)
    if longest == len(round_.seconds) or not round_.survived:
        return 0
    slowest_s = max((second.p95_ms or 0.0 for second in round_.seconds), default=0.0) / 1000
    least = min(max(STALL_SHARE * len(round_.seconds), SHORTEST_STALL_S), LONGEST_STALL_S)
    return longest if longest >= least and longest > STALLED_LATENCIES * slowest_s else 0


def held_up(case: Case) -> Iterator[Finding]:
    """
    Users that sent requests less often, although the response times do not explain it.

    With N users, X requests a second and a mean response time R, a user thinks for Z = N / X - R between two requests
    (the interactive response time law: E. D. Lazowska et al., "Quantitative System Performance", 1984, chapter 3).
    Users and locustfile are the same on both sides, so Z is. A user who waits for what is never recorded (a request
    that hangs until the round ends) thinks longer, it seems. A user who keeps a pace thinks less when answers are slow,
    which is no such sign: hence only a longer Z together with fewer requests.
    """
    before, after = (
        [cycle for round_ in under_load(side) if (cycle := _cycle(round_))] for side in (case.alike, case.candidate)
    )
    if len(before) < 2 or len(after) < 2:
        return
    whole = float(np.mean([cycle for cycle, _ in before]))
    hidden = [(cycle - response) / whole for cycle, response in after]
    usual = [(cycle - response) / whole for cycle, response in before]
    longer = float(np.mean([cycle for cycle, _ in after])) - whole
    share = min(float(np.mean(hidden) - np.mean(usual)), longer / whole)
    by_chance = sum(_by_chance(side, whole) for side in (case.alike, case.candidate))
    if share >= HELD_UP and grew(usual, hidden, least_variance=by_chance) < CHANCE:
        late = any(health.loop_lag_p99_ms > 1000.0 * longer for health in healths(under_load(case.candidate)))
        yield say.UsersHeldUp(share=share, generator_late=late)


def _by_chance(rounds: Rounds, whole: float) -> float:
    """The variance that the mean cycle, over *whole*, has by the number of requests alone, as they come together."""
    load = under_load(rounds)
    cycles = [cycle for round_ in load if (cycle := _cycle(round_))]
    return float(np.mean([cycle for cycle, _ in cycles]) / whole) ** 2 * zeros.together(load) / total(load)[0]


def _cycle(round_: Round) -> tuple[float, float] | None:
    """Seconds between two requests of a user, and those of them that are the response; None where some failed."""
    seen = round_.endpoints.get(ALL_ENDPOINTS)
    if seen is None or not seen.requests or seen.failures or "mean" not in seen.values or round_.generator is None:
        return None
    return round_.generator.users_wanted * round_.duration_s / seen.requests, seen.values["mean"] / 1000


def grew(before: Sequence[float], after: Sequence[float], *, least_variance: float = 0.0) -> float:
    """
    The one-sided p-value of Welch's test that the values grew.

    *least_variance* is what the difference of the means must have where the values are made of counts: the few rounds
    may agree by luck, one request each. Without that and without any scatter there is no doubt.
    """
    base, candidate = (
        welch.Sample(len(values), float(np.mean(values)), float(np.var(values, ddof=1))) for values in (before, after)
    )
    found = Estimate(candidate.mean - base.mean, 0.0, inf)
    if base.variance or candidate.variance:
        found = welch.difference(base, candidate)
    error = max(found.standard_error, sqrt(least_variance))
    return replace(found, standard_error=error).p_greater if error else 0.0


def endpoints(case: Case) -> Iterator[Finding]:
    """Endpoints with requests on the candidate only; those without are reported with the answers."""
    if new := zeros.absent(case.candidate, case.alike):
        yield say.EndpointsNew(endpoints=tuple(new))


def mixture(case: Case) -> Iterator[Finding]:
    """
    A mix of requests that differs between the sides.

    Harmless to the verdict: endpoints are compared one by one, and weigh the same in the mean over all of them.
    """
    before, after = _mix(under_load(case.alike)), _mix(under_load(case.candidate))
    moved = []
    for name in sorted(before.keys() & after.keys()):
        old, new = exact.pool(before[name]), exact.pool(after[name])
        if abs(new.share - old.share) < MIX_MOVED:
            continue
        if min(exact.fisher(exact.effective(before[name]), exact.effective(after[name]))) < CHANCE / 2:
            moved.append((name, old.share, new.share))
    if moved:
        yield say.MixMoved(moved=tuple(moved))


def _mix(rounds: Rounds) -> dict[str, list[Count]]:
    """Per endpoint and round: its requests among all."""
    names = block_means.endpoints(rounds)
    totals = [
        sum(seen.requests for name, seen in round_.endpoints.items() if name != ALL_ENDPOINTS) for round_ in rounds
    ]
    return {
        name: [
            Count(seen.requests if (seen := round_.endpoints.get(name)) else 0, count)
            for round_, count in zip(rounds, totals, strict=True)
            if count
        ]
        for name in names
    }
