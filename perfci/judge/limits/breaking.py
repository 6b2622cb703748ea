"""Finds the breaking point of a service: the number of users at which latency or failures exceed their limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from perfci.judge.limits.reading import Reading, least_share, share
from perfci.model import Reason, Second
from perfci.sentences.analyses import NotReached, TooManyFailed, TooSlow

MOST_LEVELS = 12
LEAST_SECONDS = 4
"""Shortest level that is judged, in seconds."""

MOST_FAILING = 0.05
SLOWER = 3.0
"""Factor of the lowest level's latency that counts as broken where the project has no limit."""


@dataclass(frozen=True, slots=True)
class Level:
    """Consecutive seconds with about the same number of users."""

    users: int
    per_second: float  # requests that succeeded
    p95_ms: float | None  # median over its seconds
    low_ms: float  # bounds of that median, 95 %
    high_ms: float
    failing: Reading
    failing_at_least: float  # lower bound of that share: a single failure among few requests breaks nothing


@dataclass(frozen=True, slots=True)
class Breaking:
    """The last level that surely keeps the limits, the first that surely does not, and why."""

    levels: tuple[Level, ...]
    held: int  # users; 0: none surely did
    broke: float  # users; inf: none surely did
    because: Reason | None  # None where nothing broke
    capacity: float  # requests a second at the last level that held


def breaking_point(seconds: Sequence[Second], *, p95_ms: float | None, failing: float | None) -> Breaking | None:
    """
    Where the limits are left as users grow; without a limit on the latency, at `SLOWER` times that of the lowest level.

    None where the number of users does not grow over two levels.
    """
    levels = _levels(_growing(seconds))
    if len(levels) < 2:
        return None
    first = next((level.p95_ms for level in levels if level.p95_ms is not None), None)
    limit_ms = p95_ms if p95_ms is not None else inf if first is None else SLOWER * first
    limit_share = MOST_FAILING if failing is None else failing
    held = 0
    capacity = 0.0
    for level in levels:
        if (because := _broken(level, limit_ms, limit_share)) is not None:
            return Breaking(tuple(levels), held, float(level.users), because, capacity)
        if _bears(level, limit_ms, limit_share):
            held, capacity = level.users, level.per_second
    return Breaking(tuple(levels), held, inf, None, capacity)


def reading(found: Breaking) -> Reading:
    """The number of users at the last good level, as a reading for a limit."""
    last = found.levels[-1].users
    evidence = found.because or NotReached(users=last)
    return Reading(float(found.held) or None, float(found.held), found.broke, evidence, excluded=True)


def _growing(seconds: Sequence[Second]) -> Sequence[Second]:
    """The seconds up to the last one with the most users, without the ramp-down."""
    most = max((second.users for second in seconds), default=0)
    last = max((at for at, second in enumerate(seconds) if second.users == most), default=-1)
    return seconds[: last + 1]


def _levels(seconds: Sequence[Second]) -> list[Level]:
    """The levels of a stepped load; a ramp is divided into stretches of similar numbers of users."""
    counts = sorted({second.users for second in seconds})
    held = [users for users in counts if sum(second.users == users for second in seconds) >= LEAST_SECONDS]
    if len(held) >= 2:
        called = dict(zip(held, held, strict=True))
    else:
        size = -(-len(counts) // MOST_LEVELS) if counts else 1
        called = {users: counts[min(at // size * size + size, len(counts)) - 1] for at, users in enumerate(counts)}
    by_users: dict[int, list[Second]] = {}
    for second in seconds:
        if second.users in called:
            by_users.setdefault(called[second.users], []).append(second)
    return [_level(users, own) for users, own in sorted(by_users.items()) if len(own) >= LEAST_SECONDS]


def _level(users: int, seconds: Sequence[Second]) -> Level:
    requests, failures = sum(s.requests for s in seconds), sum(s.failures for s in seconds)
    times = sorted(second.p95_ms for second in seconds if second.p95_ms is not None)
    low, high = _median_bounds(times)
    return Level(
        users=users,
        per_second=(requests - failures) / len(seconds),
        p95_ms=times[len(times) // 2] if times else None,
        low_ms=low,
        high_ms=high,
        failing=share(failures, requests) if requests else Reading(None, 0.0, 1.0),
        failing_at_least=least_share(failures, requests) if requests else 0.0,
    )


def _median_bounds(ordered: Sequence[float]) -> tuple[float, float]:
    """The order statistics between which the median lies with 95 %, whatever the distribution (the sign test)."""
    from scipy import stats

    if len(ordered) < LEAST_SECONDS:
        return 0.0, inf
    rank = int(stats.binom.ppf(0.025, len(ordered), 0.5))
    low = ordered[max(rank - 1, 0)]
    return low, ordered[min(len(ordered) - rank, len(ordered) - 1)]


def _broken(level: Level, limit_ms: float, limit_share: float) -> Reason | None:
    if level.failing.value is not None and level.failing_at_least > limit_share:
        return TooManyFailed(users=level.users, share=level.failing.value)
    if level.low_ms > limit_ms:
        return TooSlow(users=level.users, p95_ms=level.p95_ms or level.low_ms, limit_ms=limit_ms)
    return None


def _bears(level: Level, limit_ms: float, limit_share: float) -> bool:
    failing = level.failing.value is not None and level.failing.value <= limit_share
    return failing and level.p95_ms is not None and level.high_ms <= limit_ms
