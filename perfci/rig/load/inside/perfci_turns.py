"""
The driver of a duet: base and candidate take turns, task by task, one request in flight.

Run as a program with the path of a JSON file (see `Duet`) and the number of an open file: all is imported while the
sides still start, and the JSON file is there when that other file ends.

Every task of every user class comes once, then always the task whose endpoints were seen least, so that each endpoint
gets its share however many tasks ask for it. A visit to a task is four executions, A B B A and the next time B A A B,
and the two sides of a pair start from the same random state: they draw the same task parameters and the same data.
"""

import gc
import json
import logging
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from perfci_party import Party, Spec, Turn, turns_of

FLUSH_S = 0.5
ENOUGH = 12
"""
Pairs of each endpoint that a round goes on for. Identical sides beside two busy processes, eight blocks of recorded
turns: red in 1.0 % with twelve pairs in each, in 1.6 % with eight, in 3.0 % with four. With fewer than ten in a round
an endpoint is not compared.
"""
SETTLE_S = 2.0  # for one side, to end the run as the other has
TURNS = 4  # executions in a visit
MOST_TIMES = 2  # as long as planned, for the sake of endpoints that are slow, many, or asked now and then only


@dataclass(frozen=True, slots=True, kw_only=True)
class Duet(Spec):
    """What to do: the content of the JSON file."""

    warmup_s: float
    duration_s: float


class Rotation:
    """Whose turn it is: the task whose rarest endpoint was seen least, so that every endpoint gets its share."""

    def __init__(self, turns: list[Turn], parties: dict[str, Party]) -> None:
        self._turns = turns
        self._first, self._second = parties
        self._parties = parties
        self._seen: Counter[str] = Counter()
        self._spent: dict[str, float] = {}  # seconds that the last visit to each task took

    def go_on(self, seconds: float, *, enough: int = 0) -> None:
        """
        Visit tasks until the time is over, and up to as long again until every endpoint was asked *enough* times.

        What a visit began it finishes.
        """
        began = flushed = time.monotonic()
        before = self._seen.copy()
        while self._turns and (elapsed := time.monotonic() - began) < MOST_TIMES * seconds:
            if self._ended() or (elapsed >= seconds and self._rarest(before) >= enough):
                break
            self._visit(min(self._turns, key=self._rarity))
            if time.monotonic() - flushed > FLUSH_S:  # files and garbage are seen to between visits, never in a request
                gc.collect(0)
                for party in self._parties.values():
                    party.log.flush()
                flushed = time.monotonic()

    def _ended(self) -> bool:
        """Whether the file has ended the run of both sides, or of one and the other had its time to do the same."""
        ended = [party.ended_at for party in self._parties.values() if party.ended_at is not None]
        return bool(ended) and (len(ended) == len(self._parties) or time.monotonic() > min(ended) + SETTLE_S)

    def _rarest(self, before: Counter[str]) -> int:
        """How often the endpoint was asked that was asked least since *before*, on one side."""
        asked = (self._seen[endpoint] - before[endpoint] for turn in self._turns for endpoint in turn.endpoints)
        return min(asked, default=0)

    def _rarity(self, turn: Turn) -> tuple[int, int]:
        return min((self._seen[endpoint] for endpoint in turn.endpoints), default=turn.visits), turn.visits

    def _visit(self, turn: Turn) -> None:
        """Two pairs of executions, mirrored; the sides of a pair start from the same random state."""
        began = time.monotonic()
        order = (self._first, self._second) if turn.visits % 2 == 0 else (self._second, self._first)
        asked = self._parties[self._first].asked
        asked.clear()
        for pair in (order, order[::-1]):
            state = random.getstate()
            taken = [self._take(turn, side, state) for side in pair]
            if taken[0].failed != taken[1].failed:
                for side, visit in zip(pair, taken, strict=True):
                    self._parties[side].log.event("alone", task=turn.name, since=visit.since, until=visit.until)
        self._seen.update(asked)
        turn.endpoints = frozenset(asked)
        turn.visits += 1
        self._spent[turn.name] = time.monotonic() - began

    def short(self, before: Counter[str]) -> list[tuple[str, str, float]]:
        """Endpoints asked less than enough since *before*, with the task that does and its seconds a turn."""
        return [
            (endpoint, turn.name, self._spent[turn.name] / TURNS)
            for turn in self._turns
            for endpoint in sorted(turn.endpoints)
            if self._seen[endpoint] - before[endpoint] < ENOUGH
        ]

    def seen(self) -> Counter[str]:
        """How often each endpoint was asked until now, on one side."""
        return self._seen.copy()

    def _take(self, turn: Turn, side: str, state: object) -> "Taken":
        random.setstate(state)  # type: ignore[arg-type]  # it has no type of its own
        party = self._parties[side]
        before, since = party.troubles, time.time()
        turn.execute[side]()
        return Taken(party.troubles > before, since, time.time())


class Taken(NamedTuple):
    """A turn that was taken; one that failed on a single side has no partner there."""

    failed: bool
    since: float
    until: float


def run(spec: Duet) -> None:
    """Warm up, measure, close the logs."""
    parties = {side: Party(side, spec) for side in spec.hosts}
    try:
        turns = turns_of(parties)
        gc.collect()
        gc.freeze()
        gc.disable()
        rotation = Rotation(turns, parties)
        rotation.go_on(spec.warmup_s)
        for party in parties.values():
            party.log.health(users=1, lags_ms=[])
            party.log.event("measuring", tasks=[turn.name for turn in turns])
        before = rotation.seen()
        rotation.go_on(spec.duration_s, enough=ENOUGH)
        if (short := rotation.short(before)) and not any(party.ended_at for party in parties.values()):
            for party in parties.values():
                party.log.event("short", endpoints=short, wanted=ENOUGH)
        for party in parties.values():
            party.log.event("stopping")
            party.log.health(users=1, lags_ms=[])
            party.environment.events.test_stop.fire(environment=party.environment)
    finally:
        for party in parties.values():
            party.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    with os.fdopen(int(sys.argv[2]), "rb") as waiting:
        waiting.read()
    run(Duet(**json.loads(Path(sys.argv[1]).read_text())))
