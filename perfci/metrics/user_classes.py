"""Reduces a round to what its users did: the requests of each class, and the minute of the busiest user."""

from collections.abc import Sequence

import numpy as np

from perfci import histogram
from perfci.metrics.columns import Table, Window, inside_of, within
from perfci.model import BusiestUser, EndpointRound, Requests

MINUTE_S = 59.0
REFUSED = 429
"""The status of a request beyond a rate limit (RFC 6585)."""


def by_user_class(requests: Requests, *, windows: Sequence[Window]) -> dict[str, dict[str, EndpointRound]]:
    """
    Class of users -> endpoint -> the requests of that class that started in the *windows*.

    Counts, mean and histogram alone: quantiles of any endpoints together are read from the histograms. Empty where
    nobody recorded who sent what.
    """
    if not requests.users:
        return {}
    table, sender = within(requests, windows), np.asarray(requests.user)[inside_of(requests, windows)]
    classes = np.array(["", *requests.users])
    found = {}
    for name in dict.fromkeys(requests.users):
        own = table.rows(np.flatnonzero((classes == name)[sender])).by_endpoint(requests.names)
        if own:
            found[name] = {endpoint: _seen(rows) for endpoint, rows in sorted(own.items())}
    return found


def busiest_user(requests: Requests, *, windows: Sequence[Window]) -> BusiestUser | None:
    """
    The user with most requests in a minute that were not refused with 429; None where nobody recorded who sent what.

    A service counts requests when they arrive, which is up to a second later than they were sent: a minute is 59 s.
    """
    inside = inside_of(requests, windows) & (np.asarray(requests.user) > 0) if requests.users else np.zeros(0, bool)
    if not inside.any():
        return None
    start_s, sender = np.asarray(requests.start_s)[inside], np.asarray(requests.user)[inside]
    refused = np.asarray(requests.status)[inside] == REFUSED
    order = np.lexsort((start_s, sender))
    borders = np.flatnonzero(np.diff(sender[order])) + 1
    best, last_refused = 0, False
    parts = np.split(order, borders)
    for part in parts:
        passed_s = start_s[part][~refused[part]]
        counts = np.searchsorted(passed_s, passed_s + MINUTE_S) - np.arange(len(passed_s))
        if len(counts) and counts.max() > best:
            best, last_refused = int(counts.max()), bool(refused[part[-1]])
    seconds = min(MINUTE_S, sum(until - since for since, until in windows))
    return BusiestUser(users=len(parts), requests=best, seconds=seconds, refused=last_refused)


def _seen(rows: Table) -> EndpointRound:
    latencies_ms = np.sort(rows.latency_ms[~rows.failed])
    return EndpointRound(
        requests=len(rows.failed),
        failures=int(rows.failed.sum()),
        values={"mean": float(latencies_ms.mean())} if len(latencies_ms) else {},
        histogram=histogram.of(latencies_ms),
    )
