"""Reduces a round to what happened when: a record for every second, and longer stretches with their latencies."""

from bisect import bisect_right
from collections.abc import Sequence
from math import isnan

import numpy as np

from perfci import histogram
from perfci.metrics.columns import Floats, Window, inside_of, within
from perfci.model import Requests, Second, Stretch

Counted = Sequence[tuple[float, int]]
"""Users at moments, in seconds since the epoch and in their order."""

STRETCH_S = 5
"""Seconds of a stretch, or so many times as many that a round has MOST_STRETCHES at most."""

MOST_STRETCHES = 240


def seconds(requests: Requests, *, windows: Sequence[Window], users: Counted) -> tuple[Second, ...]:
    """Return a record for every second of the *windows*, joined end to end, seconds without a request included."""
    import pandas as pd

    table = within(requests, windows)
    succeeded = np.where(table.failed, np.nan, table.latency_ms)
    frame = pd.DataFrame({"failed": table.failed, "latency_ms": succeeded})
    elapsed_s, length = _elapsed(requests, windows)
    grouped = frame.groupby(np.floor(elapsed_s).astype(int))
    every = pd.DataFrame(
        {
            "requests": grouped.size(),
            "failures": grouped["failed"].sum(),
            "p50_ms": grouped["latency_ms"].quantile(0.50),
            "p95_ms": grouped["latency_ms"].quantile(0.95),
        },
        index=range(int(np.ceil(length))),
    )
    counts = every[["requests", "failures"]].fillna(0).astype(int)
    columns = [counts["requests"], counts["failures"], every["p50_ms"], every["p95_ms"]]
    there = _users(users, windows, len(every))
    return tuple(
        Second(at_s=at, users=there[at], requests=asked, failures=failed, p50_ms=_known(p50_ms), p95_ms=_known(p95_ms))
        for at, (asked, failed, p50_ms, p95_ms) in enumerate(zip(*(each.tolist() for each in columns), strict=True))
    )


def stretches(requests: Requests, *, windows: Sequence[Window]) -> tuple[Stretch, ...]:
    """The *windows*, joined end to end, in equal stretches; the last one has what is left over, too."""
    table = within(requests, windows)
    elapsed_s, length_s = _elapsed(requests, windows)
    step_s = STRETCH_S * max(1, int(np.ceil(length_s / (STRETCH_S * MOST_STRETCHES))))
    count = max(1, int(length_s // step_s))
    number = np.minimum(elapsed_s // step_s, count - 1)
    found = []
    for at in range(count):
        own = table.rows(number == at)
        until_s = length_s if at == count - 1 else (at + 1) * step_s
        found.append(
            Stretch(
                at_s=float(at * step_s),
                seconds=until_s - at * step_s,
                requests=len(own.failed),
                failures=int(own.failed.sum()),
                histogram=histogram.of(np.sort(own.latency_ms[~own.failed])),
            )
        )
    return tuple(found)


def _users(counted: Counted, windows: Sequence[Window], length: int) -> list[int]:
    """The users of each measured second, as they were counted last before its end; before the first count as then."""
    moments = [at for at, _ in counted]
    found: list[int] = []
    before_s = 0.0  # measured, in the windows before
    for since, until in windows:
        while len(found) < length and len(found) < before_s + until - since:
            number = bisect_right(moments, since + len(found) + 1 - before_s) - 1
            found.append(counted[max(number, 0)][1] if counted else 0)
        before_s += until - since
    return found + [found[-1] if found else 0] * (length - len(found))


def _known(latency_ms: float) -> float | None:
    return None if isnan(latency_ms) else latency_ms


def _elapsed(requests: Requests, windows: Sequence[Window]) -> tuple[Floats, float]:
    """Measured seconds before each request of `within`, without the time between the windows; and all of them."""
    starts, ends = np.asarray(windows, dtype=np.float64).reshape(-1, 2).T
    start_s = np.asarray(requests.start_s)[inside_of(requests, windows)]
    number = np.searchsorted(starts, start_s, side="right") - 1
    before = np.concatenate([[0.0], np.cumsum(ends - starts)])
    elapsed_s: Floats = before[number] + start_s - starts[number]
    return elapsed_s, float(before[-1])
