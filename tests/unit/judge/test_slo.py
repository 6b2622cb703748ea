"""Absolute limits on the candidate, round by round."""

from dataclasses import replace

import pytest

from perfci.judge.policy import DEFAULT
from perfci.judge.slo import judge_slos
from perfci.model import ALL_ENDPOINTS, EndpointRound, RoundKind, Run, Side, Slo, SloResult
from tests.builders import a_paired_run, a_round, a_run, an_endpoint_round

P95 = Slo(metric="p95", limit=200.0, endpoint="GET /a")


def an_endpoint(requests: int = 400, failures: int = 0, **values: float) -> EndpointRound:
    return EndpointRound(requests=requests, failures=failures, values=values)


def a_run_of(*rounds: EndpointRound, endpoint: str = "GET /a") -> Run:
    """One load round of the candidate for each."""
    return a_run(rounds=tuple(a_round(block=n, endpoints={endpoint: measured}) for n, measured in enumerate(rounds, 1)))


def held(run: Run, *slos: Slo) -> tuple[SloResult, ...]:
    return judge_slos(run, replace(DEFAULT, slos=slos))


@pytest.mark.parametrize(
    ("rounds", "within", "reason"),
    [
        ([an_endpoint(p95=199.9), an_endpoint(p95=200.0)], True, "2/2 rounds within 200 ms"),
        ([an_endpoint(p95=150.0), an_endpoint(p95=200.1)], False, "1/2 rounds within 200 ms"),
        ([an_endpoint(p95=150.0), an_endpoint(12, p50=100.0)], True, "1/1 rounds within 200 ms, 1 could not tell"),
        (
            [an_endpoint(p95=150.0), an_endpoint(12, p50=201.0)],
            False,
            "1/2 rounds within 200 ms",
        ),  # p95 is at least p50
        ([an_endpoint(p95=150.0), an_endpoint(9, 9)], False, "1/2 rounds within 200 ms"),  # nothing succeeded
        ([an_endpoint(p95=150.0), an_endpoint(0)], True, "1/1 rounds within 200 ms, 1 could not tell"),
    ],
)
def test_every_round_counts(rounds: list[EndpointRound], within: bool, reason: str) -> None:
    """One round beyond the limit is a breach; what cannot tell is counted and said."""
    (result,) = held(a_run_of(*rounds), P95)
    assert (result.held, result.reason) == (within, reason)


def test_only_load_rounds_of_the_candidate_count() -> None:
    """A duet has no load, and the base no limit."""
    run = a_paired_run(kinds=(RoundKind.DUET, RoundKind.LOAD), typical={"GET /a": 10.0})
    slow = tuple(
        replace(round_, endpoints={"GET /a": an_endpoint_round(999.0)})
        if round_.side is Side.BASE or round_.kind is RoundKind.DUET
        else round_
        for round_ in run.rounds
    )
    (result,) = held(replace(run, rounds=slow), P95)
    assert (result.rounds, result.held) == (8, True)


def test_the_worst_round_is_shown() -> None:
    """The highest latency, and the lowest throughput."""
    run = a_run_of(an_endpoint(p95=150.0, throughput=9.0), an_endpoint(p95=180.0, throughput=7.0))
    latency, throughput = held(run, P95, Slo(metric="throughput", limit=8.0, endpoint="GET /a"))
    assert (latency.worst, throughput.worst) == (180.0, 7.0)
    assert throughput.reason == "1/2 rounds within 8.00 /s"


def test_a_pattern_is_a_limit_on_each_endpoint() -> None:
    """Not on the line for all of them; without an endpoint, only that line has the limit."""
    names = ("GET /a", "GET /b", "POST /a", ALL_ENDPOINTS)
    run = a_run(rounds=(a_round(endpoints={name: an_endpoint(p95=150.0) for name in names}),))
    every, gets, all_together = (Slo(metric="p95", limit=200.0, endpoint=e) for e in ("*", "GET *", ALL_ENDPOINTS))
    assert [result.slo.endpoint for result in held(run, every)] == ["GET /a", "GET /b", "POST /a"]
    assert [result.slo.endpoint for result in held(run, gets)] == ["GET /a", "GET /b"]
    assert [result.slo.endpoint for result in held(run, all_together)] == [ALL_ENDPOINTS]


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (a_run_of(an_endpoint(p95=1.0), endpoint="GET /aa"), "no request was made to it (but to GET /aa)"),
        (a_run_of(an_endpoint(12, p50=1.0)), "20 successful requests in a round are needed"),
        (a_paired_run(kinds=(RoundKind.DUET,)), "there was no load round"),
    ],
)
def test_a_limit_that_nothing_was_held_against_says_why(run: Run, why: str) -> None:
    """It is not held, and not breached."""
    (result,) = held(run, P95)
    assert (result.rounds, result.held, result.worst) == (0, False, None)
    assert result.reason == f"no round could be held against 200 ms: {why}"
