"""Limits on the requests of one class of users, and on those of one user in a minute."""

from array import array
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.metrics.registry import measure
from perfci.metrics.user_classes import MINUTE_S, busiest_user, by_user_class
from perfci.model import Round, Slo
from tests.builders import START, a_round, some_requests
from tests.unit.judge.test_limits import judged, state

WINDOW = (START, START + 100.0)
LATENCIES = {"GET /items": [20.0] * 200 + [900.0] * 200, "POST /items": [50.0] * 100}
SENDERS = [1] * 200 + [2] * 300
"""Viewers read quickly, buyers slowly; buyers alone write."""


def measured(**changes: Any) -> Round:
    """A round of two classes of users; every second request of viewers fails."""
    requests = some_requests(LATENCIES, failed=range(0, 200, 2))
    requests = replace(requests, user=array("I", SENDERS), users=("Viewer", "Buyer"))
    return a_round(
        endpoints=measure(requests, windows=[WINDOW]),
        user_classes=by_user_class(requests, windows=[WINDOW]),
        duration_s=100.0,
        **changes,
    )


@pytest.mark.parametrize(
    ("slo", "worst", "verdict"),
    [
        (Slo(metric="p95", limit=100.0, user="Viewer"), 20.0, "held"),
        (Slo(metric="p95", limit=100.0, user="Buyer"), 900.0, "breached"),
        (Slo(metric="mean", limit=100.0, user="Buyer", endpoint="POST /items"), 50.0, "held"),
        (Slo(metric="mean", limit=100.0, user="Buyer", endpoint="(reads)", members=("GET *",)), 900.0, "breached"),
        (Slo(metric="failure_rate", limit=0.1, user="Viewer"), 0.5, "breached"),
        (Slo(metric="failure_rate", limit=0.1, user="Buyer"), 0.0, "held"),
        (Slo(metric="throughput", limit=2.0, user="Buyer"), 3.0, "held"),
        (Slo(metric="max", limit=100.0, user="Viewer"), 20.0, "held"),
        (Slo(metric="success_rate", limit=0.9, user="Viewer"), 0.5, "breached"),
    ],
)
def test_only_the_requests_of_the_class_count(slo: Slo, worst: float, verdict: str) -> None:
    """To all endpoints, to one, or to a group; quantiles are known within 1 %."""
    result = judged(measured(), slo)
    assert state(result) == verdict
    assert result.worst == pytest.approx(worst, rel=0.01)


def test_a_limit_names_its_class_for_the_reader() -> None:
    """Beside the endpoint, so that no row is taken for that of all users."""
    assert Slo(metric="p95", limit=1.0, user="Buyer", endpoint="GET /items").where == "GET /items by Buyer"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "no request was made by Admin, but by Buyer, Viewer"),
        ({"user_classes": {}}, "no request was made by Admin, but by users that nobody noted"),
    ],
)
def test_a_class_that_sent_nothing_cannot_be_held(changes: dict[str, Any], why: str) -> None:
    """As in runs that were stored before the class was recorded; those that did send are named."""
    result = judged(replace(measured(), **changes), Slo(metric="p95", limit=100.0, user="Admin"))
    assert (state(result), why in result.reason) == ("open", True)


def test_all_requests_together_are_those_of_the_classes() -> None:
    """None is lost, and none counts twice."""
    found = measured()
    parts = [seen for own in found.user_classes.values() for seen in own.values()]
    assert sum(seen.requests for seen in parts) == len(SENDERS)
    assert sum(seen.failures for seen in parts) == 100
    assert by_user_class(some_requests(LATENCIES), windows=[WINDOW]) == {}


LIMIT = Slo(metric="requests_per_user", limit=120.0)


def asked(seconds: float, *per_second: float, kept: int = 0) -> Round:
    """A round of users who ask so often; with *kept*, each gets so many through, and is refused from then on."""
    times = [(at / each, user) for user, each in enumerate(per_second, start=1) for at in range(int(seconds * each))]
    senders = [user for _, user in times]
    status = [429 if kept and senders[:at].count(user) >= kept else 200 for at, (_, user) in enumerate(times)]
    requests = replace(
        some_requests({"GET /": [5.0] * len(times)}),
        start_s=array("d", [START + at for at, _ in times]),
        status=array("H", status),
        user=array("I", senders),
        users=("Agent",) * len(per_second),
    )
    return a_round(busiest_user=busiest_user(requests, windows=[(START, START + seconds)]), duration_s=seconds)


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [
        (asked(90.0, 1.5, 1.0), "held"),
        (asked(90.0, 2.5, 0.1, 0.1, 0.1, 0.1), "breached"),
        (asked(20.0, 2.5), "open"),
        (asked(20.0, 0.5), "held"),
        (asked(20.0, 50.0), "breached"),
        (asked(20.0, 50.0, kept=120), "held"),
        (asked(20.0, 50.0, kept=121), "breached"),
    ],
    ids=["calm", "one account", "short", "short and calm", "no limit", "kept", "kept too late"],
)
def test_the_busiest_account_is_held_against_the_rate_limit(measured: Round, verdict: str) -> None:
    """One that asks too often is not hidden by those who do not; what is refused is not counted."""
    assert state(judged(measured, LIMIT)) == verdict


@given(st.lists(st.floats(0.0, 300.0, allow_nan=False), min_size=1, max_size=40))
def test_the_busiest_minute_is_that_of_any_window(starts: list[float]) -> None:
    """As counted one by one."""
    starts.sort()
    requests = replace(
        some_requests({"GET /": [5.0] * len(starts)}),
        start_s=array("d", starts),
        user=array("I", [1] * len(starts)),
        users=("Agent",),
    )
    found = busiest_user(requests, windows=[(0.0, 301.0)])
    assert found is not None
    assert found.requests == max(sum(since <= at < since + MINUTE_S for at in starts) for since in starts)
