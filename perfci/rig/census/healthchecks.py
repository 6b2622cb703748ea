"""
Health checks of a target's containers, which make it work like requests do: a service asks its database whether it is
there, and the packets of that belong to nobody.

They cannot be told from the work of a request, but the engine says when one begins and ends: a read waits for the end,
and a request during which one began does not count. Checks of databases stay within their container and ask nothing of
the data: their statements and commands are left out where they are counted.
"""

import json
import os
import select
import time
from collections.abc import Iterator
from pathlib import Path

from perfci.errors import CensusError
from perfci.model import CounterSource
from perfci.rig.census.source import DATABASES, Scene, Snapshot, Source
from perfci.rig.host import docker, process
from perfci.rig.host.session import OURS

KIND = "healthchecks"
AFTER_S = 0.05  # until the kernel has sent its last acknowledgement
LONGEST_S = 5.0  # a check that hangs must not hold up everything

_FORMAT = '{"what": {{json .Action}}, "id": {{json .Actor.Attributes.execID}}}'


def find(scene: Scene) -> Iterator[Source | CounterSource]:
    """Open a source for all containers with a health check, except databases; nothing where there are none."""
    checked = [
        container.id
        for container in scene.running.containers
        if container.checked and not scene.programs.get(container.id, frozenset()) & DATABASES
    ]
    if not checked or not scene.wants(KIND, KIND):
        return
    filters = [part for container in checked for part in ("--filter", f"container={container}")]
    filters += ["--filter", "event=exec_start", "--filter", "event=exec_die"]
    try:
        child = process.talk(
            ["docker", "events", *filters, "--format", _FORMAT],
            cwd=Path("/"),
            environment=docker.environment(scene.environ),
        )
    except OSError as error:
        yield CounterSource(name=KIND, kind=KIND, found=False, note=f"the engine's events cannot be had: {error}")
        return
    yield HealthChecks(child)


class HealthChecks:
    """How many health checks have begun since the source was opened."""

    name = KIND
    kind = KIND
    loud = False
    note = "a request during which one began is left out"

    def __init__(self, child: process.Child) -> None:
        self._child = child
        self._rest = b""
        self._begun = 0
        self._going_on: set[str] = set()
        self._calm_at = 0.0
        self._asked = False

    def ask(self) -> None:
        """Wait until no health check is running."""
        deadline = time.monotonic() + LONGEST_S
        self._hear(0.0)
        while self._going_on:
            left = deadline - time.monotonic()
            if left <= 0:
                self._going_on.clear()  # it hangs, or its end was not told
                break
            self._hear(left)
        time.sleep(max(0.0, self._calm_at - time.monotonic()))
        self._asked = True

    def read(self) -> Snapshot:
        """How many health checks had begun at the moment of `ask`; later ones disturb the reads that follow."""
        if not self._asked:
            self.ask()
        self._asked = False
        return Snapshot(counters={}, disturbances=self._begun)

    def close(self) -> None:
        """Stop listening."""
        process.stop_group(self._child, grace_s=0.5)
        for pipe in (self._child.process.stdin, self._child.process.stdout):
            if pipe is not None:
                pipe.close()

    def _hear(self, within_s: float) -> None:
        """Read the events of the engine, and wait for them up to *within_s*."""
        pipe = self._child.process.stdout
        while pipe is not None and not pipe.closed and select.select([pipe], [], [], within_s)[0]:
            piece = os.read(pipe.fileno(), 1 << 16)
            if not piece:
                raise CensusError(
                    f"the engine tells no events any more: {docker.last_line(self._rest.decode(errors='replace'))}"
                )
            *lines, self._rest = (self._rest + piece).split(b"\n")
            for line in lines:
                self._note(line)
            within_s = 0.0

    def _note(self, line: bytes) -> None:
        try:
            said = json.loads(line)
            what, identity = str(said["what"]), str(said["id"])
        except (ValueError, KeyError, TypeError):
            raise CensusError(f"the engine told an event that nobody can read: {line[:200]!r}") from None
        if what.startswith("exec_start") and OURS not in what:
            self._begun += 1
            self._going_on.add(identity)
        elif what.startswith("exec_die"):
            self._going_on.discard(identity)
            self._calm_at = time.monotonic() + AFTER_S
