"""What caused more work, in words: the statement, the cache, the payload or the round trips behind a red count."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from perfci.model import Culprit, CulpritKind, Decision
from perfci.report.matters import Shown
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One culprit as it is shown: `N+1  1 → 20 calls  SELECT …  once for each row of SELECT …`."""

    kind: str
    change: str
    what: str
    beside: str  # the statement whose rows it follows, or nothing


def cause(culprit: Culprit, decision: Decision) -> Cause:
    """In words."""
    before, after = values((culprit.before, culprit.after), decision.comparison.series.metric)
    return Cause(
        kind=_NAMES[culprit.kind],
        change=f"{before} → {after} {culprit.unit}",
        what=culprit.what,
        beside=culprit.beside,
    )


def moved(decision: Decision) -> str:
    """A count on both sides: "db/rows 23 → 42"."""
    shown = row(decision)
    return f"{shown.metric} {shown.base} → {shown.candidate}"


def also(decisions: Sequence[Decision]) -> str:
    """Further counts that went the same way, in one line; empty where there are none."""
    more = f" and {len(decisions) - ALSO} more" if len(decisions) > ALSO else ""
    return ", ".join(map(moved, decisions[:ALSO])) + more


def explained(shown: Shown) -> Iterator[tuple[Decision, str]]:
    """The rows that there is something to say of, with what they stand for besides themselves."""
    for decision in shown.decisions:
        beside = also(shown.beside(decision))
        if decision.comparison.culprits or beside:
            yield decision, beside
