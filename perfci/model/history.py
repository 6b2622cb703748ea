"""What is kept of every run of a scenario for years: one row for each run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from perfci.model.measured import RoundKind


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SeriesName:
    """One metric of one endpoint, in one kind of round: what a line of a trend follows."""

    kind: RoundKind
    endpoint: str
    metric: str  # or a counter, "db/statements"

    def __str__(self) -> str:
        return f"{self.endpoint} {self.metric} ({self.kind})"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One run in the index of a history."""

    run: str  # its id
    created_at: str  # ISO 8601, UTC
    commit: str  # full hash, or "" where it is not known
    machine: str  # its class, for the reader; "" where it is not known
    machine_id: str  # tells two machines of one class apart
    conditions: str  # digest of all that has to be the same before times of two runs are compared
    values: Mapping[SeriesName, float] = field(default_factory=dict)  # of the candidate, in the metric's unit
    url: str = ""  # of the job that measured it
    excluded: str = ""  # why its numbers are part of no line; empty: they are
