"""
Forks and commands the processes of the sides, in a round with one request in flight.

The driver of the round has imported Locust and forks one process for each side. It runs Locust's own program with the
arguments of a load round, so that the side's copy of the Locust file has modules, libraries, registries and events of
its own. Only the runner is replaced (`perfci_runner.py`). The driver decides which task is executed next; a side blocks
while it is the other side's turn.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import perfci_locust
from gevent.monkey import get_original
from gevent.os import fork_gevent
from locust import env
from locust.user import users
from perfci_connection import Connection, Token
from perfci_runner import TurnRunner, TurnTaskSet
from perfci_side import START, SideRecorder, TurnResult

Report = Callable[[str, dict[str, Any]], Any]
"""Called with the name of a side and each of its requests; the side blocks until it has received the result."""

close, waitpid = get_original("os", ["close", "waitpid"])  # gevent's wait for an event loop that does not run here


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What the driver of any round with one request in flight has to know."""

    arguments: dict[str, list[str]]  # of Locust's own program, by side, the base first
    environment: dict[str, dict[str, str]]  # by side: variables whose values differ between the sides
    user_classes: list[str]  # that drive the load; empty: all
    record: str  # folder for the logs, one per side
    rng_seed: int
    endpoints: list[dict[str, str]] = field(default_factory=list)  # how the project names them


@dataclass(slots=True)
class Turn:
    """One task of one user class, known to all sides by its key."""

    key: str
    name: str
    user_class: str
    endpoints: frozenset[str] = frozenset()  # that the first side asked for
    visits: int = 0


class SideProcess:
    """The driver's end of one side's process. Commands to a process that has ended are dropped."""

    def __init__(self, name: str, connection: Connection, pid: int, report: Report) -> None:
        self.name = name
        self.ended_at: float | None = None  # when the Locust file ended the run, by the monotonic clock
        self._connection = connection
        self._pid = pid
        self._report = report
        self._alive = True

    def send(self, *command: object) -> None:
        """Send a command, whose answer `receive` returns."""
        if self._alive:
            try:
                self._connection.send(command)
            except OSError:
                self._reap()

    def receive(self) -> Any:
        """The answer to the last command; None where the side has ended. SystemExit where it failed."""
        while self._alive and (message := self._connection.receive()) is not None:
            kind, content = message
            if kind == "answer":
                return content
            if kind == "request":
                self._connection.send(self._report(self.name, content))
            elif kind == "ended":
                self.ended_at = time.monotonic()
        self._reap()
        return None

    def call(self, *command: object) -> Any:
        """Send a command and wait for its answer."""
        self.send(*command)
        return self.receive()

    def execute(self, turn: Turn, rng_seed: int) -> TurnResult:
        """Execute the task once, with the random generators seeded by *rng_seed*."""
        found = self.call("turn", turn.key, rng_seed)
        return TurnResult([]) if found is None else TurnResult(*found)

    def await_end(self) -> None:
        """Wait until the process has ended, after it was sent the command to."""
        while self._alive:
            self.receive()

    def close(self) -> None:
        """Close the driver's end in a process that is not the driver."""
        self._connection.close()

    def _reap(self) -> None:
        """Wait for the process; the driver ends as it did, unless the Locust file had ended the run before."""
        if not self._alive:
            return
        self._alive = False
        _, status = waitpid(self._pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            os.kill(os.getpid(), -code)  # so that the driver ends by the same cause
        if code and self.ended_at is None:
            raise SystemExit(code)


def fork(spec: Spec, *, headers: list[str] | None = None, report: Report = lambda *_: None) -> dict[str, SideProcess]:
    """
    Fork a process for each side, which loads the Locust file and waits for the command to start its users.

    Where *headers* are given, each side reports each request, with those headers of the response, and blocks until
    *report* has returned.
    """
    sides: dict[str, SideProcess] = {}
    tokens = dict(zip(spec.arguments, (each.detach() for each in socket.socketpair()), strict=False))
    for name in spec.arguments:
        ours, theirs = (each.detach() for each in socket.socketpair())
        token = tokens.pop(name)
        pid = fork_gevent()
        if not pid:
            for descriptor in (ours, *tokens.values()):
                close(descriptor)
            for other in sides.values():
                other.close()
            own = Token(token, held=not sides)
            connection = Connection(theirs)
            side = SideRecorder(name, spec.record, spec.rng_seed, connection=connection, token=own, headers=headers)
            side.user_classes, side.own_endpoints = spec.user_classes, spec.endpoints
            os.environ.update(spec.environment[name])
            _run_locust(side, spec.arguments[name], moves_ports=bool(sides))
        close(theirs)
        close(token)
        sides[name] = SideProcess(name, Connection(ours), pid, report)
    return sides


def _run_locust(side: SideRecorder, arguments: list[str], *, moves_ports: bool) -> NoReturn:
    """Run Locust's own program with the Locust file and *arguments* of this side, until it ends the process."""
    TurnRunner.side = side
    side.install(moves_ports=moves_ports)
    setattr(env, "LocalRunner", TurnRunner)  # noqa: B010  # Locust has no public way
    setattr(users, "DefaultTaskSet", TurnTaskSet)  # noqa: B010  # the same
    sys.argv = ["locust", *arguments]
    perfci_locust.program.main()
    sys.exit()


@dataclass(frozen=True, slots=True)
class Offer:
    """The turns that all sides can execute."""

    turns: list[Turn]  # the rotation, in the order of the file
    starts: list[Turn]  # the start of one more user of each class
    unstarted: list[str]  # classes that could not start on some side, and so are left out on all


def start(sides: Mapping[str, SideProcess], *, at_once: bool) -> Offer:
    """
    Start one user of each class on all *sides*, one side after the other or all *at_once*.

    Where it raises on all sides, the next user of the class is started, as the others go on under load. What only one
    side refuses is not tried again: both sides are asked the same.
    """
    answers = _all_answers(sides, START, at_once=at_once)
    while refused := _refused_by_all(answers):
        answers = _all_answers(sides, "start next", refused, at_once=at_once)
    offers: list[dict[str, list[str]]] = [answer["tasks"] for answer in answers if answer is not None]
    if len(offers) < len(sides):
        return Offer([], [], [])
    common = [name for name in offers[0] if all(name in offer for offer in offers)]
    turns = [Turn(f"{name}/{number}", task, name) for name in common for number, task in enumerate(offers[0][name])]
    if not turns:
        call_all(sides, "nothing to do")
    starts = [Turn(f"{name}/{START}", f"{name}.on_start", name) for name in common]
    return Offer(turns, starts, [name for name in answers[0]["classes"] if name not in common])


def _all_answers(sides: Mapping[str, SideProcess], *command: object, at_once: bool) -> list[Any]:
    """The answers of all *sides* to a command, which they execute one after the other or all *at_once*."""
    if not at_once:
        return [side.call(*command) for side in sides.values()]
    for side in sides.values():
        side.send(*command)
    return [side.receive() for side in sides.values()]


def _refused_by_all(answers: list[Any]) -> list[str]:
    """The classes whose user raised as it started on every side, and that have more users."""
    if None in answers:
        return []
    first, *others = (answer["raised"] for answer in answers)
    return [name for name in first if all(name in other for other in others)]


def call_all(sides: Mapping[str, SideProcess], *command: object) -> None:
    """Send a command to all sides, which execute it at the same time, and wait for all answers."""
    _all_answers(sides, *command, at_once=True)


def end(sides: Mapping[str, SideProcess]) -> None:
    """Let Locust end on all sides as it does when its run time is over, and wait for the processes."""
    for side in sides.values():
        side.send("end")
    for side in sides.values():
        side.await_end()
