"""
The driver of a duet: base and candidate take turns, task by task, one request in flight.

Run as a program with the path of a JSON file (see `Duet`) and the number of an open file: all is imported while the
sides still start, and the JSON file is there when that other file ends.

Every task of every user class comes once, then always the task whose endpoints were seen least, so that each endpoint
gets its share however many tasks ask for it. A visit to a task is four executions, A B B A and the next time B A A B,
and the two sides of a pair start from the same random state: they draw the same task parameters and the same data.
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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfci_side import TurnResult
from perfci_sides import Side, Spec, Turn, both, end, fork, start

PLANNED = 16  # visits that are chosen ahead
BATCH_S = 0.05  # of turns that are executed before the driver hears of them, or one visit that takes longer
REST_S = 0.5  # between two times that logs are written and garbage is seen to
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Two pairs of executions of one task, mirrored; the two of a pair start from the same random state."""

    turn: Turn
    rng_seeds: tuple[int, int]  # one of each pair
    leader: Side  # executes first and last


class Rotation:
    """Whose turn it is: the task whose rarest endpoint was seen least, so that every endpoint gets its share."""

    def __init__(self, turns: list[Turn], sides: dict[str, Side], rng_seed: int) -> None:
        self._turns = turns
        self._first, self._second = sides.values()
        self._sides = sides
        self._rng = random.Random(rng_seed)  # noqa: S311  # no secret
        self._seen: Counter[str] = Counter()
        self._planned: deque[Visit] = deque()
        self._spent: dict[str, float] = {}  # seconds that the last visit to each task took

    def go_on(self, seconds: float, *, enough: int = 0) -> None:
        """
        Visit tasks until the time is over, and up to as long again until every endpoint was asked *enough* times.

        What a visit began it finishes.
        """
        began = rested = time.monotonic()
        before = self._seen.copy()
        foreseen = not enough
        while self._turns and (elapsed := time.monotonic() - began) < MOST_TIMES * seconds:
            if self._ended() or (elapsed >= seconds and self._rarest(before) >= enough):
                break
            self._execute(self._next_batch(min(BATCH_S, seconds - elapsed)))
            if not foreseen and all(turn.name in self._spent for turn in self._turns):
                foreseen = True
                self._foresee(MOST_TIMES * seconds, enough)
            if time.monotonic() - rested > REST_S:
                both(self._sides, "rest")
                rested = time.monotonic()

    def _ended(self) -> bool:
        """Whether the file has ended the run of both sides, or of one and the other had its time to do the same."""
        ended = [side.ended_at for side in self._sides.values() if side.ended_at is not None]
        return bool(ended) and (len(ended) == len(self._sides) or time.monotonic() > min(ended) + SETTLE_S)

    def _foresee(self, seconds: float, enough: int) -> None:
        """Once each task has come, say so at once where the time cannot do for all of their endpoints."""
        visits: dict[str, int] = {}
        for turn in self._turns:  # each visit asks each side twice
            lacking = [endpoint for endpoint in turn.endpoints if endpoint not in visits]
            visits |= dict.fromkeys(lacking, 0)
            if lacking:
                visits[lacking[0]] = math.ceil(enough / 2)
        spent = {endpoint: self._spent[turn.name] for turn in self._turns for endpoint in turn.endpoints}
        if sum(count * spent[endpoint] for endpoint, count in visits.items()) > seconds:
            both(self._sides, "note", "foreseen", {"endpoints": self.short(self._seen), "wanted": enough})

    def _rarest(self, before: Counter[str]) -> int:
        """How often the endpoint was asked that was asked least since *before*, on one side."""
        asked = (self._seen[endpoint] - before[endpoint] for turn in self._turns for endpoint in turn.endpoints)
        return min(asked, default=0)

    def _next_batch(self, seconds: float) -> list[Visit]:
        """The next planned visits that take no longer than so many *seconds*; one at least."""
        if not self._planned:
            self._plan()
        batch = [self._planned.popleft()]
        seconds -= self._spent.get(batch[0].turn.name, math.inf)
        while self._planned and (seconds := seconds - self._spent.get(self._planned[0].turn.name, math.inf)) > 0:
            batch.append(self._planned.popleft())
        return batch

    def _plan(self) -> None:
        """Choose visits as if each task asked for the same endpoints as before, until one comes whose are unknown."""
        expected = self._seen.copy()

        def rarity(turn: Turn) -> tuple[int, int]:
            return min((expected[endpoint] for endpoint in turn.endpoints), default=turn.visits), turn.visits

        while len(self._planned) < PLANNED:
            turn = min(self._turns, key=rarity)
            if turn.visits and turn.name not in self._spent:
                break
            leader = self._first if turn.visits % 2 == 0 else self._second
            rng_seeds = self._rng.getrandbits(64), self._rng.getrandbits(64)
            self._planned.append(Visit(turn=turn, rng_seeds=rng_seeds, leader=leader))
            expected.update(2 * list(turn.endpoints))
            turn.visits += 1

    def _execute(self, batch: list[Visit]) -> None:
        """Let both sides take the turns of these visits, and count what they asked for."""
        for side in self._sides.values():
            side.tell("visits", [(visit.turn.key, visit.rng_seeds, side is visit.leader) for visit in batch])
        # The leader of the last visit ends last: a driver that waits for it first is woken once.
        last = batch[-1].leader
        answers = {side: side.answer() for side in sorted(self._sides.values(), key=lambda side: side is not last)}
        for number, visit in enumerate(batch):
            self._count(visit.turn, {side: _results(answers[side], number) for side in self._sides.values()})

    def _count(self, turn: Turn, results: Mapping[Side, list[TurnResult]]) -> None:
        asked = [endpoint for result in results[self._first] for endpoint in result.asked]
        self._seen.update(asked)
        turn.endpoints = frozenset(asked)
        executed = [result for of_side in results.values() for result in of_side if result.until]
        ended, began = (
            max((each.until for each in executed), default=0.0),
            min((each.since for each in executed), default=0.0),
        )
        self._spent[turn.name] = ended - began
        for pair in zip(*results.values(), strict=True):
            if len({result.failed for result in pair}) > 1:
                for side, result in zip(results, pair, strict=True):
                    side.ask("note", "alone", {"task": turn.name, "since": result.since, "until": result.until})

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


def _results(answer: list[list[list[Any]]] | None, number: int) -> list[TurnResult]:
    """The turns of a side in the visit of that *number*; empty ones where the side has ended."""
    return [TurnResult([])] * 2 if answer is None else [TurnResult(*result) for result in answer[number]]


def run(spec: Duet) -> None:
    """Warm up, measure, let both sides come to their end."""
    sides = fork(spec)
    turns = start(sides, at_once=True).turns
    gc.collect()
    gc.freeze()
    gc.disable()
    rotation = Rotation(turns, sides, spec.rng_seed)
    rotation.go_on(spec.warmup_s)
    both(sides, "health")
    both(sides, "note", "measuring", {"tasks": [turn.name for turn in turns]})
    before = rotation.seen()
    rotation.go_on(spec.duration_s, enough=ENOUGH)
    if (short := rotation.short(before)) and not any(side.ended_at for side in sides.values()):
        both(sides, "note", "short", {"endpoints": short, "wanted": ENOUGH})
    end(sides)


if __name__ == "__main__":
    with os.fdopen(int(sys.argv[2]), "rb") as waiting:
        waiting.read()
    run(Duet(**json.loads(Path(sys.argv[1]).read_text())))
