"""
Hooks that make Locust's users keep to the pauses of their side, without a change to their Locust file.

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


class PauseHooks:
    """Patches of Locust's users, clients and shapes that hold them back during the pauses."""

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses
        self._users: WeakKeyDictionary[Any, User] = WeakKeyDictionary()  # by the greenlet that they run in

    def install(self) -> None:
        """Patch waits, sleeps and requests. Call it before the Locust file is loaded, which may import `sleep`."""
        run, run_time = User.run, LoadTestShape.get_run_time

        def registered_run(user: User) -> None:
            self._users[gevent.getcurrent()] = user
            run(user)

        def paused_wait(tasks: TaskSet, seconds: float) -> None:
            _shift_pacing(self._pauses.sleep(seconds), tasks, tasks.user)

        def open_run_time(shape: LoadTestShape) -> float:
            now, seconds = time.time(), run_time(shape)
            return seconds - self._pauses.paused(now - seconds, now)

        User.run = registered_run
        LoadTestShape.get_run_time = open_run_time
        TaskSet._sleep = paused_wait  # noqa: SLF001  # Locust has no public way
        gevent.sleep = self._pausing_sleep(gevent.sleep)
        time.sleep = self._pausing_sleep(time.sleep)
        for session in (HttpSession, FastHttpSession):
            session.request = self._pausing_request(session.request)

    def _pausing_sleep(self, sleep: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap *sleep*: a user sleeps for so much open time, any other greenlet as before."""

        def wrapper(seconds: float = 0, *args: Any, **named: Any) -> Any:
            user = self._users.get(gevent.getcurrent())
            if user is None:
                return sleep(seconds, *args, **named)
            return _shift_pacing(self._pauses.sleep(seconds), user)

        return wrapper

    def _pausing_request(self, request: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the *request* method of a client: a request that is made in a pause waits for its end."""

        def wrapper(session: Any, *args: Any, **named: Any) -> Any:
            if not self._pauses.open():
                _shift_pacing(self._pauses.sleep(0.0), session.user)
            return request(session, *args, **named)

        return wrapper


def _shift_pacing(paused_s: float, *holders: Any) -> None:
    """Leave a pause out of the time that `constant_pacing` counts from the last task of a user or task set."""
    for holder in holders:
        if holder is not None:
            holder._cp_last_run += paused_s  # noqa: SLF001  # Locust has no public way
