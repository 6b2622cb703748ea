"""Limits that hold in every window of a round: what a whole round hides is found, and chance is not taken for it."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci import histogram
from perfci.judge.limits.throughout import windows
from perfci.judge.policy import DEFAULT
from perfci.judge.slo import judge_slos
from perfci.model import ALL_ENDPOINTS, Histogram, Slo, SloResult, Stretch
from tests.builders import a_round, a_run

TRIALS = 40
STEP_S = 5.0
LIMIT_MS = 200.0
SCATTER = 0.5
P95 = 2.276  # of a lognormal distribution with that scatter and the median 1


def a_stretch(at: int, latencies_ms: list[float], *, failures: int = 0) -> Stretch:
    """One stretch of a round with these latencies of the requests that succeeded."""
    return Stretch(
        at_s=at * STEP_S,
        seconds=STEP_S,
        requests=len(latencies_ms) + failures,
        failures=failures,
        histogram=histogram.of(sorted(latencies_ms)),
    )


def course(
    count: int,
    *,
    rng: random.Random,
    p95_ms: Callable[[int], float],
    requests: int = 200,
    between: float = 0.0,
    failing: Callable[[int], float] = lambda _: 0.0,
) -> tuple[Stretch, ...]:
    """Stretches whose latencies have such a 95th percentile, which scatters by *between* from stretch to stretch."""
    found = []
    for at in range(count):
        centre_ms = p95_ms(at) / P95 * rng.lognormvariate(0.0, between)
        failures = sum(rng.random() < failing(at) for _ in range(requests))
        times = [centre_ms * rng.lognormvariate(0.0, SCATTER) for _ in range(requests - failures)]
        found.append(a_stretch(at, times, failures=failures))
    return tuple(found)


def judged(stretches: tuple[Stretch, ...], slo: Slo, *, settled: bool = True) -> SloResult:
    """The result of the limit on one round."""
    seen = a_round(stretches=stretches)
    (result,) = judge_slos(a_run(rounds=(seen,)), replace(DEFAULT, slos=(slo,)), settled=settled)
    return result


def state(result: SloResult) -> str:
    """What became of a limit."""
    return "held" if result.held else "breached" if result.rounds else "open"


def states(p95_ms: Callable[[int], float], *, count: int = 48, between: float = 0.0, length_s: float = 30) -> list[str]:
    """What becomes of the limit in so many simulated rounds."""
    slo = Slo(metric="p95", limit=LIMIT_MS, throughout_s=length_s)
    return [
        state(judged(course(count, rng=random.Random(trial), p95_ms=p95_ms, between=between), slo))
        for trial in range(TRIALS)
    ]


def test_a_slow_part_of_a_round_is_found() -> None:
    """Of four minutes half a one is slow, by half beyond the limit: the p95 of the whole round hides it."""
    slow = [300.0 if 24 <= at < 30 else 100.0 for at in range(48)]
    assert states(lambda at: slow[at]) == ["breached"] * TRIALS
    whole = histogram.merged(each.histogram for each in course(48, rng=random.Random(1), p95_ms=lambda at: slow[at]))
    assert (histogram.quantile(whole, 0.95) or 0.0) < LIMIT_MS


def test_latencies_that_creep_beyond_the_limit_are_found() -> None:
    """By the end of the round they are by 40 % beyond it."""
    assert states(lambda at: 100.0 + 180.0 * at / 47) == ["breached"] * TRIALS


def test_a_service_within_the_limit_holds_it() -> None:
    """With a tenth of scatter from one stretch to the next, at half of the limit."""
    assert states(lambda _: 100.0, between=0.1) == ["held"] * TRIALS


def test_near_the_limit_chance_breaks_nothing() -> None:
    """At 85 % of it, with a tenth of scatter from one stretch to the next."""
    assert states(lambda _: 170.0, between=0.1).count("breached") == 0


def test_at_the_limit_it_is_seldom_broken_and_never_shown_to_be_held() -> None:
    """The eight windows share an error of 5 %."""
    found = states(lambda _: LIMIT_MS)
    assert found.count("breached") <= 4
    assert found.count("held") == 0


def test_more_windows_raise_no_more_false_alarms() -> None:
    """At the limit, with 48 windows instead of eight."""
    assert states(lambda _: LIMIT_MS, length_s=5).count("breached") <= 4


@pytest.mark.parametrize(
    ("failing", "state_"), [(0.0, "held"), (0.004, "open"), (0.2, "breached")], ids=["none", "few", "many"]
)
@pytest.mark.parametrize(("metric", "limit"), [("failure_rate", 0.01), ("success_rate", 0.99)])
def test_failures_of_one_window_count(metric: str, limit: float, failing: float, state_: str) -> None:
    """The other windows have none; a window shows less than the whole round does."""
    made = course(24, rng=random.Random(3), p95_ms=lambda _: 50.0, failing=lambda at: failing if at // 6 == 2 else 0.0)
    assert state(judged(made, Slo(metric=metric, limit=limit, throughout_s=30))) == state_


def test_the_reason_names_the_worst_window() -> None:
    """How many there are, how long each is, and when the worst one began."""
    made = course(12, rng=random.Random(5), p95_ms=lambda at: 400.0 if at >= 6 else 100.0)
    result = judged(made, Slo(metric="p95", limit=LIMIT_MS, throughout_s=30))
    assert result.reason == "0/1 rounds within 200 ms (the worst of 2 windows of 30 s, from 30 s on)"
    assert result.slo.where == f"{ALL_ENDPOINTS} in any 30 s"
    assert result.worst == pytest.approx(400.0, rel=0.1)


def test_a_round_without_its_latencies_over_time_is_open() -> None:
    """Such as one of an earlier version, or of another tool."""
    result = judged((), Slo(metric="p95", limit=LIMIT_MS, throughout_s=30))
    assert state(result) == "open"
    assert "latencies over time were not stored" in result.reason


def test_a_window_without_requests_or_with_few_is_not_settled() -> None:
    """Nothing shows that it kept the limit; 58 requests are one too few for the 95th percentile."""
    slo = Slo(metric="p95", limit=LIMIT_MS, throughout_s=5)
    fast = [a_stretch(at, [50.0] * 59) for at in range(3)]
    assert state(judged(tuple(fast), slo)) == "held"
    assert state(judged((*fast, a_stretch(3, [])), slo)) == "open"
    assert state(judged((*fast, a_stretch(3, [50.0] * 58)), slo)) == "open"


def test_beside_a_comparison_few_requests_are_enough() -> None:
    """The rounds of a pull request are short: there the worst value counts, and a breach is shown as ever."""
    slo = Slo(metric="p95", limit=LIMIT_MS, throughout_s=5)
    fast = (a_stretch(0, [50.0] * 20), a_stretch(1, [60.0] * 20))
    slow = (a_stretch(0, [50.0] * 20), a_stretch(1, [400.0] * 20))
    assert (state(judged(fast, slo)), state(judged(slow, slo))) == ("open", "breached")
    assert state(judged(fast, slo, settled=False)) == "held"
    assert state(judged(slow, slo, settled=False)) == "breached"


def test_a_window_in_which_everything_failed_is_not_within_a_latency() -> None:
    """Unless a few requests may all have failed by chance."""
    slo = Slo(metric="p95", limit=LIMIT_MS, throughout_s=5)
    fast = [a_stretch(at, [50.0] * 100) for at in range(3)]
    assert state(judged((*fast, a_stretch(3, [], failures=20)), slo)) == "breached"
    assert state(judged((*fast, a_stretch(3, [], failures=1)), slo)) == "open"


@given(
    latencies_ms=st.lists(st.floats(1.0, 1e4), min_size=1, max_size=80),
    limit=st.floats(1.0, 1e4),
    factor=st.floats(1.05, 10.0),
)
def test_slower_is_never_better(latencies_ms: list[float], limit: float, factor: float) -> None:
    """What holds a limit still does so when every request is faster, and what breaks it when every one is slower."""
    slo = Slo(metric="p95", limit=limit, throughout_s=5)
    order = ["held", "open", "breached"]
    usual = state(judged((a_stretch(0, latencies_ms),), slo))
    slower = state(judged((a_stretch(0, [each * factor for each in latencies_ms]),), slo))
    assert order.index(slower) >= order.index(usual)


@given(lengths=st.lists(st.floats(0.5, 20.0), max_size=30), length_s=st.floats(5.0, 60.0))
def test_windows_cover_the_round_once(lengths: list[float], length_s: float) -> None:
    """Each is as long as was asked for, or the whole of a shorter round."""
    at_s, made = 0.0, []
    for number, seconds in enumerate(lengths):
        made.append(
            Stretch(at_s=at_s, seconds=seconds, requests=number, failures=0, histogram=Histogram(f"{number}: 1"))
        )
        at_s += seconds
    found = windows(made, length_s)
    assert sum(each.seconds for each in found) == pytest.approx(at_s)
    assert sum(each.requests for each in found) == sum(each.requests for each in made)
    assert sorted(key for each in found for key in each.counts) == list(range(len(made)))
    assert [each.at_s for each in found] == sorted(each.at_s for each in found)
    assert len(found) <= 1 or all(each.seconds >= length_s for each in found)
