"""
The driver of a duet: base and candidate take turns, task by task, one request in flight.

Run as a program with the path of a JSON file (see `Spec`). The user's locustfile is loaded twice, once per side, so
that each side has its own users, its own module state and its own events. Every task of every user class comes once,
then always the task whose endpoints were seen least, so that each endpoint gets its share however many tasks ask for
it. A visit to a task is four executions, A B B A and the next time B A A B, and the two sides of a pair start from the
same random state: they draw the same task parameters and the same data.
"""

import gc
import json
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
import locust
from locust import TaskSet, User
from locust.argument_parser import get_parser
from locust.env import Environment
from locust.event import Events
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopUser
from locust.user.task import filter_tasks_by_tags
from locust.util.load_locustfile import load_locustfile
from perfci_log import LogWriter, request_listener

LONGEST_TASK_S = 30.0
FLUSH_S = 0.5
CONTROL_FLOW = (InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopUser)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What to do: the content of the JSON file."""

    locustfile: str
    hosts: dict[str, str]  # side -> base URL, the base first
    record: str  # folder for the logs, one per side
    user_classes: list[str]  # empty: all
    tags: list[str]
    warmup_s: float
    duration_s: float
    rng_seed: int


@dataclass(slots=True)
class Turn:
    """One task of one user class, ready to be executed on either side."""

    name: str
    execute: dict[str, Callable[[], None]]  # side -> the task
    endpoints: frozenset[str] = frozenset()  # that the first side asked for at the last visit
    visits: int = 0


class Party:
    """One side: its copy of the locustfile, its users, its log."""

    def __init__(self, side: str, spec: Spec) -> None:
        self.side = side
        self.log = LogWriter(Path(spec.record) / f"{side}.log")
        # `from locust import events` in the locustfile must give this side's events, not those of the other side.
        locust.events = Events()
        classes, _ = load_locustfile(spec.locustfile)
        self.environment = Environment(
            events=locust.events, host=spec.hosts[side], parsed_options=_options(spec), catch_exceptions=True
        )
        self.environment.events.request.add_listener(request_listener(self.log))
        self.asked: list[str] = []  # endpoints, in order, since it was last cleared
        self.environment.events.request.add_listener(
            lambda request_type, name, **_: self.asked.append(f"{request_type} {name}")
        )
        self.classes = {name: c for name, c in classes.items() if not spec.user_classes or name in spec.user_classes}
        if missing := sorted(set(spec.user_classes) - set(classes)) or ([] if self.classes else ["any"]):
            raise SystemExit(f"{spec.locustfile} has no user class {', '.join(missing)}; it has {', '.join(classes)}")
        for user_class in self.classes.values():
            user_class.host = spec.hosts[side]
            if spec.tags:
                filter_tasks_by_tags(user_class, set(spec.tags))
        self.environment.user_classes = list(self.classes.values())
        self.environment.events.init.fire(environment=self.environment, runner=None, web_ui=None)
        self.environment.events.test_start.fire(environment=self.environment)

    def user(self, name: str) -> User:
        """A started user of the class; an exception in `on_start` is the caller's to see."""
        user = self.classes[name](self.environment)
        user.on_start()
        return user

    def exception(self, where: str, error: BaseException) -> None:
        """Note an exception outside of any request."""
        self.log.event("exception", user=where, message=f"{type(error).__name__}: {error}"[:300])


def _options(spec: Spec) -> Any:
    # The parser would read locust.conf and LOCUST_* as well; known arguments only, and none of the user's files.
    return get_parser(default_config_files=[]).parse_args(["--headless", "-f", spec.locustfile])


def _tasks(holder: Any, party: Party) -> Iterator[tuple[str, Callable[[], None]]]:
    """Each distinct task of a user or task set once, nested task sets opened, in the order of the file."""
    for task in dict.fromkeys(holder.tasks):
        if isinstance(task, type) and issubclass(task, TaskSet):
            nested = task(holder)
            nested.on_start()
            yield from _tasks(nested, party)
        else:
            yield f"{type(holder).__name__}.{task.__name__}", _execution(task, holder, party)


def _execution(task: Callable[[Any], None], holder: Any, party: Party) -> Callable[[], None]:
    def execute() -> None:
        try:
            with gevent.Timeout(LONGEST_TASK_S):
                task(holder)
        except CONTROL_FLOW:
            pass
        except (gevent.Timeout, Exception) as error:  # noqa: BLE001  # whatever a user's task raises is data
            party.exception(task.__name__, error)

    return execute


def _turns(parties: dict[str, Party]) -> list[Turn]:
    """The rotation. A class that cannot start on one side is left out on both, and noted on the side that failed."""
    first = next(iter(parties.values()))
    turns: list[Turn] = []
    for name in first.classes:
        state = random.getstate()
        tasks: dict[str, list[tuple[str, Callable[[], None]]]] = {}
        for side, party in parties.items():
            random.setstate(state)
            try:
                tasks[side] = list(_tasks(party.user(name), party))
            except Exception as error:  # noqa: BLE001  # whatever a user's on_start raises is data
                party.exception(f"{name}.on_start", error)
        if len(tasks) == len(parties):
            for position, (task, _) in enumerate(next(iter(tasks.values()))):
                turns.append(Turn(task, {side: executions[position][1] for side, executions in tasks.items()}))
    return turns


class Rotation:
    """Whose turn it is: the task whose rarest endpoint was seen least, so that every endpoint gets its share."""

    def __init__(self, turns: list[Turn], parties: dict[str, Party]) -> None:
        self._turns = turns
        self._first, self._second = parties
        self._parties = parties
        self._seen: Counter[str] = Counter()

    def go_on(self, seconds: float) -> None:
        """Visit tasks until the time is over; what a visit began it finishes."""
        end = time.monotonic() + seconds
        flushed = time.monotonic()
        while self._turns and time.monotonic() < end:
            self._visit(min(self._turns, key=self._rarity))
            if time.monotonic() - flushed > FLUSH_S:  # files and garbage are seen to between visits, never in a request
                gc.collect(0)
                for party in self._parties.values():
                    party.log.flush()
                flushed = time.monotonic()

    def _rarity(self, turn: Turn) -> tuple[int, int]:
        return min((self._seen[endpoint] for endpoint in turn.endpoints), default=turn.visits), turn.visits

    def _visit(self, turn: Turn) -> None:
        """Two pairs of executions, mirrored; the sides of a pair start from the same random state."""
        order = (self._first, self._second) if turn.visits % 2 == 0 else (self._second, self._first)
        asked = self._parties[self._first].asked
        asked.clear()
        for first, second in (order, order[::-1]):
            state = random.getstate()
            turn.execute[first]()
            random.setstate(state)
            turn.execute[second]()
        self._seen.update(asked)
        turn.endpoints = frozenset(asked)
        turn.visits += 1


def run(spec: Spec) -> None:
    """Warm up, measure, close the logs."""
    random.seed(spec.rng_seed)
    parties = {side: Party(side, spec) for side in spec.hosts}
    try:
        turns = _turns(parties)
        gc.collect()
        gc.freeze()
        gc.disable()
        rotation = Rotation(turns, parties)
        rotation.go_on(spec.warmup_s)
        for party in parties.values():
            party.log.health(users=1, lags_ms=[])
            party.log.event("measuring", tasks=[turn.name for turn in turns])
        rotation.go_on(spec.duration_s)
        for party in parties.values():
            party.log.event("stopping")
            party.log.health(users=1, lags_ms=[])
            party.environment.events.test_stop.fire(environment=party.environment)
    finally:
        for party in parties.values():
            party.log.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    run(Spec(**json.loads(Path(sys.argv[1]).read_text())))
