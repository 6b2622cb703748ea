"""Requests become one value per endpoint and metric."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from perfci.histogram import counts_of, middle
from perfci.metrics.registry import METRICS, measure, measure_duet, resolving
from perfci.metrics.timeline import seconds, stretches
from perfci.model import ALL_ENDPOINTS, EndpointRound, Lateness, Scale, Side
from tests.builders import START, some_requests


def measured(latencies: dict[str, list[float]], failed: tuple[int, ...] = ()) -> dict[str, EndpointRound]:
    return measure(some_requests(latencies, failed=failed), windows=[(START, START + 20)])


def turns(
    base: dict[str, list[float]],
    candidate: dict[str, list[float]],
    *,
    failed: tuple[int, ...] = (),
    alone: Mapping[Side, Sequence[tuple[float, float]]] = dict.fromkeys(Side, ()),
) -> dict[Side, dict[str, EndpointRound]]:
    requests = {Side.BASE: some_requests(base), Side.CANDIDATE: some_requests(candidate, failed=failed)}
    return measure_duet(requests, windows=dict.fromkeys(Side, (START, START + 20)), alone=alone)


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


def test_the_ratio_of_service_times_is_the_trimmed_mean_of_the_pairs() -> None:
    """Whatever a pair has in common (its data, a slow moment of the machine) cancels out."""
    rng = np.random.default_rng(3)
    common = rng.lognormal(1.0, 0.8, 200)
    base, candidate = common * rng.lognormal(0.0, 0.1, 200), common * 1.2 * rng.lognormal(0.0, 0.1, 200)
    seen = turns({"GET /": list(base)}, {"GET /": list(candidate)})
    ratio = seen[Side.CANDIDATE]["GET /"].values["service_time"] / seen[Side.BASE]["GET /"].values["service_time"]
    assert np.log(ratio) == pytest.approx(stats.trim_mean(np.log(candidate / base), 0.2))


def yuen(logs: Sequence[float], trim: float) -> float:
    """SciPy's standard error of a trimmed mean, out of Yuen's test of the values against themselves, moved by one."""
    moved = stats.ttest_ind(np.array(logs) + 1, logs, trim=trim, equal_var=False)
    return float(1 / moved.statistic / np.sqrt(2))


def test_the_scatter_of_the_requests_tells_the_standard_error() -> None:
    """Of the logs, as Yuen has it for trimmed means; in a duet that of the ratio, half of its square on either side."""
    seen = measured({"GET /": LATENCIES})["GET /"]
    assert seen.standard_errors == {"trimmed_gmean": pytest.approx(yuen(np.log(LATENCIES).tolist(), 0.1))}
    candidate = [base * other for base, other in zip(LATENCIES, LATENCIES[::-1], strict=True)]
    sides = turns({"GET /": LATENCIES}, {"GET /": candidate})
    squares = [sides[side]["GET /"].standard_errors["service_time"] ** 2 for side in Side]
    assert squares[0] == squares[1]
    assert sum(squares) == pytest.approx(yuen(np.log(LATENCIES).tolist(), 0.2) ** 2)


def test_the_standard_error_is_how_far_rounds_differ() -> None:
    """Of a hundred rounds of a service that never changes, sixty requests each."""
    rng = np.random.default_rng(11)
    rounds = [measured({"GET /": list(rng.lognormal(1.0, 0.6, 60))})["GET /"] for _ in range(100)]
    real = np.std([np.log(round_.values["trimmed_gmean"]) for round_ in rounds], ddof=1)
    estimated = np.mean([round_.standard_errors["trimmed_gmean"] for round_ in rounds])
    assert estimated == pytest.approx(real, rel=0.2)


def test_one_request_tells_nothing_of_its_scatter() -> None:
    """Nor does a round of equal ones, but that is known."""
    assert measured({"GET /": [5.0]})["GET /"].standard_errors == {"trimmed_gmean": 0.0}
    assert measured({"GET /": [5.0] * 30})["GET /"].standard_errors["trimmed_gmean"] == pytest.approx(0.0, abs=1e-12)


def test_turns_without_a_partner_are_counted_and_not_averaged() -> None:
    """The base's request of a turn that failed on the candidate before it was sent shifts no pair."""
    base = [float(10 + number) for number in range(60)]
    candidate = [2 * latency for number, latency in enumerate(base) if number != 5]
    alone = {Side.BASE: [(START + 0.0495, START + 0.0505)], Side.CANDIDATE: []}
    seen = turns({"GET /": base}, {"GET /": candidate}, alone=alone)
    assert [seen[side]["GET /"].requests for side in Side] == [60, 59]
    base_ms, candidate_ms = (seen[side]["GET /"].values["service_time"] for side in Side)
    assert candidate_ms / base_ms == pytest.approx(2)
    none = turns({"GET /": base}, {"GET /": candidate}, alone={side: [(START, START + 20)] for side in Side})
    assert [(seen["GET /"].requests, "service_time" in seen["GET /"].values) for seen in none.values()] == [
        (60, False),
        (59, False),
    ]


def test_service_time_ignores_extreme_pairs() -> None:
    """One stalled turn in five cannot move the service time of either side."""
    seen = turns({"GET /": [5.0] * 100}, {"GET /": [6.0] * 80 + [500.0] * 20})
    assert seen[Side.BASE]["GET /"].values["service_time"] == pytest.approx(5.0)
    assert seen[Side.CANDIDATE]["GET /"].values["service_time"] == pytest.approx(6.0)


def test_a_turn_that_failed_takes_its_partner_along() -> None:
    """The clocks compare pairs that both succeeded; the failures are counted."""
    seen = turns({"GET /": [5.0] * 9 + [50.0]}, {"GET /": [6.0] * 9 + [0.1]}, failed=(9,))
    assert seen[Side.BASE]["GET /"].values["service_time"] == pytest.approx(5.0)
    assert seen[Side.CANDIDATE]["GET /"].values["service_time"] == pytest.approx(6.0)
    assert seen[Side.CANDIDATE]["GET /"].failures == 1


def test_what_one_side_alone_was_asked_has_no_service_time() -> None:
    """Without a partner there is no pair."""
    seen = turns({"GET /": [5.0] * 9}, {"GET /": [5.0] * 9, "GET /new": [1.0] * 9})
    assert "service_time" not in seen[Side.CANDIDATE]["GET /new"].values
    assert seen[Side.CANDIDATE]["GET /new"].requests == 9


def test_service_time_belongs_to_duets_and_throughput_to_load() -> None:
    """A metric that means nothing for a kind of round is absent there."""
    load = measured({"GET /": LATENCIES})["GET /"].values
    duet = turns({"GET /": LATENCIES}, {"GET /": LATENCIES})[Side.BASE]["GET /"].values
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
    seen = measure(requests, windows=[(START + 2, START + 7)])
    assert seen["GET /"].requests == 5
    assert seen["GET /"].values["throughput"] == 1.0


def test_slices_are_measured_together() -> None:
    """What started between two windows counts nowhere; rates are per measured second, and seconds lie end to end."""
    requests = some_requests({"GET /": [float(ms) for ms in range(10)]}, every_s=1.0)
    slices = [(START + 1, START + 3), (START + 6, START + 7.5)]
    seen = measure(requests, windows=slices)["GET /"]
    assert seen.requests == 4  # sent after 1, 2, 6 and 7 seconds
    assert seen.values["throughput"] == 4 / 3.5
    assert seen.values["mean"] == (1 + 2 + 6 + 7) / 4
    shown = seconds(requests, windows=slices, users=[(START, 1)])
    assert [(line.at_s, line.p95_ms) for line in shown] == [(0, 1.0), (1, 2.0), (2, 6.0), (3, 7.0)]


def test_endpoints_are_sorted_and_load_has_a_line_for_all() -> None:
    """The order of requests does not show, and all requests together have their own line under load only."""
    two = {"POST /b": [2.0] * 30, "GET /a": [8.0] * 30}
    seen = measured(two)
    assert list(seen) == ["GET /a", "POST /b", ALL_ENDPOINTS]
    assert seen[ALL_ENDPOINTS].requests == 60
    assert seen[ALL_ENDPOINTS].values["gmean"] == pytest.approx(4.0)
    assert ALL_ENDPOINTS not in turns(two, two)[Side.BASE]


def test_nothing_measured_is_nothing() -> None:
    """A round without requests has no endpoints, and warns about nothing."""
    requests = some_requests({"GET /": [1.0]})
    assert measure(requests, windows=[(START + 9, START + 10)]) == {}


def test_seconds_show_the_silent_ones_too() -> None:
    """Every second of the round has its line, with the requests that started in it."""
    requests = some_requests({"GET /": [3.0, 5.0, 7.0]}, every_s=2.0, failed=(2,))
    shown = seconds(requests, windows=[(START, START + 5.5)], users=[(START, 2), (START + 1.5, 4), (START + 3.5, 3)])
    assert [line.at_s for line in shown] == [0, 1, 2, 3, 4, 5]
    assert [line.requests for line in shown] == [1, 0, 1, 0, 1, 0]
    assert [line.p95_ms for line in shown] == [3.0, None, 5.0, None, None, None]
    assert [line.failures for line in shown] == [0, 0, 0, 0, 1, 0]
    assert [line.users for line in shown] == [2, 4, 4, 3, 3, 3]


def test_stretches_follow_one_another_and_hold_every_request() -> None:
    """The last one has what is left over, too; windows are joined end to end, without the time between them."""
    requests = some_requests({"GET /": [3.0, 5.0, 7.0, 9.0]}, every_s=4.0, failed=(2,))
    shown = stretches(requests, windows=[(START, START + 6), (START + 7, START + 13)])
    assert [(each.at_s, each.seconds) for each in shown] == [(0, 5), (5, 7)]
    assert [(each.requests, each.failures) for each in shown] == [(2, 0), (2, 1)]
    times = [[middle(key) for key in counts_of(each.histogram)] for each in shown]
    assert times == [[pytest.approx(3.0, rel=0.01), pytest.approx(5.0, rel=0.01)], [pytest.approx(9.0, rel=0.01)]]


def test_a_long_round_has_longer_stretches_and_a_short_one_has_one() -> None:
    """Four hours are 240 minutes; three seconds are what they are, and so are seconds without a request."""
    requests = some_requests({"GET /": [3.0]})
    hours = stretches(requests, windows=[(START, START + 4 * 3600)])
    assert (len(hours), {each.seconds for each in hours}) == (240, {60.0})
    assert sum(each.requests for each in hours) == 1
    (short,) = stretches(requests, windows=[(START, START + 3)])
    assert short.seconds == 3


@pytest.mark.parametrize("name", sorted(METRICS))
def test_every_metric_keeps_the_contract(name: str) -> None:
    """A metric has a meaning, and only what is compared by difference is without unit."""
    metric = METRICS[name]
    assert metric.name == name
    assert metric.meaning.endswith(".")
    assert (metric.scale is Scale.DIFFERENCE) == (metric.unit == "")
    assert replace(metric) == metric


def test_response_times_count_from_when_the_tasks_were_due() -> None:
    """
    A user that keeps a pace of 100 ms and once waits for 1 s leaves nine starts out, and begins the tenth late.

    Service times hide it: one of 20 was slow. From when they were due, half of all were.
    """
    requests = some_requests({"GET /": [5.0] * 9 + [1000.0] + [5.0] * 10})
    lateness = Lateness(array("I", [10]), array("d", [900.0]), array("d", [100.0]))
    windows = [(START, START + 20)]
    values = measure(replace(requests, lateness=lateness), windows=windows)["GET /"].values
    every = [5.0] * 18 + [1000.0] + [905.0 - 100 * left_out for left_out in range(10)]
    assert values["response_p50"] == pytest.approx(np.median(every))
    assert values["response_p95"] == pytest.approx(np.quantile(every, 0.95))
    assert values["p95"] < 60
    assert values["response_p95"] > 800


def test_an_arrival_that_waited_leaves_nothing_out() -> None:
    """Its lateness counts once; a failed request has no response time, and other windows none of these."""
    requests = some_requests({"GET /": [5.0] * 4}, failed=(3,))
    lateness = Lateness(array("I", [1, 3]), array("d", [20.0, 70.0]), array("d", [0.0, 0.0]))
    late = replace(requests, lateness=lateness)
    assert measure(late, windows=[(START, START + 1)])["GET /"].values["response_p50"] == pytest.approx(5.0)
    assert measure(late, windows=[(START + 0.01, START + 1)])["GET /"].values["response_p50"] == pytest.approx(15.0)


def test_without_a_schedule_there_is_no_response_time() -> None:
    """Think times say when nobody means to begin."""
    assert not any(name.startswith("response") for name in measured({"GET /": LATENCIES})["GET /"].values)
