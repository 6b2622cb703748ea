"""
The driver of a census: every task in turn, one request in flight, and a word from the counting process between two.

Run as a program with the path of a JSON file (see `Count`). After each single request the whole process stands still
until the other end of the socket says that it has read its counters; a task that sends three requests so gives three
counts. Tasks come by turns, not by weight, think times are left out, and where there are two sides both execute a
task from the same random state before the next task comes: they are asked the same, equally often.
"""

import json
import logging
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfci_party import Execute, Party, Spec, Turn, execution, turns_of

PATIENCE = 3  # visits per wanted request, after which a task will not bring what it has not brought yet
LONGEST_HEADER = 1000
COUNTED = b"+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Spec):
    """What to do: the content of the JSON file."""

    socket: int  # inherited descriptor: JSON lines to the counting process, for each a byte back: COUNTED or another
    requests: int  # of each endpoint, the first not counted
    limit_s: float
    headers: list[str]  # of the response, to be passed on


class Channel:
    """The way to the process that counts."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.released_s = time.time()

    def say(self, what: str, **data: object) -> bool:
        """
        Tell something and stand still until the other end has seen to it; whether a request counts.

        `os.read` is not one of Locust's patched calls: no other greenlet can send a request meanwhile.
        """
        rest = json.dumps({"what": what, **data}).encode() + b"\n"
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        word = os.read(self._descriptor, 1)
        if not word:
            os._exit(1)  # nobody counts any more, and an exception would be swallowed by Locust's events
        self.released_s = time.time()
        return word == COUNTED


def reporter(party: Party, channel: Channel, headers: list[str], counted: Counter[str]) -> Callable[..., None]:
    """A listener for Locust's `request` event that tells of each one and waits; *counted* are those that count."""

    def listener(
        request_type: str,
        name: str,
        response_length: int | None,
        exception: BaseException | None = None,
        start_time: float | None = None,  # clients of other protocols leave it out
        response: Any = None,
        url: Any = None,
        **_: Any,
    ) -> None:
        received: Any = getattr(response, "headers", None)
        if not isinstance(received, Mapping) and not hasattr(received, "get"):
            received = {}
        found = {header: received.get(header) for header in headers}
        named = party.named(request_type, name, response, url)
        status = getattr(response, "status_code", 0)
        counted[named.endpoint] += channel.say(
            "request",
            side=party.side,
            endpoint=named.endpoint,
            name=named.name,
            status=status if type(status) is int else 0,
            bytes=response_length if type(response_length) is int else 0,
            failed=exception is not None,
            # Sent before the one before it was counted: two were in flight, and nobody can tell whose work it was.
            overlapped=start_time is not None and start_time < channel.released_s,
            headers={header: str(value)[:LONGEST_HEADER] for header, value in found.items() if value is not None},
        )

    return listener


class Visits:
    """Who comes next: every task once, then the one whose endpoints were counted least; starts of users come last."""

    def __init__(self, spec: Count, channel: Channel) -> None:
        self._parties = {side: Party(side, spec) for side in spec.hosts}
        self._counted: dict[str, Counter[str]] = {side: Counter() for side in spec.hosts}
        self._channel = channel
        self._wanted = spec.requests + 1  # the first is kept apart
        for side, party in self._parties.items():
            party.listen(reporter(party, channel, spec.headers, self._counted[side]))
        self._tasks: list[Turn] = []
        self._starts: list[Turn] = []

    def go_on(self, seconds: float) -> None:
        """Start the users, which counts, and visit until nothing is lacking, or the time is over."""
        end = time.monotonic() + seconds
        self._tasks = turns_of(self._parties)
        self._starts = _starts(self._tasks, self._parties)
        while time.monotonic() < end and (turn := self._next()):
            self._visit(turn)
        for party in self._parties.values():
            party.environment.events.test_stop.fire(environment=party.environment)

    def silent(self) -> list[str]:
        """Tasks that never sent anything, and classes that could not be started."""
        classes = dict.fromkeys(turn.user_class for turn in self._starts)
        found = [turn.name for turn in self._tasks if not turn.endpoints]
        return found + [name for name in next(iter(self._parties.values())).classes if name not in classes]

    def close(self) -> None:
        """Close the logs."""
        for party in self._parties.values():
            party.close()

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
        state = random.getstate()
        for side, party in self._parties.items():
            party.asked.clear()
            random.setstate(state)
            self._channel.say("turn", side=side, endpoints=sorted(turn.endpoints))
            turn.execute[side]()
            turn.endpoints |= set(party.asked)
            party.log.flush()
        turn.visits += 1


def _starts(tasks: list[Turn], parties: dict[str, Party]) -> list[Turn]:
    """A further user of each class that could be started, for the endpoints that only a start asks for."""

    def start(party: Party, name: str) -> Execute:
        return execution(f"{name}.on_start", lambda: party.user(name), party)

    return [
        Turn(f"{name}.on_start", name, {side: start(party, name) for side, party in parties.items()})
        for name in dict.fromkeys(turn.user_class for turn in tasks)
    ]


def run(spec: Count) -> None:
    """Count, close the logs, tell what was never heard of."""
    channel = Channel(spec.socket)
    visits = Visits(spec, channel)
    try:
        channel.say("ready")
        random.seed(spec.rng_seed)
        visits.go_on(spec.limit_s)
        channel.say("end", silent=visits.silent())
    finally:
        visits.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    run(Count(**json.loads(Path(sys.argv[1]).read_text())))
