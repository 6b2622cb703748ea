"""The page of a trend in a real browser, held to what the report of a run is held to."""

from dataclasses import replace
from typing import Any

import pytest

from perfci.report.trend import FORMATS
from tests.e2e.test_html_report import HOSTILE, LONG, SCHEMES, WIDTHS, opened, problems_of
from tests.unit.report.test_trend import a_drift, a_line, a_trend, an_event

__all__ = ["opened"]  # a fixture

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("pictures")]


def page_of(name: str = LONG) -> str:
    """A change for the worse and one for the better, a drift, and a line without either, of an endpoint *name*."""
    better = an_event(run="20261104-030000-f00d", worse=False, accepted="baseline run 20261105-0900")
    changed = a_line(4.0, 4.0, 4.8, 4.0, endpoint=name, events=(an_event(), better), drift=a_drift())
    return FORMATS["html"]([a_trend(lines=(changed, a_line(2.0, 2.1, 2.0, events=())))])


@pytest.mark.parametrize("name", [LONG, HOSTILE])
def test_it_says_nothing_and_asks_for_nothing(opened: Any, name: str) -> None:  # the fixture
    """The console stays empty, the file is all that is requested, and a hostile name is text."""
    found = opened(page_of(name))
    found.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    found.page.wait_for_timeout(100)
    assert (found.messages, found.requests) == ([], [found.address])
    assert found.page.title() == "Trend: tickets:smoke"
    assert found.page.locator("svg").count() == 2


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_screen(opened: Any, width: int) -> None:
    """A table scrolls within itself, a picture shrinks."""
    page = opened(page_of(), width=width).page
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_phone_shows_every_change_without_scrolling(opened: Any, axe: str) -> None:
    """Each row of the table is a block there: every cell of it is within the screen."""
    page = opened(page_of(), width=360).page
    edges = page.evaluate(
        """() => [...document.querySelectorAll('.events td')].map(each => {
            const range = document.createRange(); range.selectNodeContents(each);
            return range.getBoundingClientRect(); }).map(box => [box.left, box.right])"""
    )
    assert len(edges) > 8
    assert all(left >= 0 and right <= 360 for left, right in edges)
    assert problems_of(page, axe) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing(opened: Any, axe: str, scheme: str) -> None:
    """Contrast, names, headings, landmarks, tables and keyboard."""
    page = opened(page_of(), scheme=scheme).page
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert problems_of(page, axe) == []


def test_runs_of_other_conditions_have_a_line_of_their_own() -> None:
    """What the reader sees of two machines: two lines, each with the number of its conditions."""
    first = a_line(4.0, 4.0, events=())
    second = replace(first, name=replace(first.name, conditions="7d9d"))
    text = FORMATS["html"]([a_trend(lines=(first, second))])
    assert ("on 1, 2 runs" in text, "on 2, 2 runs" in text) == (True, True)
