"""
The report as one HTML file, which opens from disk, loads nothing and needs no script.

Everything that a run, a change or a service may have written goes through Jinja's escaping, and so is text.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from perfci import histogram
from perfci.model import (
    ALL_ENDPOINTS,
    Decision,
    Outcome,
    Reference,
    Role,
    Round,
    RoundKind,
    Run,
    SeriesVerdict,
    Side,
    Subject,
    Verdict,
)
from perfci.report import assessment, gauges, highlights, rows, work
from perfci.report.charts import Chart, effects, timeline
from perfci.report.html_endpoints import LATENCY, SHARES, endpoints
from perfci.report.sanitise import visible, web_address
from perfci.report.sensitivity import sensitivity
from perfci.report.view import Links, View

if TYPE_CHECKING:
    from jinja2 import Template

TEXT_LIMIT = 600
MAX_ROWS = 2000
"""Largest number of rows of a table, so that a browser can show the page of any run."""

MAX_CHOSEN = effects.MOST
"""Number of series that are drawn and listed by default."""

_TONES = {
    **dict.fromkeys((SeriesVerdict.REGRESSION, Verdict.REGRESSION, Verdict.SLO_BREACH, Verdict.INVALID), "bad"),
    **dict.fromkeys((SeriesVerdict.IMPROVEMENT, SeriesVerdict.EQUIVALENT, Verdict.PASS), "good"),
    **dict.fromkeys((SeriesVerdict.INCONCLUSIVE, SeriesVerdict.ACCEPTED, Verdict.INCONCLUSIVE), "open"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """The row of one round."""

    block: int
    kind: RoundKind
    side: Side
    seconds: str
    users: str
    rate: str
    failures: str
    p50: str
    p95: str


def document(view: View) -> str:
    """The whole page."""
    outcome, run = view.outcome, view.run
    ordered = highlights.in_order(outcome.decisions, highlights.MAX_ROWS)[:MAX_ROWS]
    shown = [(rows.row(decision), decision.counts) for decision in ordered]
    chosen = _chosen(outcome)
    word = "Cannot compare" if rows.cannot_compare(outcome) else outcome.verdict.value.capitalize()
    return _template().render(
        outcome=outcome,
        links=view.links,
        verdict=f"{rows.VERDICT_MARKS[outcome.verdict]} {word}",
        tone=_tone(outcome.verdict),
        name=visible(f"{outcome.subject.profile}:{outcome.subject.scenario}"),
        compared=rows.compared(outcome),
        next_step=rows.next_step(outcome),
        first_findings=highlights.before_the_numbers(outcome.findings),
        findings=highlights.after_the_numbers(outcome.findings),
        forest=effects.forest(chosen),
        chosen=list(map(rows.row, chosen)),
        counted=[row for row, counts in shown if counts],
        advisory=[row for row, counts in shown if not counts],
        causes=list(_causes(outcome)),
        slos=list(map(rows.slo_row, outcome.slos[:MAX_ROWS])),
        assessed=list(assessment.lines(outcome))[:MAX_ROWS],
        endpoints=list(endpoints(view)),
        shares=SHARES,
        sides=rows.sides(outcome),
        sides_over_time=[side for side in Side if any(each.side is side for each in (run.rounds if run else ()))],
        rounds=[_line(each) for each in (run.rounds if run else ())[:MAX_ROWS]],
        over_time=_over_time(outcome, run),
        gauges=list(map(gauges.gauge_row, outcome.gauges[:MAX_ROWS])),
        facts=list(_facts(outcome, run)),
        again=list(_again(outcome.subject)),
        addresses=[(name, url) for name, url in _addresses(view.links) if web_address(url)],
    )


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("perfci.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "visible": lambda text: visible(text, TEXT_LIMIT),
        "tone": _tone,
        "mark": rows.MARKS.__getitem__,
    }
    return environment.get_template("report.html.j2")


def _tone(verdict: Verdict | SeriesVerdict) -> str:
    return _TONES.get(verdict, "")


def _chosen(outcome: Outcome) -> list[Decision]:
    """
    The series that a reader needs first, in the order of the outcome: those of the short reports and required ones.
    """
    short = {id(decision) for decision in highlights.shown(outcome.decisions, MAX_CHOSEN).decisions}
    found = [
        decision
        for decision in outcome.decisions
        if id(decision) in short or decision.comparison.budget.role is Role.REQUIRED
    ]
    return found[:MAX_CHOSEN]


def _over_time(outcome: Outcome, run: Run | None) -> list[Chart]:
    if run is None:
        return []
    charts = timeline.under_load(run, outcome)
    phases = timeline.phases(run)
    return [*charts, *([phases] if phases else [])]


def _causes(outcome: Outcome) -> Iterator[dict[str, object]]:
    """The causes of each red count."""
    for decision, also in work.explained(highlights.shown(outcome.decisions, MAX_ROWS)):
        yield {
            "endpoint": decision.comparison.series.endpoint,
            "change": work.heading(decision),
            "culprits": [work.cause(culprit, decision) for culprit in decision.comparison.culprits],
            "also": also,
        }


def _line(each: Round) -> _Line:
    seen = [endpoint for name, endpoint in each.endpoints.items() if name != ALL_ENDPOINTS]
    requests, failures = sum(endpoint.requests for endpoint in seen), sum(endpoint.failures for endpoint in seen)
    merged = histogram.merged(endpoint.histogram for endpoint in seen if endpoint.histogram)
    p50, p95 = rows.values([histogram.quantile(merged, share) for share in (0.5, 0.95)], LATENCY)
    return _Line(
        block=each.block,
        kind=each.kind,
        side=each.side,
        seconds=f"{each.duration_s:.1f}",
        users=str(each.generator.users_reached) if each.generator else rows.NOTHING,
        rate=f"{requests / each.duration_s:,.1f}" if each.duration_s > 0 else rows.NOTHING,
        failures=f"{failures:,}",
        p50=p50,
        p95=p95,
    )


def _facts(outcome: Outcome, run: Run | None) -> Iterator[tuple[str, str]]:
    """The facts that a reader needs to trust the numbers, and to reproduce them."""
    subject = outcome.subject
    if rows.could_see(outcome):
        yield "Could have seen", sensitivity(outcome)
    yield "Compared", rows.comparison(outcome)
    yield "Machine", subject.machine
    yield "Load", subject.load
    if run is None:
        return
    if plan := run.fingerprint.plan:
        who = ", ".join(plan.user_classes) or "all user classes"
        yield (
            "Load plan",
            f"{plan.locustfile} (digest {plan.digest}), {who}, {plan.spawn_rate:g} users started a second",
        )
    for side, target in run.fingerprint.target.items():
        yield f"Target, {side}", target
    yield "Data", run.fingerprint.seed_digest
    yield "Measured", run.created_at
    yield "Versions", ", ".join(f"{name} {version}" for name, version in sorted(run.fingerprint.versions.items()))
    if run.origin.imported:
        yield "Imported", f"{run.origin.file}, of {run.origin.tool}"


def _again(subject: Subject) -> Iterator[str]:
    """The commands that reproduce the run."""
    if not subject.profile:
        return
    if subject.head_commit:
        yield f"git switch --detach {subject.head_commit}"
    name = shlex.quote(f"{subject.profile}:{subject.scenario}")
    base = f" --base {subject.base_commit}" if subject.reference is Reference.REF and subject.base_commit else ""
    yield f"perfci run {name} --against {subject.reference}{base}"


def _addresses(links: Links) -> tuple[tuple[str, str], ...]:
    return ("Run", links.run), ("Artifact", links.artifact), ("Base commit", links.base_commit)
