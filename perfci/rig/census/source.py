"""The interface of a source of counts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from perfci.model import CounterSource, Side
from perfci.rig.census.addresses import Address, filled
from perfci.rig.target.running import RunningTarget

DATABASES = frozenset({"postgres", "mysqld", "mariadbd", "redis-server", "valkey-server", "keydb-server"})
"""The kinds of databases and caches, which count what they are sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The totals of one normalised statement so far."""

    calls: int
    rows: int | None = None
    blocks: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Totals since a fixed moment, of which only differences are used. What is missing is zero."""

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
        """The name of the service; "process" or "metrics" for the whole target."""

    @property
    def kind(self) -> str:
        """The name of the module: "postgresql", "network", ..."""

    @property
    def note(self) -> str:
        """What the source cannot count here, or what was changed so that it can; may be empty."""

    @property
    def loud(self) -> bool:
        """Whether a read makes the service itself work."""

    def ask(self) -> None:
        """Begin a read, whose result `read` returns; to ask all sources first takes less time."""

    def read(self) -> Snapshot:
        """
        The totals as of `ask`, or now where nobody has asked, within a few milliseconds and a bound.

        CensusError where they cannot be had any more.
        """

    def close(self) -> None:
        """End the session with the server; a second call does nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of [census] for the sources."""

    exclude: tuple[str, ...] = ()  # names and kinds of sources that are not opened
    metrics_path: str = "/metrics"  # of the service's Prometheus page; empty: not asked for
    metrics_names: tuple[str, ...] = ()  # the counters on it that count; empty: all that stand still when idle
    databases: Mapping[str, str] = field(default_factory=dict)  # address by name, of what no container holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The target and settings by which the kinds decide which sources there are."""

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
        for address in filled(self.settings.databases, kind, self.running, side=self.side, environ=self.environ):
            if self.wants(address.name, kind):
                yield address

    def wants(self, name: str, kind: str) -> bool:
        """Whether the configuration includes this source."""
        return not {name, kind} & set(self.settings.exclude)


class Finder(Protocol):
    """The interface of the module of each kind of source."""

    @property
    def KIND(self) -> str: ...  # noqa: N802 - the constant in the module

    def find(self, scene: Scene) -> Iterator[Source | CounterSource]:
        """Open the sources of this kind; for each that is expected and cannot be opened, a CounterSource says why."""
