"""Choose a TCP port of this machine that a process started later can listen on."""

import secrets
import socket
from collections.abc import Container

# Systems give their clients' connections ports from 32,768 (Linux) or 49,152 (macOS, Windows) on. A port of that range
# that is free now may belong to any connection a moment later, before the process that was given it listens.
_RANGE = range(20_000, 30_000)
_ATTEMPTS = 200


def free_port(host: str = "127.0.0.1", *, given: Container[int] = ()) -> int:
    """A port on which nobody listens at *host*, chosen at random, outside the system's range for connections.

    *given* are ports that are promised to others. Raises OSError (of the last attempt) where no port can be had.
    """
    refused: OSError | None = None
    for _ in range(_ATTEMPTS):
        port = secrets.choice(_RANGE)
        if port in given:
            continue
        try:
            with socket.create_server((host, port)):
                return port
        except OSError as error:
            refused = error
    raise refused or OSError(f"no free port of {_RANGE.start} to {_RANGE.stop - 1} at {host}")
