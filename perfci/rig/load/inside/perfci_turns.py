"""
Drives a duet: base and candidate take turns, task by task, with one request in flight.

Run as a program with the path of a JSON file (see `Duet`) and the number of an open pipe: everything is imported while
the targets still start, and the JSON file exists when the pipe ends.

Every task of every user class comes once, then always the task whose endpoints were seen least, so that each endpoint
gets its share however many tasks ask for it, and a settled one a third of that. A visit to a task is four executions,
A B B A or B A A B (`perfci_order.py`), and the two sides of a pair start from the same random state: they draw the same
task parameters and the same data.
Each side is a process of its own (`perfci_sides.py`), and stands still while it is the other's turn.

The driver sends several visits at once to both sides, which hand a token to one another. So the driver stands still as
well while turns are executed, and adds nothing between two of them. It chooses a fixed number of visits ahead,
by what earlier ones asked for: which task comes when does not depend on the clock.
"""

import gc
import json
import math
import os
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import perfci_plugins  # noqa: F401  # before Locust
from perfci_order import Order
from perfci_side import TurnResult
from perfci_sides import SideProcess, Spec, Turn, call_all, end, fork, start

PLANNED = 16  # visits that are chosen ahead
BATCH_S = 0.05  # seconds of turns that the driver sends at once; a visit that takes longer is sent by itself
REST_S = 0.5  # between two times that the sides write their logs and collect garbage
ENOUGH = 12
"""
Pairs of each endpoint that a round goes on for. Identical sides beside two busy processes, eight blocks of recorded
turns: red in 1.0 % with twelve pairs in each, in 1.6 % with eight, in 3.0 % with four. With fewer than ten in a round
an endpoint is not compared.
"""
SETTLED_WEIGHT = 3
"""
How many turns an open endpoint gets for one of an endpoint that is settled. More would leave too few for those: what is
settled is still measured in each block, and may turn out to be a regression.
"""
SETTLE_S = 2.0  # for one side to end the run, after the other side's Locust file has
TURNS = 4  # executions in a visit
MOST_TIMES = 2  # as long as planned, for the sake of endpoints that are slow, many, or asked now and then only


@dataclass(frozen=True, slots=True, kw_only=True)
class Duet(Spec):
    """What the driver of a duet has to do: the content of the JSON file."""

    warmup_s: float
    duration_s: float
    settled: tuple[str, ...] = ()  # endpoints that get fewer turns: what there is to know of them is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Two pairs of executions of one task, mirrored; the two of a pair start from the same random state."""

    turn: Turn
    rng_seeds: tuple[int, int]  # one of each pair
    leader: SideProcess  # executes first and last


class Rotation:
    """Chooses the task whose rarest endpoint was requested least, so that every endpoint gets its share."""

    def __init__(
        self, turns: list[Turn], sides: dict[str, SideProcess], rng_seed: int, settled: Collection[str] = ()
    ) -> None:
        self._turns = turns
        self._settled = frozenset(settled)
        self._first, second = sides.values()
        self._sides = sides
        self._rng = random.Random(rng_seed)  # noqa: S311  # no secret
        self._order = Order((self._first, second), rng_seed)
        self._seen: Counter[str] = Counter()
        self._planned: deque[Visit] = deque()
        self._spent: dict[str, float] = {}  # seconds that the last visit to each task took
        self._requested: dict[str, list[str]] = {}  # endpoints that it requested, on one side

    def visit_for(self, seconds: float, *, enough: int = 0) -> None:
        """
        Visit tasks for so many *seconds*, and up to as long again until every endpoint was requested *enough* times.

        A visit that has begun is finished.
        """
        began = rested = time.monotonic()
        before = self._seen.copy()
        checked = not enough
        while self._turns and (elapsed := time.monotonic() - began) < MOST_TIMES * seconds:
            if self._ended() or (elapsed >= seconds and self._rarest(before) >= enough):
                break
            self._execute(self._next_batch(min(BATCH_S, seconds - elapsed)))
            if not checked and all(turn.name in self._spent for turn in self._turns):
                checked = True
                self._warn_if_too_short(MOST_TIMES * seconds, enough)
            if time.monotonic() - rested > REST_S:
                call_all(self._sides, "rest")
                rested = time.monotonic()

    def _ended(self) -> bool:
        """Whether the Locust file has ended the run of both sides, or of one side SETTLE_S ago."""
        ended = [side.ended_at for side in self._sides.values() if side.ended_at is not None]
        return bool(ended) and (len(ended) == len(self._sides) or time.monotonic() > min(ended) + SETTLE_S)

    def _warn_if_too_short(self, seconds: float, enough: int) -> None:
        """Log an event where so many *seconds* are too few for all endpoints, by what each task took so far."""
        visits: dict[str, int] = {}
        for turn in self._turns:  # each visit asks each side twice
            lacking = [endpoint for endpoint in turn.endpoints if endpoint not in visits]
            visits |= dict.fromkeys(lacking, 0)
            if lacking:
                visits[lacking[0]] = math.ceil(enough / 2)
        spent = {endpoint: self._spent[turn.name] for turn in self._turns for endpoint in turn.endpoints}
        if sum(count * spent[endpoint] for endpoint, count in visits.items()) > seconds:
            call_all(self._sides, "event", "expected short", {"endpoints": self.short(self._seen), "wanted": enough})

    def _rarest(self, before: Counter[str]) -> int:
        """How often the rarest endpoint was requested since *before*, on one side."""
        asked = (self._seen[endpoint] - before[endpoint] for turn in self._turns for endpoint in turn.endpoints)
        return min(asked, default=0)

    def _next_batch(self, seconds: float) -> list[Visit]:
        """The next planned visits that take no longer than so many *seconds*, but at least one."""
        if not self._planned:
            self._plan()
        batch = [self._planned.popleft()]
        seconds -= self._spent.get(batch[0].turn.name, math.inf)
        while self._planned and (seconds := seconds - self._spent.get(self._planned[0].turn.name, math.inf)) > 0:
            batch.append(self._planned.popleft())
        return batch

    def _plan(self) -> None:
        """Choose visits as if each task requested the same endpoints as before; stop before one that never ran."""
        expected = self._seen.copy()

        def rarity(turn: Turn) -> tuple[int, int]:
            seen = (expected[endpoint] * self._weight(endpoint) for endpoint in turn.endpoints)
            return min(seen, default=turn.visits), turn.visits

        turn = min(self._turns, key=rarity)
        while len(self._planned) < PLANNED and not (turn.visits and turn.name not in self._spent):
            expected.update(self._requested.get(turn.name, ()))
            turn.visits += 1
            following = min(self._turns, key=rarity)
            leader = self._order.leader(turn.key, following.key)
            rng_seeds = self._rng.getrandbits(64), self._rng.getrandbits(64)
            self._planned.append(Visit(turn=turn, rng_seeds=rng_seeds, leader=leader))
            turn = following

    def _weight(self, endpoint: str) -> int:
        """How much a turn of this endpoint counts for, so that a settled one gets so many times fewer."""
        return SETTLED_WEIGHT if endpoint in self._settled else 1

    def _execute(self, batch: list[Visit]) -> None:
        """Let both sides take the turns of these visits, and count the requested endpoints."""
        for side in self._sides.values():
            side.send("visits", [(visit.turn.key, visit.rng_seeds, side is visit.leader) for visit in batch])
        # The leader of the last visit ends last: a driver that waits for it first wakes up once.
        last = batch[-1].leader
        answers = {side: side.receive() for side in sorted(self._sides.values(), key=lambda side: side is not last)}
        for number, visit in enumerate(batch):
            self._count(visit.turn, {side: _results(answers[side], number) for side in self._sides.values()})

    def _count(self, turn: Turn, results: Mapping[SideProcess, list[TurnResult]]) -> None:
        """Count a visit, and log the pairs of turns of which one failed."""
        asked = [endpoint for result in results[self._first] for endpoint in result.asked]
        self._seen.update(asked)
        turn.endpoints, self._requested[turn.name] = frozenset(asked), asked
        executed = [result for of_side in results.values() for result in of_side if result.until]
        ended, began = (
            max((each.until for each in executed), default=0.0),
            min((each.since for each in executed), default=0.0),
        )
        self._spent[turn.name] = ended - began
        for pair in zip(*results.values(), strict=True):
            if len({result.failed for result in pair}) > 1:
                for side, result in zip(results, pair, strict=True):
                    side.call("event", "unpaired", {"task": turn.name, "since": result.since, "until": result.until})

    def short(self, before: Counter[str]) -> list[tuple[str, str, float]]:
        """Endpoints with fewer than ENOUGH requests since *before*, their task, and its seconds a turn."""
        return [
            (endpoint, turn.name, self._spent[turn.name] / TURNS)
            for turn in self._turns
            for endpoint in sorted(turn.endpoints)
            if self._seen[endpoint] - before[endpoint] < ENOUGH
        ]

    def seen(self) -> Counter[str]:
        """How often each endpoint was requested until now, on one side."""
        return self._seen.copy()


def _results(answer: list[list[list[Any]]] | None, number: int) -> list[TurnResult]:
    """The turns of a side in the visit of that *number*; empty ones where the side has ended."""
    return [TurnResult([])] * 2 if answer is None else [TurnResult(*result) for result in answer[number]]


def run(spec: Duet) -> None:
    """Warm up, measure, end both sides."""
    sides = fork(spec)
    turns = start(sides, at_once=True).turns
    gc.collect()
    gc.freeze()
    gc.disable()
    rotation = Rotation(turns, sides, spec.rng_seed, spec.settled)
    rotation.visit_for(spec.warmup_s)
    call_all(sides, "health")
    call_all(sides, "event", "measuring", {"tasks": [turn.name for turn in turns]})
    before = rotation.seen()
    rotation.visit_for(spec.duration_s, enough=ENOUGH)
    if (short := rotation.short(before)) and not any(side.ended_at for side in sides.values()):
        call_all(sides, "event", "short", {"endpoints": short, "wanted": ENOUGH})
    end(sides)


if __name__ == "__main__":
    with os.fdopen(int(sys.argv[2]), "rb") as waiting:
        waiting.read()
    run(Duet(**json.loads(Path(sys.argv[1]).read_text())))
