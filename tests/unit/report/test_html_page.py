"""The HTML report: one file that asks for nothing, in which every name is text."""

import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from perfci import store
from perfci.cli import cli
from perfci.errors import ExitCode
from perfci.model import Outcome, Role, SeriesVerdict, Side, WordedReason
from perfci.pipeline import documents
from perfci.report import FORMATS
from perfci.report.view import Links, View
from tests.builders import (
    a_baseline,
    a_budget,
    a_comparison,
    a_decision,
    a_finding,
    a_paired_run,
    a_red_outcome,
    a_run,
    an_outcome,
)
from tests.golden.outcomes import OUTCOMES

HOSTILE = (
    "@org/team",
    "#1",
    "a|b",
    "`code`",
    "<img>",
    "](javascript:",
    '" role="x" d="',
    "&lt;b&gt;",
    "datum.value",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><b>",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
    "<!-- x",
    "]]>",
)
ALLOWED = {
    *("href", "class", "scope", "lang", "charset", "name", "content", "http-equiv", "tabindex", "role", "rel", "open"),
    *("aria-label", "width", "height", "viewbox", "d", "fill", "stroke", "stroke-width", "stroke-miterlimit"),
    *("stroke-dasharray", "transform", "x2", "y2", "text-anchor", "font-size", "opacity"),
}
VOID = {"meta", "br"}


class Page(HTMLParser):
    """The elements, attributes and text of a page; a tag that is not closed in its turn is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.drawn: list[str] = []  # the texts within pictures
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if "svg" in self.open:
            self.drawn.append(data)


def page(outcome: Outcome, **parts: object) -> str:
    """The page of a view."""
    return FORMATS["html"].render(View(outcome=outcome, **parts))  # type: ignore[arg-type]


def renamed(outcome: Outcome, name: str) -> Outcome:
    """The outcome with every endpoint, reason and finding called *name*."""
    decisions = [
        replace(
            each,
            because=WordedReason(name),
            comparison=replace(each.comparison, series=replace(each.comparison.series, endpoint=name), note=name),
        )
        for each in outcome.decisions
    ]
    subject = replace(outcome.subject, machine=name, load=name, reference_name=name, profile=name)
    findings = (a_finding(message=name, hint=name),)
    return replace(outcome, decisions=tuple(decisions), because=WordedReason(name), findings=findings, subject=subject)


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize("case", OUTCOMES)
def test_it_is_well_formed_and_asks_for_nothing(case: str) -> None:
    """No script, picture or style sheet from anywhere; a policy that would refuse each."""
    found = Page(page(OUTCOMES[case](), run=a_paired_run()))
    assert not found.tags & {"script", "img", "link", "iframe", "object", "embed", "form", "base"}
    assert {name for name, _ in found.attributes} <= ALLOWED
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in found.attributes


@cache
def named(name: str) -> Page:
    """The page on which everything is called *name*."""
    return Page(page(renamed(OUTCOMES["work"](), name), run=a_paired_run(typical={name: 4.0})))


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text(name: str) -> None:
    """It stands on the page and in its pictures as it was written, and makes no element and no attribute."""
    ordinary, found = named("GET /"), named(name)
    assert found.tags == ordinary.tags
    assert {key for key, _ in found.attributes} == {key for key, _ in ordinary.attributes}
    assert any(name in text for text in found.texts)
    assert any(text.startswith(f"{name} · ") for text in found.drawn)


def test_an_address_that_is_none_is_no_link() -> None:
    """Only http(s) is linked."""
    links = Links(run="javascript:alert(1)", artifact="https://git.example.org/a/7")
    assert [value for name, value in Page(page(a_red_outcome(), links=links)).attributes if name == "href"] == [
        "https://git.example.org/a/7"
    ]


def test_quantiles_are_those_of_the_histograms() -> None:
    """Both sides of each endpoint, over all rounds."""
    text = page(a_red_outcome(), run=a_paired_run(typical={"GET /tickets/": 10.0}, scatter=0.0))
    rows = [line for line in text.splitlines() if line.startswith("<tr><td>load</td><td>")]
    assert len(rows) == 2
    assert all('<td class="number">3,200</td>' in row for row in rows)


def test_an_endpoint_without_latencies_says_so() -> None:
    """Where nothing succeeded, or nothing was kept, there is no empty table."""
    run = a_paired_run(typical={"GET /tickets/": 4.0})
    bare = {"GET /tickets/": replace(run.rounds[0].endpoints["GET /tickets/"], histogram=None)}
    text = page(a_red_outcome(), run=replace(run, rounds=tuple(replace(each, endpoints=bare) for each in run.rounds)))
    assert "The run has no latency of it" in text
    assert "Latencies over all rounds" not in text


def test_the_base_of_a_comparison_with_stored_runs_is_theirs() -> None:
    """Where the run measured one side, the other is what it was compared with."""
    baseline = a_baseline(runs=2)
    text = page(a_red_outcome(), run=a_run(), stored=baseline.runs)
    assert f"<td>load</td><td>{Side.BASE}</td>" in text
    assert f"<td>load</td><td>{Side.BASE}</td>" not in page(a_red_outcome(), run=a_run())


@pytest.mark.usefixtures("pictures")
def test_twenty_endpoints_in_eight_blocks_are_a_small_file() -> None:
    """Less than a megabyte and a half."""
    run = a_paired_run(typical={f"GET /endpoint/{number}": 4.0 for number in range(20)})
    text = page(OUTCOMES["work"](), run=run)
    assert text.count("<svg") > 40
    assert len(text.encode()) < 1_500_000


@pytest.mark.usefixtures("pictures")
def test_every_picture_has_a_name_and_a_table() -> None:
    """What is drawn is called an image, with a name of its own; without pictures the same tables stand."""
    view = {"run": a_paired_run()}
    text = page(OUTCOMES["regression"](), **view)
    names = re.findall(r'role="img" aria-label="([^"]+)"><svg', text)
    assert len(names) == text.count("<svg")
    assert len(set(names)) > 10
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("perfci.report.charts.drawing._library", lambda: None)
        plain = page(OUTCOMES["regression"](), **view)
    assert "<svg" not in plain
    assert plain.count("<table") == text.count("<table") > 10


def test_endpoints_stand_in_the_order_of_their_effects() -> None:
    """An advisory series moves no endpoint above one that is not settled."""
    names = ("GET /open", "GET /slower", "GET /quiet")
    verdicts = (SeriesVerdict.INCONCLUSIVE, SeriesVerdict.EQUIVALENT, SeriesVerdict.EQUIVALENT)
    noisy = a_decision(
        verdict=SeriesVerdict.REGRESSION,
        comparison=a_comparison(endpoint="GET /quiet", budget=a_budget(role=Role.ADVISORY)),
    )
    required = [
        a_decision(verdict=verdict, comparison=a_comparison(endpoint=name))
        for name, verdict in zip(names, verdicts, strict=True)
    ]
    text = page(an_outcome(decisions=(noisy, *required)), run=a_paired_run(typical=dict.fromkeys(names, 4.0)))
    assert re.findall(r"<summary>(GET /\w+)", text) == list(names)


@pytest.mark.usefixtures("pictures")
def test_a_chart_that_cannot_be_drawn_leaves_the_tables() -> None:
    """Where the library fails, the page is as it is without it."""

    class Failing:
        def vegalite_to_svg(self, _spec: object) -> str:
            raise ValueError("no")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("perfci.report.charts.drawing._library", Failing)
        text = page(OUTCOMES["regression"](), run=a_paired_run())
    assert "<svg" not in text
    assert "Latencies over all rounds" in text


def test_it_is_written_again(tmp_path: Path) -> None:
    """`perfci report` makes the file from what the folder holds, as it was judged; or prints another format."""
    run = a_paired_run()
    store.save(run, tmp_path / "run.json")
    documents.write(View(outcome=a_red_outcome(), run=run), tmp_path, code=ExitCode.REGRESSION)
    written = (tmp_path / "report.html").read_text()
    (tmp_path / "report.html").unlink()
    config = ["--config", str(tmp_path / "none.toml")]
    done = CliRunner().invoke(cli, ["report", str(tmp_path), *config])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "report.html").read_text() == written
    assert "report.html" in done.stdout
    printed = CliRunner().invoke(cli, ["report", str(tmp_path), *config, "--format", "markdown"])
    assert printed.stdout.startswith("## ❌ Regression")


def test_what_cannot_be_reported_is_an_error(tmp_path: Path) -> None:
    """A folder without a result, and two wishes at once."""
    assert CliRunner().invoke(cli, ["report", str(tmp_path)]).exit_code != 0
    assert CliRunner().invoke(cli, ["report", str(tmp_path), "--open", "--format", "html"]).exit_code == 2
