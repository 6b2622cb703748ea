"""Reduces a round to what the requests of each class of users saw, for the limits on one class."""

from collections.abc import Sequence

import numpy as np

from perfci import histogram
from perfci.metrics.columns import Table, Window, inside_of, within
from perfci.model import EndpointRound, Requests


def by_user_class(requests: Requests, *, windows: Sequence[Window]) -> dict[str, dict[str, EndpointRound]]:
    """
    Class of users -> endpoint -> the requests of that class that started in the *windows*.

    Counts, mean and histogram alone: quantiles of any endpoints together are read from the histograms. Empty where
    nobody recorded who sent what.
    """
    if not requests.users:
        return {}
    table, sender = within(requests, windows), np.asarray(requests.user)[inside_of(requests, windows)]
    found = {}
    for number, user in enumerate(requests.users, start=1):
        own = table.rows(np.flatnonzero(sender == number)).by_endpoint(requests.names)
        if own:
            found[user] = {endpoint: _seen(rows) for endpoint, rows in sorted(own.items())}
    return found


def _seen(rows: Table) -> EndpointRound:
    latencies_ms = np.sort(rows.latency_ms[~rows.failed])
    return EndpointRound(
        requests=len(rows.failed),
        failures=int(rows.failed.sum()),
        values={"mean": float(latencies_ms.mean())} if len(latencies_ms) else {},
        histogram=histogram.of(latencies_ms),
    )
