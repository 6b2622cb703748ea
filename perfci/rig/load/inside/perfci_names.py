"""
Refuses user classes with a task or helper that overrides a method which Locust itself calls.

Such a user can never run: Locust fails at the first one, goes on without users, and prints its tables.
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


def refuse_overrides(classes: Iterable[type[User]]) -> None:
    """End the process with a message that perfci shows, where a class cannot run."""
    for user_class in classes:
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
