"""
Pauses: the users of one side stand still while the other side is under load, without their locustfile knowing.

For a user the clock stands still in a pause. A wait that had 0.3 s to go when the pause began has 0.3 s to go when it
ends, so that users come back as scattered as they were, and not all at once. A request that a user wants to send in a
pause is sent when the pause is over; its latency counts from there. What is in flight when the pause begins ends.
"""

import json
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from locust import TaskSet, User
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession

POLL_S = 0.02
_nap: Callable[[float], None] = gevent.sleep  # the real one, whoever patches what

Span = tuple[float, float]


class Pauses:
    """When users may act: always before the timetable begins and after it stops, in its open spans between."""

    def __init__(self) -> None:
        self._plan([(-inf, inf)])

    def _plan(self, spans: Sequence[Span]) -> None:
        self._spans = spans
        self._ends = [until for _, until in spans]
        self._since, self._until = spans[0]  # the span that is open now, or was when somebody last asked

    def begin(self, spans: Sequence[Span], *, begin_s: float, stop_s: float) -> None:
        """From *begin_s* to *stop_s* only the *spans* are open; all in seconds since the epoch, and in order."""
        self._plan([(-inf, begin_s), *spans, (stop_s, inf)])

    def open(self) -> bool:
        """Whether users may act now."""
        now = time.time()
        if not self._since <= now < self._until:
            self._since, self._until = self._spans[bisect_right(self._ends, now)]
        return self._since <= now < self._until

    def after(self, began_s: float, seconds: float) -> float:
        """When *seconds* of open time will have passed since *began_s*; with 0, the first open moment."""
        for since, until in self._spans[bisect_right(self._ends, began_s) :]:
            start = max(since, began_s)
            if start + seconds < until:
                return start + seconds
            seconds -= until - start
        raise AssertionError("the last span never ends")

    def sleep(self, seconds: float) -> float:
        """Sleep so many seconds of open time; the length of the pauses within, in seconds."""
        began = time.time()
        end = self.after(began, seconds)
        _nap(end - began)
        while (end := self.after(began, seconds)) > (now := time.time()):  # the timetable has come meanwhile
            _nap(end - now)
        return end - began - seconds


class Patience:
    """Makes Locust's users keep to the pauses."""

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses
        self._users: WeakKeyDictionary[Any, User] = WeakKeyDictionary()  # by the greenlet that they run in

    def install(self) -> None:
        """Patch waits, sleeps and requests. Before the locustfile is loaded, which may import `sleep` itself."""
        run = User.run

        def known(user: User) -> None:
            self._users[gevent.getcurrent()] = user
            run(user)

        def wait(tasks: TaskSet, seconds: float) -> None:
            _shift(self._pauses.sleep(seconds), tasks, tasks.user)

        User.run = known
        TaskSet._sleep = wait  # noqa: SLF001  # Locust has no public way
        gevent.sleep = self._sleeping(gevent.sleep)
        time.sleep = self._sleeping(time.sleep)
        for session in (HttpSession, FastHttpSession):
            session.request = self._requesting(session.request)

    def _sleeping(self, sleep: Callable[..., Any]) -> Callable[..., Any]:
        """For users, a sleep of open time; for everybody else the sleep that it is."""

        def patient(seconds: float = 0, *args: Any, **named: Any) -> Any:
            user = self._users.get(gevent.getcurrent())
            if user is None:
                return sleep(seconds, *args, **named)
            return _shift(self._pauses.sleep(seconds), user)

        return patient

    def _requesting(self, request: Callable[..., Any]) -> Callable[..., Any]:
        def patient(session: Any, *args: Any, **named: Any) -> Any:
            if not self._pauses.open():
                _shift(self._pauses.sleep(0.0), session.user)
            return request(session, *args, **named)

        return patient


def _shift(paused_s: float, *paced: Any) -> None:
    """`constant_pacing` counts from the last task: the pause does not belong to it."""
    for one in paced:
        if one is not None:
            one._cp_last_run += paused_s  # noqa: SLF001  # Locust has no public way


def wait_for(timetable: Path, pauses: Pauses) -> float:
    """Wait for the file and let the pauses begin; the time at which to stop, in seconds since the epoch."""
    while not timetable.exists():
        _nap(POLL_S)
    spec = json.loads(timetable.read_text())
    pauses.begin(spec["open"], begin_s=spec["begin_s"], stop_s=spec["stop_s"])
    return float(spec["stop_s"])
