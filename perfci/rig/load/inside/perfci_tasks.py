"""
Makes the tasks of a user executable one by one, with a limit in time; what a task raises is logged.

Nested task sets are opened: each of their tasks can be executed by itself. A task set that decides itself what comes
next is one task, of as many steps as it has tasks.
"""

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol

import gevent
from locust import TaskSet, User
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser
from perfci_think import ThinkTime

LONGEST_TASK_S = 30.0
CONTROL_FLOW = (RescheduleTask, RescheduleTaskImmediately, StopUser, StopTest)

Execute = Callable[[], bool]
"""Executes a task once; False where it has left its task set."""


class Recorder(Protocol):
    """Logs what a task raises, and leaves out its think time."""

    think_time: ThinkTime

    def exception(self, where: str, error: BaseException) -> None:
        """Log an exception that was raised outside of any request."""


def tasks_of(holder: User | TaskSet, recorder: Recorder) -> Iterator[tuple[str, Execute]]:
    """Name and execution of each distinct task of a user or task set, in the order of the file."""
    tasks: Any = holder.tasks
    for task in dict.fromkeys(tasks):
        name = f"{type(holder).__name__}.{_name(task)}"
        if not _is_set(task):
            yield name, execution(task, partial(task, holder), recorder)
        elif task.get_next_task is not TaskSet.get_next_task:
            yield name, Walk(task, holder, recorder)
        else:
            nested = task(holder)
            nested.on_start()
            yield from tasks_of(nested, recorder)


def _is_set(task: Any) -> bool:
    return isinstance(task, type) and issubclass(task, TaskSet)


def _name(task: Any) -> str:
    return getattr(task, "__name__", None) or type(task).__name__


class Walk:
    """
    Executes a task set that decides itself what comes next (sequential, Markov), as many steps as it has tasks.

    Each step needs what the one before it has left, so none is executed by itself. A set that was left by `interrupt`
    is entered anew the next time, as Locust does.
    """

    def __init__(self, kind: type[TaskSet], holder: Any, recorder: Recorder) -> None:
        self._enter = lambda: kind(holder)
        self._recorder = recorder
        self._set = self._enter()
        self._steps = len(self._set.tasks) or sum(hasattr(task, "transitions") for task in vars(kind).values())
        self._set.on_start()

    def __call__(self) -> bool:
        """
        Execute the steps, each with a seed of its own, which is the same on the other side.

        So a step that draws more on one side, because it got another response, does not change the later steps.
        """
        if self._set is None:
            self._set = self._enter()
            self._bounded(self._set.on_start, self._set.on_start)
        for rng_seed in [random.getrandbits(64) for _ in range(self._steps)]:
            random.seed(rng_seed)
            if not self._step(self._set.get_next_task()):
                self._bounded(self._set.on_stop, self._set.on_stop)
                self._set = None
                break
        return True

    def _step(self, task: Any) -> bool:
        if _is_set(task):
            self._bounded(task, partial(self._nested, task))
            return True
        action = task if getattr(task, "__self__", None) is self._set else partial(task, self._set)
        return self._bounded(task, action)

    def _nested(self, kind: type[TaskSet]) -> None:
        """Execute each task of a nested task set once."""
        nested = kind(self._set)
        nested.on_start()
        for _, execute in tasks_of(nested, self._recorder):
            execute()

    def _bounded(self, task: object, action: Callable[[], object]) -> bool:
        return execution(task, action, self._recorder)()


def execution(task: object, action: Callable[[], object], recorder: Recorder) -> Execute:
    """Wrap the *action* of a *task*: limit its time, log what it raises, and raise nothing."""
    name = _name(task)

    def execute() -> bool:
        try:
            with gevent.Timeout(LONGEST_TASK_S), recorder.think_time.executing(name, task):
                action()
        except InterruptTaskSet:
            return False
        except CONTROL_FLOW:
            pass
        except (gevent.Timeout, Exception) as error:  # noqa: BLE001  # whatever a user's task raises is data
            recorder.exception(name, error)
        return True

    return execute
