"""The interface of a source of gauges."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from perfci.errors import PerfciError
from perfci.rig.monitor.options import Settings
from perfci.rig.target.running import RunningTarget

ASKED_S = 1.0
"""Between two reads of what has to be asked of somebody, who works for the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A level; or, where there is a *per*, a total, of which the increase for each one of *per* is what is told."""

    value: float
    unit: str = ""
    per: float | None = None  # another total: of seconds, of lookups


Readings = Mapping[str, Reading | PerfciError]
"""By gauge, "db/connections"; an error where one among them cannot be had."""


class Source(Protocol):
    """One open source. Only the monitor's own thread reads it."""

    @property
    def name(self) -> str:
        """The name used in messages about this source: a service, or the project's own gauges."""

    @property
    def every_s(self) -> float:
        """How long to wait between two reads."""

    def read(self) -> Readings:
        """Its gauges now, within a bound of seconds; a PerfciError where none can be had."""

    def close(self) -> None:
        """End its session. Calling it twice is harmless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A source that should be there and cannot be read."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a source may look at to find out whether it has something to tell."""

    running: RunningTarget
    settings: Settings
    environ: Mapping[str, str]  # for docker
    kernel_s: float  # between two reads of what the kernel counts anyway
    programs: Mapping[str, frozenset[str]] = field(default_factory=dict)  # what runs in each container, by its id

    def wants(self, name: str, kind: str) -> bool:
        """Whether the configuration includes this source."""
        return not {name, kind} & set(self.settings.exclude)


class Finder(Protocol):
    """What the module of each kind offers."""

    @property
    def KIND(self) -> str: ...  # noqa: N802 - the constant in the module

    def find(self, scene: Scene) -> Iterator[Source | Missing]:
        """Open sources, and what should be one and is not."""
