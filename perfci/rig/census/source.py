"""The interface of a source of counts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from perfci.model import CounterSource, Side
from perfci.rig.census.addresses import Address, filled
from perfci.rig.target.running import RunningTarget

DATABASES = frozenset({"postgres", "mysqld", "mariadbd", "redis-server", "valkey-server", "keydb-server"})
"""Programs that count what they are asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One normalised statement's totals so far."""

    calls: int
    rows: int | None = None
    blocks: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Totals since some fixed moment; only differences mean anything. What is absent has not happened yet: zero."""

    counters: Mapping[str, float]  # "statements", "rows", "packets_in" ..., without the source's name
    statements: Mapping[str, Work] = field(default_factory=dict)  # by normalised text, which holds no literals
    disturbances: int = (
        0  # of the target by others: a request during which there was one does not count, for any source
    )
    others: int = 0  # times that other clients of a shared server worked: such a request does not count for this source


class Source(Protocol):
    """
    One open source. Two may share a name (a database's statements and its packets), but then no counter.

    A *loud* source asks the service itself, and so makes others count: read the loud ones before the first and after
    the last read of the quiet ones. A quiet source leaves no trace in any other, nor in itself.
    """

    @property
    def name(self) -> str:
        """The service, or "process" or "metrics" where the whole target is meant."""

    @property
    def kind(self) -> str:
        """The name of its module: "postgresql", "network", ..."""

    @property
    def note(self) -> str:
        """What it cannot count here, or what was changed so that it can; empty where there is nothing to say."""

    @property
    def loud(self) -> bool:
        """Whether reading it makes the service work."""

    def ask(self) -> None:
        """Begin a read in the source itself; asking several sources before reading them takes less time."""

    def read(self) -> Snapshot:
        """
        The totals as of `ask`, or now where nobody has asked, within a few milliseconds and a bound.

        CensusError where they cannot be had any more.
        """

    def close(self) -> None:
        """End its session. Calling it twice is harmless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a project configures about its sources."""

    exclude: tuple[str, ...] = ()  # names and kinds of sources that are not opened
    metrics_path: str = "/metrics"  # of the service's Prometheus page; empty: not asked for
    metrics_names: tuple[str, ...] = ()  # the counters on it that count; empty: all that stand still when idle
    databases: Mapping[str, str] = field(default_factory=dict)  # address by name, of what no container holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a source may look at to find out whether it has something to count."""

    running: RunningTarget
    settings: Settings
    environ: Mapping[str, str]  # for docker and other clients, and what addresses name of it
    side: Side = Side.CANDIDATE
    programs: Mapping[str, frozenset[str]] = field(default_factory=dict)  # what runs in each container, by its id
    found: frozenset[str] = frozenset()  # kinds that were opened before

    def addresses(self, kind: str) -> Iterator[Address]:
        """
        The servers of a *kind* that the project names by their address, but for those that it leaves out.

        A compose project has none: the containers of each copy are what it uses, and they are found.
        """
        if self.running.kind == "compose":
            return
        for one in filled(self.settings.databases, kind, self.running, side=self.side, environ=self.environ):
            if self.wants(one.name, kind):
                yield one

    def wants(self, name: str, kind: str) -> bool:
        """Whether the configuration includes this source."""
        return not {name, kind} & set(self.settings.exclude)


class Finder(Protocol):
    """What the module of each kind offers."""

    @property
    def KIND(self) -> str: ...  # noqa: N802 - the constant in the module

    def find(self, scene: Scene) -> Iterator[Source | CounterSource]:
        """Open sources, and for each that should be there but cannot be had a CounterSource that says why."""
