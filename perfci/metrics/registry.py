"""
The metrics: one function each, entered into one registry by its decorator.

A metric that the requests cannot resolve is absent, never a guess: a 95th percentile of seven requests is a maximum.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from perfci import histogram
from perfci.metrics.columns import Floats, Table, Window, within
from perfci.metrics.responses import responses
from perfci.metrics.turns import NO_TURNS, SHORTEST_MS, Turns, turns_of
from perfci.model import (
    ALL_ENDPOINTS,
    NEUTRAL,
    Better,
    EndpointRound,
    Metric,
    Phrases,
    Pooling,
    Quantity,
    Requests,
    RoundKind,
    Scale,
    Scope,
    Side,
)
from perfci.quantile import quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The requests of one endpoint in one round, as a metric reads them."""

    latencies_ms: Floats  # of the requests that succeeded, the fastest first
    turns: Turns  # of a duet: those that have a partner on the other side
    responses_ms: Floats  # from when they were due, sorted; empty where nothing was due at a certain time
    requests: int
    failures: int
    seconds: float  # length of the round


class Estimate(NamedTuple):
    """A value, and the standard error of its log as far as the scatter among the requests tells."""

    value: float
    standard_error: float


Formula = Callable[[Observed], float | Estimate]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    formula: Formula
    kinds: frozenset[RoundKind]
    successes: int  # needed to resolve it
    sample: str  # what of `Observed` they are counted in
    at_least: tuple[str, ...]  # metrics that need fewer requests, and are never above it


_UNITS = {Quantity.TIME: "ms", Quantity.RATE: "1/s", Quantity.SIZE: "B"}
_PHRASES = {
    Quantity.TIME: Phrases("is {change} slower", "is {change} faster"),
    Quantity.SIZE: Phrases("is {change} larger", "is {change} smaller"),
}
_ENTRIES: dict[str, _Entry] = {}
_METRICS: dict[str, Metric] = {}
METRICS: Mapping[str, Metric] = MappingProxyType(_METRICS)
"""Every metric by its name."""

_TIMED = (RoundKind.DUET, RoundKind.LOAD)


def metric(
    quantity: Quantity = Quantity.TIME,
    *,
    better: Better = Better.LOWER,
    phrases: Phrases | None = None,
    pooling: Pooling = Pooling.ENDPOINTS,
    scope: Scope = Scope.ALL,
    portable: bool = False,
    kinds: tuple[RoundKind, ...] = _TIMED,
    successes: int = 1,
    sample: str = "latencies_ms",
    at_least: tuple[str, ...] = (),
) -> Callable[[Formula], Formula]:
    """
    Enter the decorated function into the registry; its name names the metric, its docstring is the meaning.

    *phrases* are those of the quantity unless given. Values are compared by their ratio, failures by their difference.
    """

    def enter(formula: Formula) -> Formula:
        name = formula.__name__
        _METRICS[name] = Metric(
            name=name,
            quantity=quantity,
            unit=_UNITS.get(quantity, ""),
            better=better,
            scale=Scale.DIFFERENCE if pooling is Pooling.FAILURES else Scale.RATIO,
            portable=portable,
            exact=False,
            meaning=" ".join((formula.__doc__ or "").split()),
            phrases=phrases or _PHRASES.get(quantity, NEUTRAL),
            pooling=pooling,
            scope=scope,
        )
        _ENTRIES[name] = _Entry(
            formula=formula, kinds=frozenset(kinds), successes=successes, sample=sample, at_least=at_least
        )
        return formula

    return enter


@metric(kinds=(RoundKind.DUET,), sample="turns")
def service_time(observed: Observed) -> Estimate:
    """
    Time the service takes for one request when nothing else waits: the geometric mean over the turns,
    without the fifth or more of the comparisons in which the candidate looks best and those in which it looks worst.
    """
    return Estimate(_geometric_mean(observed.turns.latencies_ms), observed.turns.standard_error)


@metric()
def trimmed_gmean(observed: Observed) -> Estimate:
    """
    Geometric mean of the latencies without the fastest and the slowest tenth: what most requests see. A stall of the
    machine is in the slowest tenth, and so is a tail, which the quantiles watch.
    """
    ordered = observed.latencies_ms
    cut = len(ordered) // 10
    logs = _logs(ordered[cut : len(ordered) - cut])
    return Estimate(float(np.exp(logs.mean())), _trimmed_error(logs, cut))


@metric()
def gmean(observed: Observed) -> float:
    """Geometric mean of the latencies: every request weighs by its ratio, so that few slow ones cannot rule it."""
    return _geometric_mean(observed.latencies_ms)


@metric()
def mean(observed: Observed) -> float:
    """Arithmetic mean of the latencies."""
    return float(observed.latencies_ms.mean())


@metric(successes=2)
def p50(observed: Observed) -> float:
    """Half of the requests were faster than this."""
    return quantile(observed.latencies_ms, 0.50)


@metric(successes=20, at_least=("p50",))
def p95(observed: Observed) -> float:
    """95 of 100 requests were faster than this."""
    return quantile(observed.latencies_ms, 0.95)


@metric(successes=100, at_least=("p95", "p50"))
def p99(observed: Observed) -> float:
    """99 of 100 requests were faster than this."""
    return quantile(observed.latencies_ms, 0.99)


@metric(kinds=(RoundKind.LOAD,), successes=2, sample="responses_ms")
def response_p50(observed: Observed) -> float:
    """Half of the responses came sooner than this after they were due: as p50, with the wait for a busy user."""
    return quantile(observed.responses_ms, 0.50)


@metric(kinds=(RoundKind.LOAD,), successes=20, sample="responses_ms", at_least=("response_p50",))
def response_p95(observed: Observed) -> float:
    """95 of 100 responses came sooner than this after they were due: as p95, with the wait for a busy user."""
    return quantile(observed.responses_ms, 0.95)


@metric(kinds=(RoundKind.LOAD,), successes=100, sample="responses_ms", at_least=("response_p95", "response_p50"))
def response_p99(observed: Observed) -> float:
    """99 of 100 responses came sooner than this after they were due: as p99, with the wait for a busy user."""
    return quantile(observed.responses_ms, 0.99)


@metric(
    Quantity.RATE,
    better=Better.HIGHER,
    phrases=Phrases("answers {change} more requests", "answers {change} fewer requests"),
    pooling=Pooling.REQUESTS,
    scope=Scope.TOGETHER,  # that of one endpoint follows the mix of the requests
    kinds=(RoundKind.LOAD,),
    successes=0,
)
def throughput(observed: Observed) -> float:
    """Successful requests per second."""
    return (observed.requests - observed.failures) / observed.seconds


@metric(
    Quantity.SHARE,
    phrases=Phrases("fails more often", "fails less often"),
    pooling=Pooling.FAILURES,
    scope=Scope.EACH,  # those of all endpoints are those of each once more
    portable=True,
    kinds=tuple(RoundKind),
    successes=0,
)
def failure_rate(observed: Observed) -> float:
    """Share of the requests that failed."""
    return observed.failures / observed.requests


def resolving(name: str) -> int:
    """The number of successful requests of an endpoint in a round that the metric needs; 0 for no minimum."""
    return _ENTRIES[name].successes


def at_least(name: str) -> tuple[str, ...]:
    """Metrics that need fewer requests than this one and are never above it, the largest first."""
    return _ENTRIES[name].at_least


def needs_schedule(name: str) -> bool:
    """Whether a metric exists only where tasks are due at certain times."""
    return _ENTRIES[name].sample == "responses_ms"


def kinds(name: str) -> frozenset[RoundKind]:
    """The kinds of round in which the metric is measured."""
    return _ENTRIES[name].kinds


def measure(requests: Requests, *, windows: Sequence[Window]) -> dict[str, EndpointRound]:
    """
    Reduce the requests of a load round that started in one of the *windows* to one value per endpoint and metric.

    The windows are in order and do not overlap: one for a whole round, or one for each slice. There is a line for all
    endpoints together, too. What was asked for in no request is absent.
    """
    table = within(requests, windows)
    length = sum(end_s - start_s for start_s, end_s in windows)
    groups = sorted(table.by_endpoint(requests.names).items())
    measured = {name: _endpoint(group, RoundKind.LOAD, length) for name, group in groups}
    if measured:
        measured[ALL_ENDPOINTS] = replace(_endpoint(table, RoundKind.LOAD, length), histogram=None)
    return measured


def measure_duet(
    requests: Mapping[Side, Requests], *, windows: Mapping[Side, Window], alone: Mapping[Side, Sequence[Window]]
) -> dict[Side, dict[str, EndpointRound]]:
    """
    Reduce the turns of both sides to one value per side, endpoint and metric; a window is (start, end) as in `measure`.

    Requests are compared as `turns_of` does. Trimming by their ratios, not each side by itself, makes the ratio of the
    two service times the trimmed mean of the (logarithmic) ratios; on real turns its variance between blocks was 20 to
    40 % below that of the ratio of two trimmed means.

    What was sent in a turn that failed on one side only, and so is *alone* on both, counts, but has no partner.
    """
    groups = {side: within(requests[side], [windows[side]]).by_endpoint(requests[side].names) for side in Side}
    paired = [
        within(requests[side], _without(windows[side], alone[side])).by_endpoint(requests[side].names) for side in Side
    ]
    turns = {
        endpoint: dict(zip(Side, turns_of(*(table.get(endpoint) for table in paired)), strict=True))
        for endpoint in {name for group in groups.values() for name in group}
    }
    measured: dict[Side, dict[str, EndpointRound]] = {}
    for side in Side:
        start_s, end_s = windows[side]
        measured[side] = {
            endpoint: _endpoint(group, RoundKind.DUET, end_s - start_s, turns=turns[endpoint][side])
            for endpoint, group in sorted(groups[side].items())
        }
    return measured


def _without(window: Window, spans: Sequence[Window]) -> list[Window]:
    """The parts of *window* that lie outside *spans*."""
    ends = [window[0], *(until for _, until in spans)]
    starts = [*(since for since, _ in spans), window[1]]
    cut = [(max(end, window[0]), min(start, window[1])) for end, start in zip(ends, starts, strict=True)]
    return [(since, until) for since, until in cut if since < until]


def _responses(table: Table) -> Floats:
    if table.late_ms is None or table.pace_ms is None:
        return np.empty(0)
    succeeded = ~table.failed
    return responses(table.latency_ms[succeeded], table.late_ms[succeeded], table.pace_ms[succeeded])


def _endpoint(table: Table, kind: RoundKind, length: float, *, turns: Turns = NO_TURNS) -> EndpointRound:
    requests, failures = len(table.failed), int(table.failed.sum())
    latencies_ms = np.sort(table.latency_ms[~table.failed])
    observed = Observed(
        latencies_ms=latencies_ms,
        turns=turns,
        responses_ms=_responses(table),
        requests=requests,
        failures=failures,
        seconds=length,
    )
    found = {
        name: entry.formula(observed)
        for name, entry in _ENTRIES.items()
        if kind in entry.kinds and _resolved(entry, observed)
    }
    return EndpointRound(
        requests=requests,
        failures=failures,
        values={name: value.value if isinstance(value, Estimate) else value for name, value in found.items()},
        standard_errors={name: value.standard_error for name, value in found.items() if isinstance(value, Estimate)},
        histogram=histogram.of(latencies_ms),
    )


def _resolved(entry: _Entry, observed: Observed) -> bool:
    return len(getattr(observed, entry.sample)) >= entry.successes


def _geometric_mean(latencies_ms: Floats) -> float:
    return float(np.exp(_logs(latencies_ms).mean()))


def _logs(latencies_ms: Floats) -> Floats:
    logs = np.maximum(latencies_ms, SHORTEST_MS)
    np.log(logs, out=logs)
    return logs


def _trimmed_error(kept: Floats, cut: int) -> float:
    """
    Standard error of the mean of *kept*, sorted, after *cut* values were left out at each end.

    From the Winsorised variance, as if what was left out had the nearest value that was kept (K. K. Yuen, "The
    two-sample trimmed t for unequal population variances", Biometrika 61, 1974). Of one value nothing is known: zero.
    """
    inside = len(kept)
    if inside < 2:
        return 0.0
    ends = kept[[0, -1]]
    centre = (float(kept.sum()) + cut * float(ends.sum())) / (inside + 2 * cut)
    squares = float(np.square(kept - centre).sum()) + cut * float(np.square(ends - centre).sum())
    return sqrt(squares / (inside * (inside - 1)))
