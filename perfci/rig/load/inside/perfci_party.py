"""
One side of a round with one request in flight: its copy of the user's locustfile, its users, its log, its tasks.

What a duet and a census have in common. The locustfile is loaded once per side, so that each side has its own users,
its own module state and its own events.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
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
CONTROL_FLOW = (InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopUser)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What every round needs to know."""

    locustfile: str
    hosts: dict[str, str]  # side -> base URL, the base first
    record: str  # folder for the logs, one per side
    user_classes: list[str]  # empty: all
    tags: list[str]
    rng_seed: int


@dataclass(slots=True)
class Turn:
    """One task of one user class, ready to be executed on either side."""

    name: str
    user_class: str
    execute: dict[str, Callable[[], None]]  # side -> the task
    endpoints: frozenset[str] = frozenset()  # that the first side asked for
    visits: int = 0


class Party:
    """One side: its copy of the locustfile, its users, its log."""

    def __init__(self, side: str, spec: Spec) -> None:
        self.side = side
        self.log = LogWriter(Path(spec.record) / f"{side}.log")
        # `from locust import events` in the locustfile must give this side's events, not those of the other side.
        locust.events = Events()
        random.seed(spec.rng_seed)  # what the file draws at its import is the same for each side
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
            yield f"{type(holder).__name__}.{task.__name__}", execution(task.__name__, partial(task, holder), party)


def execution(name: str, action: Callable[[], object], party: Party) -> Callable[[], None]:
    """*action*, bounded in time; whatever it raises is noted under *name* and goes no further."""

    def execute() -> None:
        try:
            with gevent.Timeout(LONGEST_TASK_S):
                action()
        except CONTROL_FLOW:
            pass
        except (gevent.Timeout, Exception) as error:  # noqa: BLE001  # whatever a user's task raises is data
            party.exception(name, error)

    return execute


def turns_of(parties: dict[str, Party]) -> list[Turn]:
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
                turns.append(Turn(task, name, {side: executions[position][1] for side, executions in tasks.items()}))
    return turns
