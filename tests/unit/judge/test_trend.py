"""What changed along a history: change points, the gate's own test, acceptance, drift, lines that are never joined."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from perfci.judge.policy import DEFAULT
from perfci.judge.trend import events, follow
from perfci.judge.trend.change_points import change_points, compared
from perfci.judge.trend.events import Accepted
from perfci.judge.trend.index import conditions, row_of
from perfci.model import (
    ALL_ENDPOINTS,
    Acceptance,
    Census,
    CommittedCensus,
    EndpointCensus,
    FoundBy,
    HistoryRow,
    Line,
    RoundKind,
    SeriesName,
    Side,
    Tally,
    Trend,
)
from tests.builders import a_counted_run, a_fingerprint, a_gauge, a_machine, a_paired_run, a_plan, a_run, some_rounds

LOAD = SeriesName(kind=RoundKind.LOAD, endpoint="GET /tickets/", metric="trimmed_gmean")
ROWS_READ = SeriesName(kind=RoundKind.CENSUS, endpoint="GET /tickets/", metric="db/statements")

Level = Callable[[int], float]
Machine = Callable[[int], str]


def a_series(steps: dict[int, float], *, runs: int, rng_seed: int, scatter: float = 0.02) -> list[float]:
    """Values around 1 that move by each of *steps* at its position."""
    rng = random.Random(rng_seed)
    level, values = 1.0, []
    for number in range(runs):
        level += steps.get(number, 0.0)
        values.append(round(rng.gauss(level, scatter), 3))
    return values


def some_rows(
    level: Level, *, runs: int, scatter: float = 0.01, name: SeriesName = LOAD, machine: Machine = lambda _: "A"
) -> list[HistoryRow]:
    """One run a day, whose value scatters about *level* of its number."""
    rng = random.Random(5)
    return [
        HistoryRow(
            run=f"run-{number:03d}",
            created_at=f"2026-{1 + number // 28:02d}-{1 + number % 28:02d}T03:00:00Z",
            commit=f"{number:04x}" * 10,
            machine=machine(number),
            machine_id=machine(number),
            conditions=f"under {machine(number)}",
            values={name: level(number) * rng.lognormvariate(0.0, scatter) if scatter else level(number)},
        )
        for number in range(runs)
    ]


def a_trend(rows: Sequence[HistoryRow], *, accepted: Accepted | None = None) -> Trend:
    """The trend of *rows* by the default policy."""
    found = follow.changes(rows, DEFAULT)
    return events.trend(
        rows, found, DEFAULT, accepted=accepted or Accepted(runs={}), name=("tickets", "smoke"), place="here"
    )


def the_line(rows: Sequence[HistoryRow], *, accepted: Accepted | None = None) -> Line:
    """The only line of such a trend."""
    (line,) = a_trend(rows, accepted=accepted).lines
    return line


@pytest.mark.parametrize(
    ("steps", "runs", "rng_seed", "found"),
    [
        ({}, 60, 1, []),
        ({30: 0.1}, 60, 2, [30]),
        ({20: 0.1, 40: -0.1}, 60, 3, [20, 40]),
        ({60: 0.05, 130: 0.08, 170: -0.2}, 220, 4, [60, 130, 170]),  # more than one window
        ({58: 0.1}, 60, 5, [58]),
        ({59: 0.2}, 60, 6, [59]),  # the newest run alone
        ({1: 0.3}, 40, 7, [1]),  # the oldest run alone
    ],
)
def test_change_points_are_those_of_otava(steps: dict[int, float], runs: int, rng_seed: int, found: list[int]) -> None:
    """The positions that Apache Otava 0.8.0 prints for the same values (compute_change_points with its defaults)."""
    assert [split.at for split in change_points(np.array(a_series(steps, runs=runs, rng_seed=rng_seed)))] == found


@given(st.lists(st.floats(-1e6, 1e6), max_size=130))
def test_any_series_has_change_points_in_order_and_inside(values: list[float]) -> None:
    """Whatever the numbers, equal ones included: no error, each between two values, each significant."""
    found = change_points(np.array(values))
    places = [0, *(split.at for split in found), len(values)]
    assert all(left < right for left, right in pairwise(places)) or not found
    assert all(split.p_value < 0.001 for split in found)


@given(st.lists(st.floats(-10, 10), min_size=20, max_size=60), st.floats(-5, 5), st.sampled_from([0.5, 2.0, 4.0]))
def test_change_points_do_not_depend_on_the_unit(values: list[float], shift: float, factor: float) -> None:
    """Values in another unit change at the same runs, as long as no difference is lost in rounding."""
    rounded = np.round(np.array(values), 3)
    expected = [split.at for split in change_points(rounded)]
    assert [split.at for split in change_points(rounded * factor)] == expected


def test_two_stretches_are_compared_by_students_test() -> None:
    """The p-value is that of SciPy; stretches that are alike to the last digit differ for certain, or not at all."""
    first, second = np.array([1.0, 1.1, 0.9, 1.05]), np.array([1.3, 1.2, 1.25])
    assert compared(first, second).p_value == pytest.approx(stats.ttest_ind(first, second).pvalue)
    assert compared(np.ones(3), np.full(1, 2.0)).p_value == 0.0
    assert compared(np.ones(3), np.ones(2)).p_value == 1.0
    assert compared(np.ones(1), np.full(1, 2.0)).p_value == 1.0


def test_a_change_names_its_commit_and_both_tests() -> None:
    """A service that became 20 % slower with the 31st run: the change point and the gate's test tell of one event."""
    (event,) = the_line(some_rows(lambda number: 4.0 if number < 30 else 4.8, runs=60)).events
    assert (event.run, event.commit, event.since) == ("run-030", "001e" * 10, "001d" * 10)
    assert event.found_by == (FoundBy.CHANGE_POINTS, FoundBy.GATE)
    assert event.change.low < 0.2 < event.change.high
    assert (event.worse, event.exceeds_budget, event.accepted) == (True, True, "")
    assert [event.before, event.after] == pytest.approx([4.0, 4.8], rel=0.01)


def test_the_gates_test_tells_a_change_once() -> None:
    """The runs after it are compared with it: twenty slow runs are one alarm, and so is the way back."""
    found = follow.changes(some_rows(lambda number: 4.8 if 20 <= number < 40 else 4.0, runs=60), DEFAULT)
    (line,) = found.lines.values()
    assert [alarm.run for alarm in line.alarms] == ["run-020", "run-040"]


def test_a_service_that_stays_as_it_is_has_no_change_point_and_no_drift() -> None:
    """A year of nights that scatter by 3 %. The gate's test may be wrong in one run of a hundred, as its alpha says."""
    line = the_line(some_rows(lambda _: 4.0, runs=250, scatter=0.03))
    assert [event for event in line.events if FoundBy.CHANGE_POINTS in event.found_by] == []
    assert line.drift is None
    assert len(line.events) <= 0.02 * 250


def test_runs_of_two_machines_are_two_lines() -> None:
    """A machine that is 30 % slower, chosen by chance every night, is no change of the service."""
    rng = random.Random(3)
    chosen = [rng.choice("AB") for _ in range(80)]
    rows = some_rows(lambda number: 4.0 if chosen[number] == "A" else 5.2, runs=80, machine=chosen.__getitem__)
    trend = a_trend(rows)
    assert [(line.name.conditions, len(line.rows)) for line in trend.lines] == [
        ("under A", chosen.count("A")),
        ("under B", chosen.count("B")),
    ]
    assert [line.events for line in trend.lines] == [(), ()]
    assert {each.machine: each.runs for each in trend.conditions} == {"A": chosen.count("A"), "B": chosen.count("B")}


def test_counts_of_all_machines_are_one_line() -> None:
    """Three statements instead of two, on whichever machine: one event, at once, and certain."""
    rows = some_rows(
        lambda number: 2.0 if number < 30 else 3.0,
        runs=31,
        scatter=0.0,
        name=ROWS_READ,
        machine=lambda number: "AB"[number % 2],
    )
    line = the_line(rows)
    assert (line.name.conditions, len(line.rows)) == ("", 31)
    (event,) = line.events
    assert (event.run, event.change.low, event.change.high, event.p_value) == ("run-030", 1.0, 1.0, 0.0)


def test_excluded_runs_belong_to_no_line() -> None:
    """Nights on which the machine was shared say nothing about the service; they are counted."""
    rows = some_rows(lambda number: 9.0 if 20 <= number < 30 else 4.0, runs=60)
    rows[20:30] = [replace(row, excluded="others took 60 % of the processors") for row in rows[20:30]]
    trend = a_trend(rows)
    assert (trend.runs, trend.excluded, len(trend.lines[0].rows)) == (60, 10, 50)
    assert trend.lines[0].events == ()


@pytest.mark.parametrize(
    ("measured", "accepted"),
    [
        ("2026-02-02T12:00:00Z", ""),  # before the change
        ("2026-02-03T03:00:00Z", "baseline run b"),  # the very run that changed
        ("2026-02-20T12:00:00Z", "baseline run b"),
    ],
)
def test_a_change_is_accepted_by_a_baseline_run_that_was_measured_since(measured: str, accepted: str) -> None:
    """Whoever recorded a baseline after the change took it for the level from now on."""
    rows = some_rows(lambda number: 4.0 if number < 30 else 4.8, runs=60)
    (event,) = the_line(rows, accepted=Accepted(runs={measured: "b"})).events
    assert event.accepted == accepted


@pytest.mark.parametrize(("committed", "accepted"), [(3.0, "census.json"), (2.0, "")])
def test_more_work_is_accepted_by_the_committed_counts(committed: float, accepted: str) -> None:
    """`census.json` has the new number, or still the old one."""
    counts = EndpointCensus(requests=5, counters={"db/statements": Tally(requests=5, mean=committed)})
    census = CommittedCensus(
        profile="tickets", scenario="smoke", load="", census=Census(endpoints={"GET /tickets/": counts})
    )
    rows = some_rows(lambda number: 2.0 if number < 30 else 3.0, runs=40, scatter=0.0, name=ROWS_READ)
    (event,) = the_line(rows, accepted=Accepted(runs={}, census=census)).events
    assert event.accepted == accepted


def test_small_changes_add_up_to_a_drift() -> None:
    """Twelve changes of 1 %, each far below the budget of 5 %, are 12 % after half a year."""
    line = the_line(some_rows(lambda number: 4.0 * 1.01 ** (number // 15), runs=190))
    assert not [event for event in line.events if event.exceeds_budget]
    assert line.drift is not None
    assert line.drift.worse
    assert line.drift.change.low < 1.01**12 - 1 < line.drift.change.high
    assert line.drift.since == "run-000"


def test_a_drift_begins_anew_where_a_change_was_told() -> None:
    """A jump of 20 % is an event; that the level is 20 % higher ever since is no drift."""
    assert the_line(some_rows(lambda number: 4.0 if number < 60 else 4.8, runs=120)).drift is None


def test_adding_one_run_after_the_other_finds_what_all_at_once_do() -> None:
    """Whatever is kept between two runs changes nothing; a run that comes late is put in its place."""
    rows = some_rows(lambda number: 4.0 if number < 12 else 4.8, runs=25)
    kept = None
    for number in range(1, len(rows) + 1):
        kept = follow.changes(rows[:number], DEFAULT, kept)
    assert kept == follow.changes(rows, DEFAULT)
    without = follow.changes([*rows[:10], *rows[11:]], DEFAULT)
    assert follow.changes(rows, DEFAULT, without) == kept


def test_a_row_has_what_can_turn_a_verdict_red() -> None:
    """Times of turns and load, throughput of all, shares of failures, counts; of the candidate alone."""
    run = a_paired_run(changes={"census": a_counted_run().census})
    row = row_of(run, DEFAULT, url="https://github.example/run/1")
    assert {(name.kind, name.metric) for name in row.values if name.kind is not RoundKind.CENSUS} == {
        (RoundKind.DUET, "service_time"),
        (RoundKind.DUET, "failure_rate"),
        (RoundKind.LOAD, "trimmed_gmean"),
        (RoundKind.LOAD, "p95"),
        (RoundKind.LOAD, "failure_rate"),
        (RoundKind.LOAD, "throughput"),
    }
    assert {name.endpoint for name in row.values if name.metric == "throughput"} == {ALL_ENDPOINTS}
    assert any(name.kind is RoundKind.CENSUS for name in row.values)
    assert (row.commit, row.url, row.excluded) == (run.commits[Side.CANDIDATE], "https://github.example/run/1", "")


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"machine": a_machine(id="another of the kind", kernel="7.0")}, True),
        ({"machine": a_machine(cores=8)}, False),
        ({"plan": a_plan(users=11)}, False),
        ({"plan": a_plan(digest="other")}, False),
        ({"seed_digest": "other"}, False),
        ({"versions": {"perfci": "9.9", "locust": "9.9"}}, True),
    ],
)
def test_conditions_are_what_forbids_a_comparison(changes: dict[str, object], same: bool) -> None:
    """The digest follows the rows of docs/fingerprint.md that say that times are not compared."""
    other = a_run(fingerprint=a_fingerprint(**changes))
    assert (conditions(other) == conditions(a_run())) is same


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"complete": False}, "the run is not complete"),
        ({"rounds": some_rounds(blocks=4, kinds=(RoundKind.LOAD,), sides=(Side.CANDIDATE,), typical={})}, "request"),
    ],
)
def test_a_run_that_proves_nothing_is_excluded(changes: dict[str, object], reason: str) -> None:
    """With its reason, for whoever wonders where its point is."""
    assert reason in row_of(a_run(**changes), DEFAULT).excluded


def test_a_run_that_others_disturbed_is_excluded() -> None:
    """Half of the processors were somebody else's: its times are no part of a trend."""
    cores = {"machine/cpu": 3.0, "api/cpu": 0.5, "load/cpu": 0.2}
    busy = {name: a_gauge(number, unit="cores") for name, number in cores.items()}
    rounds = tuple(replace(each, gauges=busy) for each in a_run().rounds)
    assert row_of(a_run(rounds=rounds), DEFAULT).excluded == "others took 57 % of the processors"


def an_acceptance(series: str) -> Acceptance:
    """A comment that accepts *series*."""
    return Acceptance(
        series=series,
        commit="0ddba115" * 5,
        by="octo",
        at="2026-02-03T10:00:00Z",
        why="The audit costs it.",
        url="https://github.example/octo/shop/pull/7#issuecomment-1",
    )


@pytest.mark.parametrize(
    ("series", "at", "accepts"),
    [
        (f"{LOAD.endpoint} {LOAD.metric}", 30, True),
        (f"{LOAD.endpoint} service time", 30, True),  # what the gate measured in turns, as its table writes it
        (f"{LOAD.endpoint} service_time", 32, True),  # a change point may be a run or two beside the commit
        (f"{LOAD.endpoint} service time", 40, False),
        (f"{LOAD.endpoint} failure_rate", 30, False),
        ("GET /another/ service time", 30, False),
    ],
)
def test_a_comment_accepts_the_change_that_its_pull_request_brought(series: str, at: int, accepts: bool) -> None:
    """It has to be about the endpoint and its time, and to have come in where the level moved."""
    rows = some_rows(lambda number: 5.0 if number >= 30 else 4.0, runs=60)
    rows[at] = replace(rows[at], acceptances=(an_acceptance(series),))
    (event,) = the_line(rows).events
    said = "octo on 2026-02-03 (“The audit costs it.”): https://github.example/octo/shop/pull/7#issuecomment-1"
    assert event.accepted == (said if accepts else "")


def test_a_comment_accepts_nothing_that_got_faster() -> None:
    """Nobody has to."""
    rows = some_rows(lambda number: 4.0 if number >= 30 else 5.0, runs=60)
    rows[30] = replace(rows[30], acceptances=(an_acceptance(f"{LOAD.endpoint} {LOAD.metric}"),))
    (event,) = the_line(rows).events
    assert event.accepted == ""
