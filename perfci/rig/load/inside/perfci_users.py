"""
Tells which user sent a request: the one whose greenlet it was sent in, or that spawned this one.

Locust tells the listeners of its `request` event nothing of the user, and clients of other protocols leave out even the
context. Locust itself finds the user of a greenlet in the arguments that it was spawned with.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from gevent import getcurrent
from locust import User


class Senders:
    """The number of the user that the current greenlet sends for, looked up once for each greenlet; 0: no user's."""

    def __init__(self, number: Callable[[str], int]) -> None:
        """*number* gives one more user its number, by the name of its class."""
        self._number = number
        self._numbers: WeakKeyDictionary[User, int] = WeakKeyDictionary()

    def current(self) -> int:
        """The number for the current greenlet."""
        greenlet = getcurrent()
        number: int | None = getattr(greenlet, "perfci_sender", None)
        if number is None:
            user = _user_of(greenlet)
            number = greenlet.perfci_sender = 0 if user is None else self._of(user)
        return number

    def _of(self, user: User) -> int:
        if user not in self._numbers:
            self._numbers[user] = self._number(type(user).__name__)
        return self._numbers[user]


def _user_of(greenlet: Any) -> User | None:
    """The user that runs in *greenlet*, or in one of those that spawned it."""
    while greenlet is not None:
        for argument in getattr(greenlet, "args", ()):
            if isinstance(argument, User):
                return argument
        spawned_by = getattr(greenlet, "spawning_greenlet", None)
        greenlet = None if spawned_by is None else spawned_by()
    return None


def refuse_unknown(classes: Mapping[str, Any] | Iterable[Any]) -> None:
    """End the process with a message that perfci shows, where a limit is for a class that the file does not have."""
    known = sorted(each if isinstance(each, str) else each.__name__ for each in classes)
    if unknown := [name for name in json.loads(os.environ.get("PERFCI_LIMITED_CLASSES", "[]")) if name not in known]:
        raise SystemExit(
            f"perfci: [[gate.slo]] is on the user class {', '.join(unknown)}, which the Locust file does not have"
            f" | its user classes are: {', '.join(known)}"
        )
