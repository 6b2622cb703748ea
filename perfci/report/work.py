"""Describes the causes of more work: the statement, the cache, the payload or the round trips behind a red count."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from perfci.model import Culprit, CulpritKind, Decision
from perfci.report.highlights import Shown
from perfci.report.rows import row, values

ALSO = 8
"""Further counts of an endpoint that are listed."""

_NAMES = {
    CulpritKind.N_PLUS_ONE: "N+1",
    CulpritKind.NEW: "new",
    CulpritKind.MORE_CALLS: "more calls",
    CulpritKind.PLAN: "other plan",
    CulpritKind.CACHE: "cache lost",
    CulpritKind.PAYLOAD: "payload",
    CulpritKind.ROUND_TRIPS: "round trips",
}


_COUNTERS = {CulpritKind.CACHE, CulpritKind.PAYLOAD, CulpritKind.ROUND_TRIPS}
_GREW_ITSELF = {
    CulpritKind.CACHE: "it answers less",
    CulpritKind.PAYLOAD: "the response itself is larger",
    CulpritKind.ROUND_TRIPS: "no statement explains them",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One culprit as a report shows it: "N+1", "1 → 20 calls", and the statement."""

    kind: str
    change: str
    statement: str  # or nothing, where a counter is all that is known
    beside: str  # the statement whose rows it follows, or nothing


def cause(culprit: Culprit, decision: Decision) -> Cause:
    """Describe a culprit; a counter that explains itself is not described twice."""
    before, after = values((culprit.before, culprit.after), decision.comparison.series.metric)
    kind, change, statement = _NAMES[culprit.kind], f"{before} → {after} {culprit.unit}", culprit.what
    if culprit.kind in _COUNTERS:
        itself = culprit.what == decision.comparison.series.metric.name
        change = _GREW_ITSELF.get(culprit.kind, "") if itself else f"{culprit.what} {before} → {after}"
        statement = ""
    return Cause(kind=kind, change=change, statement=statement, beside=culprit.beside)


def moved(decision: Decision) -> str:
    """A count on both sides: "db/rows 23 → 42"."""
    shown = row(decision)
    return f"{shown.metric} {shown.base} → {shown.candidate}"


def heading(decision: Decision) -> str:
    """What the causes below it are those of: "db/rows 23 → 42 in a request"."""
    return moved(decision) + (" in a request" if decision.comparison.series.metric.exact else "")


def also(decisions: Sequence[Decision]) -> str:
    """Further counts that went the same way, in one line; empty where there are none."""
    more = f" and {len(decisions) - ALSO} more" if len(decisions) > ALSO else ""
    return ", ".join(map(moved, decisions[:ALSO])) + more


def explained(shown: Shown) -> Iterator[tuple[Decision, str]]:
    """The rows that there is something to say of, with what they stand for besides themselves."""
    for decision in shown.decisions:
        same = [decision, *shown.beside(decision)]
        explained = next((each for each in same if each.comparison.culprits), decision)
        beside = also([each for each in same[1:] if each is not explained])
        if explained.comparison.culprits or beside:
            yield explained, beside
