"""Measures how long a service needs to recover from a spike of users until latencies and failures are normal again."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from perfci.judge.limits.reading import Reading
from perfci.model import Second
from perfci.sentences.analyses import BeforeSpike, NotRecovered

LEAST_BEFORE = 5
"""Shortest time before the spike, in seconds, that shows what is normal."""

SMOOTHED = 5
"""Width of the running median, in seconds: a single slow second is no relapse."""

WIDER = 0.25
"""Share of the normal latency by which a recovered one may exceed it, where the seconds before scattered less."""

MORE_FAILURES = 0.01
"""Share of requests by which the failures of a recovered service may exceed the normal share."""


@dataclass(frozen=True, slots=True)
class Spike:
    """A part of a round with many more users than before and after: seconds of its beginning and end."""

    began: int
    ended: int


def find(seconds: Sequence[Second]) -> Spike | None:
    """The spike of a round: users rise to at least twice as many as in the beginning, and come down again."""
    if not seconds:
        return None
    users = [second.users for second in seconds]
    base, most = users[0], max(users)
    if most < 2 * base:
        return None
    middle = base + (most - base) / 2
    beyond = [at for at, there in enumerate(users) if there > middle]
    began = next((at for at, there in enumerate(users) if there > base), beyond[0])
    later = [at for at in range(beyond[-1] + 1, len(users)) if users[at] <= base]
    return Spike(began, later[0]) if later else None


def recovery(seconds: Sequence[Second]) -> Reading | None:
    """
    Seconds from the end of the spike until everything is as before it and stays so, to the end of the round.

    None without a spike, or without enough seconds before it. What has not recovered takes longer than was measured.
    """
    spike = find(seconds)
    if spike is None or spike.began < LEAST_BEFORE:
        return None
    before, after = seconds[: spike.began], seconds[spike.ended :]
    usual = np.array([second.p95_ms for second in before if second.p95_ms is not None])
    if len(usual) < LEAST_BEFORE or len(after) < SMOOTHED:
        return None
    centre = float(np.median(usual))
    scatter = 3 * 1.4826 * float(np.median(np.abs(usual - centre)))
    limit_ms = centre + max(scatter, WIDER * centre)
    limit_share = _failing(before) + MORE_FAILURES
    late = [
        at for at in range(len(after)) if not _usual(after[max(0, at - SMOOTHED + 1) : at + 1], limit_ms, limit_share)
    ]
    if late and late[-1] >= len(after) - SMOOTHED:
        evidence = NotRecovered(limit_ms=limit_ms, seconds=len(after))
        return Reading(None, float(len(after)), inf, evidence, excluded=True)
    value = float(late[-1] + 1) if late else 0.0
    return Reading(value, value, value, BeforeSpike(p95_ms=centre))


def _usual(window: Sequence[Second], limit_ms: float, limit_share: float) -> bool:
    """Whether the last seconds were as before; a second in which everybody waits is not."""
    known = [inf if second.p95_ms is None and second.failures else second.p95_ms for second in window]
    times = [time for time in known if time is not None]
    return bool(times) and float(np.median(times)) <= limit_ms and _failing(window) <= limit_share


def _failing(seconds: Sequence[Second]) -> float:
    requests = sum(second.requests for second in seconds)
    return sum(second.failures for second in seconds) / requests if requests else 0.0
