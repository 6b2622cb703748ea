"""
Processor time, memory and network of each container, from its control group and its network's table of devices.

Read from the kernel's files where the engine is on this machine; else by a shell inside the container, which reads them
there. The engine's own statistics take a second for a read.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic

from perfci.errors import MonitorError, PerfciError
from perfci.rig.host.session import inside
from perfci.rig.monitor.source import ASKED_S, Missing, Reading, Readings, Scene, Source
from perfci.rig.target.running import Container as Running

KIND = "container"
GROUPS = "/sys/fs/cgroup"
UNIFIED = ("cpu.stat", "memory.current", "memory.stat")
BY_CONTROLLER = {"cpuacct": ("cpuacct.usage",), "memory": ("memory.usage_in_bytes", "memory.stat")}
DEVICES = "net/dev"
DEVICE_COLUMNS = 16

Files = Callable[[], Mapping[str, str]]
"""The content of each file that exists, by its name."""


def find(scene: Scene, *, root: Path = Path("/")) -> Iterator[Source | Missing]:
    """Open a source for every container."""
    for container in scene.running.containers:
        if not scene.wants(container.service, KIND):
            continue
        try:
            yield _opened(scene, container, root)
        except PerfciError as error:
            yield Missing(name=container.service, why=str(error))


def _opened(scene: Scene, container: Running, root: Path) -> Source:
    if files := _here(container, root):
        return Container(container.service, lambda: _texts(files), lambda: None, every_s=scene.kernel_s)
    what = f"the container of service {container.service!r}"
    session = inside(container.id, "exec sh", what=what, sentinel="echo {}", environ=scene.environ)
    return Container(container.service, lambda: _texts_by_file(session.ask(_QUESTION)), session.close, every_s=ASKED_S)


def _here(container: Running, root: Path) -> list[Path]:
    """The files of its control group and network; none where its process has another number on this machine."""
    process = root / "proc" / str(container.pid)
    try:
        groups = (process / "cgroup").read_text()
    except OSError:
        return []
    if not container.pid or container.id not in groups:
        return []
    found = [process / DEVICES]
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        folder = root / GROUPS.lstrip("/")
        if not controllers:
            found += [folder / path.lstrip("/") / name for name in UNIFIED]
        for controller in set(controllers.split(",")) & set(BY_CONTROLLER):
            found += [folder / controller / path.lstrip("/") / name for name in BY_CONTROLLER[controller]]
    readable = [path for path in found if path.is_file()]
    return readable if len(readable) > 1 else []


def _texts(files: list[Path]) -> Mapping[str, str]:
    return {path.name: path.read_text() for path in files}


_INSIDE = [f"{GROUPS}/{name}" for name in UNIFIED]
_INSIDE += [f"{GROUPS}/{controller}/{name}" for controller, names in BY_CONTROLLER.items() for name in names]
_QUESTION = (  # without a single process of its own: they would count as the container's
    f"for f in {' '.join(_INSIDE)} /proc/{DEVICES}; do "
    '[ -r "$f" ] && while read -r line; do echo "${f##*/} $line"; done < "$f"; done'
)


def _texts_by_file(lines: list[str]) -> Mapping[str, str]:
    texts: dict[str, str] = {}
    for line in lines:
        name, _, rest = line.partition(" ")
        texts[name] = f"{texts.get(name, '')}{rest}\n"
    return texts


class Container:
    """The processor time, memory and network traffic of one container."""

    def __init__(self, service: str, files: Files, close: Callable[[], None], *, every_s: float) -> None:
        self.name, self.every_s, self.close = f"the container of service {service!r}", every_s, close
        self._service, self._files = service, files

    def read(self) -> Readings:
        """Cores and bytes since the last read, and memory now."""
        try:
            found = parse(self._files(), monotonic())
        except (OSError, ValueError, IndexError) as error:
            raise MonitorError(f"{self.name} cannot be read: {error}") from None
        if not found:
            raise MonitorError(f"{self.name} shows neither its control group nor a network")
        return {f"{self._service}/{name}": reading for name, reading in found.items()}


def parse(texts: Mapping[str, str], now_s: float) -> dict[str, Reading]:
    """
    The values in the files of a control group, of either version (cgroups(7)).

    Memory is that in use without the file cache that the kernel would give back first, as `docker stats` has it.
    """
    found = {}
    cpu = _number(texts.get("cpu.stat", ""), "usage_usec")
    cpu_s = cpu / 1e6 if cpu is not None else _first(texts, "cpuacct.usage", 1e-9)
    if cpu_s is not None:
        found["cpu"] = Reading(value=cpu_s, unit="cores", per=now_s)
    memory = _first(texts, "memory.current", 1.0) or _first(texts, "memory.usage_in_bytes", 1.0)
    if memory is not None:
        stat = texts.get("memory.stat", "")
        cache = _number(stat, "total_inactive_file") or _number(stat, "inactive_file") or 0.0
        found["memory"] = Reading(value=max(0.0, memory - cache) / 1e6, unit="MB")
    if devices := _devices(texts.get("dev", "")):
        for name, column in (("received", 0), ("sent", 8)):
            total = sum(float(cells[column]) for cells in devices)
            found[name] = Reading(value=total / 1e3, unit="kB/s", per=now_s)
    return found


def _first(texts: Mapping[str, str], name: str, factor: float) -> float | None:
    return float(texts[name].split()[0]) * factor if name in texts else None


def _number(text: str, key: str) -> float | None:
    pairs = (line.split() for line in text.splitlines())
    return next((float(pair[1]) for pair in pairs if pair[:1] == [key]), None)


def _devices(text: str) -> list[list[str]]:
    """The columns of each interface but the loopback, over which health checks go (proc_pid_net(5))."""
    rows = (line.partition(":") for line in text.splitlines())
    found = [(name.strip(), rest.split()) for name, colon, rest in rows if colon]
    return [cells for name, cells in found if name != "lo" and len(cells) == DEVICE_COLUMNS]
