"""
The files of a history: `history.json` at its top marks it as one, and each line of an index is one run.

Fields are written from the model and turned back into it one by one, so that a renamed field of the model changes no
file; a new field has a default.
"""

from collections.abc import Mapping
from typing import Self

from perfci.model import HistoryRow, SeriesName
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
        )


def _nested(values: Mapping[SeriesName, float]) -> Values:
    nested: Values = {}
    for name, value in sorted(values.items()):
        metrics = nested.setdefault(KINDS.word(name.kind), {}).setdefault(name.endpoint, {})
        metrics[name.metric] = float(f"{value:.{DIGITS}g}")
    return nested


MARKER = Format("history", MarkerDocument, schema=1)
ROW = Format("row of a history", RowDocument, schema=1)
