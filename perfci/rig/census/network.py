"""
What crosses the network of each container that is no database: packets with data that it sends, bytes out and in.

An acknowledgement goes alone when nothing follows within 40 ms: how many do tells of time, not of work, so that packets
are those with data. Databases have no source here: what they are asked is counted more exactly, and their health checks
share these tables. Read from the kernel's own, which are there for everybody on the engine's machine; else by a shell
inside the container. The engine's own statistics take a second for a read.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from perfci.errors import CensusError
from perfci.model import CounterSource
from perfci.rig.census.source import DATABASES, Scene, Snapshot, Source
from perfci.rig.host.session import inside
from perfci.rig.target.running import Container

KIND = "network"
ACKNOWLEDGEMENT = 66  # bytes of one without data: Ethernet, IPv4, TCP with its timestamp
DEVICE_COLUMNS = 16
TABLES = ("dev", "netstat", "snmp")


def find(scene: Scene, *, proc: Path = Path("/proc")) -> Iterator[Source | CounterSource]:
    """Open a source for every container; any other target shares the network of its machine."""
    if not scene.running.containers and scene.wants(KIND, KIND):
        why = "the target shares the network of its machine: its packets cannot be told from others"
        yield CounterSource(name=KIND, kind=KIND, found=False, note=why)
    for container in scene.running.containers:
        if scene.programs.get(container.id, frozenset()) & DATABASES or not scene.wants(container.service, KIND):
            continue
        try:
            yield _opened(scene, container, proc)
        except CensusError as error:
            yield CounterSource(name=container.service, kind=KIND, found=False, note=str(error))


def _opened(scene: Scene, container: Container, proc: Path) -> Source:
    folder = proc / str(container.pid) / "net"
    if _is_here(container, proc):
        source = Network(container.service, lambda: _tables(folder), lambda: None)
    else:
        session = inside(
            container.id,
            "exec sh",
            what=f"the network of service {container.service!r}",
            sentinel="echo {}",
            environ=scene.environ,
        )
        question = f"cat {' '.join(f'/proc/net/{table}' for table in TABLES)}"
        source = Network(container.service, lambda: session.ask(question), session.close)
    try:
        source.read()
    except BaseException:
        source.close()
        raise
    return source


def _is_here(container: Container, proc: Path) -> bool:
    """Whether the container's process has the same number on this machine as for the engine."""
    try:
        here = container.id in (proc / str(container.pid) / "cgroup").read_text()
        return here and bool(_tables(proc / str(container.pid) / "net"))
    except OSError:
        return False


def _tables(folder: Path) -> list[str]:
    return [line for table in TABLES for line in (folder / table).read_text().splitlines()]


class Network:
    """The network traffic of one container."""

    kind = KIND
    loud = False
    note = ""

    def __init__(self, name: str, tables: Callable[[], Iterable[str]], close: Callable[[], None]) -> None:
        self.name = name
        self.close = close
        self._tables = tables

    def ask(self) -> None:
        """Do nothing: a read needs no preparation."""

    def read(self) -> Snapshot:
        """Packets and bytes since the container was started."""
        try:
            counters = parse(self._tables())
        except (OSError, ValueError, IndexError, KeyError) as error:
            raise CensusError(f"the network of service {self.name!r} cannot be read: {error}") from None
        if not counters:
            raise CensusError(f"service {self.name!r} has no network of its own")
        return Snapshot(counters=counters)


def parse(lines: Iterable[str]) -> dict[str, float]:
    """
    Packets and bytes, from the tables of `/proc/net` one after the other; empty without an interface.

    Bytes: the first and the ninth column of each interface but the loopback, over which health checks go
    (proc_pid_net(5)). Packets: `TCPOrigDataSent`, segments with data that were no repetition; whatever else is in
    `OutSegs` is taken for acknowledgements, and their bytes are taken off those that were sent.
    """
    received, sent = 0, 0
    names: dict[str, list[str]] = {}
    table: dict[str, int] = {}
    outside = False
    for line in lines:
        title, found, rest = line.partition(":")
        cells = rest.split()
        if title in {"Tcp", "TcpExt"} and title not in names:
            names[title] = cells
        elif title in names:
            table |= zip(names[title], map(int, cells), strict=True)
        elif found and cells[:1] and cells[0].isdigit() and len(cells) == DEVICE_COLUMNS and title.strip() != "lo":
            outside = True
            received, sent = received + int(cells[0]), sent + int(cells[8])
    if not outside:
        return {}
    packets = table["TCPOrigDataSent"]
    acknowledgements = table["OutSegs"] - packets
    return {
        "packets_out": float(packets),
        "bytes_out": float(sent - ACKNOWLEDGEMENT * acknowledgements),
        "bytes_in": float(received),
    }
