"""
What crosses the network of each container: packets and bytes, in and out.

Read from the kernel's own table, which is there for everybody on the engine's machine; else by a shell inside the
container. The engine's own statistics take a second for a read.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from perfci.errors import CensusError
from perfci.model import CounterSource
from perfci.rig.census.session import inside
from perfci.rig.census.source import Scene, Snapshot, Source
from perfci.rig.target.running import Container

KIND = "network"


def find(scene: Scene, *, proc: Path = Path("/proc")) -> Iterator[Source | CounterSource]:
    """One source for every container; other targets share the network of a whole machine."""
    if not scene.running.containers and scene.wants(KIND, KIND):
        why = "the target shares the network of its machine: its packets cannot be told from others"
        yield CounterSource(name=KIND, kind=KIND, found=False, note=why)
    for container in scene.running.containers:
        if not scene.wants(container.service, KIND):
            continue
        try:
            yield _opened(scene, container, proc)
        except CensusError as error:
            yield CounterSource(name=container.service, kind=KIND, found=False, note=str(error))


def _opened(scene: Scene, container: Container, proc: Path) -> Source:
    table = proc / str(container.pid) / "net" / "dev"
    if _is_here(container, proc):
        source = Network(container.service, lambda: table.read_text().splitlines(), lambda: None)
    else:
        session = inside(
            container.id,
            "exec sh",
            what=f"the network of service {container.service!r}",
            sentinel="echo {}",
            environ=scene.environ,
        )
        source = Network(container.service, lambda: session.ask("cat /proc/net/dev"), session.close)
    try:
        source.read()
    except BaseException:
        source.close()
        raise
    return source


def _is_here(container: Container, proc: Path) -> bool:
    """Whether the number of its process means the same to this machine as to the engine."""
    try:
        return container.id in (proc / str(container.pid) / "cgroup").read_text() and bool(
            (proc / str(container.pid) / "net" / "dev").read_text()
        )
    except OSError:
        return False


class Network:
    """The network of one container."""

    kind = KIND
    loud = False
    note = ""

    def __init__(self, name: str, table: Callable[[], Iterable[str]], close: Callable[[], None]) -> None:
        self.name = name
        self._table = table
        self.close = close

    def read(self) -> Snapshot:
        """Packets and bytes since it was started."""
        try:
            counters = parse(self._table())
        except (OSError, ValueError, IndexError) as error:
            raise CensusError(f"the network of service {self.name!r} cannot be read any more: {error}") from None
        if not counters:
            raise CensusError(f"service {self.name!r} has no network of its own")
        return Snapshot(counters=counters)


def parse(lines: Iterable[str]) -> dict[str, float]:
    """
    The sums over all interfaces of a `/proc/net/dev` but the loopback, over which health checks go; empty without any.

    Columns as proc_pid_net(5) has them: eight for what comes in (bytes, packets, ...), eight for what goes out.
    """
    rows = [row.partition(":") for row in lines if ":" in row]
    outside = [[int(cell) for cell in cells.split()] for name, _, cells in rows if name.strip() != "lo"]
    columns = {"bytes_in": 0, "packets_in": 1, "bytes_out": 8, "packets_out": 9}
    return {name: float(sum(row[column] for row in outside)) for name, column in columns.items()} if outside else {}
