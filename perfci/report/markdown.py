"""
Renders the report as GitHub's Markdown: the pull request comment, and the longer job summary.

Both stay below the platform's limits by construction: rows, findings and every text in them are bounded.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from perfci.model import Decision, Outcome, SeriesVerdict, Side, Verdict, Weight
from perfci.report import assessment, gauges, highlights, rows, work
from perfci.report.sanitise import code, prose, visible, web_address
from perfci.report.sensitivity import sensitivity
from perfci.report.view import Links, View

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_ROWS = highlights.MAX_ROWS
CAUSE_BYTES = 12_000
MAX_FINDINGS = 8
REASON_LIMIT = 600
TEXT_LIMIT = 300
STATEMENT_LIMIT = 200
SERIES_LIMIT = 240
_COPYABLE = re.compile(r"(?:[\w /.{}()?=&%+,~-]|:(?!:))+")
"""A series that is offered to be copied: nothing in it could be a mention, a link, a tag or a command anywhere."""

SUMMARY_ROW_BYTES = 900_000
"""Largest size of all rows in a job summary, which itself is limited to 1 MiB."""

_SYMBOLS = {
    Verdict.INVALID: "⚠️ Invalid",
    Verdict.REGRESSION: "❌ Regression",
    Verdict.SLO_BREACH: "❌ SLO breach",
    Verdict.NO_BASELINE: "⚪ No baseline",
    Verdict.INCONCLUSIVE: "❔ Inconclusive",
    Verdict.PASS: "✅ Pass",
}
_SERIES_SYMBOLS = {
    SeriesVerdict.REGRESSION: "❌",
    SeriesVerdict.IMPROVEMENT: "🚀",
    SeriesVerdict.EQUIVALENT: "✅",
    SeriesVerdict.BELOW_BUDGET: "🔹",
    SeriesVerdict.INCONCLUSIVE: "❔",
    SeriesVerdict.NOT_COMPARED: "⚪",
    SeriesVerdict.ACCEPTED: "☑️",
}
_WEIGHT_SYMBOLS = {
    Weight.INVALID: "⚠️",
    Weight.REGRESSION: "❌",
    Weight.INCONCLUSIVE: "❔",
    Weight.NOTICE: "📝",
    Weight.WARNING: "💡",
}


def comment(view: View) -> str:
    """The body of a pull request comment, at most 60,000 UTF-16 units for any run."""
    return _render(view.outcome, view.links, every=())


def summary(view: View) -> str:
    """The job summary: the comment, and every series in a fold below it; less than 1 MiB."""
    every = _within(SUMMARY_ROW_BYTES, map(_line, highlights.in_order(view.outcome.decisions, MAX_ROWS)))
    return _render(view.outcome, view.links, every=every)


def _render(outcome: Outcome, links: Links, *, every: Sequence[str]) -> str:
    shown = highlights.shown(outcome.decisions, MAX_ROWS)
    first = highlights.before_the_numbers(outcome.findings)
    later = highlights.after_the_numbers(outcome.findings)
    text = (
        _templates()
        .get_template("comment.md.j2")
        .render(
            outcome=outcome,
            subject=outcome.subject,
            verdict="⚠️ Cannot compare" if rows.cannot_compare(outcome) else _SYMBOLS[outcome.verdict],
            untrusted=links.untrusted,
            lines=[_line(decision) for decision in shown.decisions],
            causes=_bounded(list(_causes(shown))),
            taken_out=rows.taken_out(shown.every),
            more=shown.rest,
            every=every,
            beyond=len(outcome.decisions) - len(every),
            slos=[_slo_line(slo) for slo in map(rows.slo_row, outcome.slos[:MAX_ROWS])],
            hidden_slos=max(len(outcome.slos) - MAX_ROWS, 0),
            assessed=list(assessment.lines(outcome))[:MAX_ROWS],
            sides=rows.sides(outcome),
            gauges=[_gauge_line(gauges.gauge_row(gauge), rows.sides(outcome)) for gauge in outcome.gauges[:MAX_ROWS]],
            hidden_gauges=max(len(outcome.gauges) - MAX_ROWS, 0),
            first_findings=first[:MAX_FINDINGS],
            findings=later[:MAX_FINDINGS],
            hidden_findings=max(len(first) - MAX_FINDINGS, 0) + max(len(later) - MAX_FINDINGS, 0),
            acceptable=_acceptable(outcome, links.acceptable),
            links=_links(outcome, links),
        )
    )
    return text.strip() + "\n"


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("perfci.report"),
        autoescape=False,  # noqa: S701 - HTML escapes do not protect Markdown; `code` and `prose` do
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "code": code,
        "reason": lambda text: prose(text, REASON_LIMIT),
        "prose": lambda text: prose(text, TEXT_LIMIT),
        "weight": lambda weight: f"{_WEIGHT_SYMBOLS[weight]} {weight.value.capitalize()}",
    }
    environment.globals |= {
        "sensitivity": sensitivity,
        "could_see": rows.could_see,
        "comparison": rows.comparison,
        "next_step": rows.next_step,
    }
    return environment


def _line(decision: Decision) -> str:
    row = rows.row(decision)
    verdict = f"{_SERIES_SYMBOLS[row.verdict]} {row.verdict}"
    texts = (row.metric, row.base, row.candidate, row.change)
    return _cells(code(row.endpoint), *(prose(text, 60) for text in texts), verdict)


def _causes(shown: highlights.Shown) -> Iterator[str]:
    """A list of red counts, each with its cause and with the series that changed along with it."""
    for decision, also in work.explained(shown):
        series = decision.comparison.series
        yield f"- {code(series.endpoint)} {prose(work.heading(decision), 100)}:"
        for culprit in decision.comparison.culprits:
            cause = work.cause(culprit, decision)
            statement = f" of {code(cause.statement, STATEMENT_LIMIT)}" if cause.statement else ""
            beside = f", about once for each row of {code(cause.beside, STATEMENT_LIMIT)}" if cause.beside else ""
            yield f"  - **{cause.kind}**: {prose(cause.change, 100)}{statement}{beside}"
        if also:
            yield f"  - also: {prose(also, TEXT_LIMIT)}"


def _bounded(causes: Sequence[str]) -> list[str]:
    kept = _within(CAUSE_BYTES, causes)
    return kept if len(kept) == len(causes) else [*kept, "- Further causes are in `result.json` of the artifact."]


def _slo_line(slo: rows.SloRow) -> str:
    texts = (slo.metric, slo.limit, slo.worst, slo.rounds)
    return _cells(code(slo.endpoint), *(prose(text, 60) for text in texts), f"{_slo_symbol(slo)} {slo.word}")


def _slo_symbol(slo: rows.SloRow) -> str:
    return "✅" if slo.held else "❌" if slo.word == "breached" else "❔" if slo.word == "not settled" else "💡"


def _gauge_line(gauge: gauges.GaugeRow, sides: Sequence[Side]) -> str:
    return _cells(code(gauge.name), *(prose(text, 60) for text in gauge.cells(sides)))


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _within(size: int, lines: Iterable[str]) -> list[str]:
    kept = []
    for line in lines:
        size -= len(line.encode()) + 1
        if size < 0:
            break
        kept.append(line)
    return kept


def _links(outcome: Outcome, links: Links) -> list[str]:
    named = {
        "Run": links.run,
        "Artifact with report and logs": links.artifact,
    }
    if outcome.subject.base_commit:
        named[f"Base commit {code(rows.commit(outcome.subject.base_commit))}"] = links.base_commit
    accepted = dict.fromkeys((each.acceptance.by, each.acceptance.url) for each in outcome.decisions if each.acceptance)
    listed = [*named.items(), *((f"Accepted by {code(by)}", url) for by, url in accepted)]
    return [f"[{name}]({web_address(url)})" for name, url in listed if web_address(url)]


def _acceptable(outcome: Outcome, commit: str) -> list[str]:
    """The lines of a comment that accepts what is red; nothing where no comment is read, or no series is red."""
    red = [each for each in outcome.decisions if each.counts and each.verdict is SeriesVerdict.REGRESSION]
    labels = dict.fromkeys(visible(each.comparison.series.label, SERIES_LIMIT) for each in red)
    named = [label for label in labels if _COPYABLE.fullmatch(label)]
    return [f"/perf accept {label} at {commit}" for label in named[:MAX_ROWS]] if commit else []
