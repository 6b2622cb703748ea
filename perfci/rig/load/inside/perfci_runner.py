"""
Locust's runner for a round with one request in flight: one user of each class stands for all of its users.

The driver of the turns says which task which user executes; nobody else acts meanwhile.
"""

import gc
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import gevent
from gevent.event import Event
from locust import User
from locust.exception import StopTest, StopUser
from locust.runners import STATE_INIT, STATE_SPAWNING, STATE_STOPPED, LocalRunner
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING, DefaultTaskSet
from perfci_endings import is_requesting
from perfci_random import reseed
from perfci_side import START, SideRecorder
from perfci_tasks import LONGEST_TASK_S, Execute, tasks_of

MOST_STARTS = 4  # users of a class that are started, until one does not raise
IDLE_S = 0.02  # a starting user that has no request in flight for so long waits for something else than an answer
ALL_IDLE_S = 1.0  # started users that are all idle for so long wait for more users


class TurnTaskSet(DefaultTaskSet):
    """Replaces Locust's root task set: the user waits, and executes one of its tasks when it is its turn."""

    def run(self) -> None:
        """Execute what `take` hands over, until the user is stopped."""
        hub = gevent.get_hub()
        leave = hub.switch  # which returns only by `take`, or when this user is stopped
        while True:
            self.user._state = LOCUST_STATE_WAITING  # noqa: SLF001  # by which Locust knows whom it may stop
            caller, execute = leave()
            self.user._state = LOCUST_STATE_RUNNING  # noqa: SLF001  # the same
            try:
                execute()
            except BaseException as error:
                if isinstance(error, SystemExit):
                    self.user.environment.runner.side.exited(error)
                hub.loop.run_callback(caller.switch)  # this greenlet ends, and cannot go there itself
                raise
            leave = caller.switch

    def take(self, execute: Execute) -> None:
        """Call *execute* in the user's own greenlet; it returns at once where the user has ended."""
        greenlet = self.user.greenlet
        if not greenlet.dead:
            greenlet.switch((gevent.getcurrent(), execute))


class UserStart:
    """The start of one user, whose `on_start` may still run, and the tasks that the user has afterwards."""

    def __init__(self, user: User, side: SideRecorder) -> None:
        self.user = user
        self.settled = Event()
        self.raised = False
        self.tasks: list[tuple[str, Execute]] | None = None  # None: it has not started
        self._side = side
        self._on_start = user.on_start
        user.on_start = self._start  # type: ignore[method-assign]  # of this user only

    def _start(self) -> None:
        name = type(self.user).__name__
        try:
            with gevent.Timeout(LONGEST_TASK_S), self._side.think_time.executing(f"{name}.on_start", self._on_start):
                self._on_start()
                self.tasks = list(tasks_of(self.user, self._side))
        except gevent.Timeout as error:
            self._side.start_failed(name, error)
            raise StopUser from error
        except SystemExit as error:
            self._side.exited(error)
            raise
        except Exception as error:
            self.raised = not isinstance(error, StopTest)
            self._side.start_failed(name, error)
            raise
        finally:
            self.settled.set()

    def is_idle(self) -> bool:
        """Whether the user is still starting, and waits for something else than an answer."""
        return not self.settled.wait(IDLE_S) and not is_requesting(self.user.greenlet)


class TurnRunner(LocalRunner):
    """
    Locust's runner, where one user of each class stands for all of its users.

    Options, counts and events are those of the whole load, or of the first moment of a LoadTestShape. There is no ramp.
    """

    side: SideRecorder

    def __init__(self, environment: Any) -> None:
        self._counts: Counter[str] = Counter()  # of the users that there would be
        self._starts: dict[str, UserStart] = {}
        self._tried: Counter[str] = Counter()  # users of a class that were started to stand for it
        self._is_driven = False
        super().__init__(environment)

    @property
    def user_count(self) -> int:
        """The number of users that there would be under load."""
        return self._counts.total()

    @property
    def user_classes_count(self) -> dict[str, int]:
        """The number of users that there would be under load, by class."""
        return {user_class.__name__: self._counts[user_class.__name__] for user_class in self.user_classes}

    def shape_worker(self) -> None:
        """Start the users that a LoadTestShape asks for in its first tick."""
        options, tick = self.environment.parsed_options, self.environment.shape_class.tick()
        count, rate, *classes = tick or (options.num_users, options.spawn_rate)
        self.start(count, rate, user_classes=classes[0] if classes else None)
        Event().wait()

    def _start(self, user_count: int, spawn_rate: float, wait: bool = False, user_classes: Any = None) -> None:
        super()._start(user_count, max(spawn_rate, user_count), wait, user_classes)
        if not self._is_driven:
            self._is_driven = True
            self.greenlet.spawn(self._execute_commands)

    def spawn_users(self, user_classes_spawn_count: dict[str, int], wait: bool = False) -> list[User]:  # noqa: ARG002
        """Count all users, and start one of each class the first time."""
        if self.state in {STATE_INIT, STATE_STOPPED}:
            self.update_state(STATE_SPAWNING)
        self._counts.update(user_classes_spawn_count)
        if self._starts or self.side.connection.receive() != [START]:
            return []
        self._start_first(self.user_classes)
        return [start.user for start in self._starts.values()]

    def _start_first(self, user_classes: Iterable[type[User]]) -> None:
        """Start a user of each class that stands for the others, or the next one where that raised."""
        for user_class in user_classes:
            name = user_class.__name__
            number = self._tried[name]
            self._tried[name] += 1
            if (start := self._start_user(user_class, f"/{number}" if number else "")) is not None:
                self._starts[name] = start

    def _start_user(self, user_class: type[User], number: str = "") -> UserStart | None:
        """Start a user of the class, until it has started or is idle; None where it cannot be created."""
        reseed(f"{self.side.rng_seed}/{user_class.__name__}{number}")
        try:
            start = UserStart(user_class(self.environment), self.side)
        except Exception as error:  # noqa: BLE001  # whatever a user's own code raises is data
            self.side.start_failed(user_class.__name__, error)
            return None
        start.user.start(self.user_greenlets)
        while not start.settled.is_set() and not start.is_idle():
            pass
        return start

    def stop_users(self, user_classes_stop_count: dict[str, int]) -> None:
        """Stop the users that exist, and reduce the counts by the whole number."""
        existing = Counter(type(greenlet.args[0]).__name__ for greenlet in self.user_greenlets if greenlet.args)
        if all(count >= self._counts[name] for name, count in user_classes_stop_count.items()):
            super().stop_users({name: existing[name] for name in user_classes_stop_count if existing[name]})
        self._counts.subtract(user_classes_stop_count)

    def _execute_commands(self) -> None:
        """Execute the commands of the driver, until it ends the round."""
        actions = self._actions()
        gc.collect()
        gc.freeze()
        gc.disable()
        self.side.connection.send(["answer", self._offer()])
        while True:
            command, *rest = self.side.connection.receive() or ("gone",)
            answer: object = None
            if command == "start next":
                self._start_first(each for each in self.user_classes if each.__name__ in rest[0])
                actions, answer = self._actions(), self._offer()
            elif command == "turn":
                key, rng_seed = rest
                answer = self.side.turn(actions[key], rng_seed)
            elif command == "visits":
                answer = [self.side.visit(actions[key], rng_seeds, leads=leads) for key, rng_seeds, leads in rest[0]]
            elif command == "event":
                what, data = rest
                self.side.log.event(what, **data)
            elif command == "health":
                self.side.log.health(users=1, lags_ms=[])
            elif command == "rest":
                self.side.rest()
            elif command == "nothing to do":
                self.side.nothing_to_do()
            elif command == "end":
                self.side.stop()
                self.quit()
                return
            else:
                os._exit(1)  # the driver is gone
            self.side.connection.send(["answer", answer])

    def _offer(self) -> dict[str, Any]:
        """The tasks of each class whose user has started, and the classes whose user raised, and that have more."""
        return {
            "classes": [user_class.__name__ for user_class in self.user_classes],
            "tasks": {
                name: [task for task, _ in start.tasks]
                for name, start in self._starts.items()
                if start.tasks is not None
            },
            "raised": [
                name
                for name, start in self._starts.items()
                if start.raised and self._tried[name] < min(self._counts[name], MOST_STARTS)
            ],
        }

    def _actions(self) -> dict[str, Callable[[], object]]:
        """What each turn executes, by the key of the turn, after all users have started or failed."""
        self._await_started(list(self._starts.values()))
        actions: dict[str, Callable[[], object]] = {}
        for user_class in self.user_classes:
            name = user_class.__name__
            actions[f"{name}/{START}"] = partial(self._start_another, user_class)
            start = self._starts.get(name)
            for number, (_, execute) in enumerate((start and start.tasks) or ()):
                task_set: Any = start.user._taskset_instance  # noqa: SLF001
                actions[f"{name}/{number}"] = partial(task_set.take, execute)
        return actions

    def _start_another(self, user_class: type[User]) -> None:
        if (start := self._start_user(user_class)) is not None:
            self._await_started([start])

    def _await_started(self, starts: list[UserStart]) -> None:
        """Wait until these users have started or failed; where all of them are idle, start the other users as well."""
        since = time.monotonic()
        while unsettled := [start for start in starts if not start.settled.is_set()]:
            if not all(start.is_idle() for start in unsettled):
                since = time.monotonic()
            elif time.monotonic() - since > ALL_IDLE_S:
                self._start_all_users()

    def _start_all_users(self) -> None:
        """Start as many users as there would be under load."""
        existing = Counter(type(greenlet.args[0]).__name__ for greenlet in self.user_greenlets if greenlet.args)
        for user_class in self.user_classes:
            for _ in range(self._counts[user_class.__name__] - existing[user_class.__name__]):
                self._start_user(user_class)
