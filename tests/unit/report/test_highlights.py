"""What a reader sees first, and that nothing is lost without a word."""

import pytest

from perfci.model import ALL_ENDPOINTS, Decision, Role, SeriesVerdict
from perfci.report.highlights import shown
from tests.builders import a_budget, a_comparison, a_decision
from tests.golden.outcomes import counted, statements

RED = SeriesVerdict.REGRESSION


def a_series(verdict: SeriesVerdict, role: Role = Role.REQUIRED, endpoint: str = "GET /tickets/") -> Decision:
    """A decision about a time."""
    return a_decision(verdict=verdict, comparison=a_comparison(endpoint=endpoint, budget=a_budget(role=role)))


@pytest.mark.parametrize("verdict", SeriesVerdict)
def test_what_matters(verdict: SeriesVerdict) -> None:
    """Deciding series unless nothing happened to them, guarding ones where they moved, the others never."""
    red = a_series(RED, endpoint="GET /red")
    seen = [a_series(verdict, role) in shown([red, a_series(verdict, role)], 25).decisions for role in Role]
    moved = verdict in {RED, SeriesVerdict.IMPROVEMENT, SeriesVerdict.ACCEPTED}
    quiet = {SeriesVerdict.EQUIVALENT, SeriesVerdict.BELOW_BUDGET}
    assert seen == [verdict not in quiet, moved, False]


def test_the_headline_is_always_there() -> None:
    """The whole service, below what happened to single endpoints."""
    headline = a_series(SeriesVerdict.EQUIVALENT, endpoint=ALL_ENDPOINTS)
    assert shown([a_series(RED), headline], 25).decisions == (a_series(RED), headline)
    quiet = [a_series(SeriesVerdict.EQUIVALENT, endpoint=f"GET /{n}") for n in range(20)]
    assert shown([*quiet, headline], 25).decisions == (headline,)


def test_a_few_quiet_series_are_shown() -> None:
    """A pass with numbers is worth more than one without."""
    quiet = [a_series(SeriesVerdict.EQUIVALENT, endpoint=f"GET /{n}") for n in range(3)]
    assert shown(quiet, 25).decisions == tuple(quiet)
    assert shown(quiet * 5, 25).decisions == ()


def test_counts_stand_behind_the_one_that_explains_most() -> None:
    """Of the same endpoint and verdict; an improvement beside a regression has a row of its own."""
    rows, fewer = counted("db/rows", 40, 59), counted("db/blocks", 9, 2, verdict=SeriesVerdict.IMPROVEMENT)
    elsewhere = counted("db/rows", 1, 2, endpoint="GET /other")
    found = shown([statements(), rows, elsewhere, fewer], 25)
    assert found.decisions == (statements(), elsewhere, fewer)
    assert (found.beside(statements()), found.beside(fewer), found.rest) == ((rows,), (), "")


def test_the_rest_is_counted() -> None:
    """In words, and every series once: shown, behind a row, or counted."""
    red = [a_series(RED, endpoint=f"GET /{n}") for n in range(30)]
    open_ones = [a_series(SeriesVerdict.INCONCLUSIVE, Role.GUARDING, f"GET /{n}") for n in range(2)]
    quiet = [a_series(SeriesVerdict.EQUIVALENT, Role.GUARDING, f"GET /{n}") for n in range(3)]
    found = shown([*red, *open_ones, *quiet], 25)
    assert len(found.decisions) == 25
    assert found.rest == "5 worse, 3 equivalent, 2 not settled in 10 more series"
    assert shown(red, 100).rest == ""
