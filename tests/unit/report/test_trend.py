"""Trends as text and JSON: what changed is told with its commit, and no name is more than a name."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.metrics.registry import METRICS
from perfci.model import (
    Conditions,
    Drift,
    Event,
    FoundBy,
    HistoryRow,
    Interval,
    Line,
    LineName,
    RoundKind,
    SeriesName,
    Trend,
)
from perfci.report import trend_rows
from perfci.report.trend import FORMATS

PLACE = "branch perfci-history of origin"


def an_event(**changes: Any) -> Event:
    """A service that became 20 % slower in November, found by both tests."""
    event = Event(
        run="20261103-030000-f00d",
        created_at="2026-11-03T03:00:00Z",
        commit="f00dfeed" * 5,
        since="0ddba115" * 5,
        url="https://github.example/octo/shop/actions/runs/7",
        before=4.0,
        after=4.8,
        change=Interval(estimate=0.2, low=0.18, high=0.22),
        p_value=1e-9,
        found_by=(FoundBy.CHANGE_POINTS, FoundBy.GATE),
        exceeds_budget=True,
        worse=True,
        accepted="",
    )
    return replace(event, **changes)


def a_line(*values: float, endpoint: str = "GET /tickets/", **changes: Any) -> Line:
    """A line of a series under load, measured under the first conditions of `a_trend`."""
    series = SeriesName(kind=RoundKind.LOAD, endpoint=endpoint, metric="trimmed_gmean")
    rows = tuple(
        HistoryRow(
            run=f"202611{1 + number:02d}-030000-f00d",
            created_at=f"2026-11-{1 + number:02d}T03:00:00Z",
            commit=f"{number:08x}" * 5,
            machine="AMD EPYC 7763, 4 cores",
            machine_id="a",
            conditions="9e10",
            values={series: value},
        )
        for number, value in enumerate(values)
    )
    line = Line(
        name=LineName(series=series, conditions="9e10"),
        metric=METRICS["trimmed_gmean"],
        rows=rows,
        values=values,
        events=(an_event(),),
        drift=None,
        budget=0.05,
    )
    return replace(line, **changes)


def a_drift() -> Drift:
    """Twelve small steps."""
    return Drift(
        before=4.0,
        after=4.5,
        change=Interval(estimate=0.125, low=0.11, high=0.14),
        since="20261101-030000-f00d",
        runs=190,
        steps=11,
        worse=True,
    )


def a_trend(**changes: Any) -> Trend:
    """Five nights on one class of machines, two on another."""
    trend = Trend(
        profile="tickets",
        scenario="smoke",
        place=PLACE,
        runs=8,
        excluded=1,
        first="2026-11-01T03:00:00Z",
        last="2026-11-08T03:00:00Z",
        conditions=(
            Conditions(
                digest="9e10",
                machine="AMD EPYC 7763, 4 cores",
                runs=5,
                first="2026-11-01T03:00:00Z",
                last="2026-11-08T03:00:00Z",
            ),
            Conditions(
                digest="7d9d",
                machine="Intel Xeon 8370C, 4 cores",
                runs=2,
                first="2026-11-02T03:00:00Z",
                last="2026-11-04T03:00:00Z",
            ),
        ),
        lines=(a_line(4.0, 4.0, 4.8, 4.8, 4.8, drift=a_drift()),),
    )
    return replace(trend, **changes)


def test_text_tells_what_changed_by_which_commit() -> None:
    """A reader sees the day, the commits, by how much with its interval, who found it, and that nobody accepted it."""
    text = FORMATS["text"]([a_trend()])
    change = next(line for line in text.splitlines() if line.startswith("2026-11-03"))
    for part in ("f00dfee", "GET /tickets/ trimmed_gmean", "✗ +20 % [+18, +22]", "4 -> 4.8 ms", "both", "nobody"):
        assert part in change
    assert "8 runs from 2026-11-01 to 2026-11-08, in branch perfci-history of origin" in text
    assert "1 run excluded" in text
    assert "▁▁███" in text


def test_text_says_that_machines_are_never_joined() -> None:
    """Each class has a number, by which the tables name it."""
    text = FORMATS["text"]([a_trend()])
    assert "Times of different machines, loads or data are never joined in one line" in text
    assert "1: AMD EPYC 7763, 4 cores: 5 runs" in text
    assert "2: Intel Xeon 8370C, 4 cores: 2 runs" in text


def test_text_tells_a_drift_in_one_sentence() -> None:
    """By how much the level moved, over how many runs, and that no change alone reached the budget."""
    text = " ".join(FORMATS["text"]([a_trend()]).split())
    assert (
        "Drift: GET /tickets/ trimmed_gmean is +12 % [+11, +14] (4 -> 4.5 ms) over 190 runs since"
        " 20261101-030000-f00d, though no change alone reached the budget of 5 %"
    ) in text


def test_text_of_a_quiet_history_says_so() -> None:
    """No empty table."""
    assert "No change was found along any line." in FORMATS["text"]([a_trend(lines=(a_line(4.0, 4.0, events=()),))])


def test_an_accepted_change_names_what_accepted_it() -> None:
    """The run of the baseline, or the committed counts."""
    line = a_line(4.0, 4.8, events=(an_event(accepted="baseline run 20261104-0900"),))
    assert "baseline run" in FORMATS["text"]([a_trend(lines=(line,))])


def test_joined_runs_are_said_to_be_joined() -> None:
    """Counts of all machines are one line, and the reader is told why."""
    series = SeriesName(kind=RoundKind.LOAD, endpoint="GET /", metric="failure_rate")
    line = a_line(0.0, 0.0, events=(), name=LineName(series=series, conditions=""), metric=METRICS["failure_rate"])
    text = FORMATS["text"]([a_trend(lines=(line,))])
    assert "Counts of work and shares of failures hold on every machine: one line joins all runs" in text
    assert "any" in next(row for row in text.splitlines() if row.startswith("GET / failure_rate")).split()


@pytest.mark.parametrize("name", ["\x1b[31mGET /", "::error::x", "##[error]x", "GET /\nGET /b", "\u202eevil"])
def test_a_hostile_name_is_a_name(name: str) -> None:
    """No escape sequence, no workflow command, no line of its own."""
    text = FORMATS["text"]([a_trend(lines=(a_line(4.0, 4.8, endpoint=name),))])
    assert not {"\x1b", "\u202e"} & set(text)
    assert "::error" not in text
    assert "##[" not in text


def test_brackets_are_part_of_a_name() -> None:
    """A template such as [id] is no markup of the library that draws the tables."""
    text = FORMATS["text"]([a_trend(lines=(a_line(4.0, 4.8, endpoint="GET /[id]"),))])
    assert text.count("GET /[id]") == 2


def test_json_has_every_line_with_its_values() -> None:
    """What a program needs to draw the line and to mark its changes."""
    (scenario,) = json.loads(FORMATS["json"]([a_trend()]))["scenarios"]
    (line,) = scenario["lines"]
    assert line["values"] == [4.0, 4.0, 4.8, 4.8, 4.8]
    assert len(line["runs"]) == 5
    assert line["changes"][0]["commit"] == "f00dfeed" * 5
    assert line["changes"][0]["found_by"] == ["change points", "gate"]
    assert line["drift"]["steps"] == 11


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=300))
def test_a_sparkline_is_short_and_rises_with_the_values(values: list[float]) -> None:
    """Any number of runs fits; of sorted values no bar is lower than the one before it."""
    line = trend_rows.sparkline(sorted(values))
    assert 1 <= len(line) <= 40
    assert all(left <= right for left, right in pairwise(line))


JOB = "https://github.example/octo/shop/actions/runs/7"


def test_the_page_links_commits_and_jobs() -> None:
    """A change links the commits since the run before and the job that found it; a line the newest of both."""
    page = FORMATS["html"]([a_trend()])
    compared = f"https://github.example/octo/shop/compare/{'0ddba115' * 5}...{'f00dfeed' * 5}"
    assert f'<a href="{compared}" rel="noreferrer">0ddba11..f00dfee</a>' in page
    assert f'<a href="{JOB}" rel="noreferrer">job</a>' in page
    rows = a_line(4.0).rows
    page = FORMATS["html"]([a_trend(lines=(a_line(4.0, events=(), rows=(replace(rows[0], url=JOB),)),))])
    assert f'<a href="https://github.example/octo/shop/commit/{"00000000" * 5}"' in page


@pytest.mark.usefixtures("pictures")
def test_the_page_has_a_picture_for_each_line_with_its_numbers_in_words() -> None:
    """Who does not see the picture hears how many runs it has, from where to where, and how many changes."""
    page = FORMATS["html"]([a_trend()])
    assert page.count("<svg") == 1
    assert 'aria-label="GET /tickets/ trimmed_gmean, 5 runs from 4 ms to 4.8 ms, changes: 1"' in page
    assert "never joined in one line" in page
    assert "though no change alone reached the budget of 5 %" in page


def test_the_page_asks_nobody_and_runs_nothing() -> None:
    """One file, without a script, whose policy forbids what it does not have."""
    page = FORMATS["html"]([a_trend()])
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert not {part for part in ("src=", "@import", "url(") if part in page}


@pytest.mark.parametrize("url", ["javascript:alert(1)", 'https://a.example/x/y/actions/runs/1"><b>', "ftp://a/b/c", ""])
def test_an_address_that_is_none_is_no_link(url: str) -> None:
    """A row of the history may hold anything: only web addresses become links."""
    page = FORMATS["html"]([a_trend(lines=(a_line(4.0, 4.8, events=(an_event(url=url),)),))])
    assert "<a " not in page
    assert "<b>" not in page


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</svg><b>x</b>"])
def test_a_hostile_name_is_text_on_the_page(name: str) -> None:
    """In tables, captions, names of pictures and the pictures themselves."""
    hostile = an_event(accepted=f"baseline run {name}")
    page = FORMATS["html"]([a_trend(place=name, lines=(a_line(4.0, 4.8, endpoint=name, events=(hostile,)),))])
    assert name not in page
    assert "onerror=alert(1)>" not in page


@pytest.mark.usefixtures("pictures")
def test_a_long_line_is_drawn_with_few_points() -> None:
    """5,000 runs make no larger picture than 240."""
    values = [4.0 + number % 7 for number in range(5000)]
    event = an_event(run="run-1")
    rows = tuple(
        HistoryRow(run=f"run-{number}", created_at="", commit="", machine="", machine_id="", conditions="9e10")
        for number in range(5000)
    )
    line = a_line(values[0], rows=rows, values=tuple(values), events=(event,))
    assert len(FORMATS["html"]([a_trend(lines=(line,))])) < 60_000
