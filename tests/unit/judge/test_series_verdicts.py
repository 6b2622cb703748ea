"""What is claimed of one series, and what the whole makes of it."""

import json
from dataclasses import replace
from math import log1p

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.judge.gate import decide
from perfci.model import (
    Better,
    Comparison,
    Decision,
    Interval,
    Outcome,
    Role,
    RoundKind,
    Scale,
    SeriesVerdict,
    Verdict,
    Weight,
)
from perfci.report import render
from perfci.report.highlights import shown
from tests.builders import a_budget, a_comparison, a_finding, a_policy, a_subject

CHANGES = st.floats(-0.6, 1.5)


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    """Any estimate with any interval around it, any budget, and a p-value that fits neither."""
    metric = draw(st.sampled_from(["service_time", "p95", "throughput", "failure_rate"]))
    low, estimate, high = sorted(draw(st.tuples(CHANGES, CHANGES, CHANGES)))
    change = draw(st.floats(0.0, 0.3))
    p = draw(st.floats(0.0, 1.0))
    return a_comparison(
        metric=metric,
        kind=RoundKind.LOAD,
        change=Interval(estimate=estimate, low=low, high=high),
        base=draw(st.floats(0.01, 20.0)),
        candidate=5.0,
        p_worse=p,
        p_better=1 - p,
        budget=a_budget(
            role=draw(st.sampled_from(Role)),
            change=change,
            margin=change + draw(st.floats(0.0, 0.3)),
            floor=draw(st.floats(0.0, 1.0)),
        ),
    )


def judged(*found: Comparison) -> Outcome:
    return decide(found, (), (), a_subject(), a_policy())


def farthest(comparison: Comparison) -> float:
    """The end of the interval that is farther from nothing, and of a ratio its log."""
    assert comparison.change is not None
    ends = (comparison.change.low, comparison.change.high)
    return max(abs(end) if comparison.series.metric.scale is Scale.DIFFERENCE else abs(log1p(end)) for end in ends)


def worst(comparison: Comparison) -> float:
    """The end of a ratio's interval that is worse, as a log that is positive for the worse."""
    assert comparison.change is not None
    if comparison.series.metric.better is Better.LOWER:
        return log1p(comparison.change.high)
    return -log1p(comparison.change.low)


def limit(comparison: Comparison, share: float, *, floor: bool) -> float:
    difference = comparison.series.metric.scale is Scale.DIFFERENCE
    least = (
        (comparison.budget.floor if difference else comparison.budget.floor / (comparison.base or 1.0))
        if floor
        else 0.0
    )
    return max(share, least) if difference else log1p(max(share, least))


@given(comparisons())
def test_equivalent_is_a_claim(comparison: Comparison) -> None:
    """The whole interval lies within the margin, whatever the metric; that of what is below its budget does not."""
    (decision,) = judged(comparison).decisions
    within = farthest(comparison) <= limit(comparison, comparison.budget.margin, floor=False)
    assert decision.verdict is not SeriesVerdict.EQUIVALENT or within
    assert decision.verdict is not SeriesVerdict.BELOW_BUDGET or not within


@given(comparisons())
def test_below_budget_is_smaller_than_a_regression(comparison: Comparison) -> None:
    """By the worse end of a ratio's interval, however much better it may be; or, if not required, by its estimate."""
    assert comparison.change is not None
    (decision,) = judged(comparison).decisions
    ratio = comparison.series.metric.scale is Scale.RATIO
    if decision.verdict is SeriesVerdict.BELOW_BUDGET and not (
        ratio and worst(comparison) <= limit(comparison, comparison.budget.margin, floor=True)
    ):
        assert comparison.budget.role is not Role.REQUIRED or not ratio
        estimate = replace(
            comparison, change=Interval(estimate=0.0, low=comparison.change.estimate, high=comparison.change.estimate)
        )
        assert farthest(estimate) < limit(comparison, comparison.budget.change, floor=True)


@given(comparisons())
def test_a_pass_rests_on_settled_series(comparison: Comparison) -> None:
    """A required ratio is shown to be no worse than its margin or its floor; a share is below one of its limits."""
    outcome = judged(replace(comparison, budget=replace(comparison.budget, role=Role.REQUIRED)))
    (decision,) = outcome.decisions
    if outcome.verdict is Verdict.PASS and decision.verdict is not SeriesVerdict.IMPROVEMENT:
        assert comparison.change is not None
        if comparison.series.metric.scale is Scale.RATIO:
            assert worst(comparison) <= limit(comparison, comparison.budget.margin, floor=True)
        else:
            assert abs(comparison.change.estimate) <= limit(comparison, comparison.budget.margin, floor=True)


@pytest.mark.parametrize(
    ("metric", "interval", "base", "budget"),
    [
        ("failure_rate", (0.0005, -0.015, 0.025), 0.01, {"change": 0.001, "margin": 0.005, "floor": 0.0}),
        ("p50", (0.22, 0.12, 0.34), 0.5, {"change": 0.10, "margin": 0.20, "floor": 1.0}),
    ],
)
@pytest.mark.parametrize("role", [Role.GUARDING, Role.ADVISORY])
def test_a_wide_interval_around_a_small_change_is_not_equivalent(
    metric: str, interval: tuple[float, float, float], base: float, budget: dict[str, float], role: Role
) -> None:
    """Failures that could be 2.5 points more, and a median 22 % above nearly nothing, are below their budgets."""
    change = Interval(estimate=interval[0], low=interval[1], high=interval[2])
    limits = a_budget(role=role, **budget)
    comparison = a_comparison(
        metric=metric, kind=RoundKind.LOAD, change=change, base=base, candidate=base, budget=limits
    )
    (decision,) = judged(replace(comparison, p_worse=1e-6, p_better=1.0)).decisions
    assert decision.verdict is SeriesVerdict.BELOW_BUDGET
    assert "stays below its budget" in decision.reason


@pytest.mark.parametrize(
    ("metric", "change", "verdict"),
    [
        ("service_time", (-0.03, -0.12, 0.03), SeriesVerdict.BELOW_BUDGET),
        ("service_time", (-0.15, -0.30, 0.03), SeriesVerdict.BELOW_BUDGET),
        ("service_time", (0.03, -0.03, 0.12), SeriesVerdict.INCONCLUSIVE),
        ("throughput", (0.03, -0.03, 0.12), SeriesVerdict.BELOW_BUDGET),
        ("throughput", (-0.03, -0.12, 0.03), SeriesVerdict.INCONCLUSIVE),
    ],
)
def test_what_is_no_slower_passes_however_much_faster_it_may_be(
    metric: str, change: tuple[float, float, float], verdict: SeriesVerdict
) -> None:
    """A required series is open only as long as it may be worse by more than its margin."""
    interval = Interval(estimate=change[0], low=change[1], high=change[2])
    limits = a_budget(role=Role.REQUIRED, change=0.05, margin=0.10)
    outcome = judged(a_comparison(metric=metric, change=interval, p_worse=0.5, p_better=0.5, budget=limits))
    assert outcome.decisions[0].verdict is verdict
    assert outcome.verdict is (Verdict.PASS if verdict is SeriesVerdict.BELOW_BUDGET else Verdict.INCONCLUSIVE)


def a_red(endpoint: str, role: Role) -> Comparison:
    return a_comparison(
        endpoint=endpoint,
        change=Interval(estimate=0.5, low=0.45, high=0.55),
        p_worse=1e-9,
        p_better=1.0,
        budget=a_budget(role=role),
    )


def test_everybody_counts_the_same_regressions() -> None:
    """Headline, table and JSON: two series and a finding; what is only shown is none of the whole's."""
    found = (a_red("GET /a", Role.REQUIRED), a_red("GET /b", Role.GUARDING), a_red("GET /c", Role.ADVISORY))
    finding = a_finding(weight=Weight.REGRESSION, message="The candidate died")
    outcome = decide(found, (finding,), (), a_subject(), a_policy())
    assert len(outcome.regressions) == 3
    assert outcome.reason == "The candidate died (and 2 red endpoints)"
    document = json.loads(render("json", outcome))
    weights = [finding["weight"] for finding in document["findings"]]
    assert document["series"]["regression"] + weights.count("regression") == 3
    table = shown(outcome.decisions, 25)
    assert [decision.verdict for decision in table.decisions] == [SeriesVerdict.REGRESSION] * 2
    assert table.rest == "1 advisory in 1 more series"
    folded = shown(outcome.decisions, 1)
    assert folded.rest == "1 worse, 1 advisory in 2 more series"


def test_an_advisory_series_is_counted_nowhere() -> None:
    """Alone, it leaves the whole as it is."""
    worse: Decision = judged(a_comparison(), a_red("GET /c", Role.ADVISORY)).decisions[0]
    assert worse.verdict is SeriesVerdict.REGRESSION
    outcome = judged(a_comparison(), a_red("GET /c", Role.ADVISORY))
    assert (outcome.verdict, outcome.regressions) == (Verdict.PASS, ())
    assert outcome.series[SeriesVerdict.REGRESSION] == 0
