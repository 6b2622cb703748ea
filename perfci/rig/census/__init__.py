"""Counts what the target does, by the counters that it keeps anyway: one module per kind of source."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from perfci.model import CounterSource, Side
from perfci.rig.census import healthchecks, mysql, network, postgresql, process, prometheus, redis
from perfci.rig.census.source import Finder, Scene, Settings, Snapshot, Source, Work
from perfci.rig.host import docker
from perfci.rig.target.running import RunningTarget

__all__ = ["SOURCES", "Settings", "Snapshot", "Source", "Work", "open_sources"]

SOURCES: Sequence[Finder] = (
    healthchecks,  # before what it must not disturb: a read of it waits for the end of a check
    postgresql,
    mysql,
    redis,
    network,
    process,
    prometheus,
)
"""The kinds of sources, in the order in which they are opened, read and reported."""

_FOUND = "its address is not used: the databases of a compose project are found in the containers of each copy"


@contextlib.contextmanager
def open_sources(
    running: RunningTarget, settings: Settings, *, environ: Mapping[str, str], side: Side = Side.CANDIDATE
) -> Iterator[tuple[list[Source], list[CounterSource]]]:
    """
    Every source that can be read, with one session each, and the report on them and on those that cannot.

    Open them once the target is seeded: what was done before does not count. All are closed on the way out.
    """
    known = [container.id for container in running.containers]
    with ThreadPoolExecutor() as pool:
        programs = dict(zip(known, pool.map(partial(docker.programs, environ=environ), known), strict=True))
    scene = Scene(running=running, settings=settings, environ=environ, side=side, programs=programs)
    sources: list[Source] = []
    reports: list[CounterSource] = []
    with contextlib.ExitStack() as sessions:
        for finder in SOURCES:
            for found in finder.find(replace(scene, found=frozenset(source.kind for source in sources))):
                if isinstance(found, CounterSource):
                    reports.append(found)
                    continue
                sessions.callback(found.close)
                sources.append(found)
                reports.append(CounterSource(name=found.name, kind=found.kind, found=True, note=found.note))
        if running.kind == "compose":
            reports += [
                CounterSource(name=name, kind="address", found=False, note=_FOUND) for name in settings.databases
            ]
        yield sources, reports
