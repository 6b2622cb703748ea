"""
The metrics: one function each, entered into one registry by its decorator.

A metric that the requests cannot resolve is absent, never a guess: a 95th percentile of seven requests is a maximum.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from perfci.model import (
    ALL_ENDPOINTS,
    Better,
    EndpointRound,
    Metric,
    Requests,
    RoundKind,
    Scale,
    Second,
    Side,
)

Floats = npt.NDArray[np.float64]
Window = tuple[float, float]
"""Start and end of measured time, in seconds since the epoch; the end is outside."""

_SHORTEST_MS = 1e-3  # what a clock calls zero; keeps logarithms finite
_TRIMMED = 0.2  # of each end: the pairs of turns that count least


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What one endpoint showed in one round."""

    latencies_ms: Floats  # of the requests that succeeded
    turns_ms: Floats  # of a duet: those of them that have a partner on the other side, the extreme pairs left out
    requests: int
    failures: int
    seconds: float  # length of the round


Formula = Callable[[Observed], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    metric: Metric
    formula: Formula
    kinds: frozenset[RoundKind]
    successes: int  # needed to resolve it


_ENTRIES: dict[str, _Entry] = {}
_TIMED = (RoundKind.DUET, RoundKind.LOAD)


def metric(
    *,
    unit: str = "ms",
    better: Better = Better.LOWER,
    scale: Scale = Scale.RATIO,
    portable: bool = False,
    kinds: tuple[RoundKind, ...] = _TIMED,
    successes: int = 1,
) -> Callable[[Formula], Formula]:
    """Enter the decorated function into the registry; its name names the metric, its docstring is the meaning."""

    def enter(formula: Formula) -> Formula:
        name = formula.__name__
        meaning = " ".join((formula.__doc__ or "").split())
        described = Metric(
            name=name, unit=unit, better=better, scale=scale, portable=portable, exact=False, meaning=meaning
        )
        _ENTRIES[name] = _Entry(metric=described, formula=formula, kinds=frozenset(kinds), successes=successes)
        return formula

    return enter


@metric(kinds=(RoundKind.DUET,))
def service_time(observed: Observed) -> float:
    """
    Time the service takes for one request when nothing else waits: the geometric mean over the turns,
    without the fifth of the pairs in which the candidate looks best and the fifth in which it looks worst.
    """
    return _geometric_mean(observed.turns_ms)


@metric()
def trimmed_mean(observed: Observed) -> float:
    """
    Geometric mean of the latencies without the fastest and the slowest tenth: what most requests see. A stall of the
    machine is in the slowest tenth, and so is a tail, which the quantiles watch.
    """
    cut = len(observed.latencies_ms) // 10
    ordered = np.sort(observed.latencies_ms)
    return _geometric_mean(ordered[cut : len(ordered) - cut])


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
    return float(np.quantile(observed.latencies_ms, 0.50))


@metric(successes=20)
def p95(observed: Observed) -> float:
    """95 of 100 requests were faster than this."""
    return float(np.quantile(observed.latencies_ms, 0.95))


@metric(successes=100)
def p99(observed: Observed) -> float:
    """99 of 100 requests were faster than this."""
    return float(np.quantile(observed.latencies_ms, 0.99))


@metric(unit="1/s", better=Better.HIGHER, kinds=(RoundKind.LOAD,), successes=0)
def throughput(observed: Observed) -> float:
    """Successful requests per second."""
    return (observed.requests - observed.failures) / observed.seconds


@metric(unit="", scale=Scale.DIFFERENCE, portable=True, kinds=tuple(RoundKind), successes=0)
def failure_rate(observed: Observed) -> float:
    """Share of the requests that failed."""
    return observed.failures / observed.requests


METRICS: Mapping[str, Metric] = MappingProxyType({name: entry.metric for name, entry in _ENTRIES.items()})
"""Every metric by its name."""


def resolving(name: str) -> int:
    """How many successful requests of one endpoint in one round the metric needs."""
    return _ENTRIES[name].successes


def kinds(name: str) -> frozenset[RoundKind]:
    """The kinds of round that measure a metric."""
    return _ENTRIES[name].kinds


def measure(requests: Requests, *, windows: Sequence[Window]) -> dict[str, EndpointRound]:
    """
    Reduce the requests of a load round that started in one of the *windows* to one value per endpoint and metric.

    The windows are in order and do not overlap: one for a whole round, or one for each slice. There is a line for all
    endpoints together, too. What was asked for in no request is absent.
    """
    kind = RoundKind.LOAD
    frame = _within(requests, windows)
    length = sum(end_s - start_s for start_s, end_s in windows)
    measured = {
        requests.names[int(str(index))]: _endpoint(group, kind, length) for index, group in frame.groupby("endpoint")
    }
    by_name = dict(sorted(measured.items()))
    if len(frame):
        by_name[ALL_ENDPOINTS] = _endpoint(frame, kind, length)
    return by_name


def measure_duet(
    requests: Mapping[Side, Requests], *, windows: Mapping[Side, Window]
) -> dict[Side, dict[str, EndpointRound]]:
    """
    Reduce the turns of both sides to one value per side, endpoint and metric; a window is (start, end) as in `measure`.

    The k-th request of an endpoint on one side is the partner of the k-th on the other: both drew the same data and
    were sent within milliseconds. Trimming the pairs by their ratio, not each side by itself, makes the ratio of the
    two service times the trimmed mean of the pairs' (logarithmic) ratios; on real turns its variance between blocks
    was 20 to 40 % below that of the ratio of two trimmed means.
    """
    frames = {side: _within(requests[side], [windows[side]]) for side in Side}
    groups = {
        side: {requests[side].names[int(str(index))]: group for index, group in frame.groupby("endpoint")}
        for side, frame in frames.items()
    }
    measured: dict[Side, dict[str, EndpointRound]] = {}
    for side in Side:
        start_s, end_s = windows[side]
        measured[side] = {
            endpoint: _endpoint(group, RoundKind.DUET, end_s - start_s, turns_ms=_turns(groups, side, endpoint))
            for endpoint, group in sorted(groups[side].items())
        }
    return measured


def _turns(groups: Mapping[Side, Mapping[str, pd.DataFrame]], side: Side, endpoint: str) -> Floats:
    """The latencies of *side* in the pairs that count."""
    sides = [groups[each].get(endpoint) for each in Side]
    if any(one is None for one in sides):
        return np.empty(0)
    base, candidate = (one for one in sides if one is not None)
    count = min(len(base), len(candidate))
    both = ~(base["failed"].to_numpy()[:count] | candidate["failed"].to_numpy()[:count])
    pairs = {
        each: np.maximum(frame["latency_ms"].to_numpy(dtype=np.float64)[:count][both], _SHORTEST_MS)
        for each, frame in zip(Side, (base, candidate), strict=True)
    }
    order = np.argsort(np.log(pairs[Side.CANDIDATE] / pairs[Side.BASE]), kind="stable")
    cut = int(_TRIMMED * len(order))
    kept: Floats = pairs[side][order[cut : len(order) - cut]]
    return kept


def seconds(requests: Requests, *, windows: Sequence[Window], users: int) -> tuple[Second, ...]:
    """One line for every second of the *windows*, laid end to end; the silent seconds too."""
    frame = _within(requests, windows)
    by_second = dict(iter(frame.groupby(np.floor(frame["elapsed_s"]).astype(int))))
    empty = frame.iloc[:0]
    length = sum(end_s - start_s for start_s, end_s in windows)
    return tuple(_second(at, users, by_second.get(at, empty)) for at in range(int(np.ceil(length))))


def _within(requests: Requests, windows: Sequence[Window]) -> pd.DataFrame:
    """The requests that started in the *windows*; `elapsed_s` counts measured seconds, without the time between."""
    starts, ends = np.asarray(windows, dtype=np.float64).reshape(-1, 2).T
    start_s = np.asarray(requests.start_s)
    number = np.searchsorted(starts, start_s, side="right") - 1  # -1: before the first
    inside = (number >= 0) & (start_s < ends[number])
    offsets = np.concatenate([[0.0], np.cumsum(ends - starts)])
    columns: dict[str, Any] = {
        "endpoint": np.asarray(requests.endpoint)[inside],
        "elapsed_s": (offsets[number] + start_s - starts[number])[inside],
        "latency_ms": np.asarray(requests.latency_ms)[inside],
        "failed": np.asarray(requests.failed)[inside] != 0,
    }
    return pd.DataFrame(columns)


def _endpoint(frame: pd.DataFrame, kind: RoundKind, length: float, *, turns_ms: Floats | None = None) -> EndpointRound:
    failures = int(frame["failed"].sum())
    observed = Observed(
        latencies_ms=_succeeded(frame),
        turns_ms=np.empty(0) if turns_ms is None else turns_ms,
        requests=len(frame),
        failures=failures,
        seconds=length,
    )
    values = {
        name: entry.formula(observed)
        for name, entry in _ENTRIES.items()
        if kind in entry.kinds and _resolved(entry, observed)
    }
    return EndpointRound(requests=len(frame), failures=failures, values=values)


def _resolved(entry: _Entry, observed: Observed) -> bool:
    counted = observed.turns_ms if entry.formula is service_time else observed.latencies_ms
    return len(counted) >= entry.successes


def _geometric_mean(latencies_ms: Floats) -> float:
    return float(np.exp(np.log(np.maximum(latencies_ms, _SHORTEST_MS)).mean()))


def _second(at: int, users: int, frame: pd.DataFrame) -> Second:
    latencies = _succeeded(frame)
    return Second(
        at_s=at,
        users=users,
        requests=len(frame),
        failures=int(frame["failed"].sum()),
        p95_ms=float(np.quantile(latencies, 0.95)) if len(latencies) else None,
    )


def _succeeded(frame: pd.DataFrame) -> Floats:
    latencies: Floats = frame.loc[~frame["failed"], "latency_ms"].to_numpy(dtype=np.float64)
    return latencies
