"""Counted work of the target per request: exact where times are noisy."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ENOUGH = 3
"""Requests from which on "the same every time" is a claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One counter over the warm requests of one endpoint."""

    requests: int
    mean: float  # per request
    spread: float = 0.0  # standard deviation between the requests

    @property
    def constant(self) -> bool:
        """Whether every request did exactly the same work, and there were enough of them to say so."""
        return self.spread == 0.0 and self.requests >= ENOUGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement that an endpoint sent to a database; the text is normalised by the database: no literals."""

    source: str  # name of the source that saw it, "db"
    text: str
    calls: Tally
    rows: Tally | None = None
    blocks: Tally | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCensus:
    """What one endpoint made the target do for one request."""

    requests: int
    counters: Mapping[str, Tally]  # "SOURCE/COUNTER", "db/statements", "api/packets_out", "response/bytes"
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterSource:
    """Where counts came from, or why they could not."""

    name: str  # as in the counters, "db"
    kind: str  # "postgresql", "redis", "network", ...
    found: bool
    note: str = ""  # what it is not able to count, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """The counted work of one side, with one request in flight."""

    endpoints: Mapping[str, EndpointCensus]
    cold: Mapping[str, EndpointCensus] = field(default_factory=dict)  # the first visit of each, kept apart
    sources: tuple[CounterSource, ...] = ()
    unreached: tuple[str, ...] = ()  # endpoints or tasks that were not seen often enough
    seed_digest: str = ""  # of the data that was counted on


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedCensus:
    """
    What a `census.json` holds: accepted counts, and what must be the same for a comparison with them.

    The machine is not part of it: counts hold on every one.
    """

    profile: str
    scenario: str
    load: str  # digest of the locustfile's content
    user_classes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)  # variables for the locustfile
    census: Census
