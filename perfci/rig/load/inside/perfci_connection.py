"""
How the processes of a round with one request in flight communicate, over inherited sockets.

The driver and each side exchange messages: one JSON value a line. The two sides exchange a token, a byte, which whoever
executes a turn holds.
"""

import contextlib
import json
import os
from typing import Any

from gevent.monkey import get_original

LONGEST_READ = 65536
close = get_original("os", "close")  # gevent's waits for an event loop that may not run


class Connection:
    """
    One end of the connection between the driver and a side.

    It reads and writes with `os.read` and `os.write`, which Locust does not patch: whoever waits stands still with all
    its greenlets, so that a side does nothing while it is the other side's turn.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, True)  # gevent makes its sockets non-blocking
        self._read = b""

    def send(self, message: object) -> None:
        """Send *message*; an OSError where the other end is gone."""
        rest = json.dumps(message).encode() + b"\n"
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def receive(self) -> Any:
        """The next message; None where the other end is gone."""
        while b"\n" not in self._read:
            try:
                data = os.read(self._descriptor, LONGEST_READ)
            except OSError:
                return None
            if not data:
                return None
            self._read += data
        line, _, self._read = self._read.partition(b"\n")
        return json.loads(line)

    def close(self) -> None:
        """Close this end; the other one receives nothing any more."""
        close(self._descriptor)


class Token:
    """
    This side's end of the token: one side holds it and executes, the other one waits for it.

    Whoever waits stands still with all its greenlets. Once the other side has ended, this one always holds the token.
    """

    def __init__(self, descriptor: int, *, held: bool) -> None:
        self._descriptor = descriptor
        self._held = held
        os.set_blocking(descriptor, True)  # gevent makes its sockets non-blocking

    def acquire(self) -> None:
        """Wait until this side holds the token."""
        if not self._held:
            with contextlib.suppress(OSError):
                os.read(self._descriptor, 1)
            self._held = True

    def release(self) -> None:
        """Hand the token to the other side, if this side holds it."""
        if self._held:
            self._held = False
            with contextlib.suppress(OSError):
                os.write(self._descriptor, b"t")
