"""
Trends as one HTML page: what changed, drift, and a sparkline for each line, with links to commits and jobs.

As the report of a run: one file that asks nobody for anything, needs no script, and in which every name is text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from perfci.model import Event, Line, Trend
from perfci.report import rows, trend_rows
from perfci.report.charts import Chart
from perfci.report.charts.sparklines import sparkline
from perfci.report.sanitise import visible, web_address

if TYPE_CHECKING:
    from jinja2 import Template

TEXT_LIMIT = 600
MAX_EVENTS = 500
"""Rows of the table of changes; JSON has all of them."""

MAX_PICTURES = 300
"""Lines that are drawn, those with the newest changes first; the others are told in numbers."""

_JOB = re.compile(r"(https?://[^/]+/[^/]+/[^/]+)/actions/runs/\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _EventRow:
    """One change, as the page shows it; addresses are "" where there is none."""

    day: str
    series: str
    where: str
    change: str
    small: bool
    worse: bool
    levels: str
    found_by: str
    accepted: str
    commits: str
    commits_url: str
    job_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """One line, with its picture and its changes."""

    series: str
    where: str
    runs: int
    oldest: str
    newest: str
    commit: str
    commit_url: str
    job_url: str
    chart: Chart | None
    events: tuple[_EventRow, ...]
    drift: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scenario:
    name: str
    summary: tuple[str, ...]
    events: tuple[_EventRow, ...]
    hidden: int  # changes that the table leaves out
    drifts: tuple[tuple[str, bool], ...]  # the sentence, and whether it is for the worse
    lines: tuple[_Drawn, ...]


def document(trends: Sequence[Trend]) -> str:
    """The whole page."""
    return _template().render(scenarios=[_scenario(trend) for trend in trends])


def _scenario(trend: Trend) -> _Scenario:
    events = trend_rows.events(trend)
    return _Scenario(
        name=f"{trend.profile}:{trend.scenario}",
        summary=tuple(trend_rows.summary(trend)),
        events=tuple(_event_row(line, event, trend) for line, event in events[:MAX_EVENTS]),
        hidden=max(0, len(events) - MAX_EVENTS),
        drifts=tuple((trend_rows.drift(line, drift), drift.worse) for line, drift in trend_rows.drifts(trend)),
        lines=tuple(_drawn(trend)),
    )


def _drawn(trend: Trend) -> Iterator[_Drawn]:
    """Every line in its order; those whose last change is the newest have pictures, where there are too many."""
    ranked = sorted(trend.lines, key=lambda line: line.events[-1].created_at if line.events else "", reverse=True)
    pictured = {line.name for line in ranked[:MAX_PICTURES]}
    for line in trend.lines:
        oldest, newest = rows.values((line.values[0], line.values[-1]), line.metric)
        series, row = trend_rows.label(line), line.rows[-1]
        description = f"{series}, {len(line.rows)} runs from {oldest} to {newest}, changes: {len(line.events)}"
        yield _Drawn(
            series=series,
            where=trend_rows.where(line, trend),
            runs=len(line.rows),
            oldest=oldest,
            newest=newest,
            commit=rows.commit(row.commit),
            commit_url=_commit_url(row.url, row.commit),
            job_url=web_address(row.url),
            chart=sparkline(line, name=visible(description, TEXT_LIMIT)) if line.name in pictured else None,
            events=tuple(_event_row(line, event, trend) for event in reversed(line.events)),
            drift=trend_rows.drift(line, line.drift) if line.drift else "",
        )


def _event_row(line: Line, event: Event, trend: Trend) -> _EventRow:
    return _EventRow(
        day=event.created_at[:10],
        series=trend_rows.label(line),
        where=trend_rows.where(line, trend),
        change=trend_rows.changed(line, event.change),
        small=not event.exceeds_budget,
        worse=event.worse,
        levels=trend_rows.levels(line, event),
        found_by=trend_rows.found_by(event),
        accepted=event.accepted,
        commits=trend_rows.commits(event),
        commits_url=_commit_url(event.url, event.commit, since=event.since),
        job_url=web_address(event.url),
    )


def _commit_url(job: str, commit: str, *, since: str = "") -> str:
    """The page of a commit, or of those *since* another, in the repository of the *job*; "" where it is not known."""
    found = _JOB.fullmatch(job)
    hashes = [each for each in (since, commit) if re.fullmatch(r"[0-9a-f]{40,64}", each)]
    if found is None or not commit or commit not in hashes:
        return ""
    compared = since and since != commit and since in hashes
    return web_address(f"{found[1]}/compare/{since}...{commit}" if compared else f"{found[1]}/commit/{commit}")


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
    environment.filters["visible"] = lambda text: visible(text, TEXT_LIMIT)
    return environment.get_template("trend.html.j2")
