"""
Workers on other machines: how the master admits them to a round, and how they upload their request logs.

All of it goes over the connection between Locust's master and its workers, as messages of perfci's own:

    perfci-hello   worker -> master   what the worker would run, and its clock
    perfci-answer  master -> worker   the clocks of both; why the worker is refused, if it is
    perfci-log     worker -> master   the next piece of its request log, numbered from 0
    perfci-logged  master -> worker   the log is whole
    perfci-end     master -> worker   the round is over; a worker that ends without this message ended too early

The master ignores workers that it has not answered, so that there is no load that is not recorded. A worker that
connects when all places are taken, or while a round runs, gets no answer and asks again, until a round has room for it.
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
TRIPS = 5  # of hello and answer: the fastest of them gives the best estimate of the difference of the clocks
ASK_AGAIN_S = 2.0
CONNECT_AGAIN_S = 0.5
FORGOTTEN_S = 3 * ASK_AGAIN_S  # a worker that is silent for so long before the round loses its place
LOST_MASTER_S = 15  # Locust would hold on to a dead master for a minute, and miss the next one's round
RECEIPT_S = 10.0  # for the master to say that the log is whole
LONGEST_NAME = 60


def first_difference(mine: Mapping[str, str], theirs: Mapping[str, object]) -> str:
    """The first key of *mine* whose value *theirs* does not have; empty where there is none."""
    return next((what for what, value in mine.items() if theirs.get(what) != value), "")


class Admission:
    """The master's end of the connection: admits workers, and writes their request logs."""

    def __init__(self, folder: Path, *, count: int, same: Mapping[str, str]) -> None:
        """Admit up to *count* workers that have the *same* Locust file and versions; their logs go to *folder*."""
        self._folder = folder
        self._count = count
        self._same = {**same, "locust": locust.__version__}
        self._copies: dict[str, LogCopy] = {}  # by the worker that it comes from
        self._hello_s: dict[str, float] = {}  # when each said hello
        self._logs = 0
        self.write_event: Callable[..., None] = lambda *_, **__: None  # to the log, once there is one

    def install(self) -> None:
        """Handle the messages of workers before Locust's master does."""
        handle = MasterRunner.handle_message

        def handle_first(runner: Any, client_id: str, message: Any) -> None:
            if message.type == HELLO and _is_hello(message.data):
                self._answer(runner, client_id, message.data)
            elif client_id in self._copies and message.type == LOG:
                self._append(runner, client_id, message.data)
            elif client_id in self._copies:
                handle(runner, client_id, message)

        MasterRunner.handle_message = handle_first

    def _answer(self, runner: Any, client_id: str, hello: Mapping[str, Any]) -> None:
        name, differs = printable(hello.get("name")), first_difference(self._same, hello["same"])
        if differs:
            brings = printable(hello["same"].get(differs))
            self.write_event("refused", worker=name, differs=differs, here=self._same[differs], there=brings)
        elif not self._admits(runner, client_id, name):
            return
        else:
            self._hello_s[client_id] = time.monotonic()
        answer = {"sent": hello["sent"], "at": time.time(), "host": runner.environment.host or ""}
        answer |= {"differs": differs, "here": self._same.get(differs)}
        runner.server.send_to_client(Message(ANSWER, answer, client_id))

    def _admits(self, runner: Any, client_id: str, name: str) -> bool:
        if client_id in self._copies:
            return True
        if runner.state != STATE_INIT:
            return False
        for known in [known for known in self._copies if _missing(runner, known) or self._is_gone(runner, known)]:
            self._copies.pop(known).discard()
            runner.clients.pop(known, None)
        if len(self._copies) >= self._count:
            return False
        self._logs += 1
        self._copies[client_id] = LogCopy(self._folder / f"worker-{self._logs}.log")
        self.write_event("admitted", worker=name, places=len(self._copies))
        return True

    def _is_gone(self, runner: Any, client_id: str) -> bool:
        """Whether a worker has said hello and nothing since."""
        return client_id not in runner.clients and time.monotonic() - self._hello_s[client_id] > FORGOTTEN_S

    def _append(self, runner: Any, client_id: str, piece: Mapping[str, Any]) -> None:
        copy = self._copies[client_id]
        copy.take(piece["number"], piece["bytes"])
        if copy.whole:
            runner.server.send_to_client(Message(LOGGED, None, client_id))

    def wait(self, runner: Any, seconds: float) -> None:
        """Wait until the logs of all workers are complete; Locust's master receives no messages after it has quit."""
        left = [copy for client_id, copy in self._copies.items() if not _missing(runner, client_id)]
        with gevent.Timeout(seconds, False):
            while not all(copy.whole for copy in left):
                client_id, message = runner.server.recv_from_client()
                if client_id in self._copies and message.type == LOG:
                    self._append(runner, client_id, message.data)


class MasterLink:
    """The worker's end of the connection: asks the master for admission, and compares the clocks."""

    def __init__(self, *, name: str, same: Mapping[str, str], wait_s: float) -> None:
        """The process ends where no round has room for the worker *name* within *wait_s*."""
        self._name = name
        self._same = {**same, "locust": locust.__version__}
        self._wait_s = wait_s
        self.host = ""  # of the target
        self._sent_s = 0.0
        self._answered = Event()
        self._trips: list[tuple[float, float]] = []  # length of a trip, difference of the clocks

    def install(self) -> None:
        """Ask for admission before Locust's worker connects."""
        runners.MASTER_HEARTBEAT_TIMEOUT = LOST_MASTER_S
        connect = WorkerRunner.connect_to_master

        def connect_admitted(runner: Any) -> None:
            if not self._trips:
                self._request_admission(runner)
            connect(runner)

        WorkerRunner.connect_to_master = connect_admitted

    def _request_admission(self, runner: Any) -> None:
        runner.register_message(ANSWER, self._on_answer)
        end = time.monotonic() + self._wait_s
        while len(self._trips) < TRIPS:
            if time.monotonic() > end:
                _leave(os.EX_UNAVAILABLE, f"no round had room for this worker within {self._wait_s:g} s")
            if not self._trips and not _listening(runner.master_host, runner.master_port):
                gevent.sleep(CONNECT_AGAIN_S)  # messages without a receiver would queue up
                continue
            self._answered.clear()
            self._sent_s = time.time()
            hello = {"name": self._name, "same": self._same, "sent": self._sent_s}
            runner.client.send(Message(HELLO, hello, runner.client_id))
            self._answered.wait(timeout=ASK_AGAIN_S)

    def _on_answer(self, msg: Any, **_: Any) -> None:
        answer, now = msg.data, time.time()
        if answer["sent"] != self._sent_s:
            return  # to a hello that waited for the master to start
        if what := printable(answer["differs"]):
            here, there = printable(answer["here"]), self._same.get(what)
            _leave(os.EX_CONFIG, f"the master refused this worker: its {what} is {here}, the one here is {there}")
        self.host = printable(answer["host"])
        self._trips.append((now - self._sent_s, answer["at"] - (self._sent_s + now) / 2))
        self._answered.set()

    def clock(self) -> dict[str, float]:
        """What to add to this machine's clock to get the master's, and the error of that, in seconds."""
        trip_s, shift_s = min(self._trips)
        return {"shift_s": shift_s, "within_s": trip_s / 2}


class LogUpload:
    """The sink of a request log whose file is on the master's machine."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner
        self._number = 0
        self._lock = BoundedSemaphore()
        self._received = False

    def write(self, data: bytes) -> int:
        """Send the next piece to the master."""
        self._runner.send_message(LOG, {"number": self._number, "bytes": data})
        self._number += 1
        return len(data)

    def close(self) -> None:
        """Do nothing. Call `wait` before the process ends."""

    def wait(self) -> None:
        """Wait until the master has the whole log; Locust's worker receives no messages after it has quit."""
        with self._lock, gevent.Timeout(RECEIPT_S, False):
            while not self._received:
                self._received = self._runner.client.recv().type == LOGGED


def _missing(runner: Any, client_id: str) -> bool:
    """Whether Locust misses the heartbeats of a worker; one that has quit may still send the rest of its log."""
    node = runner.clients.get(client_id)
    return node is not None and node.state == STATE_MISSING


def _is_hello(hello: Any) -> bool:
    """Whether it is a well-formed hello: anybody can connect."""
    return isinstance(hello, dict) and isinstance(hello.get("same"), dict) and isinstance(hello.get("sent"), float)


def _listening(host: str, port: int) -> bool:
    try:
        socket.create_connection((host.strip("[]"), port), timeout=ASK_AGAIN_S).close()
    except OSError:
        return False
    return True


def printable(text: object) -> str:
    """A text of another machine, without control characters, and cut to a length that can be shown."""
    return "".join(character if character.isprintable() else "?" for character in str(text)[:LONGEST_NAME])


def _leave(code: int, why: str) -> None:
    sys.stderr.write(f"perfci: {why}\n")
    sys.stderr.flush()
    os._exit(code)
