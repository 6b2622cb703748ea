"""Renders trends for a terminal or a log: what changed, newest first, then drift, then each line."""

from collections.abc import Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from perfci.model import Trend
from perfci.report import rows, trend_rows
from perfci.report.sanitise import plain

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

WIDTH = 120
MAX_ROWS = 40
TEXT_LIMIT = 600

_WHOLE = {"Day", "Commit", "Change", "From -> to", "Test", "Oldest to newest"}
"""Columns whose cells are not broken into lines."""


def document(trends: Sequence[Trend]) -> str:
    """All trends, one after the other, wide and without colour."""
    return render(trends, width=WIDTH)


def render(trends: Sequence[Trend], *, width: int) -> str:
    """All trends in *width* columns."""
    from rich.console import Console

    file = StringIO()
    console = Console(file=file, width=width, color_system=None, highlight=False, legacy_windows=False, _environ={})
    for trend in trends:
        for part in _parts(trend):
            console.print(part)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _parts(trend: Trend) -> "Iterator[RenderableType]":
    from rich.text import Text

    yield Text(plain(f"{trend.profile}:{trend.scenario}"), style="bold")
    yield from (Text(plain(sentence, TEXT_LIMIT)) for sentence in trend_rows.summary(trend))
    yield Text()
    events = trend_rows.events(trend)
    yield _events(trend) if events else Text("No change was found along any line.")
    if len(events) > MAX_ROWS:
        yield Text(f"... and {len(events) - MAX_ROWS} older changes: --format json has all of them")
    for line, drift in trend_rows.drifts(trend):
        yield Text(plain(f"Drift: {trend_rows.drift(line, drift)}", TEXT_LIMIT))
    yield Text()
    yield _lines(trend)
    yield Text()


def _events(trend: Trend) -> "Table":
    table = _table("Day", "Commit", "Series", "On", "Change", "From -> to", "Test", "Accepted by")
    for line, event in trend_rows.events(trend)[:MAX_ROWS]:
        mark = "" if event.exceeds_budget else " (small)"
        _add(
            table,
            event.created_at[:10],
            plain(rows.commit(event.commit)),
            plain(trend_rows.label(line)),
            trend_rows.where(line, trend),
            f"{'✗' if event.worse else '▲'} {trend_rows.changed(line, event.change)}{mark}",
            trend_rows.levels(line, event),
            trend_rows.found_by(event),
            plain(event.accepted or "nobody"),
        )
    return table


def _lines(trend: Trend) -> "Table":
    table = _table("Series", "On", "Runs", "Oldest to newest", "Newest")
    for line in trend.lines:
        _add(
            table,
            plain(trend_rows.label(line)),
            trend_rows.where(line, trend),
            f"{len(line.rows):,}",
            trend_rows.sparkline(line.values),
            rows.values((line.values[-1],), line.metric)[0],
        )
    return table


def _add(table: "Table", *cells: str) -> None:
    """A row whose cells are text, and never Rich's markup: `GET /tickets/[id]` is a name."""
    from rich.text import Text

    table.add_row(*map(Text, cells))


def _table(*columns: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in _WHOLE)
    return table
