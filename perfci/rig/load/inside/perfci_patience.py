"""
Patience: Locust's users keep to the pauses of their side, without their locustfile knowing.

Waits between tasks, and sleeps within them, last as long in open time as they would without pauses. A request that a
user wants to send in a pause is sent when the pause is over, and its latency counts from there. What is in flight when
a pause begins comes to its end. The run time that a LoadTestShape goes by stands still, too.
"""

import time
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from locust import LoadTestShape, TaskSet, User
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession
from perfci_pauses import Pauses


class Patience:
    """Makes Locust's users keep to the pauses."""

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses
        self._users: WeakKeyDictionary[Any, User] = WeakKeyDictionary()  # by the greenlet that they run in

    def install(self) -> None:
        """Patch waits, sleeps and requests. Before the locustfile is loaded, which may import `sleep` itself."""
        run, run_time = User.run, LoadTestShape.get_run_time

        def known(user: User) -> None:
            self._users[gevent.getcurrent()] = user
            run(user)

        def wait(tasks: TaskSet, seconds: float) -> None:
            _shift(self._pauses.sleep(seconds), tasks, tasks.user)

        def open_time(shape: LoadTestShape) -> float:
            now, seconds = time.time(), run_time(shape)
            return seconds - self._pauses.paused(now - seconds, now)

        User.run = known
        LoadTestShape.get_run_time = open_time
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
    for pacing in paced:
        if pacing is not None:
            pacing._cp_last_run += paused_s  # noqa: SLF001  # Locust has no public way
