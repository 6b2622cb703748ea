"""
Records one side of a round with one request in flight, and reports to the driver of the round.

It belongs to a process that runs Locust's own program for this side alone (`perfci_sides.py`, `perfci_runner.py`).
"""

import gc
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import locust
import perfci_random
from perfci_chosen import leave_out_unchosen
from perfci_connection import Connection, Token
from perfci_endings import Endings, describe_ending, raised_at
from perfci_endpoints import Endpoints
from perfci_log import LogWriter, request_listener
from perfci_names import refuse_unrunnable
from perfci_ports import Ports
from perfci_think import ThinkTime
from perfci_unreported import UnreportedRequests

START = "start"
LONGEST_HEADER = 1000


class TurnResult(NamedTuple):
    """An executed turn: the endpoints asked for, in order; whether anything failed; when it began and ended."""

    asked: list[str]
    failed: bool = False
    since: float = 0.0  # seconds since the epoch
    until: float = 0.0


class SideRecorder:
    """Executes the turns of one side, writes its request log, and answers the driver of the round."""

    def __init__(
        self, name: str, record: str, rng_seed: int, *, connection: Connection, token: Token, headers: list[str] | None
    ) -> None:
        self.rng_seed = rng_seed
        self.log = LogWriter(Path(record) / f"{name}.log")
        self.connection = connection
        self._token = token
        self.user_classes: list[str] = []  # that the scenario names
        self.own_endpoints: list[dict[str, str]] = []  # the project's own names for them
        self.unstarted: list[str] = []  # classes whose users could not start, with the exception
        self._asked: list[str] = []  # endpoints, in order, since the turn began
        self._failures = 0  # failed requests, and exceptions outside of requests
        self._headers = headers
        self._resumed_s = 0.0  # when the driver had counted the last request
        self.think_time = ThinkTime()
        self.ports = Ports()
        self._unreported = UnreportedRequests()
        self._endings = Endings()
        self._runner: Any = None
        self._endpoints = Endpoints("")

    def install(self, *, moves_ports: bool) -> None:
        """Patch Locust and the random generators. Call it before the Locust file is loaded."""
        perfci_random.install(self.rng_seed)
        self.think_time.install()
        if moves_ports:
            self.ports.install()
        self._unreported.install()
        self._endings.watch_exit()
        locust.events.init.add_listener(self._on_init)
        locust.events.quit.add_listener(self._on_quit)

    def _on_init(self, environment: Any, runner: Any, **_: Any) -> None:
        refuse_unrunnable(environment.user_classes)
        if unknown := [name for name in environment.parsed_options.user_classes or () if name not in self.user_classes]:
            raise SystemExit(
                f"perfci: the arguments of the profile hold {' '.join(unknown)}, which belongs to no option"
                " | name user classes in `user_classes`"
            )
        leave_out_unchosen(environment)
        self._runner = runner
        self._endings.watch_runner(runner, self._on_ending)
        self._endpoints = Endpoints(environment.host, self.own_endpoints)
        self._listen(request_listener(self.log, self._endpoints, home=environment.host))
        self._listen(self._count)
        if self._headers is not None:
            self._listen(self._report)

    def _listen(self, listener: Callable[..., Any]) -> None:
        """Call *listener* for each request, including those that Locust fires no event for."""
        events = locust.events.request
        events.add_listener(listener)
        self._unreported.add_listener(events, listener)

    def _count(
        self,
        request_type: str,
        name: str,
        exception: BaseException | None = None,
        response: Any = None,
        url: Any = None,
        **_: Any,
    ) -> None:
        self._asked.append(self._endpoints.of(request_type, name, response=response, url=url).endpoint)
        self._failures += exception is not None

    def _report(
        self,
        request_type: str,
        name: str,
        response_length: int | None,
        exception: BaseException | None = None,
        start_time: float | None = None,  # clients of other protocols leave it out
        response: Any = None,
        url: Any = None,
        **_: Any,
    ) -> None:
        """Report a request to the driver, and block the whole process until the driver has counted it."""
        if self._headers is None:
            return
        received: Any = getattr(response, "headers", None)
        if not isinstance(received, Mapping) and not hasattr(received, "get"):
            received = {}
        found = {header: received.get(header) for header in self._headers}
        named = self._endpoints.of(request_type, name, response=response, url=url)
        status = getattr(response, "status_code", 0)
        request = {
            "endpoint": named.endpoint,
            "name": named.name,
            "status": status if type(status) is int else 0,
            "bytes": response_length if type(response_length) is int else 0,
            "failed": exception is not None,
            # Sent before the previous one was counted: with two in flight, work cannot be attributed to either.
            "overlapped": start_time is not None and start_time < self._resumed_s,
            "headers": {header: str(value)[:LONGEST_HEADER] for header, value in found.items() if value is not None},
        }
        self.connection.send(["request", request])
        if self.connection.receive() is None:
            os._exit(1)  # the driver is gone, and Locust's events would swallow an exception
        self._resumed_s = time.time()

    def turn(self, execute: Callable[[], object], rng_seed: int) -> TurnResult:
        """Call *execute* with the random generators seeded by *rng_seed*."""
        perfci_random.reseed(rng_seed)
        self._asked = []
        before, since = self._failures, time.time()
        execute()
        return TurnResult(self._asked, self._failures > before, since, time.time())

    def visit(self, execute: Callable[[], object], rng_seeds: tuple[int, int], *, leads: bool) -> list[TurnResult]:
        """
        Call *execute* once with each of the two seeds, taking turns with the other side.

        The side that *leads* executes first and last, the other one twice in a row in between.
        """
        if not leads:
            self._token.release()
        self._token.acquire()
        first = self.turn(execute, rng_seeds[0])
        if leads:
            self._token.release()
            self._token.acquire()
        second = self.turn(execute, rng_seeds[1])
        if not leads:
            self._token.release()
        return [first, second]

    def rest(self) -> None:
        """Write the log and collect garbage, which must never happen during a request."""
        gc.collect(0)
        self.log.flush()

    def exception(self, where: str, error: BaseException) -> None:
        """Log an exception that was raised outside of any request."""
        self._failures += 1
        self.log.event("exception", user=where, message=f"{type(error).__name__}: {error}"[:300])

    def start_failed(self, name: str, error: BaseException) -> None:
        """Log that no user of the class *name* can start."""
        self.exception(f"{name}.on_start", error)
        self.unstarted.append(f"{name}: {type(error).__name__}: {error}"[:300])

    def nothing_to_do(self) -> None:
        """Log why the round has no task to execute, if it is because no user of this side could start."""
        if self.unstarted:
            self._endings.record(f"no user could start: {self.unstarted[0]}")

    def exited(self, error: SystemExit) -> None:
        """Log that the Locust file ends the process by raising SystemExit."""
        self._endings.record(describe_ending(type(error).__name__, raised_at(error), error))

    def _on_ending(self, by: str, after_s: float) -> None:
        self.log.event("ended", by=by, after_s=after_s)
        self.connection.send(["ended", by])

    def stop(self) -> None:
        """End the recording: requests from now on belong to no turn."""
        self._headers = None
        if self.ports.moved:
            self.log.event("moved", ports=sorted(self.ports.moved))
        if self.think_time.left_out:
            self.log.event("left out", seconds=self.think_time.left_out)
        self.log.event("stopping")
        self.log.health(users=1, lags_ms=[])

    def _on_quit(self, exit_code: int, **_: Any) -> None:
        self.log.event("exit", code=exit_code, own=self._runner.environment.process_exit_code is not None)
        if unjudged := self._unreported.unjudged[locust.events.request]:
            self.log.event("unjudged", requests=unjudged)
        self.log.close()
