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

from perfci_party import Party, Spec, Turn, execution, turns_of

PATIENCE = 3  # visits per wanted request, after which a task will not bring what it has not brought yet
LONGEST_HEADER = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Spec):
    """What to do: the content of the JSON file."""

    socket: int  # inherited descriptor: JSON lines to the counting process, one byte back for each
    requests: int  # of each endpoint, the first not counted
    limit_s: float
    headers: list[str]  # of the response, to be passed on


class Channel:
    """The way to the process that counts."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.released_s = time.time()

    def say(self, what: str, **data: object) -> None:
        """
        Tell something and stand still until the other end has seen to it.

        `os.read` is not one of Locust's patched calls: no other greenlet can send a request meanwhile.
        """
        rest = json.dumps({"what": what, **data}).encode() + b"\n"
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        if not os.read(self._descriptor, 1):
            os._exit(1)  # nobody counts any more, and an exception would be swallowed by Locust's events
        self.released_s = time.time()


def reporter(side: str, channel: Channel, headers: list[str]) -> Callable[..., None]:
    """A listener for Locust's `request` event that tells of each one, and waits."""

    def listener(
        request_type: str,
        name: str,
        response_length: int | None,
        exception: BaseException | None = None,
        start_time: float | None = None,  # clients of other protocols leave it out
        response: Any = None,
        **_: Any,
    ) -> None:
        received: Any = getattr(response, "headers", None)
        if not isinstance(received, Mapping) and not hasattr(received, "get"):
            received = {}
        found = {header: received.get(header) for header in headers}
        channel.say(
            "request",
            side=side,
            endpoint=f"{request_type} {name}",
            bytes=response_length if type(response_length) is int else 0,
            failed=exception is not None,
            # Sent before the one before it was counted: two were in flight, and nobody can tell whose work it was.
            overlapped=start_time is not None and start_time < channel.released_s,
            headers={header: str(value)[:LONGEST_HEADER] for header, value in found.items() if value is not None},
        )

    return listener


class Visits:
    """Who comes next: of the turns that lack something the one that was visited least; starts of users come last."""

    def __init__(self, tasks: list[Turn], starts: list[Turn], parties: dict[str, Party], wanted: int) -> None:
        self.tasks = tasks
        self._starts = starts
        self._parties = parties
        self._wanted = wanted
        # What was asked for while the users started counts as well.
        self._seen = Counter(next(iter(parties.values())).asked)

    def go_on(self, seconds: float) -> None:
        """Visit until nothing is lacking, or the time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and (turn := self._next()):
            self._visit(turn)

    def _next(self) -> Turn | None:
        lacking = [turn for turn in self.tasks if self._lacks(turn)]
        if not lacking and any(count < self._wanted for count in self._seen.values()):
            lacking = [turn for turn in self._starts if not turn.visits or (turn.endpoints and self._lacks(turn))]
        return min(lacking, key=lambda turn: turn.visits, default=None)

    def _lacks(self, turn: Turn) -> bool:
        if not turn.endpoints:
            return turn.visits < self._wanted  # it may be waiting for what another task creates
        return turn.visits < PATIENCE * self._wanted and any(self._seen[one] < self._wanted for one in turn.endpoints)

    def _visit(self, turn: Turn) -> None:
        """One execution on each side, from the same random state."""
        state = random.getstate()
        asked: set[str] = set()
        for position, (side, party) in enumerate(self._parties.items()):
            party.asked.clear()
            random.setstate(state)
            turn.execute[side]()
            asked.update(party.asked)
            if position == 0:
                self._seen.update(party.asked)
            party.log.flush()
        turn.endpoints |= asked
        turn.visits += 1


def _starts(tasks: list[Turn], parties: dict[str, Party]) -> list[Turn]:
    """A further user of each class that could be started, for the endpoints that only a start asks for."""
    first = next(iter(parties.values()))
    started = {turn.user_class for turn in tasks}

    def start(party: Party, name: str) -> Callable[[], None]:
        return execution(f"{name}.on_start", lambda: party.user(name), party)

    return [
        Turn(f"{name}.on_start", name, {side: start(party, name) for side, party in parties.items()})
        for name in first.classes
        if name in started
    ]


def run(spec: Count) -> None:
    """Count, close the logs, tell what was never heard of."""
    channel = Channel(spec.socket)
    parties = {side: Party(side, spec) for side in spec.hosts}
    try:
        for side, party in parties.items():
            party.environment.events.request.add_listener(reporter(side, channel, spec.headers))
        channel.say("ready")
        began = time.monotonic()
        random.seed(spec.rng_seed)
        tasks = turns_of(parties)
        visits = Visits(tasks, _starts(tasks, parties), parties, spec.requests + 1)
        visits.go_on(spec.limit_s - (time.monotonic() - began))
        for party in parties.values():
            party.environment.events.test_stop.fire(environment=party.environment)
        started = {turn.user_class for turn in tasks}
        silent = [turn.name for turn in tasks if not turn.endpoints]
        silent += [name for name in next(iter(parties.values())).classes if name not in started]
        channel.say("end", silent=silent)
    finally:
        for party in parties.values():
            party.log.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    run(Count(**json.loads(Path(sys.argv[1]).read_text())))
