"""
Refuses user classes of which Locust could not run a part.

A task or helper that overrides a method which Locust itself calls: Locust fails at the first user, goes on without
users, and prints its tables. A task that is a coroutine or a generator: Locust calls it, which executes nothing of it,
and says nothing.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from locust import TaskSet, User

CALLED: dict[type, dict[str, tuple[tuple[Any, ...], dict[str, Any]]]] = {
    User: {
        "start": ((None,), {}),
        "stop": ((), {"force": False}),
        "context": ((), {}),
        "wait_time": ((), {}),
    },
    TaskSet: {
        "run": ((), {}),
        "wait": ((), {}),
        "wait_time": ((), {}),
        "get_next_task": ((), {}),
        "schedule_task": ((None,), {}),
        "execute_next_task": ((), {}),
        "execute_task": ((None,), {}),
    },
}
"""The methods of users and task sets that Locust calls, with its arguments (beside `self`)."""


CALLED_ONCE = ("on_start", "on_stop")
"""The methods that Locust calls and of which each user and task set may have its own."""


def refuse_unrunnable(classes: Iterable[type[User]]) -> None:
    """End the process with a message that perfci shows, where a class cannot run."""
    for user_class in classes:
        for text in _never_executed(user_class):
            raise SystemExit(f"perfci: {text} | make it a plain function: by hand Locust skips it, too, without a word")
        for text in _overrides(user_class, User):
            raise SystemExit(f"perfci: {text} | rename it: Locust cannot run such a user by hand either")


def _overrides(holder: type, kind: type) -> Iterator[str]:
    for name, arguments in CALLED[kind].items():
        own = getattr(holder, name, None)
        if own is getattr(kind, name) or not callable(own):
            continue
        is_task = hasattr(own, "locust_task_weight")
        if is_task or not _takes(own, *arguments):
            what = "the task" if is_task else "the method"
            yield f"{what} {name} of {holder.__name__} hides {kind.__name__}.{name}, which Locust calls itself"
    for task in getattr(holder, "tasks", ()):
        if isinstance(task, type) and issubclass(task, TaskSet):
            yield from _overrides(task, TaskSet)


def _never_executed(holder: type) -> Iterator[str]:
    tasks = [task for task in dict.fromkeys(getattr(holder, "tasks", ())) if not isinstance(task, type)]
    for function in [*tasks, *(getattr(holder, name, None) for name in CALLED_ONCE)]:
        what = "the task" if function in tasks else "the method"
        called = f"{what} {getattr(function, '__name__', function)} of {holder.__name__}"
        if inspect.iscoroutinefunction(function):
            yield f"{called} is an `async def`, which Locust calls and never awaits: nothing in it is executed"
        elif inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            yield f"{called} has a `yield`, so that Locust makes a generator of it: nothing in it is executed"
    for task in getattr(holder, "tasks", ()):
        if isinstance(task, type) and issubclass(task, TaskSet):
            yield from _never_executed(task)


def _takes(function: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any]) -> bool:
    """Whether *function* accepts these arguments, with `self` or without."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return True
    for first in ((None,), ()):
        try:
            signature.bind(*first, *positional, **named)
        except TypeError:
            continue
        return True
    return False
