"""
The format of `perfci trend --format json`: every line with its runs and values, its changes, and its drift.

Written from the model field by field, so that a name of the model may change and no program that reads this does.
"""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic_core import to_json

from perfci.model import Conditions, Drift, Event, FoundBy, Interval, Line, RoundKind, Trend
from perfci.schema.stored import Format, Vocabulary, stored

KindWord = Literal["load", "duet", "census"]
KINDS: Vocabulary[RoundKind, KindWord] = Vocabulary(
    {RoundKind.LOAD: "load", RoundKind.DUET: "duet", RoundKind.CENSUS: "census"}
)
TestWord = Literal["change points", "gate"]
TESTS: Vocabulary[FoundBy, TestWord] = Vocabulary({FoundBy.CHANGE_POINTS: "change points", FoundBy.GATE: "gate"})


@stored
class IntervalDocument:
    """An estimate and its confidence interval; relative, or a difference for shares and counts."""

    estimate: float
    low: float
    high: float

    @classmethod
    def from_model(cls, interval: Interval) -> Self:
        return cls(estimate=interval.estimate, low=interval.low, high=interval.high)


@stored
class EventDocument:
    """A change of level: its run and commit, the commit of the run before, and by what it was accepted, if it was."""

    run: str
    created_at: str
    commit: str
    previous_commit: str
    url: str
    before: float
    after: float
    change: IntervalDocument
    p_value: float
    found_by: tuple[TestWord, ...]
    exceeds_budget: bool
    worse: bool
    accepted: str

    @classmethod
    def from_model(cls, event: Event) -> Self:
        return cls(
            run=event.run,
            created_at=event.created_at,
            commit=event.commit,
            previous_commit=event.since,
            url=event.url,
            before=event.before,
            after=event.after,
            change=IntervalDocument.from_model(event.change),
            p_value=event.p_value,
            found_by=tuple(TESTS.word(each) for each in event.found_by),
            exceeds_budget=event.exceeds_budget,
            worse=event.worse,
            accepted=event.accepted,
        )


@stored
class DriftDocument:
    """A level that moved by a budget or more over `runs` runs since the run `since`, in steps that are each smaller."""

    before: float
    after: float
    change: IntervalDocument
    since: str
    runs: int
    steps: int
    worse: bool

    @classmethod
    def from_model(cls, drift: Drift) -> Self:
        return cls(
            before=drift.before,
            after=drift.after,
            change=IntervalDocument.from_model(drift.change),
            since=drift.since,
            runs=drift.runs,
            steps=drift.steps,
            worse=drift.worse,
        )


@stored
class LineDocument:
    """The runs of one series whose values may be compared, oldest first; `conditions` is "" where all runs may be."""

    kind: KindWord
    endpoint: str
    metric: str
    unit: str
    conditions: str
    budget: float
    runs: tuple[str, ...]
    values: tuple[float, ...]
    changes: tuple[EventDocument, ...]
    drift: DriftDocument | None

    @classmethod
    def from_model(cls, line: Line) -> Self:
        return cls(
            kind=KINDS.word(line.name.series.kind),
            endpoint=line.name.series.endpoint,
            metric=line.name.series.metric,
            unit=line.metric.unit,
            conditions=line.name.conditions,
            budget=line.budget,
            runs=tuple(row.run for row in line.rows),
            values=line.values,
            changes=tuple(map(EventDocument.from_model, line.events)),
            drift=DriftDocument.from_model(line.drift) if line.drift else None,
        )


@stored
class ConditionsDocument:
    """Runs whose times may be compared: one class of machines, one load, the same data."""

    digest: str
    machine: str
    runs: int
    first: str
    last: str

    @classmethod
    def from_model(cls, conditions: Conditions) -> Self:
        return cls(
            digest=conditions.digest,
            machine=conditions.machine,
            runs=conditions.runs,
            first=conditions.first,
            last=conditions.last,
        )


@stored
class ScenarioDocument:
    """The history of one scenario."""

    profile: str
    scenario: str
    place: str
    runs: int
    excluded: int
    first: str
    last: str
    conditions: tuple[ConditionsDocument, ...]
    lines: tuple[LineDocument, ...]

    @classmethod
    def from_model(cls, trend: Trend) -> Self:
        return cls(
            profile=trend.profile,
            scenario=trend.scenario,
            place=trend.place,
            runs=trend.runs,
            excluded=trend.excluded,
            first=trend.first,
            last=trend.last,
            conditions=tuple(map(ConditionsDocument.from_model, trend.conditions)),
            lines=tuple(map(LineDocument.from_model, trend.lines)),
        )


@stored
class TrendDocument:
    """Every scenario that was asked for."""

    scenarios: tuple[ScenarioDocument, ...]


FORMAT = Format("trend", TrendDocument, schema=1)


def document(trends: Sequence[Trend]) -> str:
    """All trends as one document."""
    whole = TrendDocument(scenarios=tuple(map(ScenarioDocument.from_model, trends)))
    return to_json(FORMAT.fields(whole), indent=1).decode() + "\n"
