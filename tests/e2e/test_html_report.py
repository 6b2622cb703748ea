"""The HTML report in a real browser: quiet, alone, within its width, and accessible to everybody."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from perfci.model import Outcome, RoundKind, Run, WordedFinding, WordedReason
from perfci.report import FORMATS
from perfci.report.view import Links, View
from tests.builders import a_gauge, a_paired_run, a_round, a_run, an_slo_result
from tests.golden.outcomes import OUTCOMES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("pictures")]

LONG = "GET /organisations/[id]/projects/[id]/" + "a-rather-long-segment-without-a-break" * 3
HOSTILE = '</svg></style><script>document.title="hit"</script><img src=x onerror=alert(1)>"\' onload="alert(1)'
GAUGES = {
    "process/cpu": a_gauge(*(0.2 + 0.02 * (at % 5) for at in range(20)), unit="cores"),
    "process/memory": a_gauge(None, *(100.0 + at for at in range(19)), unit="MB"),
}
WIDTHS = (360, 768, 1600)
SCHEMES = ("light", "dark")
A4 = 718
"""Pixels between the margins of such a page."""


@dataclass
class Opened:
    """A page, and what it said and asked for from when it was opened."""

    page: "Page"
    address: str
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def opened(browser: "Browser", tmp_path: Path) -> Iterator["Any"]:
    """Opens a report from disk, in a colour scheme, a width and a medium."""
    pages = []

    def open_(text: str, *, scheme: str = "light", width: int = 1280, medium: str = "screen") -> Opened:
        file = tmp_path / "report.html"
        file.write_text(text, encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": 900})
        pages.append(page)
        found = Opened(page=page, address=file.as_uri())
        page.on("console", lambda message: found.messages.append(message.text))
        page.on("pageerror", lambda error: found.messages.append(str(error)))
        page.on("request", lambda request: found.requests.append(request.url))
        page.emulate_media(media=medium, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(found.address)
        return found

    yield open_
    for page in pages:
        page.close()


def a_whole_run(name: str = LONG) -> Run:
    """Duets and load rounds with a timeline and gauges, of endpoints one of which is called *name*."""
    run = a_paired_run(typical={name: 4.0, "GET /tickets/": 4.1, "POST /tickets/": 6.0})
    rounds = tuple(replace(each, gauges=GAUGES) if each.kind is RoundKind.LOAD else each for each in run.rounds)
    return replace(run, rounds=rounds)


CASES = (*OUTCOMES, "one side")


@cache
def report(case: str) -> str:
    """The report of a verdict, or of a run that measured one side."""
    if case == "one side":
        return html(View(outcome=OUTCOMES["no_baseline"](), run=a_run(rounds=(a_round(),))))
    return html(View(outcome=OUTCOMES[case](), run=a_whole_run(), links=Links(run="https://git.example.org/runs/42")))


def html(view: View) -> str:
    """The report of a view."""
    return FORMATS["html"].render(view)


def named(outcome: Outcome, name: str) -> Outcome:
    """The outcome with the first endpoint, its culprits' statements, and every finding called *name*."""
    first, *others = outcome.decisions
    comparison = replace(
        first.comparison,
        series=replace(first.comparison.series, endpoint=name),
        culprits=tuple(replace(each, what=name, beside=name) for each in first.comparison.culprits),
    )
    findings = tuple(
        WordedFinding(code=each.code, weight=each.weight, message=name, hint=name) for each in outcome.findings
    )
    return replace(
        outcome,
        decisions=(replace(first, comparison=comparison), *others),
        findings=findings,
        because=WordedReason(name),
    )


def problems_of(page: "Page", axe: str) -> list[str]:
    """What axe finds, with the first element of each."""
    page.evaluate(axe)
    found = page.evaluate("axe.run({ resultTypes: ['violations'] }).then(each => each.violations)")
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


@pytest.mark.parametrize("case", CASES)
def test_it_says_nothing_and_asks_for_nothing(opened: Any, case: str) -> None:
    """The console stays empty, and the file itself is all that is requested."""
    found = opened(report(case))
    found.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    found.page.mouse.wheel(0, 20_000)
    found.page.wait_for_timeout(100)
    assert found.messages == []
    assert found.requests == [found.address]


def test_the_browser_would_tell(opened: Any) -> None:
    """A picture from elsewhere is refused by the page's own policy and told; what is too wide is measured."""
    foreign = '<img src="http://127.0.0.1:9/x" alt=""><div style="width: 3000px">wide</div></main>'
    found = opened(report("pass").replace("</main>", foreign))
    assert any("Content Security Policy" in each for each in found.messages)
    assert found.page.evaluate("document.documentElement.scrollWidth") > 1280


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("case", CASES)
def test_nothing_is_wider_than_the_screen(opened: Any, case: str, width: int) -> None:
    """With every part unfolded: a table scrolls within itself, a picture shrinks, and no text of one is cut off."""
    page = opened(report(case), width=width).page
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    beyond = page.evaluate(
        """() => [...document.querySelectorAll('svg text')]
            .map(each => [each.textContent, each.getBoundingClientRect()])
            .filter(([_, box]) => box.width && (box.left < 0 || box.right > innerWidth)).map(([text]) => text)"""
    )
    assert beyond == []


def test_a_phone_shows_every_verdict_without_scrolling(opened: Any, axe: str) -> None:
    """Each row of the effects and of the SLOs is a block there, and every cell of it is within the screen."""
    page = opened(report("slo_breach"), width=360).page
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    cells = page.evaluate(
        """() => [...document.querySelectorAll('.effects td, .slos td')].map(each => {
            const range = document.createRange(); range.selectNodeContents(each);
            return [each.textContent, range.getBoundingClientRect().left, range.getBoundingClientRect().right]; })"""
    )
    assert len(cells) > 12
    assert [text for text, left, right in cells if left < 0 or right > 360] == []
    assert problems_of(page, axe) == []


@pytest.mark.parametrize(("medium", "scheme"), [("screen", "light"), ("screen", "dark"), ("print", "light")])
@pytest.mark.parametrize("case", ["regression", "pass", "work", "slo_breach"])
def test_axe_finds_nothing(opened: Any, axe: str, case: str, scheme: str, medium: str) -> None:
    """Contrast, names, headings, landmarks, tables and keyboard, with every part unfolded."""
    page = opened(report(case), scheme=scheme, medium=medium).page
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert problems_of(page, axe) == []


def test_axe_would_find_something(opened: Any, axe: str) -> None:
    """Without the name of one picture, and with a faint text, there are two problems."""
    page = opened(report("pass")).page
    page.evaluate("document.querySelector('[role=img]').removeAttribute('aria-label')")
    page.evaluate("document.querySelector('.reason').style.color = '#ddd'")
    assert {each.partition(":")[0] for each in problems_of(page, axe)} == {"role-img-alt", "color-contrast"}


def test_texts_of_pictures_are_read_on_their_background(opened: Any) -> None:
    """Axe does not look into pictures: their texts have a contrast of 4.5 in both schemes."""
    for scheme in SCHEMES:
        page = opened(report("regression"), scheme=scheme).page
        colours = page.evaluate(
            """() => {
                const rgb = text => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
                const texts = [...document.querySelectorAll('svg text')].map(each => getComputedStyle(each).fill);
                return [rgb(getComputedStyle(document.body).backgroundColor), [...new Set(texts)].map(rgb)];
            }"""
        )
        background, texts = colours
        assert len(texts) > 1
        assert all(contrast(background, each) >= 4.5 for each in texts)


def contrast(first: list[float], other: list[float]) -> float:
    """The contrast ratio of WCAG 2."""

    def luminance(colour: list[float]) -> float:
        parts = [value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in colour]
        return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))

    dark, light = sorted((luminance(first), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_hostile_names_are_shown_and_do_nothing(opened: Any) -> None:
    """In tables, lists and pictures: no script runs, no element appears, and the name can be read."""
    found = opened(html(View(outcome=named(OUTCOMES["work"](), HOSTILE), run=a_whole_run(HOSTILE))))
    assert found.messages == []
    assert found.requests == [found.address]
    assert "hit" not in found.page.title()
    assert found.page.locator("script, img").count() == 0
    assert found.page.locator("svg text", has_text='</svg></style><script>document.title="hit"').count() > 0
    assert found.page.get_by_role("cell", name=HOSTILE).count() > 0


def test_everything_is_printed(opened: Any) -> None:
    """What is folded on the screen stands on the paper, in dark ink on white."""
    page = opened(report("regression"), scheme="dark", medium="print", width=A4).page
    hidden = page.evaluate(
        """() => [...document.querySelectorAll('details table')]
            .filter(each => !each.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true })).length"""
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= A4
    assert page.locator("details:not([open]) table").count() > 0
    assert hidden == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_keyboard_reaches_every_part(opened: Any) -> None:
    """Each summary and each table that scrolls has the focus in turn, and Enter unfolds."""
    page = opened(report("regression")).page
    summary = page.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('details').open")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.wide, summary')")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_alerts_are_marked_where_the_gauge_is_drawn(opened: Any) -> None:
    """The limit of an alert that was not held is a line in the picture of its gauge, and is said beside it."""
    name = "process/cpu"
    breached = an_slo_result(held=False, reason=f"{name} was above its limit for 12 s")
    breached = replace(
        breached,
        slo=replace(breached.slo, endpoint="(target)", limit=0.5),
        metric=replace(breached.metric, name=f"{name} for 10 s"),
    )
    outcome = replace(OUTCOMES["slo_breach"](), slos=(breached,))
    page = opened(html(View(outcome=outcome, run=a_whole_run()))).page
    figure = page.locator("figure", has_text=breached.reason)
    assert figure.count() == 1
    assert figure.locator('line[stroke="var(--red)"]').count() == 1
