"""
The timetable of a round that both sides share: who is under load when, and what of it is measured.

A slice is the part of such a round between two switches. Each side has its own users; those of the other side are
paused meanwhile. The order is A B B A, so that a drift of the machine meets both sides alike; two slices of a side that
follow one another have no switch between them.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perfci.model import Requests, Side
from perfci.rig.load.recording import Window

RAMP_S = 0.25
"""Not measured after a switch: what the other side left in flight ends, and the users come back one by one."""

DISTURBED = 0.05
"""A larger share of a side's time that late requests of the other side disturb is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """When each side is under load, and which parts are measured, in seconds since the epoch."""

    open: Mapping[Side, tuple[Window, ...]]
    windows: Mapping[Side, tuple[Window, ...]]
    slices: int  # per side
    begin_s: float
    end_s: float


def timetable(*, first: Side, duration_s: float, slice_s: float, begin_s: float) -> Timetable:
    """Divide *duration_s* of measured time for each side into slices of about *slice_s*, from *begin_s* on."""
    slices = slices_of(duration_s, slice_s)
    length = duration_s / slices
    second = next(side for side in Side if side is not first)
    open_: dict[Side, list[Window]] = {side: [] for side in Side}
    windows: dict[Side, list[Window]] = {side: [] for side in Side}
    at = begin_s
    for side, count in _runs(first, second, slices):
        measured = at + RAMP_S
        until = measured + count * length
        open_[side].append((at, until))
        windows[side].append((measured, until))
        at = until
    return Timetable(
        open={side: tuple(found) for side, found in open_.items()},
        windows={side: tuple(found) for side, found in windows.items()},
        slices=slices,
        begin_s=begin_s,
        end_s=at,
    )


def slices_of(duration_s: float, slice_s: float) -> int:
    """How many slices each side gets: at least two, so that the order can be mirrored."""
    return max(2, round(duration_s / slice_s))


def length_of(duration_s: float, slice_s: float) -> float:
    """The seconds that a round of both sides takes, from the first switch to the end."""
    return timetable(first=Side.BASE, duration_s=duration_s, slice_s=slice_s, begin_s=0.0).end_s


def disturbed(windows: Sequence[Window], other: Requests) -> float:
    """The share of the *windows* that began while requests of the *other* side were still in flight."""
    starts = [start_s for start_s, _ in windows]
    late = [0.0] * len(windows)
    for start_s, latency_ms in zip(other.start_s, other.latency_ms, strict=True):
        end_s = start_s + max(latency_ms, 0.0) / 1e3
        number = bisect_right(starts, end_s) - 1
        if number >= 0 and start_s < windows[number][1]:
            since, until = windows[number]
            late[number] = max(late[number], min(end_s, until) - since)
    return sum(late) / sum(until - since for since, until in windows)


def notes(share: float) -> tuple[str, ...]:
    """The note for a report about the *share* of a side's time that `disturbed` returned."""
    if share <= DISTURBED:
        return ()
    message = f"late requests of the other side ran into {100 * share:.0f} % of its time"
    return (f"{message}: a longer `slice`, or 0, keeps them apart",)


def _runs(first: Side, second: Side, slices: int) -> Sequence[tuple[Side, int]]:
    """Side and number of slices, one after the other: A BB AA BB ... with a single slice at both ends."""
    order = [side for pair in range(slices) for side in ((first, second) if pair % 2 == 0 else (second, first))]
    runs: list[tuple[Side, int]] = []
    for side in order:
        if runs and runs[-1][0] is side:
            runs[-1] = (side, runs[-1][1] + 1)
        else:
            runs.append((side, 1))
    return runs
