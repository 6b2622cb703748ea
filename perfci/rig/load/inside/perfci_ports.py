"""
Ports that a Locust file listens on by number, while two copies of it run on one machine, one for each side.

The second side's copy listens on a free port instead. Within its own process it is found at the port that it asked for,
so that it sees what it would see alone.
"""

import socket
from collections.abc import Callable
from typing import Any

LOOPBACK = {"localhost", "::1", "::", "0.0.0.0", ""}  # noqa: S104  # compared, not bound


class Ports:
    """Moves the ports of one process; `moved` maps each requested port to the one that is used instead."""

    def __init__(self) -> None:
        self.moved: dict[int, int] = {}

    def install(self) -> None:
        """Patch the sockets of this process. Call it before the Locust file is loaded."""
        kind: Any = socket.socket
        bind = kind.bind

        def bind_elsewhere(own: Any, address: Any) -> None:
            if not _wants_a_port(own, address):
                bind(own, address)
                return
            host, port, *rest = address
            bind(own, (host, 0, *rest))
            self.moved[port] = own.getsockname()[1]

        kind.bind = bind_elsewhere
        for name in ("connect", "connect_ex"):
            setattr(kind, name, self._redirecting(getattr(kind, name)))

    def _redirecting(self, connect: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(own: Any, address: Any) -> Any:
            if self.moved and isinstance(address, tuple) and address[1] in self.moved and _is_here(address[0]):
                address = (address[0], self.moved[address[1]], *address[2:])
            return connect(own, address)

        return wrapper


def _wants_a_port(own: Any, address: Any) -> bool:
    return own.family in {socket.AF_INET, socket.AF_INET6} and isinstance(address, tuple) and address[1] != 0


def _is_here(host: object) -> bool:
    return isinstance(host, str) and (host in LOOPBACK or host.startswith("127."))
