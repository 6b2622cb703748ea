"""How well the load kept to its schedule, by the starts that the generator logged (`inside/perfci_pace.py`)."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

from perfci.model import InStep, LoadPlan, Schedule
from perfci.rig.load.log import LogReader

LATE_MS = 10.0
"""A start that is later counts as late: the timers of a healthy generator are more precise."""

FEWEST_STARTS = 40
"""With fewer starts, nothing is said about users that act in step."""


def schedule_of(readers: Iterable[LogReader], windows: Sequence[tuple[float, float]]) -> Schedule | None:
    """Count the starts that were due in the *windows* (in order, seconds since the epoch); None where none was."""
    since = [start_s for start_s, _ in windows]
    due = late = overslept = 0
    missed = late_s = 0.0
    for reader in readers:
        for due_s, late_ms, lost, busy in zip(*reader.starts, strict=True):
            number = bisect_right(since, due_s) - 1
            if number < 0 or due_s >= windows[number][1]:
                continue
            missed += lost
            late_s += max(late_ms, 0.0) / 1e3
            due += late_ms >= 0
            late += late_ms > LATE_MS
            overslept += late_ms > LATE_MS and not busy
    if not due and not missed:
        return None
    return Schedule(due=due + missed, late=late, missed=missed, overslept=overslept, late_s=late_s)


def in_step_of(readers: Iterable[LogReader]) -> InStep | None:
    """The fixed wait whose users act most in step, over all processes; None where too few starts were counted."""
    sums: dict[float, list[int]] = defaultdict(lambda: [0, 0, 0])
    for reader in readers:
        for event in reader.events:
            if event["what"] == "bursts":
                total = sums[float(event["wait_s"])]
                for position, key in enumerate(("bins", "starts", "squares")):
                    total[position] += event[key]
    found = [
        InStep(wait_s=wait_s, dispersion=(squares / bins - (starts / bins) ** 2) / (starts / bins))
        for wait_s, (bins, starts, squares) in sums.items()
        if starts >= FEWEST_STARTS
    ]
    return max(found, key=lambda in_step: in_step.dispersion, default=None)


def phases_of(plan: LoadPlan, start_s: float) -> dict[str, tuple[tuple[float, float], ...]]:
    """When the phases of the load were, from *start_s* on, where its measured part began; by their names."""
    windows: dict[str, list[tuple[float, float]]] = {}
    since = start_s
    for stage in plan.stages:
        until = since + stage.ramp_s + stage.hold_s
        own = windows.setdefault(stage.name, [])
        if own and own[-1][1] == since:
            own[-1] = (own[-1][0], until)
        else:
            own.append((since, until))
        since = until
    return {name: tuple(own) for name, own in windows.items()}
