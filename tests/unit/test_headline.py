"""The headline of a red report: endpoints, the time first, its cause beside it."""

from dataclasses import replace
from typing import Any

import pytest

from perfci.model import ALL_ENDPOINTS, Decision, Role, SeriesVerdict, Weight
from perfci.sentences.headline import headline, red_endpoints
from tests.builders import a_budget, a_finding, a_regression, a_slower_comparison
from tests.golden.outcomes import counted

QUIET = SeriesVerdict.EQUIVALENT


def slower(endpoint: str, **changes: Any) -> Decision:
    """A time that is red, by 61 % unless the changes say otherwise."""
    comparison = a_slower_comparison()
    series = replace(comparison.series, endpoint=endpoint)
    return a_regression(
        comparison=replace(comparison, series=series, **changes), reason=f"{endpoint} is 61 % slower (service time)"
    )


@pytest.mark.parametrize(
    ("counter", "before", "after", "cause"),
    [
        ("db/rows", 12, 1128, "it reads 94 times as many rows of db"),
        ("db/statements", 4, 23, "it sends 5.8 times as many statements of db"),
        ("db/statements", 4, 5, "it sends 5 statements of db instead of 4"),
        ("db/statements", 0, 3, "it sends 3 statements of db instead of 0"),
        ("response/bytes", 5123, 10311, "it answers with 2 times as many bytes"),
        ("api/packets_in", 6, 27, "it exchanges 4.5 times as many packets in of api"),
        ("cache/hits", 1, 0, "cache has 0 hits a request instead of 1"),
    ],
)
def test_the_time_comes_first_and_its_cause_beside_it(counter: str, before: float, after: float, cause: str) -> None:
    """Whatever the order of the decisions is, and in numbers as people write them."""
    decisions = (counted(counter, before, after, endpoint="GET /orders"), slower("GET /orders"))
    assert str(headline(decisions, ())) == f"GET /orders is 61 % slower, 4.10 -> 6.60 ms: {cause}"


def test_a_count_never_stands_before_a_time() -> None:
    """An endpoint that only does more work comes after one that is slower; endpoints are counted, not series."""
    decisions = (counted("db/rows", 1, 9, endpoint="GET /a"), slower("GET /b"), counted("db/blocks", 1, 9))
    assert str(headline(decisions, ())) == "GET /b is 61 % slower (service time) (and 2 more red endpoints)"
    assert [each.endpoint for each in red_endpoints(decisions)] == ["GET /b", "GET /a", "GET /tickets/"]


def test_neighbours_that_only_became_slower_are_told_with_the_cause() -> None:
    """They were counted, do no more work, and suffer less: they may only wait for the one that does more."""
    cause = (slower("GET /orders"), counted("db/rows", 12, 1128, endpoint="GET /orders"))
    little = a_slower_comparison().change
    assert little is not None
    behind = slower("GET /one", change=replace(little, estimate=0.2))
    unchanged = counted("db/rows", 3, 3, endpoint="GET /one", verdict=QUIET)
    text = str(headline((*cause, behind, unchanged), ()))
    assert text.endswith("; 1 other endpoint slowed down with no more work of its own and may only wait for it")
    assert str(headline((*cause, behind), ())).endswith("(and 1 more red endpoint)")
    own = counted("db/rows", 3, 9, endpoint="GET /one")
    assert str(headline((*cause, behind, own), ())).endswith("(and 1 more red endpoint)")


def test_a_finding_comes_before_any_number() -> None:
    """What the candidate did explains every number below it."""
    finding = a_finding(weight=Weight.REGRESSION, message="The candidate died")
    assert str(headline((slower("GET /a"),), (finding,))) == "The candidate died (and 1 red endpoint)"
    assert str(headline((), (finding, finding))) == "The candidate died (and 1 more finding)"


def test_the_mean_over_all_is_no_endpoint_beside_others() -> None:
    """It is told where nothing else is red."""
    both = (slower(ALL_ENDPOINTS), slower("GET /a"))
    assert [each.endpoint for each in red_endpoints(both)] == ["GET /a"]
    assert [each.endpoint for each in red_endpoints(both[:1])] == [ALL_ENDPOINTS]


def test_what_is_only_shown_is_no_red_endpoint() -> None:
    """An advisory series counts nowhere."""
    assert red_endpoints((slower("GET /a", budget=a_budget(role=Role.ADVISORY)),)) == ()
