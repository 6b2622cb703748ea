"""
The sides of a round with one request in flight, as their driver sees them: each is a process of its own.

The driver has imported Locust and forks one process for each side. There Locust's own program runs, with the arguments
that it has under load, and the side's copy of the Locust file is alone: with its own modules, libraries, registries and
events. Only the runner is another (`perfci_runner.py`). The driver says which task comes next, and the other side
stands still meanwhile.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import perfci_locust
import perfci_side
from gevent.monkey import get_original
from gevent.os import fork_gevent
from locust import env
from locust.user import users
from perfci_runner import OneOfEach, Place
from perfci_side import START, TurnResult
from perfci_wire import Token, Wire

Report = Callable[[str, dict[str, Any]], Any]
"""Called with the side and each of its requests, while that side stands still; the side hears what is returned."""

close, waitpid = get_original("os", ["close", "waitpid"])  # Locust's wait for a loop of events that does not run here


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What every round needs to know."""

    arguments: dict[str, list[str]]  # by side, the base first: what Locust's own program is given
    environment: dict[str, dict[str, str]]  # by side: variables that the other side has others of
    user_classes: list[str]  # that drive the load; empty: all
    record: str  # folder for the logs, one per side
    rng_seed: int
    endpoints: list[dict[str, str]] = field(default_factory=list)  # the project's own names for them


@dataclass(slots=True)
class Turn:
    """One task of one user class, known to all sides by its key."""

    key: str
    name: str
    user_class: str
    endpoints: frozenset[str] = frozenset()  # that the first side asked for
    visits: int = 0


class Side:
    """One side's process. What is said to one that has ended is lost."""

    def __init__(self, name: str, wire: Wire, pid: int, report: Report) -> None:
        self.name = name
        self.ended_at: float | None = None  # when the Locust file ended the run, by the monotonic clock
        self._wire = wire
        self._pid = pid
        self._report = report
        self._alive = True

    def tell(self, *command: object) -> None:
        """Send a command; `answer` returns what comes of it."""
        if self._alive:
            try:
                self._wire.say(command)
            except OSError:
                self._leave()

    def answer(self) -> Any:
        """The answer to the last command; None where the side has ended. SystemExit where it failed."""
        while self._alive and (message := self._wire.hear()) is not None:
            kind, content = message
            if kind == "answer":
                return content
            if kind == "request":
                self._wire.say(self._report(self.name, content))
            elif kind == "ended":
                self.ended_at = time.monotonic()
        self._leave()
        return None

    def ask(self, *command: object) -> Any:
        """Send a command and wait for its answer."""
        self.tell(*command)
        return self.answer()

    def take(self, turn: Turn, rng_seed: int) -> TurnResult:
        """Execute the task once, from that random state."""
        found = self.ask("turn", turn.key, rng_seed)
        return TurnResult([]) if found is None else TurnResult(*found)

    def await_end(self) -> None:
        """Until the process has ended, to which it was told before."""
        while self._alive:
            self.answer()

    def hang_up(self) -> None:
        """In another process: this end of the connection belongs to the driver."""
        self._wire.close()

    def _leave(self) -> None:
        if not self._alive:
            return
        self._alive = False
        _, status = waitpid(self._pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            os.kill(os.getpid(), -code)  # so that the driver's end tells of the same cause
        if code and self.ended_at is None:
            raise SystemExit(code)


def fork(spec: Spec, *, headers: list[str] | None = None, report: Report = lambda *_: None) -> dict[str, Side]:
    """
    A process for each side, which loads the Locust file and waits for the command to start its users.

    Where *headers* are given, each side tells of each request, with those headers of the answer, and waits for a word.
    """
    sides: dict[str, Side] = {}
    tokens = dict(zip(spec.arguments, (each.detach() for each in socket.socketpair()), strict=False))
    for name in spec.arguments:
        ours, theirs = (each.detach() for each in socket.socketpair())
        token = tokens.pop(name)
        pid = fork_gevent()
        if not pid:
            for descriptor in (ours, *tokens.values()):
                close(descriptor)
            for other in sides.values():
                other.hang_up()
            own = Token(token, held=not sides)
            side = perfci_side.Side(name, spec.record, spec.rng_seed, wire=Wire(theirs), token=own, headers=headers)
            side.user_classes, side.own_endpoints = spec.user_classes, spec.endpoints
            os.environ.update(spec.environment[name])
            _be(side, spec.arguments[name], moves_ports=bool(sides))
        close(theirs)
        close(token)
        sides[name] = Side(name, Wire(ours), pid, report)
    return sides


def _be(side: perfci_side.Side, arguments: list[str], *, moves_ports: bool) -> NoReturn:
    """Run Locust's own program with the Locust file and *arguments* of this side, until it ends the process."""
    OneOfEach.side = side
    side.install(moves_ports=moves_ports)
    setattr(env, "LocalRunner", OneOfEach)  # noqa: B010  # Locust has no public way
    setattr(users, "DefaultTaskSet", Place)  # noqa: B010  # the same
    sys.argv = ["locust", *arguments]
    perfci_locust.program.main()
    sys.exit()


@dataclass(frozen=True, slots=True)
class Offer:
    """What all sides can do."""

    turns: list[Turn]  # the rotation, in the order of the file
    starts: list[Turn]  # the start of one more user of each class
    unstarted: list[str]  # classes that could not start on some side, and so are left out on all


def start(sides: Mapping[str, Side], *, at_once: bool) -> Offer:
    """Start one user of each class on all *sides*, one side after the other or all *at_once*."""
    if at_once:
        for side in sides.values():
            side.tell("start")
    answers = [side.answer() if at_once else side.ask("start") for side in sides.values()]
    offers: list[dict[str, list[str]]] = [answer["tasks"] for answer in answers if answer is not None]
    if len(offers) < len(sides):
        return Offer([], [], [])
    common = [name for name in offers[0] if all(name in offer for offer in offers)]
    turns = [Turn(f"{name}/{number}", task, name) for name in common for number, task in enumerate(offers[0][name])]
    if not turns:
        both(sides, "nobody")
    starts = [Turn(f"{name}/{START}", f"{name}.on_start", name) for name in common]
    return Offer(turns, starts, [name for name in answers[0]["classes"] if name not in common])


def both(sides: Mapping[str, Side], *command: object) -> None:
    """Send a command to all sides, which obey at the same time, and wait until all have."""
    for side in sides.values():
        side.tell(*command)
    for side in sides.values():
        side.answer()


def end(sides: Mapping[str, Side]) -> None:
    """Let Locust come to its end on all sides, as it does when its time is over."""
    for side in sides.values():
        side.tell("end")
    for side in sides.values():
        side.await_end()
