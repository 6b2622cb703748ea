"""What every metric must bring along: its own words and unit, in every report format; and that this is all it needs."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from perfci.config import GateTable
from perfci.judge import judge
from perfci.judge.budgets import resolve
from perfci.judge.census.counters import COUNTERS, metric_of
from perfci.judge.gate import decide
from perfci.metrics import registry
from perfci.metrics.registry import METRICS, measure
from perfci.model import (
    ALL_ENDPOINTS,
    Better,
    Census,
    Metric,
    Outcome,
    Quantity,
    Reference,
    Role,
    RoundKind,
    Run,
    Series,
    SeriesVerdict,
    Side,
    Verdict,
)
from perfci.pipeline.policy import policy_of
from perfci.report import FORMATS, render
from tests.builders import (
    SOURCES,
    a_budget,
    a_counted_run,
    a_policy,
    a_round,
    a_rule,
    a_run,
    a_slower_comparison,
    a_subject,
    an_endpoint_census,
    some_requests,
)

TIMED = list(METRICS.values())
COUNTED = [metric_of(f"db/{name}") for name in (*COUNTERS, "packets_in", "own")]


def judged(metric: Metric, *, larger: bool) -> Outcome:
    """The outcome of a series that changed by a fifth of its value, and by more than chance."""
    endpoint = "GET /" if metric.may_count("GET /") else ALL_ENDPOINTS
    found = a_slower_comparison(series=Series(endpoint=endpoint, metric=metric), kind=RoundKind.LOAD, base=0.2)
    assert found.change is not None
    sign = 1.0 if larger else -1.0
    change = replace(found.change, estimate=sign * 0.2, low=sign * 0.2 - 0.01, high=sign * 0.2 + 0.01)
    worse = larger == (metric.better is Better.LOWER)
    after = 0.4 if larger else 0.01
    found = replace(found, p_worse=1e-9 if worse else 1.0, p_better=1.0 if worse else 1e-9, common_shift=None)
    found = replace(found, change=change, candidate=after, budget=a_budget(floor=0.0))
    return decide([found], (), (), a_subject(), a_policy())


def counted(metric: Metric, *, larger: bool) -> Outcome:
    """The outcome of a counter that became twice or half of what it was in every request."""
    values = (100.0, 200.0) if larger else (200.0, 100.0)
    sides = [
        Census(endpoints={"GET /": an_endpoint_census(**{metric.name.replace("/", "_", 1): v})}, sources=SOURCES)
        for v in values
    ]
    outcome = judge(a_counted_run(*sides), baseline=None, policy=policy_of(GateTable()), subject=a_subject())
    own = [decision for decision in outcome.decisions if decision.comparison.series.metric == metric]
    return replace(outcome, decisions=tuple(own), because=own[0].because)


NUMBERS_ALONE = {"csv", "openmetrics"}
"""Formats without sentences, in base units."""


@pytest.mark.parametrize("larger", [True, False], ids=["larger", "smaller"])
@pytest.mark.parametrize("metric", [*TIMED, *COUNTED], ids=lambda metric: metric.name)
def test_every_format_uses_the_words_and_the_unit_of_the_metric(metric: Metric, larger: bool) -> None:
    """A change for the worse is a regression, one for the better an improvement, and both are told in its words."""
    outcome = (counted if metric.exact else judged)(metric, larger=larger)
    (decision,) = outcome.decisions
    worse = larger == (metric.better is Better.LOWER)
    assert decision.verdict is (SeriesVerdict.REGRESSION if worse else SeriesVerdict.IMPROVEMENT)
    said = metric.phrases.larger if larger else metric.phrases.smaller
    pieces = [piece for part in said.split("{change}") for piece in part.split("{metric}")]
    assert all(piece in decision.reason for piece in pieces), decision.reason
    unit = {Quantity.TIME: ("µs", "ms"), Quantity.RATE: ("/s",), Quantity.SHARE: ("%",), Quantity.SIZE: ("B",)}
    shown = replace(outcome, because=decision.because)
    for format_ in FORMATS.keys() - NUMBERS_ALONE:
        text = render(format_, shown)
        assert all(piece in text for piece in pieces), format_
        assert any(unit_text in text for unit_text in unit.get(metric.quantity, ("",))), format_


def test_larger_and_smaller_are_different_words() -> None:
    """No metric calls both directions the same, and a latency alone is slower or faster."""
    for metric in (*TIMED, *COUNTED):
        assert metric.phrases.larger != metric.phrases.smaller
        times = {"slower", "faster"} & set(f"{metric.phrases.larger} {metric.phrases.smaller}".split())
        assert bool(times) == (metric.quantity is Quantity.TIME)


@pytest.fixture
def heap() -> Iterator[Metric]:
    """A metric that is no latency, entered for one test as any other is."""

    @registry.metric(Quantity.SIZE)
    def heap(observed: registry.Observed) -> float:
        """Memory that the service holds for a request."""
        return 1000.0 * float(observed.latencies_ms.mean())

    yield METRICS["heap"]
    del registry._ENTRIES["heap"], registry._METRICS["heap"]


def a_run_of_heaps(factor: float) -> Run:
    """Six blocks in which the candidate needs *factor* times as much."""
    rng = np.random.default_rng(4)

    def endpoints(size: float) -> dict[str, list[float]]:
        return {name: list(size * rng.normal(1.0, 0.02, 60)) for name in ("GET /a", "GET /b")}

    rounds = tuple(
        a_round(
            side=side,
            block=block,
            endpoints=measure(
                some_requests(endpoints(factor if side is Side.CANDIDATE else 1.0)), windows=[(0.0, 4e9)]
            ),
        )
        for block in range(1, 7)
        for side in Side
    )
    return a_run(rounds=rounds)


def test_a_metric_needs_nothing_but_its_registration(heap: Metric) -> None:
    """It is measured, may have a budget, is judged, and is told in its own words and unit."""
    table = {"budget": {"ref": {"load": {"heap": {"role": "required", "change": 0.05}}}}}
    policy = policy_of(GateTable.model_validate(table))
    assert resolve(policy.budgets, Reference.REF, RoundKind.LOAD, heap, "GET /a").role is Role.REQUIRED
    alone = a_policy(budgets=(a_rule(metric="heap", kind=RoundKind.LOAD, change=0.05, floor=0.0),))

    def outcome(factor: float) -> Outcome:
        return judge(a_run_of_heaps(factor), baseline=None, policy=alone, subject=a_subject())

    larger = outcome(1.3)
    assert larger.verdict is Verdict.REGRESSION
    assert "is 30 % larger (heap 1,000 -> 1,300 B" in larger.reason
    assert "slower" not in render("text", larger)
    assert "1.3 kB" in render("text", larger)
    smaller = outcome(0.8)
    assert smaller.verdict is Verdict.PASS
    assert any("smaller" in decision.reason for decision in smaller.decisions)
