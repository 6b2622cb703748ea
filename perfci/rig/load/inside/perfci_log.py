"""
Writes the request log inside the load generator: every request once, in columns, flushed every second.

This folder holds the only code of perfci that runs in a process with Locust. It imports the standard library alone,
and its modules are imported by their bare names, because Locust puts the user's folder in front of `sys.path`.

A file is the magic line and then chunks: one byte of kind, four bytes of payload length (little-endian), payload.

    N   JSON list of the names first seen since the last chunk, in the order of their numbers (from 0), each with the
        endpoint that it belongs to (`perfci_endpoints.py`)
    R   rows: a 32-bit count, then the columns one after the other: start (f64, seconds since the epoch),
        latency (f64, ms; negative: none), name (u32), failed (u8), status (u16), size (u64), form (u8; 0: not
        looked at), user (u32; 0: none)
    U   JSON list of the users that first sent a request since the last chunk, each as the name of its class, in the
        order of their numbers (from 1)
    F   JSON list of the forms of answers first seen since the last chunk, in the order of their numbers (from 1):
        [content type, encoding, protocol]; those beyond 255 are not recorded
    L   requests whose user was still busy when their task was due: a 32-bit count, then the columns: number of the row
        (u32, from 0 in this file), how late the task began (f64, ms), the user's pace (f64, ms; 0: it has none)
    S   starts of tasks that were due at a certain time: a 32-bit count, then the columns: due (f64, seconds since the
        epoch), late (f64, ms; negative: it never came), starts lost by it (f64), whether the user was busy (u8)
    J   JSON object with a "what": health, event, errors
    Z   the end: the process closed its record in order

A process that is killed loses what it has not flushed: a reader ignores an unfinished last chunk and misses the Z.
"""

import json
import os
import sys
import time
from array import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from perfci_answers import EVERY, OFTEN, Form, form_of
from perfci_endpoints import Endpoints, Named

MAGIC = b"perfci-log 5\n"
COLUMNS = "ddIBHQBI"
LATE_COLUMNS = "Idd"
START_COLUMNS = "dddB"
CLOSED = b"Z\0\0\0\0"  # how a log ends
MOST_FORMS = 255
MOST_MESSAGES = 100
LONGEST_MESSAGE = 300

Lateness = Callable[[], tuple[float, float] | None]
"""Returns how late the current task began because its user was busy, and the user's pace, in ms; or None."""


def _columns(codes: str = COLUMNS) -> list[array]:  # type: ignore[type-arg]  # array is generic for type checkers only
    return [array(code) for code in codes]


class Sink(Protocol):
    """Where a log is written to: a file, or another machine."""

    def write(self, data: bytes, /) -> int | None:
        """Write *data*, and return how many bytes were written."""

    def close(self) -> None:
        """Close the sink: nothing more will be written."""


def write_or_exit(sink: Sink, data: bytes) -> None:
    """Write *data*, or end the process: load that is not recorded must not go on."""
    try:
        problem = "" if sink.write(data) == len(data) else "No space left on device"
    except OSError as error:
        problem = error.strerror or str(error)
    if problem:  # raised in a greenlet it would only be printed, and the load go on
        sys.stderr.write(f"perfci cannot record what it measures: {problem}. Is the disk full?\n")
        sys.stderr.flush()
        os._exit(os.EX_IOERR)


class LogWriter:
    """The request log of one process, in a file or any other sink."""

    def __init__(self, to: Path | Sink) -> None:
        self._file: Sink = to.open("wb", buffering=0) if isinstance(to, Path) else to
        self._closed = False
        write_or_exit(self._file, MAGIC)
        self._ids: dict[Named, int] = {}
        self._forms: dict[Form, int] = {}
        self._users: list[str] = []
        self._named, self._formed, self._sent = 0, 0, 0  # how many of each are written
        self.sender: Callable[[], int] = lambda: 0  # the number of the user that sends now
        self._columns = _columns()
        self.appenders = tuple(column.append for column in self._columns)  # looked up once, for what a request costs
        self._written = 0  # rows, by the flushes before
        self._late, self._starts = _columns(LATE_COLUMNS), _columns(START_COLUMNS)
        self._errors: Counter[tuple[str, str]] = Counter()
        self._cpu = time.process_time()
        self._delay = _run_delay_ns()
        self._at = time.time()
        self._clocks = self._at - time.monotonic()

    def request(
        self,
        name: str,
        start_s: float,
        latency_ms: float,
        failed: bool,
        status: int,
        size: int,
        form: Form | None = None,
        user: str = "",
    ) -> None:
        """Add a request; nothing is written before the next flush."""
        number, sender = self.number(Named(name, name)), self.user(user) if user else 0
        row = (start_s, latency_ms, number, failed, status, size, self.form(form), sender)
        for append, value in zip(self.appenders, row, strict=True):
            append(value)

    def late(self, late_ms: float, pace_ms: float) -> None:
        """Add that the task of the next request began late, because its user was busy."""
        rows, lates, paces = self._late
        rows.append(self._written + len(self._columns[0]))
        lates.append(late_ms)
        paces.append(pace_ms)

    def start(self, due_s: float, late_ms: float, lost: float, busy: bool) -> None:
        """Add the start of a task that was due at a certain time; a negative lateness is a start that never came."""
        dues, lates, losses, busies = self._starts
        dues.append(due_s)
        lates.append(late_ms)
        losses.append(lost)
        busies.append(busy)

    def number(self, named: Named) -> int:
        """The number of a name in this log."""
        return self._ids.setdefault(named, len(self._ids))

    def form(self, form: Form | None) -> int:
        """The number of a form of responses in this log; 0 where it is None, or there are too many."""
        if form is None or (form not in self._forms and len(self._forms) >= MOST_FORMS):
            return 0
        return self._forms.setdefault(form, len(self._forms) + 1)

    def user(self, name: str) -> int:
        """The number in this log of one more user, of the class *name*."""
        self._users.append(name)
        return len(self._users)

    def error(self, endpoint: str, error: BaseException | str) -> None:
        """Count a failure by its message, up to MOST_MESSAGES different ones, so that they cannot fill the memory."""
        message = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        key = (endpoint, message[:LONGEST_MESSAGE])
        if key not in self._errors and len(self._errors) >= MOST_MESSAGES:
            key = (endpoint, "(further messages)")
        self._errors[key] += 1

    def event(self, what: str, **data: object) -> None:
        """Write an event at once."""
        self._chunk(b"J", json.dumps({"what": what, "at": time.time(), **data}).encode())

    def health(self, *, users: int, lags_ms: list[float]) -> None:
        """Write the generator's own state since the last call: use of a core, wait for a core, lag of its loop."""
        now, cpu, delay = time.time(), time.process_time(), _run_delay_ns()
        seconds = max(now - self._at, 1e-9)
        self.event(
            "health",
            seconds=seconds,
            users=users,
            cpu_share=(cpu - self._cpu) / seconds,
            run_delay_share=(delay - self._delay) / 1e9 / seconds,
            lags_ms=[round(lag, 3) for lag in lags_ms],
            clock_step_s=now - time.monotonic() - self._clocks,
        )
        self._at, self._cpu, self._delay = now, cpu, delay

    def flush(self) -> None:
        """Write what was added since the last flush."""
        rows = self._columns
        names, forms = list(self._ids)[self._named :], list(self._forms)[self._formed :]
        users = self._users[self._sent :]
        if names:
            self._named += len(names)
            self._chunk(b"N", json.dumps(names).encode())
        if forms:
            self._formed += len(forms)
            self._chunk(b"F", json.dumps(forms).encode())
        if users:
            self._sent += len(users)
            self._chunk(b"U", json.dumps(users).encode())
        self._written += len(rows[0])
        for kind, columns in ((b"R", rows), (b"L", self._late), (b"S", self._starts)):
            if columns[0]:
                packed = b"".join(column.tobytes() for column in columns)
                self._chunk(kind, len(columns[0]).to_bytes(4, "little") + packed)
                for column in columns:
                    del column[:]
        if self._errors:
            errors, self._errors = self._errors, Counter()
            self.event("errors", errors=[[endpoint, text, count] for (endpoint, text), count in errors.items()])

    def close(self) -> None:
        """Write the rest and the end mark; a second call does nothing."""
        if not self._closed:
            self.flush()
            write_or_exit(self._file, CLOSED)
            self._closed = True
            self._file.close()

    def _chunk(self, kind: bytes, payload: bytes) -> None:
        # One write: a kill between two writes could otherwise leave a header without its payload in mid-file.
        if not self._closed:  # what a process notes while it ends comes after the end of the round
            write_or_exit(self._file, kind + len(payload).to_bytes(4, "little") + payload)


class LogCopy:
    """Writes the request log of another machine to a file of this one: each piece once and in order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb", buffering=0)
        self._next = 0
        self.whole = False

    def take(self, number: int, piece: bytes) -> None:
        """Write a piece, numbered from 0; after a lost one nothing more is written, not even the end mark."""
        if number == self._next and not self.whole:
            write_or_exit(self._file, piece)
            self._next += 1
            self.whole = piece == CLOSED
            if self.whole:
                self._file.close()

    def discard(self) -> None:
        """Delete the file."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def request_listener(
    log: LogWriter, endpoints: Endpoints | None = None, *, home: str = "", late_now: Lateness | None = None
) -> Callable[..., None]:
    """
    A listener for Locust's `request` event that adds each request to *log*, with its user and how late its task began.

    Endpoints elsewhere than at *home*, the target's host and port, are logged, by the address of their first request.
    """
    starts, latencies, numbered, failures, statuses, sizes, forms, users = (
        log.appenders
    )  # one call less for each request
    numbering = _Numbering(log, endpoints or Endpoints(home), _place(home))
    numbers, called, answers = numbering.numbers, numbering.endpoints, numbering.answers
    now, sender = time.time, log.sender

    def listener(
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int | None,
        exception: BaseException | None = None,
        start_time: float | None = None,  # clients of other protocols leave it out
        response: Any = None,
        url: Any = None,
        context: Any = None,  # noqa: ARG001  # always there, and cheaper by its name than in a dictionary
        **_: Any,
    ) -> None:
        if late_now is not None and (late := late_now()) is not None:
            log.late(*late)
        number = numbers.get((request_type, name))
        if number is None:
            number = numbering.number(request_type, name, response, url)
        # What is no number fails in a sum, before any column has grown.
        latency_ms = -1.0 if response_time is None else response_time + 0.0
        start_s = start_time + 0.0 if start_time is not None else now() - max(latency_ms, 0.0) / 1e3
        status = getattr(response, "status_code", 0)  # anything, of other protocols: what a column cannot hold is 0
        starts(start_s)
        latencies(latency_ms)
        numbered(number)
        failures(exception is not None)
        statuses(status if type(status) is int and 0 <= status <= 0xFFFF else 0)
        sizes(response_length if type(response_length) is int and 0 <= response_length < 2**64 else 0)
        answers[number] = (count := answers[number]) + 1
        forms(0 if count >= OFTEN and count % EVERY else log.form(form_of(response)))
        users(sender())
        if exception is not None:
            log.error(called[number], exception)

    return listener


class _Numbering:
    """Assigns a number to each name of a log."""

    def __init__(self, log: LogWriter, endpoints: Endpoints, home: str) -> None:
        self._log, self._endpoints, self._home = log, endpoints, home
        self._located: set[str] = set()  # endpoints whose host was looked at
        self.numbers: dict[tuple[str, str], int] = {}  # by type and name, where these alone decide
        self.endpoints: dict[int, str] = {}  # by number
        self.answers: dict[int, int] = {}  # by number, so far

    def number(self, request_type: str, name: str, response: Any, url: Any) -> int:
        """The number of a name that was not seen before, or that needs a look at each request."""
        named = self._endpoints.of(request_type, name, response=response, url=url)
        number = self._log.number(named)
        if self._endpoints.known(request_type, name):
            self.numbers[request_type, name] = number
        if number not in self.endpoints:
            self.endpoints[number], self.answers[number] = named.endpoint, 0
            if named.endpoint not in self._located:
                self._located.add(named.endpoint)
                _log_elsewhere(self._log, named.endpoint, home=self._home, response=response, url=url)
        return number


def _log_elsewhere(log: LogWriter, endpoint: str, *, home: str, response: Any, url: Any) -> None:
    """Log an endpoint whose response comes from another host or port than *home*."""
    last = getattr(response, "request", None)  # where redirects have led
    place = _place(getattr(last, "url", None)) or _place(url)
    if home and place not in {"", home}:
        log.event("elsewhere", endpoint=endpoint, host=place)


def _place(url: Any) -> str:
    """Host and port of an address, in lower case; empty where it has none."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        port = parts.port or {"http": 80, "https": 443, "ws": 80, "wss": 443}.get(parts.scheme)
    except ValueError:
        return ""
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    return f"{host}:{port}" if host and port else ""


def _run_delay_ns() -> int:
    """How long this process has wanted a core and had none, in ns (Linux; elsewhere 0)."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
