"""
Workers on other machines: who may join a round, and how what they record comes home.

All of it goes over the connection that Locust's master and its workers have anyway, as messages of our own:

    perfci-hello   worker -> master   what the worker would run, and its clock
    perfci-answer  master -> worker   the master's clock beside the worker's; why it is refused, if it is
    perfci-log     worker -> master   the next piece of its request log, numbered from 0
    perfci-logged  master -> worker   the log is whole
    perfci-end     master -> worker   the round is over; who leaves without this word left too early

Only who was answered is heard any further, so that nobody gives load that is not recorded. A worker that comes when all
places are taken, or while a round runs, gets no answer and asks on, until a later round has room for it.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gevent
import locust
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from locust import runners
from locust.rpc import Message
from locust.runners import STATE_INIT, STATE_MISSING, MasterRunner, WorkerRunner
from perfci_log import LogCopy

HELLO, ANSWER, LOG, LOGGED, END = (f"perfci-{word}" for word in ("hello", "answer", "log", "logged", "end"))
TRIPS = 5  # of hello and answer: the quickest of them tells the difference of the clocks best
ASK_AGAIN_S = 2.0
KNOCK_S = 0.5
FORGOTTEN_S = 3 * ASK_AGAIN_S  # who was silent for so long before the round began makes room for another
LOST_MASTER_S = 15  # Locust would hold on to a dead master for a minute, and miss the next one's round
RECEIPT_S = 10.0  # for the master to say that the log is whole
LONGEST_NAME = 60


def refusing(mine: Mapping[str, str], theirs: Mapping[str, object]) -> str:
    """What a worker that brings *theirs* has another than *mine*; empty where nothing differs."""
    return next((what for what, value in mine.items() if theirs.get(what) != value), "")


class Door:
    """The master's end of the connection: lets workers in, and writes down what they record."""

    def __init__(self, folder: Path, *, count: int, same: Mapping[str, str]) -> None:
        """Up to *count* workers, each of which has the *same* locustfile and versions; their logs go to *folder*."""
        self._folder = folder
        self._count = count
        self._same = {**same, "locust": locust.__version__}
        self._copies: dict[str, LogCopy] = {}  # by the worker that it comes from
        self._heard_s: dict[str, float] = {}  # when each said hello
        self._opened = 0
        self.tell: Callable[..., None] = lambda *_, **__: None  # writes an event, once there is a log

    def install(self) -> None:
        """Stand before Locust's own reception."""
        handle = MasterRunner.handle_message

        def heard(runner: Any, client_id: str, message: Any) -> None:
            if message.type == HELLO and _polite(message.data):
                self._greet(runner, client_id, message.data)
            elif client_id in self._copies and message.type == LOG:
                self._keep(runner, client_id, message.data)
            elif client_id in self._copies:
                handle(runner, client_id, message)

        MasterRunner.handle_message = heard

    def _greet(self, runner: Any, client_id: str, hello: Mapping[str, Any]) -> None:
        name, differs = printable(hello.get("name")), refusing(self._same, hello["same"])
        if differs:
            brings = printable(hello["same"].get(differs))
            self.tell("refused", worker=name, differs=differs, here=self._same[differs], there=brings)
        elif not self._admits(runner, client_id, name):
            return
        else:
            self._heard_s[client_id] = time.monotonic()
        answer = {"sent": hello["sent"], "at": time.time(), "host": runner.environment.host or ""}
        answer |= {"differs": differs, "here": self._same.get(differs)}
        runner.server.send_to_client(Message(ANSWER, answer, client_id))

    def _admits(self, runner: Any, client_id: str, name: str) -> bool:
        if client_id in self._copies:
            return True
        if runner.state != STATE_INIT:
            return False
        for known in [known for known in self._copies if _missing(runner, known) or self._left(runner, known)]:
            self._copies.pop(known).forget()
            runner.clients.pop(known, None)
        if len(self._copies) >= self._count:
            return False
        self._opened += 1
        self._copies[client_id] = LogCopy(self._folder / f"worker-{self._opened}.log")
        self.tell("admitted", worker=name, places=len(self._copies))
        return True

    def _left(self, runner: Any, client_id: str) -> bool:
        """Whether it said hello and then no more."""
        return client_id not in runner.clients and time.monotonic() - self._heard_s[client_id] > FORGOTTEN_S

    def _keep(self, runner: Any, client_id: str, piece: Mapping[str, Any]) -> None:
        copy = self._copies[client_id]
        copy.take(piece["number"], piece["bytes"])
        if copy.whole:
            runner.server.send_to_client(Message(LOGGED, None, client_id))

    def wait(self, runner: Any, seconds: float) -> None:
        """Until the logs of all who are left are whole; nobody else receives any more when the master has quit."""
        left = [copy for client_id, copy in self._copies.items() if not _missing(runner, client_id)]
        with gevent.Timeout(seconds, False):
            while not all(copy.whole for copy in left):
                client_id, message = runner.server.recv_from_client()
                if client_id in self._copies and message.type == LOG:
                    self._keep(runner, client_id, message.data)


class Home:
    """The worker's end of the connection: asks to be let in, and sends home what it records."""

    def __init__(self, *, name: str, same: Mapping[str, str], wait_s: float) -> None:
        """Known as *name*; after *wait_s* without a round that has room for it, the process ends."""
        self._name = name
        self._same = {**same, "locust": locust.__version__}
        self._wait_s = wait_s
        self.host = ""  # of the target
        self._sent = 0.0
        self._answered = Event()
        self._trips: list[tuple[float, float]] = []  # length of a trip, difference of the clocks

    def install(self) -> None:
        """Say hello before Locust's worker does."""
        runners.MASTER_HEARTBEAT_TIMEOUT = LOST_MASTER_S
        connect = WorkerRunner.connect_to_master

        def greet(runner: Any) -> None:
            if not self._trips:
                self._meet(runner)
            connect(runner)

        WorkerRunner.connect_to_master = greet

    def _meet(self, runner: Any) -> None:
        runner.register_message(ANSWER, self._hear)
        end = time.monotonic() + self._wait_s
        while len(self._trips) < TRIPS:
            if time.monotonic() > end:
                _leave(os.EX_UNAVAILABLE, f"no round had room for this worker within {self._wait_s:g} s")
            if not self._trips and not _listening(runner.master_host, runner.master_port):
                gevent.sleep(KNOCK_S)  # what is said to nobody would queue up
                continue
            self._answered.clear()
            self._sent = time.time()
            hello = {"name": self._name, "same": self._same, "sent": self._sent}
            runner.client.send(Message(HELLO, hello, runner.client_id))
            self._answered.wait(timeout=ASK_AGAIN_S)

    def _hear(self, msg: Any, **_: Any) -> None:
        answer, now = msg.data, time.time()
        if answer["sent"] != self._sent:
            return  # to a hello that waited for the master to start
        if what := printable(answer["differs"]):
            here, there = printable(answer["here"]), self._same.get(what)
            _leave(os.EX_CONFIG, f"the master refused this worker: its {what} is {here}, the one here is {there}")
        self.host = printable(answer["host"])
        self._trips.append((now - self._sent, answer["at"] - (self._sent + now) / 2))
        self._answered.set()

    def clock(self) -> dict[str, float]:
        """What is to be added to this machine's clock to get the master's, and how far off that may be, in seconds."""
        trip_s, shift_s = min(self._trips)
        return {"shift_s": shift_s, "within_s": trip_s / 2}


class Mail:
    """What a log is written to when its folder is on another machine."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner
        self._number = 0
        self._turn = BoundedSemaphore()
        self._received = False

    def write(self, data: bytes) -> int:
        """Send the next piece home."""
        self._runner.send_message(LOG, {"number": self._number, "bytes": data})
        self._number += 1
        return len(data)

    def close(self) -> None:
        """Nothing more will come. Call `settle` before the process ends."""

    def settle(self) -> None:
        """Wait until the log is whole at home; nobody else receives any more when the worker has quit."""
        with self._turn, gevent.Timeout(RECEIPT_S, False):
            while not self._received:
                self._received = self._runner.client.recv().type == LOGGED


def _missing(runner: Any, client_id: str) -> bool:
    """Whether Locust has missed its heartbeats; one that has said goodbye may still have something to send."""
    node = runner.clients.get(client_id)
    return node is not None and node.state == STATE_MISSING


def _polite(hello: Any) -> bool:
    """Whether it is a hello at all: anybody can connect."""
    return isinstance(hello, dict) and isinstance(hello.get("same"), dict) and isinstance(hello.get("sent"), float)


def _listening(host: str, port: int) -> bool:
    try:
        socket.create_connection((host.strip("[]"), port), timeout=ASK_AGAIN_S).close()
    except OSError:
        return False
    return True


def printable(text: object) -> str:
    """What another machine says, fit to be shown."""
    return "".join(character if character.isprintable() else "?" for character in str(text)[:LONGEST_NAME])


def _leave(code: int, why: str) -> None:
    sys.stderr.write(f"perfci: {why}\n")
    sys.stderr.flush()
    os._exit(code)
