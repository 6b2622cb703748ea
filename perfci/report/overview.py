"""Several scenarios in one table: each limit, the grade, what to do, whether the system is ready."""

from collections.abc import Iterator, Mapping
from io import StringIO

from perfci.model import Outcome, Readiness, SloResult, Weight
from perfci.report import rows
from perfci.report.sanitise import plain

TEXT_LIMIT = 300


def table(outcomes: Mapping[str, Outcome], readiness: Mapping[str, Readiness], *, width: int, colour: bool) -> str:
    """The table for a terminal: a row for each limit, below the row of its scenario."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    found = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for heading in ("Scenario", "Grade", "Result"):
        found.add_column(heading, no_wrap=True)
    found.add_column("Limit", overflow="fold", min_width=30)
    found.add_column("Worst", justify="right", no_wrap=True)
    for name, outcome in outcomes.items():
        grade = outcome.assessment.grade if outcome.assessment else ""
        word = f"{rows.VERDICT_MARKS[outcome.verdict]} {outcome.verdict.value.upper()}"
        found.add_row(Text(plain(name)), grade or "-", word, Text(plain(outcome.reason, TEXT_LIMIT)), "")
        for finding in outcome.findings:
            if finding.weight is Weight.INVALID and finding.hint:
                found.add_row("", "", "next", Text(plain(finding.hint, TEXT_LIMIT)), "")
        for slo in outcome.slos:
            row = rows.slo_row(slo)
            found.add_row("", "", result_of(slo), Text(plain(f"{row.metric} of {row.endpoint} {row.limit}")), row.worst)
        for each in outcome.assessment.recommendations if outcome.assessment else ():
            found.add_row("", "", "advice", Text(plain(f"{each.cause}: {each.advice}", TEXT_LIMIT)), "")
    file = StringIO()
    console = Console(file=file, width=width, force_terminal=colour, highlight=False, legacy_windows=False, _environ={})
    console.print(found)
    for line in _ready(readiness):
        console.print(Text(plain(line, TEXT_LIMIT)))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def result_of(slo: SloResult) -> str:
    """The result of a limit in a word: PASS, FAIL, WARN or OPEN."""
    if slo.held:
        return "PASS"
    if not slo.rounds:
        return "OPEN"
    return "FAIL" if slo.slo.fails else "WARN"


def _ready(readiness: Mapping[str, Readiness]) -> Iterator[str]:
    for profile, found in readiness.items():
        why = f": {'; '.join(map(str, found.reasons[:5]))}" if found.reasons else ""
        yield f"{profile} is {found.level}{why}"
