"""Keeps the readings of one gauge over time, and selects those in measured time."""

import math
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from perfci.model import Gauge
from perfci.quantile import quantile
from perfci.rig.load.recording import Window
from perfci.rig.monitor.source import Reading

MOST_POINTS = 300
DIGITS = 5


@dataclass(slots=True, kw_only=True)
class Track:
    """The readings of one gauge: columns of equal length, in the order of time, in seconds since the epoch."""

    unit: str = ""
    since_s: "array[float]" = field(default_factory=lambda: array("d"))  # of a level: as until_s
    until_s: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    _before: tuple[float, Reading] | None = None

    def take(self, at_s: float, reading: Reading) -> None:
        """Add a *reading*; a total gives a rate from the second on, unless it decreased or its *per* stood still."""
        self.unit = reading.unit
        if reading.per is None:
            self.add(at_s, at_s, reading.value)
            return
        before, self._before = self._before, (at_s, reading)
        if before is None or before[1].per is None:
            return
        increase, per = reading.value - before[1].value, reading.per - before[1].per
        if increase >= 0 and per > 0:
            self.add(before[0], at_s, increase / per)

    def add(self, since_s: float, until_s: float, value: float) -> None:
        """Add a value that holds from *since* to *until*."""
        self.since_s.append(since_s)
        self.until_s.append(until_s)
        self.values.append(value)

    def gauge(self, windows: Sequence[Window]) -> Gauge | None:
        """
        The gauge over the *windows*, which are in order and apart; None where nothing was read in them.

        A value counts if the whole stretch that it tells of lies in one of them: of one that began while the other side
        had its turn, nobody can say what it is made of.
        """
        starts, ends = [since for since, _ in windows], [until for _, until in windows]
        before = [0.0, *accumulate(until - since for since, until in windows)]
        step_s = max(1, math.ceil(math.ceil(before[-1]) / MOST_POINTS))
        sums = [0.0] * math.ceil(before[-1] / step_s)
        counts = [0] * len(sums)
        for since_s, until_s, value in zip(self.since_s, self.until_s, self.values, strict=True):
            number = bisect_right(starts, since_s) - 1
            if number >= 0 and until_s < ends[number]:
                measured_s = before[number] + (since_s + until_s) / 2 - starts[number]
                step = int(measured_s / step_s)
                sums[step] += value
                counts[step] += 1
        return _gauge(
            [total / count if count else None for total, count in zip(sums, counts, strict=True)], step_s, self.unit
        )


def _gauge(means: Sequence[float | None], step_s: int, unit: str) -> Gauge | None:
    points = [None if value is None else _short(value) for value in means]
    known = sorted(value for value in points if value is not None)
    if not known:
        return None
    return Gauge(
        unit=unit,
        mean=_short(math.fsum(known) / len(known)),
        low=known[0],
        high=known[-1],
        p95=_short(quantile(known, 0.95)),
        points=tuple(points),
        step_s=step_s,
    )


def _short(value: float) -> float:
    """Round to the significant digits, since the run's file has a line for each point."""
    return float(f"{value:.{DIGITS}g}")
