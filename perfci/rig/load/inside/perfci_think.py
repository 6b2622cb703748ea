"""
Think time: the waits and sleeps of users, which turns leave out.

A user of turns does not wait between two tasks, and not within one either: `time.sleep`, `gevent.sleep` and
`self.wait()` in a user's own greenlet return at once. A task that needs them, because it asks again and again until a
job is done, says so by a tag of Locust's: `@tag("keep-sleeps")`, also on `on_start`, `wait_time` or a whole task set.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
from locust import TaskSet

KEEP = "keep-sleeps"
MOST = 20
"""Sleeps of one execution that are left out: who sleeps more often waits for something, and would ask without end."""

_pause = gevent.sleep


class Think:
    """Leaves out the think time of users, and knows where."""

    def __init__(self) -> None:
        self.left_out: Counter[str] = Counter()  # by task, in seconds
        self._within: dict[Any, tuple[str, int]] = {}  # by greenlet: task, and how many sleeps it may still leave out

    def install(self) -> None:
        """Patch sleeps and waits. Before the locustfile is loaded, which may import `sleep` itself."""
        gevent.sleep = self._sleeping(gevent.sleep)
        time.sleep = self._sleeping(time.sleep)
        TaskSet._sleep = staticmethod(gevent.sleep)  # noqa: SLF001  # Locust has no public way

    @contextmanager
    def within(self, name: str, function: object) -> Iterator[None]:
        """While the current greenlet executes *function*, its sleeps are left out, unless its tag says otherwise."""
        greenlet = gevent.getcurrent()
        before = self._within.get(greenlet)
        self._within[greenlet] = name, 0 if KEEP in getattr(function, "locust_tag_set", ()) else MOST
        try:
            yield
        finally:
            if before is None:
                del self._within[greenlet]
            else:
                self._within[greenlet] = before

    def _sleeping(self, sleep: Callable[..., Any]) -> Callable[..., Any]:
        def thinking(seconds: float = 0, *args: Any, **named: Any) -> Any:
            greenlet = gevent.getcurrent()
            name, left = self._within.get(greenlet, ("", 0))
            if not left:
                return sleep(seconds, *args, **named)
            self._within[greenlet] = name, left - 1
            self.left_out[name] += seconds
            return _pause(0)  # what the user may be waiting for goes on

        return thinking
