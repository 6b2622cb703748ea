"""What limits may be on beyond the metrics of a comparison, on simulated rounds: faults are found, and nothing else."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfci.judge.limits.breaking import breaking_point
from perfci.judge.limits.reading import Reading, complement, share
from perfci.judge.limits.spike import find, recovery
from perfci.judge.policy import DEFAULT
from perfci.judge.slo import judge_slos
from perfci.metrics.registry import measure
from perfci.model import ALL_ENDPOINTS, Better, Gauge, Importance, Phase, Round, Second, Slo, SloResult
from tests.builders import START, a_generator, a_round, a_run, some_requests

TRIALS = 40


def judged(measured: Round, slo: Slo, *, settled: bool = True) -> SloResult:
    """The result of one limit on one round."""
    (result,) = judge_slos(a_run(rounds=(measured,)), replace(DEFAULT, slos=(slo,)), settled=settled)
    return result


def state(result: SloResult) -> str:
    """What became of a limit."""
    return "held" if result.held else "breached" if result.rounds else "open"


def a_gauge_of(points: Sequence[float], unit: str = "MB") -> Gauge:
    """What was read of a gauge."""
    return Gauge(
        unit=unit,
        mean=sum(points) / len(points),
        low=min(points),
        high=max(points),
        p95=max(points),
        points=tuple(points),
    )


def course(
    users: Sequence[int],
    *,
    rng: random.Random,
    p95_ms: Callable[[int, int], float] = lambda _at, _users: 50.0,
    failing: Callable[[int, int], float] = lambda _at, _users: 0.0,
) -> tuple[Second, ...]:
    """Seconds of a load with so many users, each of whom asks three times a second."""
    found = []
    for at, there in enumerate(users):
        failures = sum(rng.random() < failing(at, there) for _ in range(3 * there))
        time_ms = p95_ms(at, there) * rng.lognormvariate(0.0, 0.12)
        found.append(
            Second(at_s=at, users=there, requests=3 * there, failures=failures, p95_ms=time_ms, p50_ms=time_ms / 2)
        )
    return tuple(found)


SPIKE = [10] * 20 + [100] * 30 + [10] * 60
STEPS = [users for users in (50, 100, 150, 200, 250) for _ in range(15)]


@pytest.mark.parametrize(
    ("count", "total", "limit", "verdict"),
    [
        (0, 2995, 0.001, True),  # the figure of the documents
        (0, 2994, 0.001, None),
        (0, 299, 0.01, True),
        (0, 298, 0.01, None),
        (2, 100, 0.01, False),
        (1, 100, 0.01, None),
        (100, 100, 1.0, True),
    ],
)
def test_a_share_is_held_only_where_enough_was_asked(
    count: int, total: int, limit: float, verdict: bool | None
) -> None:
    """Beyond the limit it is breached, within it only as far as the requests show it."""
    assert share(count, total).within(limit, Better.LOWER) is verdict
    assert complement(share(count, total)).within(1 - limit, Better.HIGHER) is verdict


@given(st.integers(1, 5000), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_bounds_of_shares_are_in_order(total: int, part: float) -> None:
    """The estimate lies within its bounds, and they between none and all."""
    found = share(int(part * total), total)
    assert found.value is not None
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_bounds_beyond_both_sides_settle() -> None:
    """A value between is open, whichever way is better."""
    reading = Reading(5.0, 4.0, 6.0)
    assert [reading.within(limit, Better.LOWER) for limit in (3, 5, 6)] == [False, None, True]
    assert [reading.within(limit, Better.HIGHER) for limit in (4, 5, 7)] == [True, None, False]


def test_a_group_is_one_endpoint_of_all_its_requests() -> None:
    """Its mean, quantiles, largest latency and failures are those of the requests together."""
    requests = some_requests(
        {"POST /auth/login": [10.0] * 150, "POST /auth/refresh": [30.0] * 50, "GET /": [900.0] * 200}
    )
    measured = a_round(endpoints=measure(requests, windows=[(START, START + 1000)]))
    auth: dict[str, Any] = {"endpoint": "(auth)", "members": ("POST /auth/*",)}

    def worst(metric: str) -> float:
        found = judged(measured, Slo(metric=metric, limit=1.0, **auth)).worst
        assert found is not None
        return found

    assert worst("mean") == pytest.approx(15.0)
    assert worst("p95") == pytest.approx(30.0, rel=0.011)
    assert worst("max") == pytest.approx(30.0, rel=0.011)
    assert worst("failure_rate") == 0
    assert judged(measured, Slo(metric="max", limit=800.0)).worst == pytest.approx(900.0, rel=0.011)
    absent = judged(measured, Slo(metric="p95", limit=1.0, endpoint="(pay)", members=("POST /pay/*",)))
    assert (state(absent), absent.reason.rpartition(": ")[2]) == ("open", "no request was made to it")


def test_a_phase_has_limits_of_its_own() -> None:
    """Failures of the spike are not those of the round; a phase that the load does not have is not green."""
    calm, rough = (
        measure(some_requests({"GET /": [9.0] * 400}, failed=range(failures)), windows=[(START, START + 1000)])
        for failures in (0, 40)
    )
    measured = a_round(endpoints=calm, phases={"spike": Phase(seconds=10.0, endpoints=rough)})
    limit = Slo(metric="failure_rate", limit=0.05)
    assert state(judged(measured, limit)) == "held"
    assert state(judged(measured, replace(limit, phase="spike"))) == "breached"
    unknown = judged(measured, replace(limit, phase="spikes"))
    assert (state(unknown), "has no phase spikes" in unknown.reason) == ("open", True)


def test_success_is_the_complement_of_failure() -> None:
    """At its limit it is held where nothing has to be shown, and open where it has."""
    seen = measure(some_requests({"GET /": [9.0] * 100}, failed=[3]), windows=[(START, START + 1000)])
    limit = Slo(metric="success_rate", limit=0.99)
    assert state(judged(a_round(endpoints=seen), limit, settled=False)) == "held"
    assert state(judged(a_round(endpoints=seen), limit)) == "open"
    assert state(judged(a_round(endpoints=seen), replace(limit, limit=0.995))) == "breached"


@pytest.mark.parametrize(
    ("down", "verdict"),
    [(range(0), "held"), (range(100, 110), "breached")],
)
def test_availability_is_the_share_of_probes(down: range, verdict: str) -> None:
    """Ten minutes with five probes a second show 99.9 %; ten seconds without an answer break it."""
    points = [0.0 if at in down else 100.0 for at in range(600)]
    measured = a_round(gauges={"availability": a_gauge_of(points, "%")})
    assert state(judged(measured, Slo(metric="availability", limit=0.999))) == verdict
    assert state(judged(a_round(), Slo(metric="availability", limit=0.999))) == "open"


def test_the_hit_rate_is_read_from_a_gauge() -> None:
    """The project's own, or else that of a Redis."""
    limit = Slo(metric="cache_hit_rate", limit=0.8)
    warm, cold = a_gauge_of([90.0] * 20, "%"), a_gauge_of([40.0] * 20, "%")
    assert state(judged(a_round(gauges={"cache/hit_rate": warm}), limit)) == "held"
    assert state(judged(a_round(gauges={"cache/hit_rate": warm, "cache-hit-rate": cold}), limit)) == "breached"
    assert state(judged(a_round(), limit)) == "open"


def test_without_users_the_busiest_minute_is_the_average_of_all() -> None:
    """As in runs stored before users were recorded. A burst is no less than its minute; failures are not counted."""
    calm = [Second(at_s=at, users=10, requests=15, failures=0, p95_ms=9.0) for at in range(180)]
    burst = [replace(second, requests=30) if 60 <= second.at_s < 120 else second for second in calm]
    refused = [replace(second, failures=second.requests - 15) for second in burst]
    limit = Slo(metric="requests_per_user", limit=120.0)
    found = [judged(a_round(seconds=tuple(seconds)), limit) for seconds in (calm, burst, refused)]
    assert [state(each) for each in found] == ["held", "breached", "held"]
    assert [each.worst for each in found] == pytest.approx([90.0, 180.0, 90.0])


def test_users_are_a_floor() -> None:
    """Those that were there at once."""
    measured = a_round(generator=a_generator(users_wanted=100, users_reached=100))
    assert state(judged(measured, Slo(metric="users", limit=100.0))) == "held"
    assert state(judged(measured, Slo(metric="users", limit=101.0))) == "breached"


def recovered(seed: int, lasting_s: int, size: float) -> Reading:
    """The reading of a service that is *size* times as slow for so long after the spike."""
    slow = range(20, 50 + lasting_s)
    seconds = course(SPIKE, rng=random.Random(seed), p95_ms=lambda at, _: 50.0 * (size if at in slow else 1.0))
    reading = recovery(seconds)
    assert reading is not None
    return reading


def test_a_service_that_recovers_at_once_is_within_a_limit() -> None:
    """Of 40 such rounds none is beyond 10 s, with a scatter of 12 % from second to second."""
    assert all(recovered(seed, 0, 4.0).within(10.0, Better.LOWER) for seed in range(TRIALS))


def test_a_spike_that_is_not_recovered_from_is_found() -> None:
    """One that lasts for 30 s at twice the latency breaks a limit of 20 s in all of 40 rounds, to a few seconds."""
    values = [recovered(seed, 30, 2.0) for seed in range(TRIALS)]
    assert all(value.within(20.0, Better.LOWER) is False for value in values)
    assert all(value.value is not None and 28 <= value.value <= 36 for value in values)


def test_a_service_that_never_recovers_is_beyond_any_limit_that_was_waited_for() -> None:
    """It takes longer than those 60 s; whether a longer limit is kept is open."""
    reading = recovered(1, 60, 3.0)
    assert reading.value is None
    assert [reading.within(limit, Better.LOWER) for limit in (59.0, 60.0, 61.0, 90.0)] == [False, False, None, None]


def test_failures_after_the_spike_are_no_recovery() -> None:
    """Quick refusals look fast."""
    seconds = course(SPIKE, rng=random.Random(3), failing=lambda at, _: 0.3 if 50 <= at < 80 else 0.0)
    reading = recovery(seconds)
    assert reading is not None
    assert reading.within(20.0, Better.LOWER) is False


@pytest.mark.parametrize("users", [[10] * 60, [10] * 20 + [15] * 20 + [10] * 20, [10] * 20 + [100] * 40, []])
def test_without_a_spike_there_is_no_recovery(users: list[int]) -> None:
    """Users must at least double, and come down again."""
    assert find(course(users, rng=random.Random(1))) is None
    assert recovery(course(users, rng=random.Random(1))) is None


def breaking(seed: int, knee: int, **limits: Any) -> Reading:
    """The breaking point of a service whose latency grows tenfold beyond a number of users."""
    from perfci.judge.limits.breaking import reading

    seconds = course(STEPS, rng=random.Random(seed), p95_ms=lambda _, there: 50.0 if there <= knee else 500.0)
    found = breaking_point(seconds, **{"p95_ms": 200.0, "failing": 0.05, **limits})
    assert found is not None
    return reading(found)


def test_the_breaking_point_lies_between_the_steps() -> None:
    """The last step that held and the first that did not, in all of 40 rounds."""
    found = [breaking(seed, knee=150) for seed in range(TRIALS)]
    assert {(each.low, each.high) for each in found} == {(150.0, 200.0)}
    assert all("p95 of 200 users" in str(each.evidence) for each in found)
    limits = (150, 151, 199, 200, 250)  # 200 users were too many
    assert [found[0].within(limit, Better.HIGHER) for limit in limits] == [True, None, None, False, False]


def test_a_service_that_breaks_at_the_lowest_level_does_not_bear_it() -> None:
    """Nothing is known to hold, and yet a limit of so many users is breached."""
    found = breaking(1, knee=10)
    assert (found.value, found.low, found.high) == (None, 0.0, 50.0)
    assert [found.within(limit, Better.HIGHER) for limit in (49, 50, 51)] == [None, False, False]


def test_a_service_that_bears_all_has_no_breaking_point() -> None:
    """It is above the last step: a limit up to there is held in all of 40 rounds, and one beyond is open."""
    found = [breaking(seed, knee=1000) for seed in range(TRIALS)]
    assert all(each.within(250, Better.HIGHER) is True and each.within(300, Better.HIGHER) is None for each in found)


def test_failures_break_a_service_too() -> None:
    """By the limit on them, whatever the latency."""
    seconds = course(STEPS, rng=random.Random(5), failing=lambda _, there: 0.2 if there > 100 else 0.0)
    found = breaking_point(seconds, p95_ms=None, failing=None)
    assert found is not None
    assert (found.held, found.broke) == (100, 150.0)
    assert "failed" in str(found.because)


def test_a_ramp_is_parted_into_levels() -> None:
    """Each with seconds enough to tell."""
    ramp = [10 + 2 * at for at in range(100)]
    seconds = course(ramp, rng=random.Random(2), p95_ms=lambda _, there: 50.0 if there < 120 else 600.0)
    found = breaking_point(seconds, p95_ms=200.0, failing=0.05)
    assert found is not None
    assert 90 <= found.held < 125
    assert 115 <= found.broke <= 150
    assert breaking_point(course([50] * 60, rng=random.Random(1)), p95_ms=None, failing=None) is None


def memory(seed: int, growth: float, *, count: int = 300, saw: float = 3.0) -> SloResult:
    """The limit of 10 % on the growth of memory that scatters by so many MB around 100."""
    rng = random.Random(seed)
    points = [
        100.0 + 100.0 * growth * at / count + rng.uniform(-saw, saw) + (at % 20) * saw / 20 for at in range(count)
    ]
    return judged(a_round(gauges={"process/memory": a_gauge_of(points)}), Slo(metric="memory_growth", limit=0.1))


def test_a_leak_is_found_and_named() -> None:
    """Of 40 rounds whose memory grows by 25 %, all break a limit of 10 %."""
    assert [state(memory(seed, 0.25)) for seed in range(TRIALS)] == ["breached"] * TRIALS


def test_memory_that_does_not_grow_is_quiet() -> None:
    """Of 40 rounds with a sawtooth of garbage collection and noise none breaks the limit, and all are settled."""
    assert [state(memory(seed, 0.0)) for seed in range(TRIALS)] == ["held"] * TRIALS


def test_memory_that_only_settles_is_no_leak() -> None:
    """A cache that fills in the first third of a round is full then."""
    points = [100.0 + 40.0 * min(at / 100, 1.0) + (at % 7) * 0.1 for at in range(300)]
    result = judged(a_round(gauges={"api/memory": a_gauge_of(points)}), Slo(metric="memory_growth", limit=0.1))
    assert state(result) != "breached"


def drift(seed: int, growth: float) -> SloResult:
    """The limit of 20 % on the drift of the median at a constant number of users."""
    slower = lambda at, _users: 50.0 * (1 + growth * at / 240)  # noqa: E731 - short
    seconds = course([20] * 240, rng=random.Random(seed), p95_ms=slower)
    return judged(a_round(seconds=seconds), Slo(metric="latency_drift", limit=0.2))


def test_a_service_that_slows_down_is_found() -> None:
    """Of 40 rounds that become 60 % slower, all break a limit of 20 %; steady ones are all within it."""
    assert [state(drift(seed, 0.6)) for seed in range(TRIALS)] == ["breached"] * TRIALS
    assert [state(drift(seed, 0.0)) for seed in range(TRIALS)] == ["held"] * TRIALS


def test_too_short_a_round_shows_no_trend() -> None:
    """Seven seconds tell of no leak, and that is not green."""
    assert state(memory(1, 0.0, count=7)) == "open"


def test_an_important_limit_only_warns() -> None:
    """Its result stands, and fails nothing."""
    assert [importance.fails for importance in Importance] == [True, True, False, False]
    assert Slo(metric="p95", limit=1.0, importance=Importance.IMPORTANT).fails is False
    assert Slo(metric="p95", limit=1.0, phase="spike").where == f"{ALL_ENDPOINTS} in spike"


def test_one_failure_among_few_requests_breaks_nothing() -> None:
    """It is beyond 1 % by its share, and not surely; nor does that level surely bear its users."""
    levels = course([1] * 6 + [2] * 6 + [3] * 6, rng=random.Random(3))
    levels = tuple(replace(second, failures=int(second.at_s == 7)) for second in levels)
    found = breaking_point(levels, p95_ms=200.0, failing=0.01)
    assert found is not None
    assert (found.held, found.because) == (3, None)
