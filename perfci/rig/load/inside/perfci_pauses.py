"""
The open time and the pauses of the users of one side, while both sides are under load in turn.

For a user the clock stands still in a pause. A wait that had 0.3 s to go when the pause began has 0.3 s to go when it
ends, so that users come back as scattered as they went, and not all at once.
"""

import json
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path

POLL_S = 0.02

Span = tuple[float, float]


class Pauses:
    """When users may act: always before the timetable begins and after it stops, in its open spans between."""

    def __init__(self, nap: Callable[[float], object]) -> None:
        """*nap* is the sleep that nobody has patched."""
        self._nap = nap
        self._plan([(-inf, inf)])
        self._ramp_s = 0.0  # at the beginning of each span, not measured

    def _plan(self, spans: Sequence[Span]) -> None:
        self._spans = spans
        self._ends = [until for _, until in spans]
        self.begin_s = self._ends[0]  # when the timetable begins, in seconds since the epoch
        self._clocks = [-inf]  # what the clock shows when a span begins
        shown = self._ends[0]
        for since, until in spans[1:]:
            self._clocks.append(shown)
            shown += until - since
        self._since, self._until = spans[0]  # the span that was open at the last call of `open`

    def begin(self, spans: Sequence[Span], *, begin_s: float, stop_s: float) -> None:
        """From *begin_s* to *stop_s* only the *spans* are open; all in seconds since the epoch, and in order."""
        self._plan([(-inf, begin_s), *spans, (stop_s, inf)])

    def wait_for(self, timetable: Path) -> float:
        """Wait for the file *timetable*, go by it, and return when to stop, in seconds since the epoch."""
        while not timetable.exists():
            self._nap(POLL_S)
        spec = json.loads(timetable.read_text())
        self.begin(spec["open"], begin_s=spec["begin_s"], stop_s=spec["stop_s"])
        self._ramp_s = float(spec["ramp_s"])
        return float(spec["stop_s"])

    def open(self) -> bool:
        """Whether users may act now."""
        now = time.time()
        if not self._since <= now < self._until:
            self._since, self._until = self._spans[bisect_right(self._ends, now)]
        return self._since <= now < self._until

    def after(self, began_s: float, seconds: float) -> float:
        """When *seconds* of open time will have passed since *began_s*; with 0, the first open moment."""
        for since, until in self._spans[bisect_right(self._ends, began_s) :]:
            start = max(since, began_s)
            if start + seconds < until:
                return start + seconds
            seconds -= until - start
        raise AssertionError("the last span never ends")

    def paused(self, began_s: float, end_s: float) -> float:
        """How many of the seconds between were paused."""
        opened = (min(end_s, until) - max(began_s, since) for since, until in self._spans)
        return end_s - began_s - sum(seconds for seconds in opened if seconds > 0)

    def clock(self, now_s: float) -> float:
        """Seconds on a clock that stands still in pauses, and shows the time until the timetable begins."""
        number = bisect_right(self._ends, now_s)
        return now_s if number == 0 else self._clocks[number] + max(0.0, now_s - self._spans[number][0])

    def when(self, clock_s: float) -> float:
        """When `clock` shows *clock_s*, in seconds since the epoch; where a pause is there, its end."""
        number = bisect_right(self._clocks, clock_s) - 1
        return clock_s if number == 0 else self._spans[number][0] + clock_s - self._clocks[number]

    def parts(self, *, measured: bool) -> list[Span]:
        """The *measured* parts of the spans, or the other ones: begin by `clock`, and length in seconds."""
        ramp_s = self._ramp_s
        spans = [(at, until - since) for at, (since, until) in zip(self._clocks[1:], self._spans[1:], strict=True)]
        if measured:
            return [(at + ramp_s, length - ramp_s) for at, length in spans]
        return [(at, ramp_s) for at, _ in spans]

    def sleep(self, seconds: float) -> float:
        """Sleep so many seconds of open time; return the seconds of pauses within."""
        began = time.time()
        end = self.after(began, seconds)
        self._nap(end - began)
        while (end := self.after(began, seconds)) > (now := time.time()):  # the timetable has come meanwhile
            self._nap(end - now)
        return end - began - seconds
