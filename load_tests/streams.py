"""WebSocket users for Locust: every message is a request of its own, with its time and its failure."""

import contextlib
import json
import os
import time
from typing import Any
from urllib.parse import urlsplit

import websocket

PATIENCE_S = float(os.environ.get("CC_WEBSOCKET_PATIENCE_S", "5"))
"""How long an answer is waited for; what did not come by then was lost."""


def address(host: str, path: str) -> str:
    """The WebSocket address of a service: `ws` for `http`, `wss` for `https`."""
    parts = urlsplit(host)
    return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}{parts.path.rstrip('/')}{path}"


class Stream:
    """One WebSocket that stays open; opened anew where it was lost."""

    def __init__(self, environment: Any, host: str, path: str, name: str) -> None:
        """*name* is that of its rows: `WS NAME connect`, and what else is timed."""
        self._environment = environment
        self._url = address(host, path)
        self._name = name
        self._socket: Any = None
        self._answered = False

    def open(self, token: str) -> bool:
        """Connect, in place of a connection that there is; whether it succeeded."""
        self.close()
        self._answered = False
        with Timed(self, "connect") as timed:
            self._socket = websocket.create_connection(f"{self._url}?token={token}", timeout=PATIENCE_S)
        return timed.succeeded

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._socket is not None

    def exchange(self, what: str, message: str | bytes, *, expected: dict[str, Any]) -> bool:
        """
        Send text or a binary frame and wait for its answer, which must have the *expected* fields.

        On a new connection its row is the first answer's, not that of *what*: it pays for what comes before the first.
        """
        with Timed(self, what if self._answered else "first answer") as timed:
            if isinstance(message, bytes):
                self._socket.send_binary(message)
            else:
                self._socket.send(message)
            timed.length = self._receive(expected)
            self._answered = True
        return timed.succeeded

    def wait_for(self, what: str, *, expected: dict[str, Any], since: float) -> bool:
        """Wait for a message that something else has caused at *since* (`time.time()`)."""
        with Timed(self, what, since=since) as timed:
            timed.length = self._receive(expected)
        return timed.succeeded

    def send(self, message: str) -> None:
        """Send text to which there is no answer."""
        if self._socket is not None:
            self._socket.send(message)

    def tell(self, what: str, *, began: float, took_ms: float, length: int, error: BaseException | None) -> None:
        """Tell Locust of one request."""
        self._environment.events.request.fire(
            request_type="WS",
            name=f"{self._name} {what}",
            response_time=took_ms,
            response_length=length,
            exception=error,
            start_time=began,
            url=self._url,
            response=None,
            context={},
        )

    def close(self) -> None:
        """Hang up; a connection that is lost already is no failure."""
        if self._socket is not None:
            with contextlib.suppress(Exception):
                self._socket.send_close()
            # Not `close()`: it waits for the other side, and takes Locust's order to stop for an answer.
            self._socket.shutdown()
            self._socket = None

    def _receive(self, expected: dict[str, Any]) -> int:
        """Read until the answer is there, past those that came too late for an earlier message; its length."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            text = self._socket.recv()
            answer = json.loads(text) if text else {}
            if not answer:
                raise ConnectionError("the service closed the stream")
            if expected.items() <= answer.items():
                return len(text)
        raise TimeoutError("no answer to this message")


class Timed:
    """Times what happens inside, and tells Locust of it as one request."""

    def __init__(self, stream: Stream, what: str, *, since: float | None = None) -> None:
        """*since* is when it began, by `time.time()`; usually now."""
        self._stream = stream
        self._what = what
        self._since = since
        self.length = 0
        self.succeeded = False

    def __enter__(self) -> "Timed":
        """Begin."""
        self._began = time.time() if self._since is None else self._since
        self._clock = time.perf_counter() - (time.time() - self._began)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        """Tell; a failure is counted and goes no further, an interruption does."""
        if error is not None and not isinstance(error, Exception):
            return False
        self.succeeded = error is None
        if error is not None:
            self._stream.close()  # what follows begins with a new connection
        took_ms = (time.perf_counter() - self._clock) * 1e3
        self._stream.tell(self._what, began=self._began, took_ms=took_ms, length=self.length, error=error)
        return True
