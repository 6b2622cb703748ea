"""The toy in the test's own process, for tests that talk to it and need no process to die."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.fakes.toy import Toy, parser


@contextmanager
def serving(*faults: str) -> Iterator[Toy]:
    """A toy with these faults, on a free port."""
    with Toy(parser().parse_args(faults)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(10)
