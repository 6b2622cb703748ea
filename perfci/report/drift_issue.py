"""Renders the drifts for the worse of the main branch as the text of an issue, in GitHub's Markdown."""

import hashlib
from collections.abc import Iterator, Sequence
from math import log1p

from perfci.model import Drift, Line, Trend
from perfci.report import rows, trend_rows
from perfci.report.sanitise import code, prose

MAX_ROWS = 25
"""Of one scenario; an issue takes 65,536 characters."""

MAX_SCENARIOS = 10
ABOUT = """\
Small changes of the main branch add up: no single one reached its budget, and so none was red. Each line compares the \
newest runs with the first ones since the last change that was.
"""
NEXT = """\
**Next:** `perfci trend PROFILE:SCENARIO --series SERIES` shows every run and step. Close this issue to accept the \
levels: it is opened anew once a series has moved by a further budget. It closes itself when nothing drifts any more.
"""


def body(trends: Sequence[Trend]) -> str:
    """The text: a table for each scenario that became worse step by step; one sentence where there is none."""
    known = [(trend, found) for trend in trends if (found := worse(trend))]
    if not known:
        return "No series of the main branch drifts any more.\n"
    parts = [ABOUT]
    parts += [_section(trend, found) for trend, found in known[:MAX_SCENARIOS]]
    if len(known) > MAX_SCENARIOS:
        parts.append(f"{len(known) - MAX_SCENARIOS} more scenarios drift: `perfci trend` shows them.\n")
    parts.append(NEXT)
    return "\n".join(parts)


def subjects(trends: Sequence[Trend]) -> list[str]:
    """A digest for each drift for the worse: of the series, and of how many budgets it has moved by."""
    named = [
        f"{trend.profile}:{trend.scenario} {line.name.conditions} {line.name.series} {_budgets(line, drift)}"
        for trend in trends
        for line, drift in worse(trend)
    ]
    return sorted({hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8] for name in named})


def worse(trend: Trend) -> list[tuple[Line, Drift]]:
    """The drifts for the worse, the largest first."""
    return [(line, drift) for line, drift in trend_rows.drifts(trend) if drift.worse]


def _budgets(line: Line, drift: Drift) -> int:
    change = abs(log1p(drift.change.estimate)) if drift.change.estimate > -1 else 0.0
    return int(change / log1p(line.budget)) if line.budget > 0 else 0


def _section(trend: Trend, found: Sequence[tuple[Line, Drift]]) -> str:
    lines = [
        f"### {code(f'{trend.profile}:{trend.scenario}')}",
        "",
        "| Series | Change | Levels | Runs | Since | Steps |",
        "| :--- | ---: | ---: | ---: | :--- | ---: |",
        *_table(found[:MAX_ROWS]),
    ]
    if len(found) > MAX_ROWS:
        lines += ["", f"{len(found) - MAX_ROWS} more series drift."]
    return "\n".join(lines) + "\n"


def _table(found: Sequence[tuple[Line, Drift]]) -> Iterator[str]:
    for line, drift in found:
        first = next((row for row in line.rows if row.run == drift.since), line.rows[0])
        cells = (
            code(trend_rows.label(line), 120),
            prose(trend_rows.changed(line, drift.change), 60),
            prose(trend_rows.levels(line, drift), 60),
            str(drift.runs),
            f"{prose(first.created_at[:10], 20)}, {code(rows.commit(first.commit) or '-')}",
            str(drift.steps),
        )
        yield f"| {' | '.join(cells)} |"
