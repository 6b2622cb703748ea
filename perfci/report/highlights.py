"""Chooses what a report shows first, and summarises the rest in one line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from perfci.model import ALL_ENDPOINTS, Decision, Finding, Role, RoundKind, SeriesVerdict, Weight
from perfci.report.rows import label

MAX_ROWS = 25
"""Largest number of rows of a short report."""

FEW = 5
"""Number of required series that are shown even where none changed."""

_BEFORE_THE_NUMBERS = {Weight.INCONCLUSIVE, Weight.NOTICE}
_REMARKABLE = {SeriesVerdict.REGRESSION, SeriesVerdict.IMPROVEMENT, SeriesVerdict.ACCEPTED}
_SETTLED = {SeriesVerdict.EQUIVALENT, SeriesVerdict.BELOW_BUDGET}
_WORDS = {
    SeriesVerdict.REGRESSION: "worse",
    SeriesVerdict.IMPROVEMENT: "better",
    SeriesVerdict.ACCEPTED: "accepted",
    SeriesVerdict.EQUIVALENT: "equivalent",
    SeriesVerdict.BELOW_BUDGET: "below budget",
    SeriesVerdict.INCONCLUSIVE: "not settled",
    SeriesVerdict.NOT_COMPARED: "not compared",
}


def before_the_numbers(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings that a reader must know before the numbers: changes to the comparison itself."""
    return tuple(finding for finding in findings if finding.weight in _BEFORE_THE_NUMBERS)


def after_the_numbers(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """All other findings."""
    return tuple(finding for finding in findings if finding.weight not in _BEFORE_THE_NUMBERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The rows of a table, worst first; *also* lists by label the series that a row also represents."""

    decisions: tuple[Decision, ...]
    also: Mapping[str, tuple[Decision, ...]] = field(default_factory=dict)
    rest: str = ""  # what is left, in words; empty where nothing is

    @property
    def every(self) -> tuple[Decision, ...]:
        """The rows, followed by the series that they also represent."""
        return (*self.decisions, *(decision for others in self.also.values() for decision in others))

    def beside(self, decision: Decision) -> tuple[Decision, ...]:
        """The series that the row of *decision* also represents."""
        return self.also.get(label(decision.comparison.series), ())


def shown(decisions: Sequence[Decision], most: int) -> Shown:
    """
    Changed and undecided series and the headline; at most *most* rows.

    Of the series of one endpoint that went the same way, the first stands for the others: its time, where that did.
    """
    chosen = [decision for decision in decisions if _matters(decision)]
    headline = [
        decision
        for decision in decisions
        if _required(decision) and decision.comparison.series.endpoint == ALL_ENDPOINTS
    ]
    if not chosen:
        required = [decision for decision in decisions if _required(decision)]
        chosen = required if len(required) <= FEW else headline[:1]
    rows, also = _folded(chosen)
    rows = rows[:most]
    rows += [decision for decision in headline[:1] if decision not in rows and len(rows) < most]
    names = {label(row.comparison.series) for row in rows}
    kept = {name: tuple(others) for name, others in also.items() if name in names}
    seen = {id(decision) for decision in (*rows, *(other for others in kept.values() for other in others))}
    return Shown(
        decisions=tuple(rows), also=kept, rest=_rest([decision for decision in decisions if id(decision) not in seen])
    )


def in_order(decisions: Sequence[Decision], most: int) -> tuple[Decision, ...]:
    """All *decisions*, those of the short report first: the order of every report."""
    chosen = shown(decisions, most).decisions
    known = {id(decision) for decision in chosen}
    return (*chosen, *(decision for decision in decisions if id(decision) not in known))


def _required(decision: Decision) -> bool:
    return decision.comparison.budget.role is Role.REQUIRED


def _matters(decision: Decision) -> bool:
    if _required(decision):
        return decision.verdict not in _SETTLED
    return decision.comparison.budget.role is Role.GUARDING and decision.verdict in _REMARKABLE


def _folded(decisions: Sequence[Decision]) -> tuple[list[Decision], dict[str, list[Decision]]]:
    rows: list[Decision] = []
    also: dict[str, list[Decision]] = {}
    leads: dict[tuple[str, SeriesVerdict], str] = {}
    for decision in decisions:
        group = decision.comparison.series.endpoint, decision.verdict
        if decision.verdict not in _REMARKABLE and decision.comparison.kind is not RoundKind.CENSUS:
            rows.append(decision)
            continue
        if group in leads:
            also.setdefault(leads[group], []).append(decision)
            continue
        leads[group] = label(decision.comparison.series)
        rows.append(decision)
    return rows, also


def _rest(hidden: Sequence[Decision]) -> str:
    """Summarise the rows that are not shown; series that never count are only counted."""
    if not hidden:
        return ""
    found = [decision.verdict for decision in hidden if decision.counts]
    counts = [f"{found.count(verdict)} {word}" for verdict, word in _WORDS.items() if verdict in found]
    counts += [f"{len(hidden) - len(found)} advisory"] if len(found) < len(hidden) else []
    return f"{', '.join(counts)} in {len(hidden)} more series"
