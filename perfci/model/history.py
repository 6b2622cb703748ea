"""What is kept of every run of a scenario for years, one row for each, and what changed along them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from perfci.model.judged import Acceptance, Interval
from perfci.model.measured import Metric, RoundKind


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
    acceptances: tuple[Acceptance, ...] = ()  # by comments, in what was merged since the run before


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """A run from which on a series is at another level than before."""

    run: str  # the first at the new level
    before: float  # the levels, in the metric's unit
    after: float
    change: Interval  # relative, or a difference where the metric is compared by it
    p_value: float  # two-sided, that both stretches have one level


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A run that differs from the runs before it by the test of the gate, and by a budget or more."""

    run: str
    before: float  # the typical value of the runs before it
    after: float
    change: Interval  # relative
    p_value: float  # corrected for all series of the run


@dataclass(frozen=True, slots=True, kw_only=True)
class LineName:
    """One line of a trend: the runs of a series whose values may be compared."""

    series: SeriesName
    conditions: str  # "" where they do not matter, as for counts and shares: all runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found along one line."""

    change_points: tuple[ChangePoint, ...] = ()
    alarms: tuple[Alarm, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What was found along all lines of a scenario, for the first *rows* runs of its index, of which *last* is one."""

    rows: int
    last: str
    lines: Mapping[LineName, Found]


class FoundBy(StrEnum):
    """The test that found an event."""

    CHANGE_POINTS = "change points"
    GATE = "gate's test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A change along a line, with the commit that brought it."""

    run: str
    created_at: str
    commit: str  # "" where it is not known
    since: str  # commit of the run before on this line: what brought the change is after that one
    url: str
    before: float
    after: float
    change: Interval
    p_value: float
    found_by: tuple[FoundBy, ...]
    exceeds_budget: bool
    worse: bool
    accepted: str  # by what: "baseline run ID", "census.json", a comment; empty: by nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A level that moved by a budget or more, though no single change did."""

    before: float  # typical of the first runs since the last change that reached its budget
    after: float  # typical of the newest runs
    change: Interval
    since: str  # the first of those runs
    runs: int  # between them
    steps: int  # change points among them, each below the budget
    worse: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Runs under which times may be compared: one class of machines, one load, the same data."""

    digest: str
    machine: str  # class, for the reader; "" where it is not known
    runs: int
    first: str  # when the oldest of them was measured
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a trend: its runs and values, oldest first, and what happened along them."""

    name: LineName
    metric: Metric
    rows: tuple[HistoryRow, ...]
    values: tuple[float, ...]
    events: tuple[Event, ...]  # oldest first
    drift: Drift | None
    budget: float  # as the gate has it for the series


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The history of one scenario."""

    profile: str
    scenario: str
    place: str  # where it is kept, for the reader
    runs: int
    excluded: int  # of them: part of no line
    first: str  # when the oldest run was measured; "" without any
    last: str
    conditions: tuple[Conditions, ...]  # in the order of their first run; no line of times joins two of them
    lines: tuple[Line, ...]
