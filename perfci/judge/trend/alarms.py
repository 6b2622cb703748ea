"""
Applies the gate's own test along a history: each run is judged against the newest runs before it, as against a
baseline.

Where a run differs, the runs after it are compared with that run and its successors, as if it had been accepted: a
change is told once, and not by every run that follows.

It tests whatever is compared by its ratio: times, rates, sizes. Shares of failures and counts of work need the number
of requests or their spread, which no row has. Change points see those, and a constant count as soon as it changes.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import log

from perfci.judge.budgets import resolve
from perfci.judge.comparability import NEWEST
from perfci.judge.compare.replicates import Pair, StoredRuns
from perfci.judge.stats.effect import Effect, relative
from perfci.judge.stats.family import holm
from perfci.judge.trend.index import metric
from perfci.model import (
    ALL_ENDPOINTS,
    Alarm,
    Budget,
    GatePolicy,
    HistoryRow,
    Reference,
    Role,
    RoundKind,
    Scale,
    SeriesName,
)

Told = tuple[SeriesName, Alarm]


def alarms(rows: Sequence[HistoryRow], policy: GatePolicy, *, first: int, restarts: set[str]) -> Iterator[Told]:
    """
    The alarms of one line's *rows*, from position *first* on.

    *restarts* are the runs before it that had one: what came before the last of them is not compared with any more.
    """
    begin = max((number for number, row in enumerate(rows[:first]) if row.run in restarts), default=0)
    for number in range(max(first, 1), len(rows)):
        stored = rows[max(begin, number - NEWEST) : number]
        found = list(_differing(rows[number], stored, policy)) if stored else []
        if found:
            begin = number
        yield from found


def budget_of(name: SeriesName, policy: GatePolicy) -> Budget | None:
    """The budget of a series in the history; None where this perfci knows no metric of that name."""
    known = metric(name)
    if known is None:
        return None
    reference = Reference.BASELINE if name.kind is RoundKind.LOAD else Reference.REF
    budget = resolve(policy.budgets, reference, name.kind, known, name.endpoint)
    if budget.role is Role.ADVISORY:
        return resolve(policy.budgets, Reference.REF, name.kind, known, name.endpoint)
    return budget


def _differing(row: HistoryRow, stored: Sequence[HistoryRow], policy: GatePolicy) -> Iterator[Told]:
    effects = dict(_effects(row, stored))
    tested = {name: 2 * min(effect.p_greater, effect.p_smaller) for name, effect in effects.items()}
    for name, p_value in zip(tested, holm(list(tested.values())), strict=True):
        effect, budget = effects[name], budget_of(name, policy)
        change, value = relative(effect.estimate), row.values[name]
        if budget and p_value < policy.alpha and abs(change) >= budget.change:
            before = value / (1 + change)
            if abs(value - before) >= budget.floor:
                interval = effect.relative_interval(policy.confidence)
                yield name, Alarm(run=row.run, before=before, after=value, change=interval, p_value=p_value)


def _effects(row: HistoryRow, stored: Sequence[HistoryRow]) -> Iterator[tuple[SeriesName, Effect]]:
    """The effect of each timed series; endpoints of one metric are adjusted together for their common shift."""
    here = bool(row.machine_id) and all(other.machine_id == row.machine_id for other in stored)
    for names in _by_metric(row).values():
        pairs = {name.endpoint: pair for name in names if (pair := _pair(name, row, stored)).base}
        together = {ALL_ENDPOINTS: pairs.pop(ALL_ENDPOINTS)} if ALL_ENDPOINTS in pairs else {}
        runs = StoredRuns(label=row.run, labels=(), clusters=((),) * len(stored), candidate=(), same_machine=here)
        effects = runs.effects(pairs) | runs.effects(together)
        yield from ((name, effects[name.endpoint]) for name in names if name.endpoint in effects)


def _by_metric(row: HistoryRow) -> Mapping[tuple[RoundKind, str], list[SeriesName]]:
    groups: dict[tuple[RoundKind, str], list[SeriesName]] = defaultdict(list)
    for name, value in row.values.items():
        known = metric(name)
        if known is not None and known.scale is Scale.RATIO and value > 0:
            groups[name.kind, name.metric].append(name)
    return groups


def _pair(name: SeriesName, row: HistoryRow, stored: Sequence[HistoryRow]) -> Pair:
    before = {number: log(value) for number, other in enumerate(stored) if (value := other.values.get(name, 0.0)) > 0}
    return Pair(before, {1: log(row.values[name])})
