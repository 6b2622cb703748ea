"""Who has the machine: tests that run side by side share it, and a test marked `alone` has it to itself."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
DOOR, ROOM = HERE / "conftest.py", HERE / "__init__.py"  # any two files will do: they are locked, not read


@contextlib.contextmanager
def machine(*, alone: bool) -> Iterator[None]:
    """
    Wait for the machine, and hold it: alone, or with all others who do not need it alone.

    Whoever waits stands in the door, so that nobody passes who came later: a test that waits until all others are out
    would wait for ever otherwise.
    """
    with DOOR.open() as door, ROOM.open() as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(room, fcntl.LOCK_UN)  # also where a child has inherited the file
