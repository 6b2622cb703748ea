"""
Drives a census: every task in turn, one request in flight; the counters of the target are read after each request.

Run as a program with the path of a JSON file (see `Count`). After each request the whole side blocks until the counting
process, at the other end of a socket, has read its counters: a task that sends three requests gives three counts. Tasks
come by turns, not by weight, and think times are left out. Where there are two sides, both execute a task with the same
seed before the next task comes, so that both receive the same requests.
"""

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from perfci_connection import Connection
from perfci_sides import Spec, Turn, end, fork, start

VISITS_PER_REQUEST = 3  # after so many visits per wanted request a task is taken to never send what is lacking


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Spec):
    """What the driver of a census has to do: the content of the JSON file."""

    socket: int  # inherited descriptor: a JSON line to the counting process, which answers each with whether it counts
    requests: int  # of each endpoint, the first not counted
    limit_s: float
    headers: list[str]  # of the response, which the counting process wants


class Channel:
    """The connection to the process that reads the counters of the target."""

    def __init__(self, descriptor: int) -> None:
        self._connection = Connection(descriptor)

    def call(self, what: str, **data: object) -> bool:
        """Send a message and wait for the answer: whether a request counts. SystemExit where that process has ended."""
        self._connection.send({"what": what, **data})
        counts = self._connection.receive()
        if counts is None:
            raise SystemExit("the process that reads the counters has ended")
        return bool(counts)


class Visits:
    """Chooses what is executed: every task once, then the one whose endpoints were counted least, then user starts."""

    def __init__(self, spec: Count, channel: Channel) -> None:
        self._channel = channel
        self._counted: dict[str, Counter[str]] = {name: Counter() for name in spec.arguments}
        self._sides = fork(spec, headers=spec.headers, report=self._report)
        self._rng = Random(spec.rng_seed)  # noqa: S311  # no secret
        self._wanted = spec.requests + 1  # the first is kept apart
        self._tasks: list[Turn] = []
        self._starts: list[Turn] = []
        self._unstarted: list[str] = []

    def visit_for(self, seconds: float) -> None:
        """Start the users, whose requests count, and visit tasks until nothing is lacking or the time is over."""
        until = time.monotonic() + seconds
        offer = start(self._sides, at_once=False)
        self._tasks, self._starts, self._unstarted = offer.turns, offer.starts, offer.unstarted
        while time.monotonic() < until and (turn := self._next()):
            self._visit(turn)

    def without_requests(self) -> list[str]:
        """Tasks that never sent a request, and user classes that could not start."""
        return [turn.name for turn in self._tasks if not turn.endpoints] + self._unstarted

    def end(self) -> None:
        """End all sides."""
        end(self._sides)

    def _report(self, side: str, request: dict[str, Any]) -> bool:
        """Report a request of *side*, which blocks until it was counted."""
        counts = self._channel.call("request", side=side, **request)
        self._counted[side][request["endpoint"]] += counts
        return counts

    def _next(self) -> Turn | None:
        lacking = [turn for turn in self._tasks if self._lacks(turn)]
        if not lacking and any(self._rare(endpoint) for counted in self._counted.values() for endpoint in counted):
            lacking = [turn for turn in self._starts if not turn.visits or (turn.endpoints and self._lacks(turn))]
        return min(lacking, key=self._rarity, default=None)

    def _rarity(self, turn: Turn) -> tuple[int, int]:
        """How often its rarest endpoint was counted; a task that does not request it any more has to wait as well."""
        rarest = min((self._least(endpoint) for endpoint in turn.endpoints), default=turn.visits)
        return max(rarest, turn.visits // VISITS_PER_REQUEST) if turn.visits else -1, turn.visits

    def _lacks(self, turn: Turn) -> bool:
        if not turn.endpoints:
            return turn.visits < self._wanted  # it may be waiting for what another task creates
        return turn.visits < VISITS_PER_REQUEST * self._wanted and any(
            self._rare(endpoint) for endpoint in turn.endpoints
        )

    def _rare(self, endpoint: str) -> bool:
        return self._least(endpoint) < self._wanted

    def _least(self, endpoint: str) -> int:
        """How often an endpoint was counted, on the side where that was least."""
        return min(counted[endpoint] for counted in self._counted.values())

    def _visit(self, turn: Turn) -> None:
        """Execute a turn on each side with the same seed."""
        rng_seed = self._rng.getrandbits(64)
        for name, side in self._sides.items():
            self._channel.call("turn", side=name, endpoints=sorted(turn.endpoints))
            turn.endpoints |= set(side.execute(turn, rng_seed).asked)
            side.call("rest")
        turn.visits += 1


def run(spec: Count) -> None:
    """Count, report what never sent a request, end all sides."""
    channel = Channel(spec.socket)
    visits = Visits(spec, channel)
    channel.call("ready")
    visits.visit_for(spec.limit_s)
    channel.call("end", silent=visits.without_requests())
    visits.end()


if __name__ == "__main__":
    run(Count(**json.loads(Path(sys.argv[1]).read_text())))
