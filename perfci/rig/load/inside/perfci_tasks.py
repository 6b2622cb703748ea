"""
The tasks of a user that takes turns: each can be executed by itself, bounded in time, and whatever it raises is noted.

Nested task sets are opened, so that each of their tasks is one of its own. A set that decides itself what comes next is
one task, of as many steps as it has tasks.
"""

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol

import gevent
from locust import TaskSet, User
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser
from perfci_think import Think

LONGEST_TASK_S = 30.0
CONTROL_FLOW = (RescheduleTask, RescheduleTaskImmediately, StopUser, StopTest)

Execute = Callable[[], bool]
"""Executes a task once; False where it has left its task set."""


class Notes(Protocol):
    """Who is told about what a task raises, and leaves out its think time."""

    think: Think

    def exception(self, where: str, error: BaseException) -> None:
        """An exception outside of any request."""


def tasks_of(holder: User | TaskSet, notes: Notes) -> Iterator[tuple[str, Execute]]:
    """Each distinct task of a user or task set once, by name, nested task sets opened, in the order of the file."""
    tasks: Any = holder.tasks
    for task in dict.fromkeys(tasks):
        name = f"{type(holder).__name__}.{_name(task)}"
        if not _is_set(task):
            yield name, execution(task, partial(task, holder), notes)
        elif task.get_next_task is not TaskSet.get_next_task:
            yield name, Walk(task, holder, notes)
        else:
            nested = task(holder)
            nested.on_start()
            yield from tasks_of(nested, notes)


def _is_set(task: Any) -> bool:
    return isinstance(task, type) and issubclass(task, TaskSet)


def _name(task: Any) -> str:
    return getattr(task, "__name__", None) or type(task).__name__


class Walk:
    """
    A task set that decides itself what comes next (sequential, Markov): one execution is as many steps as it has tasks.

    Each step needs what the one before it has left, so none is taken alone. A set that was left by `interrupt` is
    entered anew the next time, as Locust does.
    """

    def __init__(self, kind: type[TaskSet], holder: Any, notes: Notes) -> None:
        self._enter = lambda: kind(holder)
        self._notes = notes
        self._set = self._enter()
        self._steps = len(self._set.tasks) or sum(hasattr(task, "transitions") for task in vars(kind).values())
        self._set.on_start()

    def __call__(self) -> bool:
        """
        Walk. Each step begins with a random state of its own, which the other side's has, too.

        So a step that draws more on one side, because it got another answer, does not lead the next ones elsewhere.
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
            self._bounded(task, partial(self._within, task))
            return True
        action = task if getattr(task, "__self__", None) is self._set else partial(task, self._set)
        return self._bounded(task, action)

    def _within(self, kind: type[TaskSet]) -> None:
        """A set within a walk: each of its tasks once."""
        nested = kind(self._set)
        nested.on_start()
        for _, execute in tasks_of(nested, self._notes):
            execute()

    def _bounded(self, task: object, action: Callable[[], object]) -> bool:
        return execution(task, action, self._notes)()


def execution(task: object, action: Callable[[], object], notes: Notes) -> Execute:
    """*action*, which is a *task* of somebody's: bounded in time; what it raises is noted and goes no further."""
    name = _name(task)

    def execute() -> bool:
        try:
            with gevent.Timeout(LONGEST_TASK_S), notes.think.within(name, task):
                action()
        except InterruptTaskSet:
            return False
        except CONTROL_FLOW:
            pass
        except (gevent.Timeout, Exception) as error:  # noqa: BLE001  # whatever a user's task raises is data
            notes.exception(name, error)
        return True

    return execute
