"""
Leaves out think time: the waits and sleeps of users, in turns and in a census.

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
MOST_SLEEPS = 20
"""Sleeps of one execution that are left out: a task that sleeps more often polls, and would never stop."""

_pause = gevent.sleep


class ThinkTime:
    """Leaves out the think time of users; `left_out` says where, and how much."""

    def __init__(self) -> None:
        self.left_out: Counter[str] = Counter()  # by task, in seconds
        self._executing: dict[
            Any, tuple[str, int]
        ] = {}  # by greenlet: task, and how many sleeps it may still leave out

    def install(self) -> None:
        """Patch sleeps and waits. Call it before the Locust file is loaded, which may import `sleep` itself."""
        gevent.sleep = self._skipping(gevent.sleep)
        time.sleep = self._skipping(time.sleep)
        TaskSet._sleep = staticmethod(gevent.sleep)  # noqa: SLF001  # Locust has no public way

    @contextmanager
    def executing(self, name: str, function: object) -> Iterator[None]:
        """Leave out the sleeps of the current greenlet meanwhile, unless *function* has the tag that keeps them."""
        greenlet = gevent.getcurrent()
        before = self._executing.get(greenlet)
        self._executing[greenlet] = name, 0 if KEEP in getattr(function, "locust_tag_set", ()) else MOST_SLEEPS
        try:
            yield
        finally:
            if before is None:
                del self._executing[greenlet]
            else:
                self._executing[greenlet] = before

    def _skipping(self, sleep: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(seconds: float = 0, *args: Any, **named: Any) -> Any:
            greenlet = gevent.getcurrent()
            name, left = self._executing.get(greenlet, ("", 0))
            if not left:
                return sleep(seconds, *args, **named)
            self._executing[greenlet] = name, left - 1
            self.left_out[name] += seconds
            return _pause(0)  # other greenlets, which the user may be waiting for, run

        return wrapper
