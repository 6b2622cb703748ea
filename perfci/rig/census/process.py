"""
Reads and writes of a target that is a command: system calls and bytes, of it and of all that it started.

The kernel hands the counters of a child that has ended to its parent, so that a tree never counts backwards
(proc_pid_io(5)). What goes through `send` and `recv`, as sockets mostly do, is in none of them: these are its files.
"""

from collections.abc import Iterator

import psutil

from perfci.errors import CensusError
from perfci.model import CounterSource
from perfci.rig.census.source import Scene, Snapshot, Source
from perfci.rig.host.process import process_tree

KIND = "process"
_NAMES = {"reads": "read_count", "writes": "write_count", "bytes_read": "read_chars", "bytes_written": "write_chars"}


def find(scene: Scene) -> Iterator[Source | CounterSource]:
    """Open a source for a target whose process is a child of perfci."""
    if scene.running.pid is None or not scene.wants(KIND, KIND):
        return
    source = Process(scene.running.pid)
    try:
        source.read()
    except CensusError as error:
        yield CounterSource(name=KIND, kind=KIND, found=False, note=str(error))
    else:
        yield source


class Process:
    """The system calls and bytes of a process and its descendants."""

    name = KIND
    kind = KIND
    loud = False
    note = "files alone: what goes over sockets is mostly not in these counters"

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def ask(self) -> None:
        """Do nothing: a read needs no preparation."""

    def read(self) -> Snapshot:
        """Read the calls and bytes of each process since its start."""
        try:
            counts = [each.io_counters() for each in process_tree(psutil.Process(self._pid))]
            return Snapshot(
                counters={name: float(sum(getattr(count, field) for count in counts)) for name, field in _NAMES.items()}
            )
        except (psutil.Error, AttributeError, OSError) as error:  # no such counters on some systems
            raise CensusError(f"reads and writes of the target cannot be had: {error}") from None

    def close(self) -> None:
        """Do nothing: there is nothing to close."""
