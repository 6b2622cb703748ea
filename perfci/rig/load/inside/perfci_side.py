"""
One side of a round with one request in flight: what is recorded of it, and what its driver is told.

It belongs to a process that runs Locust's own program for this side alone (`perfci_sides.py`, `perfci_runner.py`).
"""

import gc
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import locust
import perfci_alike
from perfci_endings import Endings, raised_at, said
from perfci_endpoints import Endpoints
from perfci_log import LogWriter, request_listener
from perfci_lost import Caught
from perfci_names import refuse_hidden
from perfci_ports import Ports
from perfci_think import Think
from perfci_wire import Token, Wire

START = "start"
LONGEST_HEADER = 1000


class TurnResult(NamedTuple):
    """An executed turn: the endpoints asked for, in order; whether anything failed; when it began and ended."""

    asked: list[str]
    failed: bool = False
    since: float = 0.0  # seconds since the epoch
    until: float = 0.0


class Side:
    """What the driver and the Locust file of one side have to do with one another."""

    def __init__(
        self, name: str, record: str, rng_seed: int, *, wire: Wire, token: Token, headers: list[str] | None
    ) -> None:
        self.rng_seed = rng_seed
        self.log = LogWriter(Path(record) / f"{name}.log")
        self.wire = wire
        self._token = token
        self.user_classes: list[str] = []  # that the scenario names
        self.own_endpoints: list[dict[str, str]] = []  # the project's own names for them
        self.unstarted: list[str] = []  # classes whose users could not start, with the exception
        self._asked: list[str] = []  # endpoints, in order, since the turn began
        self._troubles = 0  # failed requests, and exceptions outside of them
        self._headers = headers
        self._released_s = 0.0  # when the last request was counted
        self.think = Think()
        self.ports = Ports()
        self._caught = Caught()
        self._endings = Endings()
        self._runner: Any = None
        self._endpoints = Endpoints("")

    def install(self, *, moves_ports: bool) -> None:
        """Before the Locust file is loaded."""
        perfci_alike.install(self.rng_seed)
        self.think.install()
        if moves_ports:
            self.ports.install()
        self._caught.install()
        self._endings.watch_exit()
        locust.events.init.add_listener(self._begin)
        locust.events.quit.add_listener(self._close)

    def _begin(self, environment: Any, runner: Any, **_: Any) -> None:
        refuse_hidden(environment.user_classes)
        if strays := [name for name in environment.parsed_options.user_classes or () if name not in self.user_classes]:
            raise SystemExit(
                f"perfci: the arguments of the profile hold {' '.join(strays)}, which belongs to no option"
                " | name user classes in `user_classes`"
            )
        self._runner = runner
        self._endings.watch_runner(runner, self._ended)
        self._endpoints = Endpoints(environment.host, self.own_endpoints)
        self._listen(request_listener(self.log, self._endpoints, home=environment.host))
        self._listen(self._watch)
        if self._headers is not None:
            self._listen(self._report)

    def _listen(self, listener: Callable[..., Any]) -> None:
        """Tell *listener* of each request, also of those that Locust itself would lose."""
        events = locust.events.request
        events.add_listener(listener)
        self._caught.tell(events, listener)

    def _watch(
        self,
        request_type: str,
        name: str,
        exception: BaseException | None = None,
        response: Any = None,
        url: Any = None,
        **_: Any,
    ) -> None:
        self._asked.append(self._endpoints.of(request_type, name, response=response, url=url).endpoint)
        self._troubles += exception is not None

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
        """Tell the driver of a request, and stand still until it has been counted."""
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
            # Sent before the one before it was counted: two were in flight, and nobody can tell whose work it was.
            "overlapped": start_time is not None and start_time < self._released_s,
            "headers": {header: str(value)[:LONGEST_HEADER] for header, value in found.items() if value is not None},
        }
        self.wire.say(["request", request])
        if self.wire.hear() is None:
            os._exit(1)  # nobody counts any more, and an exception would be swallowed by Locust's events
        self._released_s = time.time()

    def turn(self, execute: Callable[[], object], rng_seed: int) -> TurnResult:
        """Execute something from that random state."""
        perfci_alike.reseed(rng_seed)
        self._asked = []
        before, since = self._troubles, time.time()
        execute()
        return TurnResult(self._asked, self._troubles > before, since, time.time())

    def visit(self, execute: Callable[[], object], rng_seeds: tuple[int, int], *, leads: bool) -> list[TurnResult]:
        """
        Execute something once from each of the two random states, while the other side does the same.

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
        """Files and garbage are seen to between turns, never in a request."""
        gc.collect(0)
        self.log.flush()

    def exception(self, where: str, error: BaseException) -> None:
        """Note an exception outside of any request."""
        self._troubles += 1
        self.log.event("exception", user=where, message=f"{type(error).__name__}: {error}"[:300])

    def could_not_start(self, name: str, error: BaseException) -> None:
        """Note that no user of a class can start."""
        self.exception(f"{name}.on_start", error)
        self.unstarted.append(f"{name}: {type(error).__name__}: {error}"[:300])

    def nobody(self) -> None:
        """There is nothing to do on any side, because of this one."""
        if self.unstarted:
            self._endings.note(f"no user could start: {self.unstarted[0]}")

    def exits(self, error: SystemExit) -> None:
        """A task ends the whole process."""
        self._endings.note(said(type(error).__name__, raised_at(error), error))

    def _ended(self, by: str, after_s: float) -> None:
        self.log.event("ended", by=by, after_s=after_s)
        self.wire.say(["ended", by])

    def stop(self) -> None:
        """The time is over: what is asked from now on is part of no turn."""
        self._headers = None
        if self.ports.moved:
            self.log.event("moved", ports=sorted(self.ports.moved))
        if self.think.left_out:
            self.log.event("left out", seconds=self.think.left_out)
        self.log.event("stopping")
        self.log.health(users=1, lags_ms=[])

    def _close(self, exit_code: int, **_: Any) -> None:
        self.log.event("exit", code=exit_code, own=self._runner.environment.process_exit_code is not None)
        if unjudged := self._caught.unjudged[locust.events.request]:
            self.log.event("unjudged", requests=unjudged)
        self.log.close()
