"""
The format of `census.json`: the accepted work of a request, reviewed like a lock file.

Sorted and rounded, so that it changes only where work did. A line reads as the series is called:
`"GET /tickets/ db/statements": 4`.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from perfci.model import (
    ENOUGH,
    Census,
    CommittedCensus,
    CounterSource,
    EndpointCensus,
    Statement,
    Tally,
)
from perfci.schema import Table
from perfci.schema.stored import Format

LARGEST_COUNT = 2**53

Count = Annotated[float, Field(ge=-LARGEST_COUNT, le=LARGEST_COUNT)]


class VaryingDocument(Table):
    """A counter that is not the same for every request, or was not seen often enough to say so."""

    mean: Count
    spread: float = Field(ge=0)
    requests: int = Field(ge=0, le=LARGEST_COUNT)


Number = Count | VaryingDocument


class StatementDocument(Table):
    """What one statement did for one request."""

    calls: Number
    rows: Number | None = None
    blocks: Number | None = None


class LoadDocument(Table):
    """What was asked for: the same requests, or there is no comparison."""

    locustfile: str  # digest of its content
    user_classes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    environment: dict[str, str] = {}


class CensusDocument(Table):
    """The accepted work of a request, by "ENDPOINT SOURCE/COUNTER"; a plain number is the same in every request."""

    profile: str
    scenario: str
    seed: str  # digest of the data
    load: LoadDocument
    sources: dict[str, tuple[str, ...]]  # name -> kinds
    work: dict[Annotated[str, Field(pattern=r"^[\s\S]+ \S+$")], Number]  # "ENDPOINT SOURCE/COUNTER"
    statements: dict[str, dict[str, dict[str, StatementDocument]]] = {}  # endpoint -> source -> text


def fields_of(census: CommittedCensus) -> dict[str, Any]:
    """The fields of the document of *census*, in the order in which people read them."""
    endpoints = sorted(census.census.endpoints.items())
    kinds: dict[str, set[str]] = {}
    for source in census.census.sources:
        kinds.setdefault(source.name, set()).add(source.kind)
    return {
        "profile": census.profile,
        "scenario": census.scenario,
        "seed": census.census.seed_digest,
        "load": {
            "locustfile": census.load,
            "user_classes": list(census.user_classes),
            "tags": list(census.tags),
            "environment": dict(sorted(census.environment.items())),
        },
        "sources": {name: sorted(kinds[name]) for name in sorted(kinds)},
        "work": {
            f"{name} {counter}": _number(tally)
            for name, seen in endpoints
            for counter, tally in sorted(seen.counters.items())
        },
        "statements": {name: _by_source(seen) for name, seen in endpoints if seen.statements},
    }


def census_of(document: CensusDocument) -> CommittedCensus:
    """The accepted work that *document* holds."""
    counters: dict[str, dict[str, Tally]] = {}
    for label, number in document.work.items():
        endpoint, _, counter = label.rpartition(" ")
        counters.setdefault(endpoint, {})[counter] = _tally(number)
    statements = {name: tuple(_statements(by_source)) for name, by_source in document.statements.items()}
    census = Census(
        endpoints={
            name: EndpointCensus(
                requests=max((tally.requests for tally in counters.get(name, {}).values()), default=ENOUGH),
                counters=counters.get(name, {}),
                statements=statements.get(name, ()),
            )
            for name in sorted(counters.keys() | statements.keys())
        },
        sources=tuple(
            CounterSource(name=name, kind=kind, found=True)
            for name, kinds in sorted(document.sources.items())
            for kind in sorted(kinds)
        ),
        seed_digest=document.seed,
    )
    return CommittedCensus(
        profile=document.profile,
        scenario=document.scenario,
        load=document.load.locustfile,
        user_classes=document.load.user_classes,
        tags=document.load.tags,
        environment=document.load.environment,
        census=census,
    )


def _statements(by_source: Mapping[str, Mapping[str, StatementDocument]]) -> Iterator[Statement]:
    for source, texts in sorted(by_source.items()):
        for text, statement in sorted(texts.items()):
            rows, blocks = (None if number is None else _tally(number) for number in (statement.rows, statement.blocks))
            yield Statement(source=source, text=text, calls=_tally(statement.calls), rows=rows, blocks=blocks)


def _by_source(seen: EndpointCensus) -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for statement in sorted(seen.statements, key=lambda statement: (statement.source, statement.text)):
        numbers = {"calls": statement.calls, "rows": statement.rows, "blocks": statement.blocks}
        known = {name: _number(tally) for name, tally in numbers.items() if tally is not None}
        found.setdefault(statement.source, {})[statement.text] = known
    return found


def _number(tally: Tally) -> float | dict[str, float]:
    """A plain number where it is the same for every request; else as precise as anybody could want."""
    if tally.constant:
        return _rounded(tally.mean)
    return {"mean": _rounded(tally.mean), "spread": _rounded(tally.spread), "requests": tally.requests}


def _rounded(number: float) -> float:
    if number == int(number):
        return int(number)
    return float(f"{number:.6g}")


def _tally(number: Number) -> Tally:
    if isinstance(number, VaryingDocument):
        return Tally(requests=number.requests, mean=number.mean, spread=number.spread)
    return Tally(requests=ENOUGH, mean=number)


FORMAT = Format(name="census", schema=1, document=CensusDocument)
