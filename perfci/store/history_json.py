"""
The files of a history: `history.json` at its top marks it as one, and each line of an index is one run.

Fields are written from the model and turned back into it one by one, so that a renamed field of the model changes no
file; a new field has a default.
"""

from collections.abc import Mapping
from typing import Self

from perfci.model import Acceptance, Alarm, ChangePoint, Changes, Found, HistoryRow, Interval, LineName, SeriesName
from perfci.schema.stored import Format, stored
from perfci.store.run_json.words import KINDS, KindWord

Values = dict[KindWord, dict[str, dict[str, float]]]
"""Kind of round -> endpoint -> metric -> value."""

DIGITS = 6
"""Significant digits of a value: far more than any measurement has."""


@stored
class MarkerDocument:
    """`history.json`: that the files beside it are a history of perfci's."""

    about: str


@stored
class AcceptanceDocument:
    """A series that a comment on a merged pull request accepts, as worse on purpose."""

    series: str
    commit: str
    by: str
    at: str
    why: str
    url: str

    @classmethod
    def from_model(cls, acceptance: Acceptance) -> Self:
        return cls(
            series=acceptance.series,
            commit=acceptance.commit,
            by=acceptance.by,
            at=acceptance.at,
            why=acceptance.why,
            url=acceptance.url,
        )

    def to_model(self) -> Acceptance:
        return Acceptance(series=self.series, commit=self.commit, by=self.by, at=self.at, why=self.why, url=self.url)


@stored
class RowDocument:
    """One run: where and when, what has to be the same before its times are compared, and one value per series."""

    run: str
    created_at: str
    commit: str
    machine: str
    machine_id: str
    conditions: str
    values: Values
    url: str = ""
    excluded: str = ""
    acceptances: tuple[AcceptanceDocument, ...] = ()

    @classmethod
    def from_model(cls, row: HistoryRow) -> Self:
        return cls(
            run=row.run,
            created_at=row.created_at,
            commit=row.commit,
            machine=row.machine,
            machine_id=row.machine_id,
            conditions=row.conditions,
            values=_nested(row.values),
            url=row.url,
            excluded=row.excluded,
            acceptances=tuple(map(AcceptanceDocument.from_model, row.acceptances)),
        )

    def to_model(self) -> HistoryRow:
        return HistoryRow(
            run=self.run,
            created_at=self.created_at,
            commit=self.commit,
            machine=self.machine,
            machine_id=self.machine_id,
            conditions=self.conditions,
            values={
                SeriesName(kind=KINDS.member(kind), endpoint=endpoint, metric=metric): value
                for kind, endpoints in self.values.items()
                for endpoint, metrics in endpoints.items()
                for metric, value in metrics.items()
            },
            url=self.url,
            excluded=self.excluded,
            acceptances=tuple(each.to_model() for each in self.acceptances),
        )


def _nested(values: Mapping[SeriesName, float]) -> Values:
    nested: Values = {}
    for name, value in sorted(values.items()):
        metrics = nested.setdefault(KINDS.word(name.kind), {}).setdefault(name.endpoint, {})
        metrics[name.metric] = float(f"{value:.{DIGITS}g}")
    return nested


@stored
class IntervalDocument:
    """An estimate and its confidence interval; relative, or a difference where the metric is compared by it."""

    estimate: float
    low: float
    high: float

    @classmethod
    def from_model(cls, interval: Interval) -> Self:
        return cls(estimate=interval.estimate, low=interval.low, high=interval.high)

    def to_model(self) -> Interval:
        return Interval(estimate=self.estimate, low=self.low, high=self.high)


@stored
class MoveDocument:
    """A run that is at another level than those before it."""

    run: str
    before: float
    after: float
    change: IntervalDocument
    p_value: float

    @classmethod
    def from_model(cls, move: ChangePoint | Alarm) -> Self:
        return cls(
            run=move.run,
            before=move.before,
            after=move.after,
            change=IntervalDocument.from_model(move.change),
            p_value=move.p_value,
        )

    def to_change_point(self) -> ChangePoint:
        return ChangePoint(
            run=self.run,
            before=self.before,
            after=self.after,
            change=self.change.to_model(),
            p_value=self.p_value,
        )

    def to_alarm(self) -> Alarm:
        return Alarm(
            run=self.run,
            before=self.before,
            after=self.after,
            change=self.change.to_model(),
            p_value=self.p_value,
        )


@stored
class LineDocument:
    """What was found along the runs of one series; `conditions` is "" where runs of any machine are one line."""

    kind: KindWord
    endpoint: str
    metric: str
    conditions: str
    change_points: tuple[MoveDocument, ...]
    alarms: tuple[MoveDocument, ...]


@stored
class ChangesDocument:
    """`changes.json`: what was found when the run `last` was the newest of `rows` runs."""

    rows: int
    last: str
    lines: tuple[LineDocument, ...]

    @classmethod
    def from_model(cls, changes: Changes) -> Self:
        names = sorted(changes.lines, key=lambda name: (name.series, name.conditions))
        return cls(
            rows=changes.rows,
            last=changes.last,
            lines=tuple(
                LineDocument(
                    kind=KINDS.word(name.series.kind),
                    endpoint=name.series.endpoint,
                    metric=name.series.metric,
                    conditions=name.conditions,
                    change_points=tuple(map(MoveDocument.from_model, changes.lines[name].change_points)),
                    alarms=tuple(map(MoveDocument.from_model, changes.lines[name].alarms)),
                )
                for name in names
            ),
        )

    def to_model(self) -> Changes:
        return Changes(
            rows=self.rows,
            last=self.last,
            lines={
                LineName(
                    series=SeriesName(kind=KINDS.member(line.kind), endpoint=line.endpoint, metric=line.metric),
                    conditions=line.conditions,
                ): Found(
                    change_points=tuple(each.to_change_point() for each in line.change_points),
                    alarms=tuple(each.to_alarm() for each in line.alarms),
                )
                for line in self.lines
            },
        )


MARKER = Format("history", MarkerDocument, schema=1)
ROW = Format("row of a history", RowDocument, schema=1)
CHANGES = Format("list of changes", ChangesDocument, schema=1)
