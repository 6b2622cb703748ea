"""
Availability: the share of probes of one path, five a second, that are answered in time with a success.

A thread of its own sends them: a probe that waits must not hold up what else is read, nor the next probe's time.
"""

import contextlib
import threading
import time
from collections.abc import Iterator

from perfci.errors import MonitorError
from perfci.rig.host import hosts
from perfci.rig.host.tls import Verify
from perfci.rig.monitor.asking import Asker
from perfci.rig.monitor.source import ASKED_S, Missing, Reading, Readings, Scene, Source

KIND = "availability"
EVERY_S = 0.2
ANSWER_S = 1.0
"""In which a probe has to be answered: who waits longer calls the service down."""


def find(scene: Scene) -> Iterator[Source | Missing]:
    """One source, where a path is given."""
    if scene.settings.availability and scene.wants(KIND, KIND):
        url = hosts.below(scene.running.base_url, scene.settings.availability)
        yield Availability(url, verify=scene.running.verify)


class Availability:
    """The probes of one address."""

    name = KIND
    every_s = ASKED_S

    def __init__(self, url: str, *, verify: Verify = True) -> None:
        self._url, self._verify = url, verify
        self._sent = self._answered = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._probe, name="perfci availability", daemon=True)
        self._thread.start()

    def read(self) -> Readings:
        """The share of the probes since the last read that were answered, in percent."""
        return {KIND: Reading(value=100.0 * self._answered, unit="%", per=float(self._sent))}

    def close(self) -> None:
        """Send no more."""
        self._stopping.set()

    def _probe(self) -> None:
        due_s = time.monotonic()
        asker = Asker(verify=self._verify, answer_s=ANSWER_S)
        while not self._stopping.is_set():
            with contextlib.suppress(MonitorError):
                asker.ask(self._url)
                self._answered += 1
            self._sent += 1
            due_s = max(due_s + EVERY_S, time.monotonic() - EVERY_S)
            self._stopping.wait(max(0.0, due_s - time.monotonic()))
        asker.close()
