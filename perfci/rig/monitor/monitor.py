"""Reads the sources of one target in a thread."""

import contextlib
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from perfci.errors import PerfciError
from perfci.model import Gauges
from perfci.rig.host import docker
from perfci.rig.load.recording import Recording
from perfci.rig.monitor.source import Finder, Missing, Scene, Source
from perfci.rig.monitor.track import Track

MOST_GAUGES = 50
MOST_FAILURES = 3
"""So many failed reads in a row end the reading of a source."""

STOP_S = 6.0
"""Seconds that the end of a round waits for a read that is in progress."""

GENERATOR = "generator/cpu"


@dataclass(slots=True)
class _Open:
    """An open source, and when to read it next."""

    source: Source
    due_s: float = 0.0


class Monitor:
    """Reads the sources of one target from `start` to `stop`."""

    def __init__(self, scene: Scene, sources: Sequence[Finder]) -> None:
        self.missing: dict[str, str] = {}  # what cannot be read, and why
        self._scene = scene
        self._finders = sources
        self._tracks: dict[str, Track] = {}
        self._failures: Counter[str] = Counter()  # in a row
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="perfci monitor", daemon=True)

    def start(self) -> None:
        """Start the thread, without waiting for anything."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; wait for a read in progress for a bounded time, or not at all in a hurry."""
        self._stopping.set()
        if self._thread.is_alive() and not isinstance(sys.exception(), KeyboardInterrupt):
            self._thread.join(STOP_S)

    def gauges(self, recording: Recording) -> Gauges:
        """The gauges in the measured time of the *recording*, with the load generator's own processor time."""
        generator = Track(unit="cores")
        for since_s, until_s, cores in recording.cpu:
            generator.add(since_s, until_s, cores)
        tracks = {**self._tracks, **({GENERATOR: generator} if self._scene.settings.enabled else {})}
        found = {name: track.gauge(recording.windows) for name, track in sorted(tracks.items())}
        return {name: gauge for name, gauge in found.items() if gauge is not None}

    def _run(self) -> None:
        try:
            with contextlib.ExitStack() as sessions:
                self._watch(self._opened(sessions))
        except Exception as error:  # noqa: BLE001 - whatever it is, the run that is watched goes on
            self.missing["the monitor"] = f"it ended early: {type(error).__name__}: {error}"

    def _opened(self, sessions: contextlib.ExitStack) -> list[_Open]:
        containers, environ = self._scene.running.containers, self._scene.environ
        programs = {container.id: docker.programs(container.id, environ=environ) for container in containers}
        scene, found = replace(self._scene, programs=programs), []
        for finder in self._finders:
            for opened in finder.find(scene):
                if isinstance(opened, Missing):
                    self.missing[opened.name] = opened.why
                    continue
                sessions.callback(opened.close)
                found.append(_Open(opened))
        return found

    def _watch(self, sources: list[_Open]) -> None:
        """Read each source when it is due, until the thread is stopped; reads that were missed are not made up for."""
        while sources and not self._stopping.wait(max(0.0, min(source.due_s for source in sources) - time.monotonic())):
            for source in [source for source in sources if source.due_s <= time.monotonic()]:
                if not self._read(source.source):
                    sources.remove(source)
                source.due_s = max(source.due_s, time.monotonic() - source.source.every_s) + source.source.every_s

    def _read(self, source: Source) -> bool:
        """Whether the source is to be read again."""
        try:
            readings = source.read()
        except PerfciError as error:
            self._failed(source.name, error)
            return self._failures[source.name] < MOST_FAILURES
        at_s = time.time()
        self._worked(source.name)
        for name, reading in readings.items():
            if isinstance(reading, PerfciError):
                self._failed(name, reading)
            elif name in self._tracks or len(self._tracks) < MOST_GAUGES:
                self._worked(name)
                self._tracks.setdefault(name, Track()).take(at_s, reading)
            else:
                self.missing[name] = f"there are more than {MOST_GAUGES} gauges"
        return True

    def _failed(self, what: str, error: PerfciError) -> None:
        self._failures[what] += 1
        self.missing[what] = str(error)

    def _worked(self, what: str) -> None:
        self._failures.pop(what, None)
        self.missing.pop(what, None)
