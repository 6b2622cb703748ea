"""What is measured: metrics and series, requests, rounds, and the health of what measured them."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from perfci.model.monitor import Gauge

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


class Quantity(StrEnum):
    """What kind of number a metric is, which says in what units it is kept and shown."""

    TIME = "time"  # kept in ms, shown in µs, ms or s
    RATE = "rate"  # kept and shown in something per second
    SHARE = "share"  # kept between 0 and 1, shown in percent
    SIZE = "size"  # kept in bytes, shown in B, kB or MB
    COUNT = "count"  # shown as it is, with its unit if it has one


class Pooling(StrEnum):
    """How a metric becomes one value over all endpoints, and over the rounds of a side."""

    ENDPOINTS = "endpoints"  # the mean of the logs over the endpoints, of the same weight each, and over the blocks
    REQUESTS = "requests"  # over all endpoints measured from all requests; over the blocks the mean of the logs
    FAILURES = "failures"  # failures and requests are added up, over the endpoints and over the blocks


class Scope(StrEnum):
    """Which series of a metric may change the verdict; the others are advisory, whatever a policy says."""

    ALL = "all"
    TOGETHER = "together"  # that of all endpoints
    EACH = "each"  # those of single endpoints


@dataclass(frozen=True, slots=True)
class Phrases:
    """
    What a metric that became larger or smaller says of an endpoint, to follow its name: "is {change} slower".

    "{change}" stands for the size of the change, "{metric}" for the name of the metric.
    """

    larger: str
    smaller: str


FORMER_METRICS: Mapping[str, str] = MappingProxyType({"trimmed_mean": "trimmed_gmean"})
"""Name of a metric in earlier versions, which is still read in configurations and stored files -> its name now."""

NEUTRAL = Phrases("has {change} more {metric}", "has {change} less {metric}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """Something that can be measured for an endpoint in a round, and all that others need to know of it."""

    name: str
    quantity: Quantity
    unit: str  # "ms", "1/s", "B", or "" for shares and plain counts
    better: Better
    scale: Scale
    portable: bool  # may be compared between different machines
    exact: bool  # a count: identical work gives the identical number
    meaning: str  # one sentence, shown in the documentation and in reports
    phrases: Phrases = field(default=NEUTRAL, compare=False)  # what follows is for the judge alone, and in no result
    pooling: Pooling = field(default=Pooling.ENDPOINTS, compare=False)
    scope: Scope = field(default=Scope.ALL, compare=False)

    def may_count(self, endpoint: str) -> bool:
        """Whether the series of this endpoint may make the verdict a regression."""
        if self.scope is Scope.ALL:
            return True
        return (endpoint == ALL_ENDPOINTS) == (self.scope is Scope.TOGETHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One metric of one endpoint."""

    endpoint: str
    metric: Metric

    @property
    def label(self) -> str:
        """The name by which a user can ask for a series."""
        return f"{self.endpoint} {self.metric.name}"


class RoundKind(StrEnum):
    """How a round measures: under the profile's load, by turns of base and candidate, or by counting work."""

    LOAD = "load"
    DUET = "duet"
    CENSUS = "census"


class Side(StrEnum):
    """The side that a round measured."""

    BASE = "base"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True)
class Lateness:
    """Requests of tasks that were due at a certain time while their users were still busy, as columns."""

    row: "array[int]"  # "I": of the request, from 0
    late_ms: "array[float]"  # "d": from when the task was due until it began
    pace_ms: "array[float]"  # "d": of the user, who left out a start for each of them that passed; 0: none was left out


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """What the headers of an answer say; each in small letters, and empty where they say nothing."""

    content_type: str  # without parameters
    encoding: str  # "gzip"
    protocol: str  # "HTTP/1.1", and ", closed" where the connection is not kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """
    Every request that one side answered in one round, as columns of equal length, in the order of their ends.

    The columns are plain arrays, so that whoever computes can wrap them (`numpy.frombuffer`) without a copy.
    """

    names: tuple[str, ...]  # "GET /tickets/17"
    start_s: "array[float]"  # "d": seconds since the epoch at which the request was sent
    latency_ms: "array[float]"  # "d": until the body had arrived
    endpoint: "array[int]"  # "I": index into names
    failed: "array[int]"  # "B": 1 where Locust or the locustfile called it a failure
    status: "array[int]"  # "H": HTTP status, 0 where there was none
    size: "array[int]"  # "Q": bytes of the body
    form: "array[int]" = field(
        default_factory=lambda: array("B")
    )  # index into forms from 1, 0: not looked at; or empty
    forms: tuple[AnswerForm, ...] = ()
    user: "array[int]" = field(default_factory=lambda: array("I"))  # index into users from 1, 0: no user; or empty
    users: tuple[str, ...] = ()  # the class of each user that sent requests
    lateness: Lateness | None = None  # None: no task was due at a certain time
    endpoints: Mapping[str, str] = field(default_factory=dict)  # name -> its endpoint, where that is another

    def __len__(self) -> int:
        return len(self.start_s)


@dataclass(frozen=True, slots=True)
class Histogram:
    """
    Latencies in milliseconds, counted in the bins of `perfci.histogram`, which makes and reads it.

    One short text, since there may be one for each of a thousand endpoints in hundreds of rounds.
    """

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRound:
    """What one round saw of one endpoint."""

    requests: int
    failures: int
    values: Mapping[str, float]  # metric name -> value, in the metric's unit; absent where it cannot be computed
    standard_errors: Mapping[str, float] = field(default_factory=dict)
    """
    Metric name -> standard error of the value's log, as far as the scatter of these requests among themselves tells:
    the least that two such rounds of the same service differ by. Absent for metrics that have no simple one.
    """
    histogram: Histogram | None = None
    """Of the requests that succeeded. None: not kept, as for all endpoints together, where the others are merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What one round saw in a phase of its load, as the stages of the scenario make them."""

    seconds: float  # length
    endpoints: Mapping[str, EndpointRound]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """
    What one round was answered at one endpoint: how many answers of each kind.

    Sizes and forms are those of the answers that were taken for successes. A size class is 0 for an empty body, else
    1 + floor(4 log2(bytes)): the next one begins 19 % higher. Forms are those of a sample.
    """

    statuses: Mapping[int, int]  # of successes
    failures: Mapping[int, int] = field(default_factory=dict)  # statuses of failures, 0: there was no answer
    sizes: Mapping[int, int] = field(default_factory=dict)  # size class -> answers
    median_bytes: float | None = None
    forms: Mapping[str, int] = field(default_factory=dict)  # "application/json; gzip; HTTP/1.1" -> answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the requests of one name were answered on one side: enough to tell names of one template apart."""

    answers: int
    kinds: frozenset[str]  # "200", "failed with 404"
    bytes_: int = 0  # of all successes together
    successes: int = 0
    smallest: int | None = None  # bytes of the smallest success; None: there was none
    largest: int | None = None

    def __add__(self, other: "Answered") -> "Answered":
        sizes = [size for each in (self, other) for size in (each.smallest, each.largest) if size is not None]
        return Answered(
            answers=self.answers + other.answers,
            kinds=self.kinds | other.kinds,
            bytes_=self.bytes_ + other.bytes_,
            successes=self.successes + other.successes,
            smallest=min(sizes, default=None),
            largest=max(sizes, default=None),
        )


def kind_of_answer(status: int, *, failed: bool) -> str:
    """Describe a kind of answer in words; a *status* of 0 means that no answer came."""
    if not failed:
        return str(status or "success")
    return f"failed with {status}" if status else "failed without an answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """One second of a round, for the charts."""

    at_s: int  # seconds since the round began
    users: int
    requests: int
    failures: int
    p95_ms: float | None  # of the requests that succeeded in this second
    p50_ms: float | None = None  # likewise; None also where it was not kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """All requests that started in one part of a round; the stretches of a round follow one another."""

    at_s: float  # seconds since the round began
    seconds: float  # length
    requests: int
    failures: int
    histogram: Histogram  # of the requests that succeeded


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How the load kept to its schedule in the measured part: starts of tasks that were due at a certain time."""

    due: float
    late: int  # began more than 10 ms after they were due
    missed: float  # never came: the users were busy all the while
    overslept: int  # of the late ones: their user was free, so that the generator was late
    late_s: float  # all that the starts were late, in seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class BusiestUser:
    """The user that got most through in a minute, of those that sent requests in a round."""

    users: int  # that sent requests
    requests: int  # of the busiest in its busiest minute, those that were refused with 429 left out
    seconds: float  # so long is that minute: less than one where the round is shorter
    refused: bool  # whether the last that it sent was refused with 429


@dataclass(frozen=True, slots=True, kw_only=True)
class InStep:
    """Users that always wait equally long, and how much they act at the same time."""

    wait_s: float
    dispersion: float  # of their starts in tenths of the wait: variance over mean; 1 where they are independent


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
    users_kept: int | None = None  # the fewest that ran in the measured part; None: nobody looked
    loop_lag_max_ms: float = 0.0  # the longest that its event loop stood still
    clock_step_s: float = 0.0  # how far the wall clock moved against the monotonic one
    schedule: Schedule | None = None  # None: nothing was due at a certain time
    in_step: InStep | None = None  # the worst of such users; None: there are none
    silent_because: str = ""  # what the users did where no request came to its end; empty: one did, or nobody looked
    cut_off_s: float = 0.0  # the time limit at which perfci itself ended it; 0: it came to its own end
    ended_early: str = ""  # how the locustfile or its users ended the load, so that nothing was measured; empty: no


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    """The system under test during a round."""

    alive: bool
    restarts: int
    note: str = ""  # why it died, the end of its log
    service: str = ""  # that is measured, of a project of several; empty: there is one, or nobody noted it


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
    duration_s: float  # of the measured part; of a round in slices, that of the slices together
    warmup_s: float  # cut off before it
    slices: int = 0  # in which the other side was paused; 0: the side had the round to itself
    endpoints: Mapping[str, EndpointRound]
    phases: Mapping[str, Phase] = field(default_factory=dict)  # by name; empty: the load has no stages
    user_classes: Mapping[str, Mapping[str, EndpointRound]] = field(default_factory=dict)
    """Class of users -> what its requests saw of each endpoint, without quantiles. Empty: not kept."""
    busiest_user: BusiestUser | None = None  # None: nobody noted who sent what
    seconds: tuple[Second, ...] = ()
    stretches: tuple[Stretch, ...] = ()  # empty: not kept
    gauges: Mapping[str, Gauge] = field(default_factory=dict)  # of the target, where it was watched
    generator: GeneratorHealth | None  # None: an imported round, of which nobody noted it; the target's likewise
    target: TargetHealth | None
    errors: Mapping[str, int] = field(default_factory=dict)  # what failed, by message, most frequent first
    answers: Mapping[str, Answers] = field(default_factory=dict)  # by endpoint; empty: not kept

    @property
    def survived(self) -> bool:
        """Whether the target still ran at the end of the round, as far as is known."""
        return self.target is None or self.target.alive
