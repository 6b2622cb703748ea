"""Requests as columns, and the selection of those that started in measured time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perfci.model import Requests

Floats = npt.NDArray[np.float64]
Window = tuple[float, float]
"""Start and end of measured time, in seconds since the epoch; the end is outside."""


@dataclass(frozen=True, slots=True)
class Table:
    """Requests as columns: plain arrays, since ten million rows in a frame would cost seconds."""

    endpoint: npt.NDArray[np.uint32]
    latency_ms: Floats
    failed: npt.NDArray[np.bool_]
    late_ms: Floats | None = None  # how late each one's task began; None where nothing was due at a certain time
    pace_ms: Floats | None = None  # of its user

    def rows(self, which: Any) -> "Table":
        """Select rows by an index, a slice or a mask."""
        lateness = (None if column is None else column[which] for column in (self.late_ms, self.pace_ms))
        return Table(self.endpoint[which], self.latency_ms[which], self.failed[which], *lateness)

    def by_endpoint(self, names: Sequence[str]) -> "dict[str, Table]":
        """The rows of each endpoint, in their order; an endpoint without a request is absent."""
        small = self.endpoint.astype(np.min_scalar_type(len(names)))  # such integers are sorted in linear time
        together = self.rows(np.argsort(small, kind="stable"))
        counts = np.bincount(self.endpoint, minlength=len(names))
        ends = counts.cumsum()
        parts = zip(names, (ends - counts).tolist(), ends.tolist(), strict=True)
        return {name: together.rows(slice(start, end)) for name, start, end in parts if start < end}


def within(requests: Requests, windows: Sequence[Window]) -> Table:
    """Select the requests that started in one of the *windows*."""
    inside = inside_of(requests, windows)
    columns = (requests.endpoint, requests.latency_ms, requests.failed)
    endpoint, latency_ms, failed = (np.asarray(column)[inside] for column in columns)
    if requests.lateness is None:
        return Table(endpoint, latency_ms, failed != 0)
    late_ms, pace_ms = np.zeros(len(requests)), np.zeros(len(requests))
    late_ms[np.asarray(requests.lateness.row)] = requests.lateness.late_ms
    pace_ms[np.asarray(requests.lateness.row)] = requests.lateness.pace_ms
    return Table(endpoint, latency_ms, failed != 0, late_ms[inside], pace_ms[inside])


def inside_of(requests: Requests, windows: Sequence[Window]) -> npt.NDArray[np.bool_]:
    """Boolean mask of the requests that started in one of the *windows*."""
    start_s = np.asarray(requests.start_s)
    inside = np.zeros(len(start_s), dtype=bool)
    for since, until in windows:
        inside |= (start_s >= since) & (start_s < until)
    return inside
