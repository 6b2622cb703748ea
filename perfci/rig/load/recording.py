"""What a round recorded of one side, made of the logs of its processes."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perfci.model import GeneratorHealth, LoadPlan, Requests
from perfci.rig.load.log import LogReader, requests_of

Window = tuple[float, float]
"""Start and end of measured time, in seconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one round recorded of one side."""

    requests: Requests
    windows: tuple[Window, ...]  # what is measured: one for a whole round, several where the sides took turns
    warmup_s: float
    users: int
    generator: GeneratorHealth
    errors: Mapping[str, int]
    slices: int = 0  # 0: the side had the round to itself
    disturbed: float = 0.0  # share of the windows that began with requests of the other side still in flight

    @property
    def start_s(self) -> float:
        """Where the measured part begins, seconds since the epoch."""
        return self.windows[0][0]

    @property
    def end_s(self) -> float:
        """Where it ends."""
        return self.windows[-1][1]

    @property
    def measured_s(self) -> float:
        """How long was measured, without the pauses."""
        return sum(end_s - start_s for start_s, end_s in self.windows)


def first(readers: Iterable[LogReader], what: str, **having: object) -> float | None:
    """When the event *what* happened first in any process, seconds since the epoch."""
    times = [
        e["at"]
        for r in readers
        for e in r.events
        if e["what"] == what and all(e.get(k) == v for k, v in having.items())
    ]
    return min(times, default=None)


def record(
    readers: Sequence[LogReader], *, windows: Sequence[Window], plan: LoadPlan | None, warmup_s: float
) -> Recording:
    """The recording of the *windows*; a *plan* says how many users there should have been."""
    health = [e for r in readers for e in r.events if e["what"] == "health" and _within(e, windows)]
    exceptions = [e for r in readers for e in r.events if e["what"] == "exception"]
    errors: Counter[str] = Counter()
    for reader in readers:
        for event in reader.events:
            for endpoint, message, count in event["errors"] if event["what"] == "errors" else ():
                errors[f"{endpoint}: {message}"] += count
    errors.update(f"exception in {e['user']}: {e['message']}" for e in exceptions)
    reached = max((e["users"] for e in health), default=0)
    generator = GeneratorHealth(
        cpu_share=_high([e["cpu_share"] for e in health], 0.95),
        run_delay_share=_high([e["run_delay_share"] for e in health], 0.5),
        loop_lag_p99_ms=_high([lag for e in health for lag in e["lags_ms"]], 0.99),
        users_wanted=plan.users if plan else reached,
        users_reached=reached,
        exceptions=len(exceptions),
        complete=all(reader.complete for reader in readers),
        clock_step_s=max(
            (e["clock_step_s"] for r in readers for e in r.events if "clock_step_s" in e), key=abs, default=0.0
        ),
    )
    return Recording(
        requests=requests_of(readers),
        windows=tuple(windows),
        warmup_s=warmup_s,
        users=reached,
        generator=generator,
        errors=dict(errors.most_common(20)),
    )


def _within(health: Mapping[str, Any], windows: Sequence[Window]) -> bool:
    """Whether this line tells of measured time for the most part: a paused generator is idle."""
    end, seconds = float(health["at"]), float(health["seconds"])
    shared = sum(max(0.0, min(end, until) - max(end - seconds, since)) for since, until in windows)
    return 2 * shared >= min(seconds, max(until - since for since, until in windows))


def _high(values: list[float], share: float) -> float:
    """The value that *share* of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
