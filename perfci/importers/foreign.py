"""The content of another tool's result file: single requests if it has them, else one aggregate per endpoint."""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from perfci.model import Requests

LONGEST_MS = 3.2e10
"""A year: no request and no load took longer."""

MOST_REQUESTS = 1e15


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """The summary of one endpoint's requests, as another tool computed it. Times are in milliseconds."""

    name: str
    requests: int | None = None
    failures: int | None = None
    mean_ms: float | None = None
    min_ms: float | None = None
    max_ms: float | None = None
    quantiles_ms: Mapping[float, float] = field(default_factory=dict)  # share (0.95) -> latency
    throughput: float | None = None  # requests per second


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignResult:
    """The content of one file of another tool: either `requests`, or `aggregates`."""

    tool: str  # "Locust", "k6"
    requests: Requests | None = None  # None: the file has aggregates alone
    aggregates: tuple[Aggregate, ...] = ()
    whole: Aggregate | None = None  # all endpoints together, where the tool itself says so
    duration_s: float | None = None  # of the load; None: the file does not say
    started_at: float | None = None  # in seconds since the epoch
    users: int | None = None
    notes: tuple[str, ...] = ()  # what the file does not tell, or tells in another way, for the reader

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The names of all endpoints."""
        return (
            self.requests.names if self.requests is not None else tuple(aggregate.name for aggregate in self.aggregates)
        )


def checked(result: ForeignResult) -> ForeignResult:
    """*result*, if no tool could have measured anything else; ValueError for impossible numbers of its aggregates."""
    for found in (*result.aggregates, *([result.whole] if result.whole is not None else [])):
        times = (found.mean_ms, found.min_ms, found.max_ms, *found.quantiles_ms.values())
        counts = (found.requests, found.failures)
        for value, most in (
            *((time, LONGEST_MS) for time in times),
            *((number, MOST_REQUESTS) for number in counts),
            (found.throughput, MOST_REQUESTS),
            *((share, 1.0) for share in found.quantiles_ms),
        ):
            if value is not None and not 0 <= value <= most:
                raise ValueError(f"{found.name[:80]!r} has the impossible number {value:g}")
        if (found.failures or 0) > (found.requests if found.requests is not None else MOST_REQUESTS):
            raise ValueError(f"{found.name[:80]!r} has {found.failures} failures of {found.requests} requests")
    if not 0 <= (result.duration_s or 0.0) <= LONGEST_MS / 1000:
        raise ValueError(f"its load lasted {result.duration_s:g} s")
    return result


@dataclass(frozen=True, slots=True)
class Sample:
    """One request of a file that lists them."""

    name: str
    start_s: float  # since the epoch, or since the beginning of the load
    latency_ms: float
    failed: bool = False
    status: int = 0  # of HTTP; 0: there was none, or the file does not say
    size: int = 0  # bytes of the body


def requests_of(samples: Iterable[Sample]) -> Requests:
    """The *samples* as columns, ordered by their ends; ValueError for none, or for impossible numbers."""
    ordered = sorted(samples, key=lambda sample: sample.start_s + sample.latency_ms / 1000)
    if not ordered:
        raise ValueError("it holds no request")
    for sample in ordered:
        if not (0 <= sample.latency_ms <= LONGEST_MS and abs(sample.start_s) < float("inf") and sample.size >= 0):
            raise ValueError(f"{sample.name[:80]!r} has a request that took {sample.latency_ms} ms")
    names = {name: number for number, name in enumerate(sorted({sample.name for sample in ordered}))}
    return Requests(
        names=tuple(names),
        start_s=array("d", [sample.start_s for sample in ordered]),
        latency_ms=array("d", [sample.latency_ms for sample in ordered]),
        endpoint=array("I", [names[sample.name] for sample in ordered]),
        failed=array("B", [sample.failed for sample in ordered]),
        status=array("H", [sample.status if 0 <= sample.status < 1 << 16 else 0 for sample in ordered]),
        size=array("Q", [sample.size for sample in ordered]),
    )
