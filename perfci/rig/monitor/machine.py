"""Reads how much of the machine's processors is in use, by the target, its load and everything else."""

from collections.abc import Iterator
from time import monotonic

import psutil

from perfci.rig.monitor.source import Missing, Reading, Readings, Scene, Source

KIND = "machine"
IDLE = ("idle", "iowait")
WITHIN = ("guest", "guest_nice")  # counted in `user` and `nice`, too (proc_stat(5))


def find(scene: Scene) -> Iterator[Source | Missing]:
    """Open a source where the target runs on this machine."""
    running = scene.running
    if (running.pid is not None or running.containers) and scene.wants(KIND, KIND):
        yield Machine(every_s=scene.kernel_s)


class Machine:
    """The processors of this machine."""

    name = KIND

    def __init__(self, *, every_s: float) -> None:
        self.every_s = every_s

    def read(self) -> Readings:
        """Cores in use since the last read, including time that the host gave to another virtual machine."""
        times = psutil.cpu_times()._asdict()
        busy_s = sum(seconds for what, seconds in times.items() if what not in (*IDLE, *WITHIN))
        return {f"{KIND}/cpu": Reading(value=busy_s, unit="cores", per=monotonic())}

    def close(self) -> None:
        """Do nothing: there is nothing to close."""
