"""
Watches the target while it is under load: one module per kind of source, all read by one thread of perfci's own.

Only then. Turns and the census have one request in flight and compare what takes microseconds: whatever asks the
service or its database meanwhile would be in their numbers. Under load it is one more client among many, and the same
on both sides.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from perfci.rig.monitor import availability, container, machine, page, postgresql, process, prometheus, redis
from perfci.rig.monitor.monitor import Monitor
from perfci.rig.monitor.options import OFF, GaugeOptions, Settings, parse
from perfci.rig.monitor.source import Finder, Missing, Reading, Scene, Source
from perfci.rig.target.running import RunningTarget

__all__ = [
    "OFF",
    "SOURCES",
    "GaugeOptions",
    "Missing",
    "Monitor",
    "Reading",
    "Scene",
    "Settings",
    "Source",
    "monitoring",
    "parse",
]

SOURCES: Sequence[Finder] = (availability, page, prometheus, machine, process, container, postgresql, redis)
"""The kinds of sources, in the order in which they are opened; of too many gauges, the first ones are kept."""

KERNEL_S = 1.0
KERNEL_IN_SLICES_S = 0.25
"""So that several reads lie within a slice: what begins in one and ends in another counts for neither."""


@contextlib.contextmanager
def monitoring(
    running: RunningTarget, settings: Settings, *, environ: Mapping[str, str], sliced: bool = False
) -> Iterator[Monitor]:
    """
    Watch *running* until the context is left; what cannot be watched is noted, and never an error.

    Sources are opened meanwhile: nobody waits for them.
    """
    every_s = KERNEL_IN_SLICES_S if sliced else KERNEL_S
    scene = Scene(running=running, settings=settings, environ=environ, kernel_s=every_s)
    monitor = Monitor(scene, SOURCES)
    if settings.enabled:
        monitor.start()
    try:
        yield monitor
    finally:
        monitor.stop()
