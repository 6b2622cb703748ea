"""
Whose work it is, on a server that has other clients than the target.

A session is another client's if it is older than the target, or if none of the target's processes holds its socket
although they hold that of another session. Behind a proxy or on a Unix socket nothing but the age can be told.
"""

import contextlib
import ipaddress
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from perfci.rig.host.process import process_tree
from perfci.rig.target.running import RunningTarget

SLACK_S = 0.5  # by which the ages of a process and of a session may be off

Socket = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A session, as its server lists it."""

    id: str  # never used again while the server runs
    socket: Socket | None = None  # the client's end of a TCP connection; None where there is none
    age_s: float | None = None  # None where the server does not tell
    work: str = ""  # another text after everything that it has asked


class Clients:
    """Finds the sessions of a server that are not the target's, and counts how often those have worked."""

    def __init__(self, running: RunningTarget) -> None:
        self._root = _root(running)
        self._own: set[str] = set()
        self._others: dict[str, str] = {}  # id -> its work when it was last seen
        self._worked = 0

    @property
    def note(self) -> str:
        """What cannot be distinguished, as a sentence; empty where the sockets show the owner of each session."""
        return "" if self._own else "other clients cannot be told from the target, unless they are older"

    def worked(self, clients: Iterable[Client]) -> int:
        """How often clients other than the target have worked, connected or disconnected so far."""
        now = {client.id: client.work for client in self.others(clients)}
        self._worked += sum(self._others.get(client) != work for client, work in now.items())
        self._worked += len(self._others.keys() - now.keys())
        self._others = now
        return self._worked

    def others(self, clients: Iterable[Client]) -> list[Client]:
        """The sessions among *clients* that are not the target's."""
        clients = list(clients)
        young = [client for client in clients if client.id not in self._own and not self._older(client)]
        if young and any(client.id not in self._others for client in young):
            sockets = self._sockets()
            self._own |= {
                client.id for client in young if client.socket is not None and _plain(client.socket) in sockets
            }
        unknown = set() if self._own else {client.id for client in young}
        return [client for client in clients if client.id not in self._own | unknown]

    def _older(self, client: Client) -> bool:
        if self._root is None or client.age_s is None:
            return False
        with contextlib.suppress(psutil.Error):
            return client.age_s > time.time() - self._root.create_time() + SLACK_S
        return False

    def _sockets(self) -> set[Socket]:
        """The local addresses of all connections of the target."""
        found: set[Socket] = set()
        with contextlib.suppress(psutil.Error, OSError):
            for each in [] if self._root is None else process_tree(self._root):
                with contextlib.suppress(psutil.Error, OSError):
                    found |= {
                        _plain(connection.laddr)
                        for connection in each.net_connections("tcp")
                        if _port(connection.raddr)
                    }
        return found


def _root(running: RunningTarget) -> psutil.Process | None:
    """The main process of the target: perfci's child, or the process that listens at its address on this machine."""
    with contextlib.suppress(psutil.Error, OSError):
        if running.pid is not None:
            return psutil.Process(running.pid)
        port = urlsplit(running.base_url).port
        for connection in psutil.net_connections("tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and _port(connection.laddr) == port
                and connection.pid is not None
            ):
                return psutil.Process(connection.pid)
    return None


def _port(address: tuple[object, ...]) -> object:
    return address[1] if len(address) > 1 else None


def _plain(socket: Socket) -> Socket:
    """The canonical form of an address, for example of ::ffff:127.0.0.1."""
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(socket[0])
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return str(mapped or address), int(socket[1])
    return socket[0], int(socket[1])


def split(text: str) -> Socket | None:
    """Split "127.0.0.1:5000", "[::1]:5000" or "localhost:5000" into host and port; None for anything else."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        return None
    return "127.0.0.1" if host == "localhost" else host.strip("[]"), int(port)
