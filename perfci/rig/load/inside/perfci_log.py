"""
The request log, written inside the load generator: every request once, in columns, flushed every second.

This folder holds the only code of perfci that runs in a process with Locust. It imports the standard library alone,
and its modules are imported by their bare names, because Locust puts the user's folder in front of `sys.path`.

A file is the magic line and then chunks: one byte of kind, four bytes of payload length (little-endian), payload.

    N   JSON list of the endpoints first seen since the last chunk, in the order of their numbers (from 0)
    R   rows: a 32-bit count, then the columns one after the other: start (f64, seconds since the epoch),
        latency (f64, ms; negative: none), endpoint (u32), failed (u8), status (u16), size (u64)
    J   JSON object with a "what": health, event, errors
    Z   the end: the process closed its record in order

Whoever is killed loses what was not yet flushed: a reader ignores an unfinished last chunk and misses the Z.
"""

import json
import os
import sys
import time
from array import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

MAGIC = b"perfci-log 1\n"
COLUMNS = "ddIBHQ"
MOST_MESSAGES = 100
LONGEST_MESSAGE = 300


def _columns() -> list[array]:  # type: ignore[type-arg]  # array is generic for type checkers only
    return [array(code) for code in COLUMNS]


def _appender(columns: "list[array[Any]]") -> Callable[..., None]:
    """Appends a row; each column's method is looked up once, because this is what a request costs."""
    starts, latencies, endpoints, failures, statuses, sizes = (column.append for column in columns)

    def append(number: int, start_s: float, latency_ms: float, failed: bool, status: int, size: int) -> None:
        starts(start_s)
        latencies(latency_ms)
        endpoints(number)
        failures(failed)
        statuses(status)
        sizes(size)

    return append


class LogWriter:
    """One process's log."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._file.write(MAGIC)
        self._ids: dict[str, int] = {}
        self._named = 0
        self._columns = _columns()
        self.row = _appender(self._columns)  # number, start_s, latency_ms, failed, status, size
        self._errors: Counter[tuple[str, str]] = Counter()
        self._cpu = time.process_time()
        self._delay = _run_delay_ns()
        self._at = time.time()
        self._clocks = self._at - time.monotonic()

    def request(self, endpoint: str, start_s: float, latency_ms: float, failed: bool, status: int, size: int) -> None:
        """Note one request; nothing is written before the next flush."""
        self.row(self.number(endpoint), start_s, latency_ms, failed, status, size)

    def number(self, endpoint: str) -> int:
        """The number of an endpoint in this log."""
        return self._ids.setdefault(endpoint, len(self._ids))

    def error(self, endpoint: str, error: BaseException | str) -> None:
        """Count a failure by its message; a service that invents a new one each time does not fill the memory."""
        message = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        key = (endpoint, message[:LONGEST_MESSAGE])
        if key not in self._errors and len(self._errors) >= MOST_MESSAGES:
            key = (endpoint, "(further messages)")
        self._errors[key] += 1

    def event(self, what: str, **data: object) -> None:
        """Write something that happened, at once."""
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
        """Write what was noted since the last flush."""
        rows = self._columns
        names = list(self._ids)[self._named :]
        if names:
            self._named += len(names)
            self._chunk(b"N", json.dumps(names).encode())
        if rows[0]:
            self._chunk(b"R", len(rows[0]).to_bytes(4, "little") + b"".join(column.tobytes() for column in rows))
            for column in rows:
                del column[:]
        if self._errors:
            errors, self._errors = self._errors, Counter()
            self.event("errors", errors=[[endpoint, text, count] for (endpoint, text), count in errors.items()])

    def close(self) -> None:
        """Write the rest and the end mark; twice is harmless."""
        if not self._file.closed:
            self.flush()
            self._chunk(b"Z", b"")
            self._file.close()

    def _chunk(self, kind: bytes, payload: bytes) -> None:
        # One write: a kill between two writes could otherwise leave a header without its payload in mid-file.
        chunk = kind + len(payload).to_bytes(4, "little") + payload
        try:
            problem = "" if self._file.write(chunk) == len(chunk) else "No space left on device"
        except OSError as error:
            problem = error.strerror or str(error)
        if problem:  # raised in a greenlet it would only be printed, and the load go on without a record
            sys.stderr.write(f"perfci cannot record what it measures: {problem}. Is the disk full?\n")
            sys.stderr.flush()
            os._exit(os.EX_IOERR)


def request_listener(log: LogWriter) -> Callable[..., None]:
    """A listener for Locust's `request` event that notes each one in *log*."""
    append = log.row
    numbers: dict[tuple[str, str], int] = {}
    now = time.time

    def listener(
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int | None,
        exception: BaseException | None = None,
        start_time: float | None = None,  # clients of other protocols leave it out
        response: Any = None,
        **_: Any,
    ) -> None:
        number = numbers.get((request_type, name))
        if number is None:
            number = numbers[request_type, name] = log.number(f"{request_type} {name}")
        latency_ms = -1.0 if response_time is None else response_time
        start_s = start_time if start_time is not None else now() - max(latency_ms, 0.0) / 1e3
        status = _whole(getattr(response, "status_code", 0), 0xFFFF)
        append(number, start_s, latency_ms, exception is not None, status, _whole(response_length, 2**63))
        if exception is not None:
            endpoint = f"{request_type} {name}"
            log.error(endpoint, exception)

    return listener


def _whole(number: Any, most: int) -> int:
    """*number* as a column can hold it; what a client of another protocol puts there may be anything, and then is 0."""
    return number if type(number) is int and 0 <= number <= most else 0


def _run_delay_ns() -> int:
    """How long this process has wanted a core and had none, in ns (Linux; elsewhere 0)."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
