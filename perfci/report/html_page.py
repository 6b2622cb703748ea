"""
The report as one HTML file: opens from disk, asks nobody for anything, and needs no script.

Everything that a run, a change or a service may have written goes through Jinja's escaping, and so is text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from perfci import histogram
from perfci.model import (
    ALL_ENDPOINTS,
    Better,
    Decision,
    Metric,
    Outcome,
    Quantity,
    Reference,
    Round,
    RoundKind,
    Run,
    Scale,
    SeriesVerdict,
    Side,
    Verdict,
)
from perfci.report import gauges, highlights, rows, work
from perfci.report.sanitise import visible, web_address
from perfci.report.view import Links, View

if TYPE_CHECKING:
    from jinja2 import Template

TEXT_LIMIT = 600
MAX_ROWS = 2000
"""Rows of one table, so that no run makes a page that a browser cannot show."""

MAX_ENDPOINTS = 200
SERIES_OF_AN_ENDPOINT = 4
"""Series whose values are listed by block, worst first; `result.json` has all."""

SHARES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "longest": 1.0}

_LATENCY = Metric(
    name="latency",
    quantity=Quantity.TIME,
    unit="ms",
    better=Better.LOWER,
    scale=Scale.RATIO,
    portable=False,
    exact=False,
    meaning="",
)
_TONES = {
    **dict.fromkeys((SeriesVerdict.REGRESSION, Verdict.REGRESSION, Verdict.SLO_BREACH, Verdict.INVALID), "bad"),
    **dict.fromkeys((SeriesVerdict.IMPROVEMENT, SeriesVerdict.EQUIVALENT, Verdict.PASS), "good"),
    **dict.fromkeys((SeriesVerdict.INCONCLUSIVE, SeriesVerdict.ACCEPTED, Verdict.INCONCLUSIVE), "open"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quantiles:
    """The latencies of one endpoint on one side, over all rounds of a kind."""

    kind: RoundKind
    side: Side
    requests: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blocks:
    """The values of one series, block by block."""

    metric: str
    kind: RoundKind
    labels: tuple[str, ...]
    base: tuple[str, ...]
    candidate: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Endpoint:
    name: str
    quantiles: tuple[_Quantiles, ...]
    series: tuple[_Blocks, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One round."""

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
    shown = [(rows.row(decision), decision.counts) for decision in outcome.decisions[:MAX_ROWS]]
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
        counted=[row for row, counts in shown if counts],
        advisory=[row for row, counts in shown if not counts],
        causes=list(_causes(outcome)),
        slos=list(map(rows.slo_row, outcome.slos[:MAX_ROWS])),
        endpoints=list(_endpoints(view)),
        shares=SHARES,
        rounds=[_line(each) for each in (run.rounds if run else ())[:MAX_ROWS]],
        gauges=list(map(gauges.gauge_row, outcome.gauges[:MAX_ROWS])),
        facts=list(_facts(outcome, run)),
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


def _causes(outcome: Outcome) -> Iterator[dict[str, object]]:
    """What there is to say of each red count."""
    for decision, also in work.explained(highlights.shown(outcome.decisions, MAX_ROWS)):
        yield {
            "endpoint": decision.comparison.series.endpoint,
            "change": work.moved(decision),
            "culprits": [work.cause(culprit, decision) for culprit in decision.comparison.culprits],
            "also": also,
        }


def _endpoints(view: View) -> Iterator[_Endpoint]:
    """Every endpoint of the run, in the order of its worst series."""
    sides = _rounds_by_side(view)
    known = {name for rounds in sides.values() for each in rounds for name in each.endpoints} - {ALL_ENDPOINTS}
    by_name: dict[str, list[Decision]] = {}
    for decision in view.outcome.decisions:
        by_name.setdefault(decision.comparison.series.endpoint, []).append(decision)
    ranked = [name for name in by_name if name in known]
    for name in list(dict.fromkeys([*ranked, *sorted(known)]))[:MAX_ENDPOINTS]:
        timed = [each for each in by_name.get(name, ()) if each.comparison.kind is not RoundKind.CENSUS]
        listed = [each for each in timed if each.comparison.replicates][:SERIES_OF_AN_ENDPOINT]
        yield _Endpoint(
            name=name, quantiles=tuple(_quantiles(name, sides)), series=tuple(_blocks(each) for each in listed)
        )


def _rounds_by_side(view: View) -> dict[Side, list[Round]]:
    """The rounds of each side; those of the base come from the stored runs where the run has none."""
    rounds = view.run.rounds if view.run else ()
    sides = {side: [each for each in rounds if each.side is side] for side in Side}
    stored = [each for run in view.stored for each in run.rounds if each.side is Side.CANDIDATE]
    return {**sides, Side.BASE: sides[Side.BASE] or stored}


def _quantiles(name: str, sides: Mapping[Side, Sequence[Round]]) -> Iterator[_Quantiles]:
    for kind in (RoundKind.DUET, RoundKind.LOAD):
        for side, rounds in sides.items():
            seen = [each.endpoints[name] for each in rounds if each.kind is kind and name in each.endpoints]
            merged = histogram.merged(each.histogram for each in seen if each.histogram)
            if merged.text:
                values = [histogram.quantile(merged, share) for share in SHARES.values()]
                yield _Quantiles(
                    kind=kind,
                    side=side,
                    requests=sum(each.requests for each in seen),
                    values=rows.values(values, _LATENCY),
                )


def _blocks(decision: Decision) -> _Blocks:
    comparison = decision.comparison
    metric, replicates = comparison.series.metric, comparison.replicates
    both = rows.values([*(each.base for each in replicates), *(each.candidate for each in replicates)], metric)
    return _Blocks(
        metric=rows.metric_label(metric),
        kind=comparison.kind,
        labels=tuple(each.label for each in replicates),
        base=both[: len(replicates)],
        candidate=both[len(replicates) :],
    )


def _line(each: Round) -> _Line:
    seen = [endpoint for name, endpoint in each.endpoints.items() if name != ALL_ENDPOINTS]
    requests, failures = sum(one.requests for one in seen), sum(one.failures for one in seen)
    merged = histogram.merged(one.histogram for one in seen if one.histogram)
    p50, p95 = rows.values([histogram.quantile(merged, share) for share in (0.5, 0.95)], _LATENCY)
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
    """What a reader needs to believe the numbers, and to measure them again."""
    subject = outcome.subject
    if rows.comparable(outcome):
        yield "Could have seen", rows.sensitivity(outcome)
    yield "Compared", f"{rows.compared(outcome)}, {rows.how(subject.reference)}"
    yield "Machine", subject.machine
    yield "Load", subject.load
    if run is not None:
        yield "Measured", run.created_at
        yield "Data", run.fingerprint.seed_digest
        yield "Versions", ", ".join(f"{name} {version}" for name, version in sorted(run.fingerprint.versions.items()))
        if run.origin.imported:
            yield "Imported", f"{run.origin.file}, of {run.origin.tool}"
    if subject.reference is Reference.REF and subject.base_commit:
        base = f"--against ref --base {subject.base_commit}"
        yield "To measure again", f"perfci run {subject.profile}:{subject.scenario} {base}"
    elif subject.profile:
        yield "To measure again", f"perfci run {subject.profile}:{subject.scenario} --against {subject.reference}"


def _addresses(links: Links) -> tuple[tuple[str, str], ...]:
    return ("Run", links.run), ("Artifact", links.artifact), ("Base commit", links.base_commit)
