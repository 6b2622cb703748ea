"""
The values that the rooms hand to each other: frozen, without I/O, standard library only.

Everyone may import this module. A word means the same thing here, in the configuration and in the reports:
a *block* is one start of the system under test, a *round* is one measurement inside a block, a *run* is the
rounds of one job, a *baseline* is a set of accepted runs, a *series* is one metric of one endpoint.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ALL_ENDPOINTS = "(all endpoints)"
"""The endpoint of a headline series: every endpoint weighs the same, so a changed request mix cannot move it."""


class Better(StrEnum):
    """Which way a metric improves."""

    LOWER = "lower"
    HIGHER = "higher"


class Scale(StrEnum):
    """How two values of a metric are compared: by their ratio, or (where zero is normal) by their difference."""

    RATIO = "ratio"
    DIFFERENCE = "difference"


class Role(StrEnum):
    """
    What a series may do to the verdict of the whole.

    A series that *decides* must be settled: while it is inconclusive, so is the whole. A series that *guards* can turn
    the whole red, but not being able to settle it is only reported. A series that *informs* is shown and never counts.
    """

    DECIDES = "decides"
    GUARDS = "guards"
    INFORMS = "informs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """Something that can be measured for an endpoint in a round."""

    name: str
    unit: str  # "ms", "1/s", or "" for a share between 0 and 1
    better: Better
    scale: Scale
    portable: bool  # may be compared between different machines
    exact: bool  # a count: identical work gives the identical number
    meaning: str  # one sentence, shown in the documentation and in reports


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One metric of one endpoint."""

    endpoint: str
    metric: Metric


class RoundKind(StrEnum):
    """How a round measures: under the profile's load, by turns of base and candidate, or by counting work."""

    LOAD = "load"
    DUET = "duet"
    CENSUS = "census"


class Side(StrEnum):
    """Whom a round measured."""

    BASE = "base"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """
    Every request that one side answered in one round, as columns of equal length, in the order of their ends.

    The columns are plain arrays, so that whoever computes can wrap them (`numpy.frombuffer`) without a copy.
    """

    names: tuple[str, ...]  # endpoints, "GET /tickets/"
    start_s: "array[float]"  # "d": seconds since the epoch at which the request was sent
    latency_ms: "array[float]"  # "d": until the body had arrived
    endpoint: "array[int]"  # "I": index into names
    failed: "array[int]"  # "B": 1 where Locust or the locustfile called it a failure
    status: "array[int]"  # "H": HTTP status, 0 where there was none
    size: "array[int]"  # "Q": bytes of the body

    def __len__(self) -> int:
        return len(self.start_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRound:
    """What one round saw of one endpoint."""

    requests: int
    failures: int
    values: Mapping[str, float]  # metric name -> value, in the metric's unit; absent where it cannot be computed


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """One second of a round, for the charts."""

    at_s: int  # seconds since the round began
    users: int
    requests: int
    failures: int
    p95_ms: float | None  # of the requests that succeeded in this second


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorHealth:
    """The load generator's own state during the measured part of a round."""

    cpu_share: float  # of one core, 95th percentile over seconds and processes
    run_delay_share: float  # share of the time in which it wanted to run and had no core (Linux; else 0)
    loop_lag_p99_ms: float  # how late its event loop was
    users_wanted: int
    users_reached: int
    exceptions: int  # exceptions in tasks, outside requests
    complete: bool  # every process closed its record


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    """The system under test during a round."""

    alive: bool
    restarts: int
    note: str = ""  # why it died, the end of its log


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """
    One side of one measurement inside a block.

    A duet measures both sides in one go and so gives two rounds with the same `block` and `number`.
    """

    kind: RoundKind
    side: Side
    block: int
    number: int  # within the block, from 1
    started_at: float  # seconds since the epoch
    duration_s: float  # of the measured part
    warmup_s: float  # cut off before it
    endpoints: Mapping[str, EndpointRound]
    seconds: tuple[Second, ...] = ()
    generator: GeneratorHealth
    target: TargetHealth
    errors: Mapping[str, int] = field(default_factory=dict)  # what failed, by message, most frequent first


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where a run was measured."""

    cpu_model: str
    cores: int
    memory_mb: int
    system: str
    kernel: str
    id: str  # digest that tells two machines of one class apart; never the host's name

    @property
    def machine_class(self) -> tuple[str, int]:
        """Clocks of two runs are compared only within one class."""
        return self.cpu_model, self.cores


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """The load as it was really offered: what a comparison requires to be equal on both sides."""

    locustfile: str
    user_classes: tuple[str, ...]  # empty: all of the file
    tags: tuple[str, ...]
    users: int
    spawn_rate: float
    duration_s: float
    warmup_s: float
    environment: Mapping[str, str]  # variables for the locustfile
    digest: str = ""  # of the locustfile's content


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """Everything that must be known to decide whether two runs may be compared."""

    machine: Machine
    plan: LoadPlan
    seed_digest: str
    target_kind: str
    target: Mapping[Side, str]  # what was started: command, or image digests
    versions: Mapping[str, str]  # perfci, python, locust


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The rounds of one job."""

    id: str
    created_at: str  # ISO 8601, UTC
    profile: str
    scenario: str
    commits: Mapping[Side, str]  # full hash, or "" where there is none
    fingerprint: Fingerprint
    rounds: tuple[Round, ...]
    complete: bool  # every planned round was measured
    incidents: tuple[str, ...] = ()  # what went wrong on the way, for the reader

    @property
    def name(self) -> str:
        """Profile and scenario, as people type them."""
        return f"{self.profile}:{self.scenario}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Accepted runs to compare one run with, newest last."""

    location: str  # where they are stored, for the reader
    runs: tuple[Run, ...]


class Reference(StrEnum):
    """What a candidate is compared with."""

    BASELINE = "baseline"
    REF = "ref"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """An absolute limit on the candidate, judged in every round under load."""

    metric: str
    limit: float  # upper limit where lower is better, else the lower one
    endpoint: str = ALL_ENDPOINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The change that matters, for one kind of round and one metric."""

    role: Role
    change: float  # relative, as a fraction; a share's own difference for metrics of Scale.DIFFERENCE
    margin: float  # a change shown to be within it is "equivalent"
    floor: float = 0.0  # a smaller absolute change, in the metric's unit, is never a regression


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """What the gate is asked to hold."""

    alpha: float  # of the whole family of gating series
    confidence: float  # of the intervals that are shown, and that "equivalent" rests on
    budgets: Mapping[Reference, Mapping[RoundKind, Mapping[str, Budget]]]  # -> metric name -> budget
    slos: tuple[Slo, ...]
    min_requests: int  # of one endpoint in one round, below which its clocks are not compared


class SeriesVerdict(StrEnum):
    """What is claimed of one series."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"
    NOT_COMPARED = "not compared"


class Verdict(StrEnum):
    """What is claimed of the whole, in order of precedence: an earlier one hides the later."""

    INVALID = "invalid"
    REGRESSION = "regression"
    SLO_BREACH = "slo breach"
    NO_BASELINE = "no baseline"
    INCONCLUSIVE = "inconclusive"
    PASS = "pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicate:
    """One block (paired) or one run (baseline) behind a comparison: the values in the metric's unit."""

    label: str  # "block 3", or the id of a run
    base: float | None
    candidate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate and its confidence interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One series, candidate against reference."""

    series: Series
    kind: RoundKind
    budget: Budget
    base: float | None  # typical value, in the metric's unit
    candidate: float | None
    change: Interval | None  # relative (+0.1 is 10 % more) or, for Scale.DIFFERENCE, absolute; None: not compared
    p_worse: float | None  # one-sided, that the candidate is worse
    p_better: float | None
    standard_error: float | None  # of the change, on the log scale for Scale.RATIO
    smallest_detectable: float | None  # the change that would have been found in 8 of 10 such runs
    replicates: tuple[Replicate, ...]
    note: str = ""  # why it was not compared, or a warning


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the gate says of one series, and why, in one sentence with its numbers."""

    comparison: Comparison
    verdict: SeriesVerdict
    p_adjusted: float | None  # p_worse, corrected for the whole family
    reason: str
    further_blocks: int | None = None  # that would settle it, where it is inconclusive


@dataclass(frozen=True, slots=True, kw_only=True)
class SloResult:
    """One SLO over every round of the candidate under load."""

    slo: Slo
    metric: Metric
    rounds: int
    rounds_within: int
    worst: float | None
    held: bool
    reason: str


class Weight(StrEnum):
    """What a finding does to the verdict of the whole."""

    INVALID = "invalid"
    REGRESSION = "regression"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about the measurement that has to be known before its numbers are believed."""

    code: str  # stable, kebab-case
    weight: Weight
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was judged: the part of a report that is not a number."""

    profile: str
    scenario: str
    reference: Reference
    reference_name: str  # "main (1a2b3c4)", "8 runs of baselines/tickets-smoke"
    base_commit: str
    head_commit: str
    machine: str  # one line
    load: str  # one line


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The gate's answer, whole: everything a report may show."""

    verdict: Verdict
    reason: str  # one sentence
    subject: Subject
    decisions: tuple[Decision, ...]  # worst first
    slos: tuple[SloResult, ...]
    findings: tuple[Finding, ...]
    family: int  # number of series that were corrected together
    alpha: float
    further_blocks: int | None = None
