"""Repeats requests to the GitHub API where that is safe; all waiting shares one deadline."""

import email.utils
import itertools
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")

DEADLINE_S = 55.0
"""For all requests together: the step that publishes has a minute, and its start and its reports take the rest."""

TRIES = 4
BACKOFF_S = 1.0
SECONDARY_S = 60.0  # "wait for at least one minute", where a secondary rate limit names no time

_PASSING = frozenset({408, 500, 502, 503, 504})


class OutOfTimeError(Exception):
    """The API asks for a longer wait than the deadline leaves; *status* is that of its answer, 0 for none."""

    def __init__(self, status: int, wait_s: float, left_s: float) -> None:
        super().__init__(f"the next try would be in {wait_s:.0f} s, and {left_s:.0f} s are left")
        self.status = status


class Patience:
    """The time that is left for all requests of a step; *clock* is monotonic, *now* the time of day in seconds."""

    def __init__(
        self,
        limit_s: float = DEADLINE_S,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.limit_s = limit_s
        self._clock = clock
        self._sleep = sleep
        self._now = now
        self._end = clock() + limit_s

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, never below zero."""
        return max(0.0, self._end - self._clock())

    def rest(self, seconds: float) -> None:
        """Sleep for *seconds*, or until the deadline where that comes sooner."""
        self._sleep(min(seconds, self.left_s))

    def ask(self, request: Callable[[], T], *, repeatable: bool = True) -> T:
        """
        Return the answer to *request*; repeats it after a passing failure while time is left.

        One that is not *repeatable* (it may have done its work before it failed) is made again only where the API
        says that it refused it for now. Raises the last failure, or `OutOfTimeError`.
        """
        from github import GithubException

        for tried in itertools.count(1):
            try:
                return request()
            except (GithubException, OSError) as problem:
                wait_s = self._wait(problem, tried, repeatable=repeatable)
                if wait_s is None:
                    raise
                if wait_s >= self.left_s:
                    raise OutOfTimeError(getattr(problem, "status", 0), wait_s, self.left_s) from problem
                self._sleep(wait_s)
        raise AssertionError("unreachable")

    def _wait(self, problem: Exception, tried: int, *, repeatable: bool) -> float | None:
        """Seconds until the next try, None where there is none."""
        backoff: float = BACKOFF_S * 2 ** (tried - 1)
        status = getattr(problem, "status", 0)
        if tried >= TRIES:
            return None
        if is_rate_limited(problem):
            return max(backoff, self._asked_for(getattr(problem, "headers", None) or {}))
        return backoff if repeatable and (not status or status in _PASSING) else None

    def _asked_for(self, headers: Mapping[str, str]) -> float:
        """The seconds that a rate limit's answer asks the client to wait."""
        if text := headers.get("retry-after", ""):
            if text.strip().isdecimal():
                return float(text)
            if date := email.utils.parsedate_tz(text):
                return email.utils.mktime_tz(date) - self._now()
        reset = headers.get("x-ratelimit-reset", "")
        if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
            return float(reset) - self._now() + 1  # within that second
        return SECONDARY_S


def is_rate_limited(problem: Exception) -> bool:
    """Whether the API refused for now, without having done anything."""
    status = getattr(problem, "status", 0)
    headers: Mapping[str, str] = getattr(problem, "headers", None) or {}
    said = "rate limit" in str(getattr(problem, "data", "")).lower()
    return status == 429 or (status == 403 and (said or "retry-after" in headers))
