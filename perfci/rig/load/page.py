"""Locust's own page on this machine, with the users of a plan: for people to look around, not for measuring."""

import contextlib
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from perfci.errors import LoadError
from perfci.model import LoadPlan
from perfci.rig.load.generator import POLL_S, STOP_TIMEOUT_S, Generator, Place, generating, locust
from perfci.rig.load.runtime import variables_of

HOST = "127.0.0.1"
ANSWERS_S = 30.0  # for Locust to load the file and listen


@dataclass(frozen=True, slots=True)
class Page:
    """Locust's page, which is up."""

    url: str
    generator: Generator

    def wait(self) -> None:
        """Wait until Locust has ended; LoadError where it failed."""
        while not self.generator.ended():
            time.sleep(POLL_S)


@contextlib.contextmanager
def page(plan: LoadPlan, *, base_url: str, place: Place, port: int) -> Iterator[Page]:
    """Locust with its page on *port* of the loopback; it is stopped when the context is left, however that is."""
    if _answers(port):
        raise LoadError(f"port {port} is taken: something answers there already", hint="choose another: --web=PORT")
    place.folder.mkdir(parents=True, exist_ok=True)
    begin, files = locust(plan, place, base_url=base_url)
    command = [
        *begin,
        *("--web-host", HOST, "--web-port", str(port), "--stop-timeout", str(STOP_TIMEOUT_S)),
        *("-H", base_url, "-u", str(plan.users), "-r", f"{plan.spawn_rate:g}"),
        *plan.user_classes,
    ]
    with generating(command, place, extra={**variables_of(plan.environment, base_url), **files}) as generator:
        end = time.monotonic() + ANSWERS_S
        while not _answers(port):
            if generator.ended() or time.monotonic() > end:
                raise LoadError(f"Locust's page did not come up; the end of its log:\n{generator.child.tail()}")
            time.sleep(POLL_S)
        yield Page(f"http://{HOST}:{port}", generator)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1.0):
        return True
    return False
