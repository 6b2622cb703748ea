"""Numbers are scaled, rounded and signed in one way."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from perfci.judge.census.counters import metric_of
from perfci.model import Better, Decision, Interval, Metric, Quantity, Reference, Series, SeriesVerdict, Verdict
from perfci.report import render, rows, terminal
from perfci.report.sensitivity import sensitivity
from perfci.sentences.limits import FewRequests
from tests.builders import a_comparison, a_decision, a_metric, a_regression, an_outcome, an_slo_result

MS = a_metric("p95")
SHARE = a_metric("failure_rate")
RATE = a_metric("throughput")
COUNTED = metric_of("db/rows")
COUNT = a_metric("sql_statements", quantity=Quantity.COUNT, unit="", exact=True, portable=True)


@pytest.mark.parametrize(
    ("numbers", "metric", "texts"),
    [
        ((4.1, 6.6), MS, ("4.1 ms", "6.6 ms")),
        ((4.104, 4.116), MS, ("4.1 ms", "4.12 ms")),
        ((412.4, 1520.0), MS, ("0.412 s", "1.52 s")),
        ((0.04, 0.0512), MS, ("40 µs", "51.2 µs")),
        ((0.0, 0.0), MS, ("0 ms", "0 ms")),
        ((100.0, 200.0), MS, ("100 ms", "200 ms")),
        ((0.003, 0.0), SHARE, ("0.3 %", "0 %")),
        ((1234.5,), RATE, ("1,234 /s",)),
        ((4.0, 23.0), COUNT, ("4", "23")),
        ((None, math.nan, math.inf), MS, ("-", "-", "-")),
    ],
)
def test_values(numbers: tuple[float | None, ...], metric: Metric, texts: tuple[str, ...]) -> None:
    """Values of one series share a unit and have three digits that mean something."""
    assert rows.values(numbers, metric) == texts


@pytest.mark.parametrize(
    ("estimate", "low", "high", "metric", "text"),
    [
        (0.61, 0.58, 0.64, MS, "+61 % [+58, +64]"),
        (0.0024, -0.004, 0.0088, MS, "+0.2 % [-0.4, +0.9]"),
        (0.031, -0.09, 0.16, MS, "+3 % [-9, +16]"),
        (-0.507, -0.52, -0.49, MS, "-51 % [-52, -49]"),
        (-0.0001, -0.0101, 0.0, MS, "0.0 % [-1.0, 0.0]"),
        (19.0, 19.0, 19.0, MS, "+1,900 %"),
        (0.5, -math.inf, math.inf, MS, "+50 % [-∞, +∞]"),
        (0.0213, 0.0152, 0.0291, SHARE, "+2.1 points [+1.5, +2.9]"),
        (
            19.0,
            19.0,
            19.0,
            replace(COUNTED, unit="rows"),
            "+19 rows (+463 %)",
        ),
        (
            1.0,
            1.0,
            1.0,
            COUNTED,
            "+1 (+24 %)",
        ),
        (
            18.9,
            2.1,
            35.6,
            COUNTED,
            "+19 [+2, +36] (+461 %)",
        ),
        (math.inf, 0.0, math.inf, MS, "-"),
        (math.nan, 0.0, 1.0, MS, "-"),
    ],
)
def test_change(estimate: float, low: float, high: float, metric: Metric, text: str) -> None:
    """A change is signed and carries its interval in the same precision; counts have none."""
    series = Series(endpoint="GET /", metric=metric)
    change = Interval(estimate=estimate, low=low, high=high)
    assert rows.change(a_comparison(series=series, change=change)) == text


@given(st.floats(), st.floats(), st.floats(), st.sampled_from([MS, SHARE, RATE, COUNT]))
@example(1.7e308, 1.7e308, 1.7e308, SHARE)
@example(5e-324, 5e-324, 5e-324, MS)
@example(-1.7e308, -math.inf, math.nan, MS)
def test_any_number_can_be_shown(first: float, second: float, third: float, metric: Metric) -> None:
    """No number makes a report fail, and none is shown as NaN."""
    comparison = a_comparison(
        series=Series(endpoint="GET /", metric=metric),
        base=first,
        candidate=second,
        change=Interval(estimate=first, low=second, high=third),
        smallest_detectable=third,
    )
    shown = rows.row(a_decision(comparison=comparison))
    texts = (shown.base, shown.candidate, shown.change, rows.size(third, metric), rows.probability(first))
    assert not any("nan" in text.lower() or "inf" in text.lower() for text in texts)


@pytest.mark.parametrize(("better", "limit"), [(Better.LOWER, "≤ 200 ms"), (Better.HIGHER, "≥ 200 ms")])
def test_slo_direction(better: Better, limit: str) -> None:
    """A limit is shown in the direction of its metric, and in its own unit whatever the worst value was."""
    shown = rows.slo_row(an_slo_result(metric=a_metric("p95", better=better), worst=1320.0))
    assert (shown.limit, shown.worst, shown.rounds) == (limit, "1.32 s", "8/8")


def test_sensitivity() -> None:
    """The least certain endpoint decides; one that could have seen nothing useful is not counted in."""
    sizes = {"GET /a": 0.013, "GET /b": 0.2, "GET /c": None, "GET /d": 40.0}
    comparisons = [a_comparison(endpoint=name, smallest_detectable=size) for name, size in sizes.items()]
    decisions = tuple(a_decision(comparison=each) for each in comparisons)
    text = "a slowdown of 20 % or more in 2 of 4 endpoints would have been red in 8 of 10 such runs"
    assert sensitivity(an_outcome(decisions=decisions)) == text
    text = "a slowdown of 20 % or more in any endpoint would have been red in 8 of 10 such runs"
    assert sensitivity(an_outcome(decisions=decisions[:2])) == text
    text = "only slowdowns to more than twice the time would have been red in 8 of 10 such runs"
    assert sensitivity(an_outcome(decisions=decisions[2:])) == text
    assert "nothing" in sensitivity(an_outcome(decisions=()))


@pytest.mark.parametrize(("verdict", "shown"), [(Verdict.PASS, True), (Verdict.INVALID, False)])
def test_an_invalid_run_could_have_seen_nothing(verdict: Verdict, shown: bool) -> None:
    """Its numbers prove nothing, so no report says what size of change they would have shown."""
    outcome = an_outcome(verdict=verdict, decisions=(a_decision(comparison=a_comparison(smallest_detectable=0.1)),))
    for format_ in ("text", "markdown", "html"):
        assert ("ould have seen" in render(format_, outcome)) is shown


def test_more_blocks_are_no_way_out_of_too_few_requests() -> None:
    """Where no required series had enough requests in a round, rounds have to change, and not their number."""
    few = FewRequests(endpoints=("GET /a",), measured=1, least=10)
    decision = a_decision(verdict=SeriesVerdict.NOT_COMPARED)
    outcome = an_outcome(verdict=Verdict.INCONCLUSIVE, decisions=(decision,), findings=(few,))
    assert "Make rounds longer" in rows.next_step(outcome)
    assert "more blocks bring none" in rows.next_step(outcome)
    settled = an_outcome(verdict=Verdict.INCONCLUSIVE, findings=(few,))
    assert "more blocks bring none" not in rows.next_step(settled)


@pytest.mark.parametrize("verdict", Verdict)
def test_next_step(verdict: Verdict) -> None:
    """Every verdict but a pass says what to do next."""
    assert bool(rows.next_step(an_outcome(verdict=verdict))) == (verdict is not Verdict.PASS)


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"reference": Reference.REF}, "with more blocks"),
        ({"reference": Reference.BASELINE}, "with more rounds"),
        ({"reference": Reference.LIMITS, "decisions": ()}, "Write a limit"),
        ({"reference": Reference.LIMITS, "decisions": (), "unjudged": True}, "ask for what the SLO limits"),
        ({"reference": Reference.REF, "decisions": (), "unjudged": True}, "ask for what the SLO limits"),
        ({"reference": Reference.REF, "decisions": ()}, ""),
    ],
    ids=["blocks", "stored-runs", "no-limit", "limit-without-rounds", "counts-and-a-limit", "counts-alone"],
)
def test_more_blocks_are_asked_for_only_where_blocks_would_settle_it(changes: dict[str, Any], step: str) -> None:
    """A comparison with stored runs has rounds, one with limits has SLOs, and counts alone have neither."""
    reference, unjudged = changes.pop("reference"), changes.pop("unjudged", False)
    slos = (an_slo_result(held=False, rounds=0, rounds_within=0, worst=None),)
    outcome = an_outcome(
        verdict=Verdict.INCONCLUSIVE,
        subject=replace(an_outcome().subject, reference=reference),
        slos=slos if unjudged else (),
        **changes,
    )
    found = rows.next_step(outcome)
    assert step in found
    assert bool(found) == bool(step)


def test_next_step_cannot_run_a_name() -> None:
    """A command that a reader may copy quotes the endpoint for the shell."""
    red = a_regression(comparison=a_comparison(endpoint="GET /$(id)'"))
    step = rows.next_step(an_outcome(verdict=Verdict.REGRESSION, decisions=(red,)))
    assert step.endswith("""--explain 'GET /$(id)'"'"' service_time'""")


def test_marks() -> None:
    """Every verdict has a symbol of one character."""
    assert {verdict: len(mark) for verdict, mark in rows.MARKS.items()} == dict.fromkeys(SeriesVerdict, 1)
    assert {verdict: len(mark) for verdict, mark in rows.VERDICT_MARKS.items()} == dict.fromkeys(Verdict, 1)


def test_what_all_endpoints_share_is_told_where_it_was_taken_out() -> None:
    """Values rise while the change falls: the reader is told why, once for all rows."""
    assert rows.taken_out([a_decision()]) == ""
    decisions = [a_decision(comparison=replace(a_comparison(), common_shift=shift)) for shift in (0.12, 0.14)]
    assert "common shift, +12 %, is the machine's" in rows.taken_out(decisions[:1])
    assert "common shift, +12 % to +14 %, is the machine's" in rows.taken_out([a_decision(), *decisions])
    for text in (terminal.render(an_outcome(decisions=tuple(decisions))), markdown(decisions)):
        assert "+12 % to +14 %" in " ".join(text.split())


def markdown(decisions: list[Decision]) -> str:
    """The comment about these series."""
    return render("markdown", an_outcome(decisions=tuple(decisions)))
