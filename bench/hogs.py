"""Other load on the machine."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hogs(count: int) -> Iterator[None]:
    """Run *count* processes that each keep a core busy."""
    running = [multiprocessing.Process(target=_burn, daemon=True) for _ in range(count)]
    for process in running:
        process.start()
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.join()


def _burn() -> None:
    while True:
        sum(range(100_000))
