"""Finds what made an endpoint do more work: the statement, cache, payload or round trips behind a red counter."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from perfci.judge.census.comparable import Work
from perfci.judge.census.counters import kind_of
from perfci.judge.census.statements import short
from perfci.judge.stats import welch
from perfci.model import Culprit, CulpritKind, Statement, Tally

MOST = 5
"""Largest number of culprits of one counter."""

_NOISE = 0.05  # of a request: what happens less often than once in twenty requests explains nothing
_CHANCE = 0.01  # the p-value above which a growth may be one of other requests, and not of the work of each
_FEWEST, _MOST = 0.33, 1.25  # further calls for each row that they follow: rows share what they refer to, or have none


@dataclass(frozen=True, slots=True)
class _Statement:
    """One statement on both sides, per request."""

    text: str
    surely: bool  # called more often, by more than chance
    calls: tuple[float, float]
    rows: tuple[float, float]
    blocks: tuple[float, float]

    def grown(self, what: str) -> float:
        before, after = getattr(self, what)
        return float(after - before)


def of(endpoint: str, counter: str, base: Work, candidate: Work) -> tuple[Culprit, ...]:
    """What explains the growth of *counter*, worst first; may be empty."""
    kind = kind_of(counter)
    found = list(_cache(endpoint, base, candidate))
    named = counter.rpartition("/")[0]
    unit = {"rows": "rows", "blocks": "blocks"}.get(kind, "calls")
    if counter == "response/bytes":
        return (_payload(endpoint, counter, base, candidate),)
    if kind in {"statements", "commands", "rows", "blocks", "packets", "bytes"}:
        sources = {statement.source for side in (base, candidate) for statement in side.endpoints[endpoint].statements}
        circumstantial = kind in {"packets", "bytes"}  # no statement needs to be behind what else the service says
        for source in sorted(sources if circumstantial else sources & {named}):
            found += _statements(_both(endpoint, source, base, candidate), unit, surely=circumstantial)
    if kind == "bytes" and (grown := _grown_payload(endpoint, base, candidate)):
        found.append(grown)
    if kind == "packets" and not found:
        before, after = _means(endpoint, counter, base, candidate)
        found.append(Culprit(kind=CulpritKind.ROUND_TRIPS, what=counter, before=before, after=after, unit="packets"))
    return tuple(found[:MOST])


def _statements(statements: Sequence[_Statement], unit: str, *, surely: bool) -> Iterator[Culprit]:
    """The statements that grew; where growth by chance would explain nothing, only those that *surely* grew."""
    grown = sorted(
        (statement for statement in statements if statement.grown(unit) > _NOISE and (statement.surely or not surely)),
        key=lambda statement: (-statement.grown(unit), statement.text),
    )
    for statement in grown:
        parent = _parent(statement, statements)
        before, after = getattr(statement, unit)
        yield Culprit(
            kind=_kind(statement, parent),
            what=short(statement.text),
            before=before,
            after=after,
            unit=unit,
            beside=short(parent.text) if parent else "",
        )


def _kind(statement: _Statement, parent: _Statement | None) -> CulpritKind:
    if parent:
        return CulpritKind.N_PLUS_ONE
    if statement.calls[0] <= _NOISE:
        return CulpritKind.NEW
    return CulpritKind.MORE_CALLS if statement.grown("calls") > _NOISE else CulpritKind.PLAN


def _parent(statement: _Statement, statements: Sequence[_Statement]) -> _Statement | None:
    """
    The statement whose rows the further calls follow: about as many calls as it returned rows, at least two.

    The nearest, where there are several; it is called less often than what it drives. Where filters give a query
    several texts, each is sent in some of the requests only, and it is the rows of them all that the calls follow.
    """
    further = statement.grown("calls")
    if further < 2 - _NOISE:
        return None

    def miss(other: _Statement) -> float:
        return abs(further - other.rows[1])

    alike = [other for other in statements if other.calls[1] < further and _follows(further, other.rows[1])]
    if alike:
        return min(alike, key=lambda other: (miss(other), other.text))
    some = [other for other in statements if 0 < other.calls[1] < 1 - _NOISE]
    if not _follows(further, sum(other.rows[1] for other in some)):
        return None
    return max(some, key=lambda other: (other.rows[1], other.text), default=None)


def _follows(calls: float, rows: float) -> bool:
    return _FEWEST * rows <= calls <= max(_MOST * rows, rows + 1)


def _both(endpoint: str, source: str, base: Work, candidate: Work) -> list[_Statement]:
    sides = [
        {statement.text: statement for statement in side.statements(endpoint, source)} for side in (base, candidate)
    ]
    never = [Tally(requests=side.endpoints[endpoint].requests, mean=0.0) for side in (base, candidate)]
    found = []
    for text in sorted(sides[0].keys() | sides[1].keys()):
        before, after = (side.get(text) for side in sides)
        surely = _surely(before.calls if before else never[0], after.calls if after else never[1])
        found.append(_Statement(text, surely, *_each(before, after)))
    return found


def _surely(before: Tally, after: Tally) -> bool:
    if before.constant and after.constant:
        return after.mean > before.mean
    if min(before.requests, after.requests) < 2:
        return False
    return welch.difference(welch.sample(before), welch.sample(after)).p_greater < _CHANCE


def _each(before: Statement | None, after: Statement | None) -> Iterator[tuple[float, float]]:
    """Calls, rows and blocks on both sides."""
    for what in ("calls", "rows", "blocks"):
        first, second = (None if statement is None else getattr(statement, what) for statement in (before, after))
        yield _mean(first), _mean(second)


def _mean(tally: Tally | None) -> float:
    return tally.mean if tally else 0.0


def _means(endpoint: str, counter: str, base: Work, candidate: Work) -> tuple[float, float]:
    return _mean(base.tally(endpoint, counter, candidate)), _mean(candidate.tally(endpoint, counter, base))


def _cache(endpoint: str, base: Work, candidate: Work) -> Iterator[Culprit]:
    """Every cache with fewer hits than before: through misses, or because it is no longer asked."""
    for counter in sorted(base.counters(endpoint) | candidate.counters(endpoint)):
        if kind_of(counter) == "hits":
            before, after = _means(endpoint, counter, base, candidate)
            if before - after > _NOISE:
                yield Culprit(kind=CulpritKind.CACHE, what=counter, before=before, after=after, unit="hits")


def _payload(endpoint: str, counter: str, base: Work, candidate: Work) -> Culprit:
    before, after = _means(endpoint, counter, base, candidate)
    return Culprit(kind=CulpritKind.PAYLOAD, what=counter, before=before, after=after, unit="bytes")


def _grown_payload(endpoint: str, base: Work, candidate: Work) -> Culprit | None:
    grown = _payload(endpoint, "response/bytes", base, candidate)
    return grown if grown.after > 1.1 * grown.before else None
