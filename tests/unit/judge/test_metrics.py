"""Requests become one value per endpoint and metric."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from perfci.judge.metrics import METRICS, measure, resolving, seconds
from perfci.model import ALL_ENDPOINTS, EndpointRound, RoundKind, Scale
from tests.builders import START, some_requests


def measured(
    latencies: dict[str, list[float]], kind: RoundKind = RoundKind.LOAD, failed: tuple[int, ...] = ()
) -> dict[str, EndpointRound]:
    return measure(some_requests(latencies, failed=failed), kind=kind, start_s=START, end_s=START + 20)


LATENCIES = [float(value) for value in np.random.default_rng(5).lognormal(1.5, 0.4, 300)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gmean", stats.gmean(LATENCIES)),
        ("mean", np.mean(LATENCIES)),
        ("p50", np.median(LATENCIES)),
        ("p95", np.quantile(LATENCIES, 0.95)),
        ("p99", np.quantile(LATENCIES, 0.99)),
        ("throughput", 300 / 20),
        ("failure_rate", 0.0),
    ],
)
def test_a_metric_is_what_its_name_says(name: str, expected: float) -> None:
    """Every metric of a load round agrees with its textbook definition."""
    assert measured({"GET /": LATENCIES})["GET /"].values[name] == pytest.approx(expected)


def test_service_time_ignores_a_fifth_at_each_end() -> None:
    """One slow turn in five cannot move the service time."""
    values = [5.0] * 80 + [500.0] * 20
    assert measured({"GET /": values}, RoundKind.DUET)["GET /"].values["service_time"] == 5.0


def test_service_time_belongs_to_duets_and_throughput_to_load() -> None:
    """A metric that means nothing for a kind of round is absent there."""
    load = measured({"GET /": LATENCIES})["GET /"].values
    duet = measured({"GET /": LATENCIES}, RoundKind.DUET)["GET /"].values
    assert "service_time" not in load
    assert "throughput" not in duet
    assert {"service_time", "failure_rate"} <= duet.keys()


@pytest.mark.parametrize(("name", "needed"), [("p95", 20), ("p99", 100)])
def test_a_quantile_that_cannot_be_resolved_is_absent(name: str, needed: int) -> None:
    """One success fewer than needed, and there is no quantile."""
    assert resolving(name) == needed
    assert name in measured({"GET /": [1.0] * needed})["GET /"].values
    assert name not in measured({"GET /": [1.0] * needed}, failed=(0,))["GET /"].values


def test_failed_requests_have_no_latency_but_are_counted() -> None:
    """A quick failure cannot make an endpoint look fast."""
    seen = measured({"GET /": [10.0] * 30 + [0.1] * 10}, failed=tuple(range(30, 40)))["GET /"]
    assert (seen.requests, seen.failures) == (40, 10)
    assert seen.values["gmean"] == pytest.approx(10.0)
    assert seen.values["failure_rate"] == 0.25
    assert seen.values["throughput"] == 30 / 20


def test_where_everything_failed_only_counts_remain() -> None:
    """No success, no clock."""
    seen = measured({"GET /": [1.0] * 5}, failed=tuple(range(5)))["GET /"]
    assert dict(seen.values) == {"throughput": 0.0, "failure_rate": 1.0}


def test_only_requests_that_started_in_the_window_count() -> None:
    """The warm-up and what began after the end are cut off; the start is inside, the end is not."""
    requests = some_requests({"GET /": [1.0] * 10}, every_s=1.0)
    seen = measure(requests, kind=RoundKind.LOAD, start_s=START + 2, end_s=START + 7)
    assert seen["GET /"].requests == 5
    assert seen["GET /"].values["throughput"] == 1.0


def test_endpoints_are_sorted_and_load_has_a_line_for_all() -> None:
    """The order of requests does not show, and all requests together have their own line under load only."""
    two = {"POST /b": [2.0] * 30, "GET /a": [8.0] * 30}
    seen = measured(two)
    assert list(seen) == ["GET /a", "POST /b", ALL_ENDPOINTS]
    assert seen[ALL_ENDPOINTS].requests == 60
    assert seen[ALL_ENDPOINTS].values["gmean"] == pytest.approx(4.0)
    assert ALL_ENDPOINTS not in measured(two, RoundKind.DUET)


def test_nothing_measured_is_nothing() -> None:
    """A round without requests has no endpoints, and warns about nothing."""
    requests = some_requests({"GET /": [1.0]})
    assert measure(requests, kind=RoundKind.LOAD, start_s=START + 9, end_s=START + 10) == {}


def test_seconds_show_the_silent_ones_too() -> None:
    """Every second of the round has its line, with the requests that started in it."""
    requests = some_requests({"GET /": [3.0, 5.0, 7.0]}, every_s=2.0, failed=(2,))
    shown = seconds(requests, start_s=START, end_s=START + 5.5, users=4)
    assert [line.at_s for line in shown] == [0, 1, 2, 3, 4, 5]
    assert [line.requests for line in shown] == [1, 0, 1, 0, 1, 0]
    assert [line.p95_ms for line in shown] == [3.0, None, 5.0, None, None, None]
    assert [line.failures for line in shown] == [0, 0, 0, 0, 1, 0]
    assert {line.users for line in shown} == {4}


@pytest.mark.parametrize("name", sorted(METRICS))
def test_every_metric_keeps_the_contract(name: str) -> None:
    """A metric has a meaning, and only what is compared by difference is without unit."""
    metric = METRICS[name]
    assert metric.name == name
    assert metric.meaning.endswith(".")
    assert (metric.scale is Scale.DIFFERENCE) == (metric.unit == "")
    assert replace(metric) == metric
