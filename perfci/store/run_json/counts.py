"""Counted work as `run.json` has it."""

from dataclasses import field
from typing import Self

from perfci.model import Census, CommittedCensus, CounterSource, EndpointCensus, Statement, Tally
from perfci.schema.stored import stored


@stored
class TallyDocument:
    """One counter over the warm requests of one endpoint, per request."""

    requests: int
    mean: float
    spread: float = 0.0  # standard deviation between the requests

    @classmethod
    def from_model(cls, tally: Tally) -> Self:
        return cls(requests=tally.requests, mean=tally.mean, spread=tally.spread)

    def to_model(self) -> Tally:
        return Tally(requests=self.requests, mean=self.mean, spread=self.spread)


@stored
class StatementDocument:
    """One normalised statement that an endpoint sent to a database."""

    source: str
    text: str
    calls: TallyDocument
    rows: TallyDocument | None = None
    blocks: TallyDocument | None = None

    @classmethod
    def from_model(cls, statement: Statement) -> Self:
        return cls(
            source=statement.source,
            text=statement.text,
            calls=TallyDocument.from_model(statement.calls),
            rows=TallyDocument.from_model(statement.rows) if statement.rows else None,
            blocks=TallyDocument.from_model(statement.blocks) if statement.blocks else None,
        )

    def to_model(self) -> Statement:
        return Statement(
            source=self.source,
            text=self.text,
            calls=self.calls.to_model(),
            rows=self.rows.to_model() if self.rows else None,
            blocks=self.blocks.to_model() if self.blocks else None,
        )


@stored
class EndpointCountsDocument:
    """What one endpoint made the target do for one request; the counters by "SOURCE/COUNTER"."""

    requests: int
    counters: dict[str, TallyDocument]
    statements: tuple[StatementDocument, ...] = ()

    @classmethod
    def from_model(cls, seen: EndpointCensus) -> Self:
        return cls(
            requests=seen.requests,
            counters={name: TallyDocument.from_model(tally) for name, tally in seen.counters.items()},
            statements=tuple(map(StatementDocument.from_model, seen.statements)),
        )

    def to_model(self) -> EndpointCensus:
        return EndpointCensus(
            requests=self.requests,
            counters={name: tally.to_model() for name, tally in self.counters.items()},
            statements=tuple(statement.to_model() for statement in self.statements),
        )


@stored
class SourceDocument:
    """Where counts came from, or why they could not."""

    name: str
    kind: str
    found: bool
    note: str = ""

    @classmethod
    def from_model(cls, source: CounterSource) -> Self:
        return cls(name=source.name, kind=source.kind, found=source.found, note=source.note)

    def to_model(self) -> CounterSource:
        return CounterSource(name=self.name, kind=self.kind, found=self.found, note=self.note)


@stored
class CountsDocument:
    """One side, counted with one request in flight; `cold` has the first visit of each endpoint."""

    endpoints: dict[str, EndpointCountsDocument]
    cold: dict[str, EndpointCountsDocument] = field(default_factory=dict)
    sources: tuple[SourceDocument, ...] = ()
    unreached: tuple[str, ...] = ()  # endpoints or tasks that were not seen often enough
    seed_digest: str = ""

    @classmethod
    def from_model(cls, census: Census) -> Self:
        return cls(
            endpoints={name: EndpointCountsDocument.from_model(seen) for name, seen in census.endpoints.items()},
            cold={name: EndpointCountsDocument.from_model(seen) for name, seen in census.cold.items()},
            sources=tuple(map(SourceDocument.from_model, census.sources)),
            unreached=census.unreached,
            seed_digest=census.seed_digest,
        )

    def to_model(self) -> Census:
        return Census(
            endpoints={name: seen.to_model() for name, seen in self.endpoints.items()},
            cold={name: seen.to_model() for name, seen in self.cold.items()},
            sources=tuple(source.to_model() for source in self.sources),
            unreached=self.unreached,
            seed_digest=self.seed_digest,
        )


@stored
class CommittedDocument:
    """The `census.json` in the commit of one side, as it was when the run was measured."""

    profile: str
    scenario: str
    load: str  # digest of the locustfile's content
    user_classes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    census: CountsDocument

    @classmethod
    def from_model(cls, committed: CommittedCensus) -> Self:
        return cls(
            profile=committed.profile,
            scenario=committed.scenario,
            load=committed.load,
            user_classes=committed.user_classes,
            tags=committed.tags,
            environment=dict(committed.environment),
            census=CountsDocument.from_model(committed.census),
        )

    def to_model(self) -> CommittedCensus:
        return CommittedCensus(
            profile=self.profile,
            scenario=self.scenario,
            load=self.load,
            user_classes=self.user_classes,
            tags=self.tags,
            environment=self.environment,
            census=self.census.to_model(),
        )
