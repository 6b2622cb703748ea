"""Renders the report for a terminal or a job log: the verdict first, then its reasons; complete without colour."""

from collections.abc import Iterator
from io import StringIO
from typing import TYPE_CHECKING

from perfci.model import Decision, Finding, Outcome, SeriesVerdict, Verdict, Weight
from perfci.report import assessment, gauges, highlights, rows, work
from perfci.report.highlights import Shown
from perfci.report.sanitise import plain, web_address
from perfci.report.sensitivity import sensitivity
from perfci.report.view import Links, View

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

MAX_ROWS = highlights.MAX_ROWS
TEXT_LIMIT = 600
STATEMENT_LIMIT = 200
DOCUMENT_WIDTH = 120
ROOMY = 100
"""From this width on, endpoint and metric have a column each."""

_STYLES = {
    SeriesVerdict.REGRESSION: "bold red",
    SeriesVerdict.IMPROVEMENT: "green",
    SeriesVerdict.EQUIVALENT: "",
    SeriesVerdict.BELOW_BUDGET: "",
    SeriesVerdict.INCONCLUSIVE: "yellow",
    SeriesVerdict.NOT_COMPARED: "dim",
    SeriesVerdict.ACCEPTED: "yellow",
}
_VERDICT_STYLES = {Verdict.PASS: "bold green", Verdict.INCONCLUSIVE: "bold yellow", Verdict.NO_BASELINE: "bold yellow"}
_WEIGHT_MARKS = {
    Weight.INVALID: "!",
    Weight.REGRESSION: "✗",
    Weight.INCONCLUSIVE: "?",
    Weight.NOTICE: "▲",
    Weight.WARNING: "▲",
}


def document(view: View) -> str:
    """The report as a file: wide, without colour, with every series."""
    return render(view.outcome, view.links, width=DOCUMENT_WIDTH, verbose=True)


def render(
    outcome: Outcome,
    links: Links | None = None,
    /,
    *,
    width: int = 80,
    colour: bool = False,
    verbose: bool = False,
) -> str:
    """The report in *width* columns; *verbose* adds the series that cannot change the verdict."""
    from rich.console import Console

    file = StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    for part in _parts(outcome, links or Links(), width=width, verbose=verbose):
        console.print(part)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _parts(outcome: Outcome, links: Links, *, width: int, verbose: bool) -> "Iterator[RenderableType]":
    from rich.text import Text

    mark = rows.VERDICT_MARKS[outcome.verdict]
    word = "CANNOT COMPARE" if rows.cannot_compare(outcome) else outcome.verdict.value.upper()
    name = plain(f"{outcome.subject.profile}:{outcome.subject.scenario}")
    yield Text.assemble((f"{mark} {word}", _VERDICT_STYLES.get(outcome.verdict, "bold red")), f"  {name}")
    yield Text(plain(outcome.reason, TEXT_LIMIT))
    for finding in highlights.before_the_numbers(outcome.findings):
        yield Text(plain(f"{_WEIGHT_MARKS[finding.weight]} {finding.weight}: {_with_hint(finding)}", TEXT_LIMIT))
    shown = highlights.shown(outcome.decisions, MAX_ROWS)
    if verbose:
        shown = Shown(decisions=highlights.in_order(outcome.decisions, MAX_ROWS))
    if shown.decisions:
        yield ""
        yield _table(shown.decisions, roomy=width >= ROOMY)
    if shared := rows.taken_out(shown.every):
        yield Text(shared)
    if shown.rest:
        yield Text(f"{shown.rest}: --verbose shows them")
    yield from _causes(shown)
    if verbose and outcome.gauges:
        yield ""
        yield _gauges(outcome)
    yield ""
    yield _facts(outcome, links, verbose=verbose)


def _table(decisions: tuple[Decision, ...], *, roomy: bool) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for heading in ("Endpoint", "Metric") if roomy else ("Series",):
        table.add_column(heading, overflow="fold", min_width=12)
    for heading in ("Base", "Candidate"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Change", min_width=14)
    table.add_column("Verdict", no_wrap=True)
    for decision in decisions:
        row = rows.row(decision)
        names = (row.endpoint, row.metric) if roomy else (row.label,)
        verdict = Text(f"{rows.MARKS[row.verdict]} {row.verdict}", style=_STYLES[row.verdict])
        table.add_row(*(Text(plain(text)) for text in (*names, row.base, row.candidate, row.change)), verdict)
    return table


def _causes(shown: Shown) -> "Iterator[RenderableType]":
    """Behind each red count what caused it, and what else went the same way."""
    from rich.padding import Padding
    from rich.text import Text

    for decision, also in work.explained(shown):
        series = decision.comparison.series
        yield ""
        yield Text(plain(f"{series.endpoint} {work.heading(decision)}:"), style="bold")
        for culprit in decision.comparison.culprits:
            cause = work.cause(culprit, decision)
            text = f"{cause.kind}: {plain(cause.change)}"
            if cause.statement:
                text += f" of {plain(cause.statement, STATEMENT_LIMIT)}"
            if cause.beside:
                text += f", about once for each row of {plain(cause.beside, STATEMENT_LIMIT)}"
            yield Padding(Text(text), (0, 0, 0, 2))
        if also:
            yield Padding(Text(plain(f"also: {also}", TEXT_LIMIT)), (0, 0, 0, 2))


def _gauges(outcome: Outcome) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("Under load", overflow="fold", min_width=12)
    sides = rows.sides(outcome)
    for heading in (*(side.capitalize() for side in sides), *(f"Highest {side}" for side in sides)):
        table.add_column(heading, justify="right")
    for gauge in outcome.gauges:
        row = gauges.gauge_row(gauge)
        table.add_row(*(Text(plain(text)) for text in (row.name, *row.cells(sides))))
    return table


def _facts(outcome: Outcome, links: Links, *, verbose: bool) -> "Table":
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    for name, text in _named(outcome, links, verbose=verbose):
        grid.add_row(Text(name), Text(plain(text, TEXT_LIMIT)))
    return grid


def _named(outcome: Outcome, links: Links, *, verbose: bool) -> Iterator[tuple[str, str]]:
    for slo in map(rows.slo_row, outcome.slos):
        mark = "✓" if slo.held else "✗" if slo.word == "breached" else "?" if slo.word == "not settled" else "▲"
        limit = f"{slo.metric} of {slo.endpoint} {slo.limit}"
        yield "SLO", f"{mark} {slo.word}: {limit} (worst {slo.worst}, {slo.rounds} rounds within)"
    yield from assessment.lines(outcome)
    for finding in highlights.after_the_numbers(outcome.findings):
        yield "Finding", f"{_WEIGHT_MARKS[finding.weight]} {finding.weight}: {_with_hint(finding)}"
    if rows.could_see(outcome):
        yield "Could have seen", sensitivity(outcome)
    if outcome.gauges and not verbose:
        yield "Under load", gauges.in_short(outcome)
    yield "Compared", rows.comparison(outcome)
    yield "Machine", outcome.subject.machine
    yield "Load", outcome.subject.load
    for remark in outcome.remarks:
        yield plain(remark.name), remark.text
    for name, url in (("Run", links.run), ("Artifact", links.artifact), ("Base commit", links.base_commit)):
        if web_address(url):
            yield name, url
    if step := rows.next_step(outcome):
        yield "Next", step


def _with_hint(finding: Finding) -> str:
    message = finding.message if finding.message.endswith((".", "!", "?")) else f"{finding.message}."
    return f"{message} {finding.hint}".rstrip()
