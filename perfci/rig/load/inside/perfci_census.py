"""
The driver of a census: every task in turn, one request in flight, and a word from the counting process between two.

Run as a program with the path of a JSON file (see `Count`). After each single request the whole process stands still
until the other end of the socket says that it has read its counters; a task that sends three requests so gives three
counts. Tasks come by turns, not by weight, think times are left out, and where there are two sides both execute a
task from the same random state before the next task comes: they are asked the same, equally often.
"""

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from perfci_sides import Spec, Turn, end, fork, start
from perfci_wire import Wire

PATIENCE = 3  # visits per wanted request, after which a task will not bring what it has not brought yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Spec):
    """What to do: the content of the JSON file."""

    socket: int  # inherited descriptor: a JSON line to the counting process, and for each its word: whether it counts
    requests: int  # of each endpoint, the first not counted
    limit_s: float
    headers: list[str]  # of the response, to be passed on


class Channel:
    """The way to the process that counts."""

    def __init__(self, descriptor: int) -> None:
        self._wire = Wire(descriptor)

    def say(self, what: str, **data: object) -> bool:
        """Tell something and wait until the other end has seen to it; whether a request counts."""
        self._wire.say({"what": what, **data})
        word = self._wire.hear()
        if word is None:
            raise SystemExit("nobody counts any more")
        return bool(word)


class Visits:
    """Who comes next: every task once, then the one whose endpoints were counted least; starts of users come last."""

    def __init__(self, spec: Count, channel: Channel) -> None:
        self._channel = channel
        self._counted: dict[str, Counter[str]] = {name: Counter() for name in spec.arguments}
        self._sides = fork(spec, headers=spec.headers, report=self._report)
        self._rng = Random(spec.rng_seed)  # noqa: S311  # no secret
        self._wanted = spec.requests + 1  # the first is kept apart
        self._tasks: list[Turn] = []
        self._starts: list[Turn] = []
        self._unstarted: list[str] = []

    def go_on(self, seconds: float) -> None:
        """Start the users, which counts, and visit until nothing is lacking, or the time is over."""
        until = time.monotonic() + seconds
        offer = start(self._sides, at_once=False)
        self._tasks, self._starts, self._unstarted = offer.turns, offer.starts, offer.unstarted
        while time.monotonic() < until and (turn := self._next()):
            self._visit(turn)

    def silent(self) -> list[str]:
        """Tasks that never sent anything, and classes that could not be started."""
        return [turn.name for turn in self._tasks if not turn.endpoints] + self._unstarted

    def end(self) -> None:
        """Let both sides come to their end."""
        end(self._sides)

    def _report(self, side: str, request: dict[str, Any]) -> bool:
        """Tell of a request of *side*, which stands still until it was counted."""
        counts = self._channel.say("request", side=side, **request)
        self._counted[side][request["endpoint"]] += counts
        return counts

    def _next(self) -> Turn | None:
        lacking = [turn for turn in self._tasks if self._lacks(turn)]
        if not lacking and any(self._rare(endpoint) for counted in self._counted.values() for endpoint in counted):
            lacking = [turn for turn in self._starts if not turn.visits or (turn.endpoints and self._lacks(turn))]
        return min(lacking, key=self._rarity, default=None)

    def _rarity(self, turn: Turn) -> tuple[int, int]:
        """Its rarest endpoint; but who comes again and again without bringing it has to wait as well."""
        rarest = min((self._least(endpoint) for endpoint in turn.endpoints), default=turn.visits)
        return max(rarest, turn.visits // PATIENCE) if turn.visits else -1, turn.visits

    def _lacks(self, turn: Turn) -> bool:
        if not turn.endpoints:
            return turn.visits < self._wanted  # it may be waiting for what another task creates
        return turn.visits < PATIENCE * self._wanted and any(self._rare(endpoint) for endpoint in turn.endpoints)

    def _rare(self, endpoint: str) -> bool:
        return self._least(endpoint) < self._wanted

    def _least(self, endpoint: str) -> int:
        """How often it was counted, on the side where that was least."""
        return min(counted[endpoint] for counted in self._counted.values())

    def _visit(self, turn: Turn) -> None:
        """One execution on each side, from the same random state."""
        rng_seed = self._rng.getrandbits(64)
        for name, side in self._sides.items():
            self._channel.say("turn", side=name, endpoints=sorted(turn.endpoints))
            turn.endpoints |= set(side.take(turn, rng_seed).asked)
            side.ask("rest")
        turn.visits += 1


def run(spec: Count) -> None:
    """Count, tell what was never heard of, let both sides come to their end."""
    channel = Channel(spec.socket)
    visits = Visits(spec, channel)
    channel.say("ready")
    visits.go_on(spec.limit_s)
    channel.say("end", silent=visits.silent())
    visits.end()


if __name__ == "__main__":
    run(Count(**json.loads(Path(sys.argv[1]).read_text())))
