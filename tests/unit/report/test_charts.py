"""What the charts of the HTML report show: the numbers that Vega-Lite is given to draw."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci import histogram
from perfci.judge import judge
from perfci.judge.policy import DEFAULT
from perfci.model import Decision, Interval, Reference, Round, RoundKind, Side
from perfci.report import result_json
from perfci.report.charts import blocks, effects, latencies, timeline
from perfci.report.html_endpoints import LATENCY
from perfci.report.view import View
from tests.builders import (
    a_comparison,
    a_decision,
    a_gauge,
    a_paired_run,
    a_round,
    a_run,
    a_subject,
    an_alert,
    an_outcome,
    an_slo_result,
    some_seconds,
)
from tests.golden.outcomes import counted, failures

Spec = dict[str, Any]


class Drawing:
    """Stands for the library: keeps what it is asked to draw."""

    def __init__(self) -> None:
        self.specs: list[Spec] = []

    def vegalite_to_svg(self, spec: Spec) -> str:
        """Draw nothing."""
        self.specs.append(spec)
        return "<svg></svg>"


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> Drawing:
    """Takes the library's place."""
    found = Drawing()
    monkeypatch.setattr("perfci.report.charts.drawing._library", lambda: found)
    return found


def data(spec: Spec) -> list[dict[str, Any]]:
    """The rows of a chart."""
    rows: list[dict[str, Any]] = spec["data"]["values"]
    return rows


def changed(estimate: float, metric: str = "service_time", **changes: Any) -> Decision:
    """A series that changed so much, by its interval 5 points more or less."""
    change = Interval(estimate=estimate, low=estimate - 0.05, high=estimate + 0.05)
    return a_decision(comparison=a_comparison(metric=metric, change=change, **changes))


def test_effects_are_drawn_in_their_order_for_both_widths(drawing: Drawing) -> None:
    """Row by row, with interval, margin and budget; the narrow picture has the same numbers."""
    decisions = [changed(0.6), changed(0.1), changed(-0.2)]
    (chart,) = effects.forest(decisions)
    wide, narrow = drawing.specs
    assert [row["at"] for row in data(wide)] == [0.6, 0.1, -0.2]
    assert [row["row"] for row in data(wide)] == [0, 1, 2]
    budget = decisions[0].comparison.budget
    first = data(wide)[0]
    assert (first["margin_low"], first["margin_high"], first["budget"]) == (
        -budget.margin,
        budget.margin,
        budget.change,
    )
    assert data(wide) == data(narrow)
    assert "3 series" in chart.name


def test_the_budget_stands_on_the_side_that_is_worse(drawing: Drawing) -> None:
    """Less throughput is worse."""
    effects.forest([changed(-0.05, metric="throughput")])
    assert data(drawing.specs[0])[0]["budget"] < 0


def test_counts_are_drawn_by_their_share(drawing: Drawing) -> None:
    """4 -> 5 is a quarter more; from nothing on, any count is at the edge, and its number is written."""
    effects.forest([counted("db/statements", 4, 5), counted("db/rows", 0, 3)])
    quarter, new = data(drawing.specs[0])
    assert quarter["at"] == pytest.approx(0.25)
    assert new["at"] == drawing.specs[0]["layer"][0]["encoding"]["x"]["scale"]["domain"][1] > quarter["at"]
    assert new["change"] == "+3"


def test_shares_of_failures_have_an_axis_of_their_own(drawing: Drawing) -> None:
    """A difference in points stands beside no percentage."""
    relative, points = effects.forest([changed(0.1), failures()])
    assert (relative.title, points.title) == ("Relative change", "Difference in points")
    assert data(drawing.specs[2])[0]["at"] == pytest.approx(0.0213)


@given(st.lists(st.floats(min_value=-0.99, max_value=1e6), min_size=1, max_size=8))
def test_whatever_changed_stays_within_the_picture(estimates: list[float]) -> None:
    """No mark stands beyond the axis, every tick has room for its label, and zero is one of them."""
    drawing = Drawing()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("perfci.report.charts.drawing._library", lambda: drawing)
        effects.forest([changed(estimate) for estimate in estimates])
    for spec in drawing.specs:
        axis = spec["layer"][0]["encoding"]["x"]
        low, high = axis["scale"]["domain"]
        assert low < 0 < high
        assert all(low <= row[key] <= high for row in data(spec) for key in ("at", "low", "high", "budget"))
        assert 0.0 in axis["axis"]["values"]
        assert all(low <= tick <= high for tick in axis["axis"]["values"])


@given(st.lists(st.floats(min_value=0.01, max_value=1e5), min_size=1, max_size=200))
def test_a_distribution_has_every_request(latencies_ms: list[float]) -> None:
    """The shares of each side add up to one, in few steps, the shortest latency first."""
    drawing = Drawing()
    found = histogram.of(sorted(latencies_ms))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("perfci.report.charts.drawing._library", lambda: drawing)
        latencies.distribution(
            {Side.BASE: found, Side.CANDIDATE: found}, endpoint="GET /", kind=RoundKind.DUET, metric=LATENCY
        )
    (spec,) = drawing.specs
    for side in Side:
        rows = [row for row in data(spec) if row["side"] == side.value]
        assert sum(row["share"] for row in rows) == pytest.approx(1, abs=0.001)
        assert len(rows) <= latencies.MOST_STEPS + 1
        assert [row["from_ms"] for row in rows] == sorted(row["from_ms"] for row in rows)


def test_values_by_block_are_those_of_the_replicates(drawing: Drawing) -> None:
    """Both sides of every block."""
    decision = changed(0.1)
    blocks.by_block(decision)
    shown = [(row["base"], row["candidate"]) for row in data(drawing.specs[0])]
    assert shown == [(each.base, each.candidate) for each in decision.comparison.replicates]


def titled(charts: Iterable[Any], drawing: Drawing) -> dict[str, Spec]:
    """The specifications by the titles of the charts."""
    return {chart.title: spec for chart, spec in zip(charts, drawing.specs, strict=True)}


def load(side: Side = Side.CANDIDATE, **changes: Any) -> Round:
    """A load round of three seconds."""
    return a_round(side=side, duration_s=3.0, seconds=some_seconds(count=3), **changes)


def test_rounds_are_laid_end_to_end(drawing: Drawing) -> None:
    """Both sides of a block at the same place, the next block after them, and no line between two rounds."""
    rounds = [load(side, block=block) for block in (1, 2) for side in Side]
    specs = titled(timeline.under_load(a_run(rounds=tuple(rounds)), an_outcome()), drawing)
    assert {"Users", "Requests per second", "Failures per second", "p50", "p95"} <= specs.keys()
    for side in Side:
        rows = [row for row in data(specs["Users"]) if row["side"] == side.value]
        assert [row["at_s"] for row in rows] == [0, 1, 2, 3, 4, 5]
        assert len({row["round"] for row in rows}) == 2
    (divider,) = [layer for layer in specs["Users"]["layer"] if layer["mark"]["type"] == "rule"]
    assert [row["at_s"] for row in data(divider)] == [3]


def test_a_long_run_has_few_points_and_its_worst_second(drawing: Drawing) -> None:
    """An hour: the mean of the rates, and the highest p95."""
    seconds = [replace(each, p95_ms=900.0) if each.at_s == 1800 else each for each in some_seconds(count=3600)]
    long = a_round(duration_s=3600.0, seconds=tuple(seconds))
    specs = titled(timeline.under_load(a_run(rounds=(long,)), an_outcome()), drawing)
    assert len(data(specs["p95"])) <= timeline.MOST_POINTS
    assert max(row["value"] for row in data(specs["p95"])) == 900.0
    mean = sum(each.requests for each in seconds) / len(seconds)
    assert [row["value"] for row in data(specs["Requests per second"])] == pytest.approx([mean] * 240, rel=0.05)


def test_gauges_that_an_alert_names_come_first(drawing: Drawing) -> None:
    """With the limit as a line, and what was said beside them; seconds that were not read have no point."""
    gauges = {"a": a_gauge(1.0, 2.0, 3.0), "z": a_gauge(0.2, None, 0.9, unit="cores")}
    breached = an_slo_result(held=False, reason="z was above 0.5 cores for 2 s")
    breached = replace(
        breached,
        slo=replace(breached.slo, endpoint="(target)", limit=0.5),
        metric=replace(breached.metric, name="z for 2 s"),
    )
    run = a_run(rounds=(load(gauges=gauges),))
    charts = timeline.under_load(run, an_outcome(slos=(breached,)))
    specs = titled(charts, drawing)
    assert [chart.title for chart in charts[-2:]] == ["z, cores", "a"]
    assert charts[-2].note == "▲ z was above 0.5 cores for 2 s"
    assert charts[-1].note == ""
    assert [row["value"] for row in data(specs["z, cores"])] == [0.2, 0.9]
    limits = [data(layer) for layer in specs["z, cores"]["layer"] if "data" in layer]
    assert limits == [[{"value": 0.5}]]


def test_the_limit_of_an_alert_that_only_warns_is_a_line(drawing: Drawing) -> None:
    """Whether it was raised or not, once for all alerts of one limit; a result keeps it."""
    run = a_run(rounds=(load(gauges={"a": a_gauge(1.0, 2.0, 3.0), "b": a_gauge(1.0)}),))
    alerts = tuple(an_alert(gauge="a", limit=limit, seconds=seconds) for limit in (90.0, 2.5) for seconds in (1.0, 3.0))
    policy = replace(DEFAULT, alerts=alerts)
    outcome = judge(run, baseline=None, policy=policy, subject=a_subject(reference=Reference.LIMITS))
    again = result_json.read(result_json.document(View(outcome=outcome)).encode())
    for shown in (outcome, again):
        drawing.specs.clear()
        specs = titled(timeline.under_load(run, shown), drawing)
        lines = [data(layer) for layer in specs["a"]["layer"] if "data" in layer]
        assert lines == [[{"value": 90.0}, {"value": 2.5}]]
        assert not any("data" in layer for layer in specs["b"]["layer"])


def test_a_run_without_seconds_has_no_timeline(drawing: Drawing) -> None:
    """Imported rounds, and turns alone."""
    run = a_paired_run()
    turns = tuple(each for each in run.rounds if each.kind is RoundKind.DUET)
    assert timeline.under_load(replace(run, rounds=turns), an_outcome()) == []
    assert timeline.phases(replace(run, timings=())) is None
    assert drawing.specs == []
