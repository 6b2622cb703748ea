"""The interface of a source of gauges."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from perfci.errors import PerfciError
from perfci.rig.monitor.options import Settings
from perfci.rig.target.running import RunningTarget

ASKED_S = 1.0
"""Seconds between two reads of a source that has to be queried, since each query is work for its server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A level; with *per*, a total, whose increase is divided by that of *per*."""

    value: float
    unit: str = ""
    per: float | None = None  # another total: of seconds, of lookups


Readings = Mapping[str, Reading | PerfciError]
"""The readings by gauge, such as "db/connections"; an error in place of one that failed."""


class Source(Protocol):
    """An open source, which only the monitor's own thread reads."""

    @property
    def name(self) -> str:
        """The name used in messages about this source: a service, or the project's own gauges."""

    @property
    def every_s(self) -> float:
        """Seconds between two reads."""

    def read(self) -> Readings:
        """Read the gauges, within a time limit; PerfciError where none can be read."""

    def close(self) -> None:
        """End the session with the server; a second call does nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A source that is expected and cannot be read."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The target and settings by which the kinds decide which sources there are."""

    running: RunningTarget
    settings: Settings
    environ: Mapping[str, str]  # for docker
    kernel_s: float  # between two reads of what the kernel counts anyway
    programs: Mapping[str, frozenset[str]] = field(default_factory=dict)  # what runs in each container, by its id

    def wants(self, name: str, kind: str) -> bool:
        """Whether the configuration includes this source."""
        return not {name, kind} & set(self.settings.exclude)


class Finder(Protocol):
    """The interface of the module of each kind of source."""

    @property
    def KIND(self) -> str: ...  # noqa: N802 - the constant in the module

    def find(self, scene: Scene) -> Iterator[Source | Missing]:
        """Open the sources of this kind, and return also those that are expected and cannot be read."""
