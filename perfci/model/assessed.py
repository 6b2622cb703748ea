"""What a run against limits is worth: analyses, a grade, advice, and whether a system is ready."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from perfci.model.measured import Metric
from perfci.model.reasons import Reason


class Band(StrEnum):
    """How good a value is, by the table of the project's documents."""

    EXCELLENT = "excellent"
    GOOD = "good"
    ACCEPTABLE = "acceptable"
    POOR = "poor"
    FAILING = "failing"  # beyond poor


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One quantity of the whole load, the worst of its rounds, with its bounds; None where a bound is not known."""

    metric: Metric
    value: float | None
    low: float | None
    high: float | None
    evidence: Reason | None = None  # what the value rests on


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What to do, and the limit or finding that asks for it."""

    cause: Reason
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What a service bears, by its breaking point."""

    users: int  # of the last level that held
    per_second: float  # requests that succeeded there
    cores: int | None  # of the machine; None: not known
    broke: bool  # whether a higher level broke; else it may bear more


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The grade of one scenario and what it rests on."""

    grade: str  # "A", "B+", "B", "C+", "C", "D", "F"; empty: too little was measured
    bands: Mapping[str, Band] = field(default_factory=dict)  # "response", "failures", "throughput"
    analyses: tuple[Analysis, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    capacity: Capacity | None = None


class Level(StrEnum):
    """Whether a system may go into production."""

    READY = "ready"
    NEEDS_OPTIMISATION = "needs optimisation"
    NOT_READY = "not ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The level of a system over its scenarios, and why it is no better."""

    level: Level
    reasons: tuple[Reason, ...]
