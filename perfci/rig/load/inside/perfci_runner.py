"""
Locust's runner for a round with one request in flight: one user of each class stands for all of its users.

The driver of the turns says which task which user executes; nobody else acts meanwhile.
"""

import gc
import os
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
from gevent.event import Event
from locust import User
from locust.exception import StopUser
from locust.runners import STATE_INIT, STATE_SPAWNING, STATE_STOPPED, LocalRunner
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING, DefaultTaskSet
from perfci_alike import reseed
from perfci_endings import asks
from perfci_side import START, Side
from perfci_tasks import LONGEST_TASK_S, Execute, tasks_of

LOOK_S = 0.02  # a user that asks nothing for so long, as it starts, waits for something else than an answer
PATIENCE_S = 1.0  # users that wait for so long after all have been started wait for more users


class Place(DefaultTaskSet):
    """In place of the root task set of a user: waits, and executes one of its tasks when it is its turn."""

    def run(self) -> None:
        """Until the user is stopped."""
        hub = gevent.get_hub()
        leave = hub.switch  # to where nothing comes back from but by `take`, or by who stops this user
        while True:
            self.user._state = LOCUST_STATE_WAITING  # noqa: SLF001  # by which Locust knows whom it may stop
            caller, execute = leave()
            self.user._state = LOCUST_STATE_RUNNING  # noqa: SLF001  # the same
            try:
                execute()
            except BaseException as error:
                if isinstance(error, SystemExit):
                    self.user.environment.runner.side.exits(error)
                hub.loop.run_callback(caller.switch)  # this greenlet ends, and cannot go there itself
                raise
            leave = caller.switch

    def take(self, execute: Execute) -> None:
        """Let the user execute something, in its own greenlet."""
        greenlet = self.user.greenlet
        if not greenlet.dead:
            greenlet.switch((gevent.getcurrent(), execute))


class Starter:
    """The start of one user, and the tasks that it has then."""

    def __init__(self, user: User, side: Side) -> None:
        self.user = user
        self.settled = Event()
        self.tasks: list[tuple[str, Execute]] | None = None  # None: it has not started
        self._side = side
        self._on_start = user.on_start
        user.on_start = self._start  # type: ignore[method-assign]  # of this one user

    def _start(self) -> None:
        name = type(self.user).__name__
        try:
            with gevent.Timeout(LONGEST_TASK_S), self._side.think.within(f"{name}.on_start", self._on_start):
                self._on_start()
                self.tasks = list(tasks_of(self.user, self._side))
        except gevent.Timeout as error:
            self._side.could_not_start(name, error)
            raise StopUser from error
        except SystemExit as error:
            self._side.exits(error)
            raise
        except Exception as error:
            self._side.could_not_start(name, error)
            raise
        finally:
            self.settled.set()

    def waits(self) -> bool:
        """Whether the user waits for something else than an answer."""
        return not self.settled.wait(LOOK_S) and not asks(self.user.greenlet)


class OneOfEach(LocalRunner):
    """
    Locust's runner, where one user of each class stands for all of its users.

    Options, counts and events are those of the whole load, of which a LoadTestShape decides the first moment; nobody
    waits for a ramp.
    """

    side: Side

    def __init__(self, environment: Any) -> None:
        self._counts: Counter[str] = Counter()  # of the users that there would be
        self._starters: dict[str, Starter] = {}
        self._driven = False
        super().__init__(environment)

    @property
    def user_count(self) -> int:
        """How many users there would be."""
        return self._counts.total()

    @property
    def user_classes_count(self) -> dict[str, int]:
        """The same, by class."""
        return {user_class.__name__: self._counts[user_class.__name__] for user_class in self.user_classes}

    def shape_worker(self) -> None:
        """The first moment of a shape that has one."""
        options, tick = self.environment.parsed_options, self.environment.shape_class.tick()
        count, rate, *classes = tick or (options.num_users, options.spawn_rate)
        self.start(count, rate, user_classes=classes[0] if classes else None)
        Event().wait()

    def _start(self, user_count: int, spawn_rate: float, wait: bool = False, user_classes: Any = None) -> None:
        super()._start(user_count, max(spawn_rate, user_count), wait, user_classes)
        if not self._driven:
            self._driven = True
            self.greenlet.spawn(self._obey)

    def spawn_users(self, user_classes_spawn_count: dict[str, int], wait: bool = False) -> list[User]:  # noqa: ARG002
        """Count all of them; start one of each class, once."""
        if self.state in {STATE_INIT, STATE_STOPPED}:
            self.update_state(STATE_SPAWNING)
        self._counts.update(user_classes_spawn_count)
        if self._starters or self.side.wire.hear() != [START]:
            return []
        for user_class in self.user_classes:
            if (starter := self._started(user_class)) is not None:
                self._starters[user_class.__name__] = starter
        return [starter.user for starter in self._starters.values()]

    def _started(self, user_class: type[User]) -> Starter | None:
        """A user of the class, which has started or waits for something; None where there can be none."""
        reseed(f"{self.side.rng_seed}/{user_class.__name__}")
        try:
            starter = Starter(user_class(self.environment), self.side)
        except Exception as error:  # noqa: BLE001  # whatever a user's own code raises is data
            self.side.could_not_start(user_class.__name__, error)
            return None
        starter.user.start(self.user_greenlets)
        while not starter.settled.is_set() and not starter.waits():
            pass
        return starter

    def stop_users(self, user_classes_stop_count: dict[str, int]) -> None:
        """Stop those who are there; the others are counted no more."""
        there = Counter(type(greenlet.args[0]).__name__ for greenlet in self.user_greenlets if greenlet.args)
        if all(count >= self._counts[name] for name, count in user_classes_stop_count.items()):
            super().stop_users({name: there[name] for name in user_classes_stop_count if there[name]})
        self._counts.subtract(user_classes_stop_count)

    def _obey(self) -> None:
        """Do what the driver says, until it says that this is the end."""
        actions = self._actions()
        gc.collect()
        gc.freeze()
        gc.disable()
        names = {name: [task for task, _ in starter.tasks or ()] for name, starter in self._starters.items()}
        classes = [user_class.__name__ for user_class in self.user_classes]
        offered = {name: tasks for name, tasks in names.items() if self._starters[name].tasks is not None}
        self.side.wire.say(["answer", {"tasks": offered, "classes": classes}])
        while True:
            command, *rest = self.side.wire.hear() or ("gone",)
            answer: object = None
            if command == "turn":
                key, rng_seed = rest
                answer = self.side.turn(actions[key], rng_seed)
            elif command == "visits":
                answer = [self.side.visit(actions[key], rng_seeds, leads=leads) for key, rng_seeds, leads in rest[0]]
            elif command == "note":
                what, data = rest
                self.side.log.event(what, **data)
            elif command == "health":
                self.side.log.health(users=1, lags_ms=[])
            elif command == "rest":
                self.side.rest()
            elif command == "nobody":
                self.side.nobody()
            elif command == "end":
                self.side.stop()
                self.quit()
                return
            else:
                os._exit(1)  # nobody is there any more who would want it
            self.side.wire.say(["answer", answer])

    def _actions(self) -> dict[str, Callable[[], object]]:
        """What the driver may ask for, by key; users that are starting come to the end of it first."""
        self._await(list(self._starters.values()))
        actions: dict[str, Callable[[], object]] = {}
        for user_class in self.user_classes:
            name = user_class.__name__
            actions[f"{name}/{START}"] = partial(self._one_more, user_class)
            starter = self._starters.get(name)
            for number, (_, execute) in enumerate((starter and starter.tasks) or ()):
                place: Any = starter.user._taskset_instance  # noqa: SLF001
                actions[f"{name}/{number}"] = partial(place.take, execute)
        return actions

    def _one_more(self, user_class: type[User]) -> None:
        if (starter := self._started(user_class)) is not None:
            self._await([starter])

    def _await(self, starters: list[Starter]) -> None:
        """Until these have started, or failed. Those that wait for all users to do so are not kept waiting."""
        since = time.monotonic()
        while unsettled := [starter for starter in starters if not starter.settled.is_set()]:
            if not all(starter.waits() for starter in unsettled):
                since = time.monotonic()
            elif time.monotonic() - since > PATIENCE_S:
                self._fill()

    def _fill(self) -> None:
        """Start all the users that there would be under load."""
        there = Counter(type(greenlet.args[0]).__name__ for greenlet in self.user_greenlets if greenlet.args)
        for user_class in self.user_classes:
            for _ in range(self._counts[user_class.__name__] - there[user_class.__name__]):
                self._started(user_class)
