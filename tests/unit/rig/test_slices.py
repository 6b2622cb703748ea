"""Slices: both sides get the same share of the seconds, in mirrored order; a user's clock stands still in a pause."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.model import Side
from perfci.rig.load import slices
from perfci.rig.load.slices import RAMP_S, timetable
from tests.builders import some_requests

PAUSES = Path(__file__).parents[3] / "perfci/rig/load/inside/perfci_pauses.py"
SECONDS = st.floats(0.5, 60.0)


@given(duration_s=SECONDS, slice_s=SECONDS, first=st.sampled_from(Side))
def test_both_sides_get_the_planned_seconds_and_never_at_once(duration_s: float, slice_s: float, first: Side) -> None:
    """Each side is measured for the whole duration; a window is an open span but for its ramp; no two spans meet."""
    table = timetable(first=first, duration_s=duration_s, slice_s=slice_s, begin_s=1000.0)
    for side in Side:
        assert sum(until - since for since, until in table.windows[side]) == pytest.approx(duration_s)
        for (opened, closed), (since, until) in zip(table.open[side], table.windows[side], strict=True):
            assert since == pytest.approx(opened + RAMP_S)
            assert until == closed
    spans = sorted(span for side in Side for span in table.open[side])
    assert spans[0][0] == 1000.0
    assert [since for since, _ in spans[1:]] == [until for _, until in spans[:-1]]
    assert spans[-1][1] == table.end_s == pytest.approx(1000.0 + slices.length_of(duration_s, slice_s))
    assert table.open[first][0] == spans[0]


def test_the_order_is_mirrored() -> None:
    """A B B A A B B A: the middle of each side's time is the middle of the round, whatever drifts."""
    table = timetable(first=Side.CANDIDATE, duration_s=8.0, slice_s=2.0, begin_s=0.0)
    assert table.slices == 4
    order = sorted((since, side) for side in Side for since, _ in table.windows[side])
    assert [side for _, side in order] == [Side.CANDIDATE, Side.BASE] * 2 + [Side.CANDIDATE]
    lengths = [until - since for side in Side for since, until in table.windows[side]]
    assert lengths == pytest.approx([4.0, 4.0, 2.0, 4.0, 2.0])


def test_what_runs_late_into_the_other_sides_time_is_told() -> None:
    """Requests in flight when the other side's window begins disturb it until they end; later windows are their own."""
    windows = [(10.0, 12.0), (14.0, 16.0)]
    late = some_requests({"GET /": [1500.0, 10.0, 1.0]}, start_s=9.0, every_s=0.1)  # until 10.5, 9.11, 9.201
    assert slices.disturbed(windows, late) == pytest.approx(0.5 / 4.0)
    assert slices.disturbed(windows, some_requests({"GET /": [90.0] * 10}, start_s=9.0, every_s=0.1)) == 0.0
    endless = some_requests({"GET /": [60_000.0]}, start_s=13.5)
    assert slices.disturbed(windows, endless) == pytest.approx(2.0 / 4.0)


@pytest.fixture(scope="module")
def pauses() -> ModuleType:
    """The module that runs inside the generator, by its path."""
    spec = importlib.util.spec_from_file_location("perfci_pauses_under_test", PAUSES)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@given(
    lengths=st.lists(st.tuples(st.floats(0.01, 5.0), st.floats(0.01, 5.0)), max_size=6),
    began=st.floats(-5.0, 60.0),
    seconds=st.floats(0.0, 20.0),
)
def test_a_wait_lasts_its_seconds_of_open_time(
    pauses: ModuleType, lengths: list[tuple[float, float]], began: float, seconds: float
) -> None:
    """The open time between the beginning of a wait and its end is what was asked for; it never ends in a pause."""
    spans, at = [], 0.0
    for pause, length in lengths:
        spans.append((at + pause, at + pause + length))
        at += pause + length
    waits = pauses.Pauses(lambda _: None)
    waits.begin(spans, begin_s=0.0, stop_s=at + 1.0)
    end = waits.after(began, seconds)
    everything = [(-100.0, 0.0), *spans, (at + 1.0, 1e9)]
    opened = sum(max(0.0, min(end, until) - max(began, since)) for since, until in everything)
    assert opened == pytest.approx(seconds, abs=1e-6)
    assert waits.paused(began, end) == pytest.approx(end - began - seconds, abs=1e-6)
    assert any(since <= end < until + 1e-6 for since, until in everything)
    assert waits.clock(end) - waits.clock(began) == pytest.approx(seconds, abs=1e-6)
    assert waits.clock(waits.when(waits.clock(end))) == pytest.approx(waits.clock(end), abs=1e-6)


def test_users_sleep_through_pauses_and_through_the_arrival_of_the_timetable(
    pauses: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits when the timetable comes waits on by it; what was slept beyond the wait is told."""
    clock = [100.0]
    file = tmp_path / "timetable.json"

    def nap(seconds: float) -> None:
        clock[0] += seconds
        if not file.exists():
            file.write_text(json.dumps({"open": [[103.0, 104.0]], "ramp_s": 0.25, "begin_s": 101.0, "stop_s": 110.0}))
            assert waits.wait_for(file) == 110.0

    monkeypatch.setattr(pauses.time, "time", lambda: clock[0])
    waits = pauses.Pauses(nap)
    assert waits.open()
    assert waits.sleep(1.5) == pytest.approx(2.0)  # 1 s until 101, then paused until 103, then 0.5 s
    assert clock[0] == pytest.approx(103.5)
    assert waits.open()
    clock[0] = 104.0
    assert not waits.open()
    assert waits.sleep(0.0) == pytest.approx(6.0)
    assert waits.open()
