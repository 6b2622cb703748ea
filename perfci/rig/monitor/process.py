"""
Processor time and memory of a target that is a command: of it and of all that it started.

Memory is the resident set; what the processes share counts for each of them. Its network is not told: it shares that of
the machine, and the kernel does not count by process.
"""

from collections.abc import Iterator
from time import monotonic

import psutil

from perfci.errors import MonitorError
from perfci.rig.host.process import process_tree
from perfci.rig.monitor.source import Missing, Reading, Readings, Scene, Source

KIND = "process"


def find(scene: Scene) -> Iterator[Source | Missing]:
    """Open a source for a target whose process is a child of perfci."""
    if scene.running.pid is not None and scene.wants(KIND, KIND):
        yield Process(scene.running.pid, every_s=scene.kernel_s)


class Process:
    """The processor time and memory of a process and its descendants."""

    name = KIND

    def __init__(self, pid: int, *, every_s: float) -> None:
        self.every_s = every_s
        self._pid = pid

    def read(self) -> Readings:
        """Cores in use since the last read, and memory now."""
        cpu_s = memory = 0.0
        try:
            for each in process_tree(psutil.Process(self._pid)):
                with each.oneshot():
                    times, size = each.cpu_times(), each.memory_info().rss
                # Those of children that have ended belong to it (proc_pid_stat(5)): the sum never goes back.
                cpu_s += times.user + times.system + times.children_user + times.children_system
                memory += size
        except (psutil.Error, OSError) as error:
            raise MonitorError(f"the target's processes cannot be read: {error}") from None
        return {
            f"{KIND}/cpu": Reading(value=cpu_s, unit="cores", per=monotonic()),
            f"{KIND}/memory": Reading(value=memory / 1e6, unit="MB"),
        }

    def close(self) -> None:
        """Do nothing: there is nothing to close."""
