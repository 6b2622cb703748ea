"""
Finds what changed in each series of a history, along the runs whose values may be compared.

Times are compared under the same conditions only: machine class, load, data. Runs of two machine classes are two
lines. Counts of work and shares of failures hold on every machine: all runs of a scenario are one line.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp

import numpy as np

from perfci.judge.stats.effect import relative
from perfci.judge.stats.student import Estimate
from perfci.judge.trend.alarms import alarms
from perfci.judge.trend.change_points import Floats, Split, change_points
from perfci.judge.trend.index import metric
from perfci.model import (
    Alarm,
    ChangePoint,
    Changes,
    Found,
    GatePolicy,
    HistoryRow,
    Interval,
    LineName,
    Metric,
    Scale,
    SeriesName,
)


def changes(rows: Sequence[HistoryRow], policy: GatePolicy, before: Changes | None = None) -> Changes:
    """
    What changed along the *rows* of a scenario, oldest first.

    *before* is what was found when the last of them were not there yet; its alarms are kept where it still holds.
    """
    known = before if before and _continues(before, rows) else None
    seen: dict[LineName, list[Alarm]] = defaultdict(list)
    for name, found in (known.lines if known else {}).items():
        seen[name] += found.alarms
    for name, alarm in _alarms(rows, policy, known):
        seen[name].append(alarm)
    lines = {
        name: Found(change_points=tuple(_change_points(name.series, line, policy)), alarms=tuple(seen.get(name, ())))
        for name, line in lines_of(rows).items()
    }
    changed = {name: line for name, line in lines.items() if line.change_points or line.alarms}
    return Changes(rows=len(rows), last=rows[-1].run if rows else "", lines=changed)


@dataclass(slots=True)
class Points:
    """The runs of one line, oldest first, each with its value."""

    rows: list[HistoryRow] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


def lines_of(rows: Sequence[HistoryRow]) -> dict[LineName, Points]:
    """The runs of each line, without excluded runs and without values of unknown metrics."""
    anywhere: dict[SeriesName, Points] = {}
    under: dict[str, dict[SeriesName, Points | None]] = defaultdict(dict)
    for row in rows:
        lines = under[row.conditions]
        for name, value in () if row.excluded else row.values.items():
            if name not in lines:
                known = metric(name)
                shared = anywhere.setdefault(name, Points()) if known and known.portable else Points()
                lines[name] = shared if known else None
            if points := lines[name]:
                points.rows.append(row)
                points.values.append(value)
    found = {LineName(series=name, conditions=""): points for name, points in anywhere.items()}
    for conditions, lines in under.items():
        for name, own in lines.items():
            if own and name not in anywhere:
                found[LineName(series=name, conditions=conditions)] = own
    return found


def scaled(values: Sequence[float], of: Metric) -> Floats:
    """Values on the scale on which they are compared: logarithms where the ratio counts."""
    array = np.array(values, dtype=np.float64)
    return np.log(np.maximum(array, np.finfo(np.float64).tiny)) if of.scale is Scale.RATIO else array


def level(value: float, of: Metric) -> float:
    """The inverse of `scaled`: a scaled value in the metric's unit."""
    return exp(value) if of.scale is Scale.RATIO else value


def interval(difference: Estimate, of: Metric, *, confidence: float) -> Interval:
    """A difference of scaled values as a change: relative for metrics that are compared by their ratio."""
    exact = difference.standard_error == 0.0
    estimate = difference.estimate
    found = Interval(estimate=estimate, low=estimate, high=estimate) if exact else difference.interval(confidence)
    if of.scale is not Scale.RATIO:
        return found
    return Interval(estimate=relative(found.estimate), low=relative(found.low), high=relative(found.high))


def _continues(before: Changes, rows: Sequence[HistoryRow]) -> bool:
    """Whether *rows* only append to the rows that *before* was made from."""
    return 0 < before.rows <= len(rows) and rows[before.rows - 1].run == before.last


def _alarms(rows: Sequence[HistoryRow], policy: GatePolicy, known: Changes | None) -> list[tuple[LineName, Alarm]]:
    by_conditions: dict[str, list[HistoryRow]] = defaultdict(list)
    new = {row.run for row in rows[known.rows if known else 0 :]}
    for row in rows:
        if not row.excluded:
            by_conditions[row.conditions].append(row)
    raised: list[tuple[LineName, Alarm]] = []
    restarts = {alarm.run for found in (known.lines.values() if known else ()) for alarm in found.alarms}
    for conditions, line in by_conditions.items():
        first = sum(row.run not in new for row in line)
        for series, alarm in alarms(line, policy, first=first, restarts=restarts):
            raised.append((LineName(series=series, conditions=conditions), alarm))
    return raised


def _change_points(name: SeriesName, line: Points, policy: GatePolicy) -> list[ChangePoint]:
    of = metric(name)
    if of is None:
        return []
    splits: list[Split] = change_points(scaled(line.values, of))
    return [
        ChangePoint(
            run=line.rows[split.at].run,
            before=level(split.before, of),
            after=level(split.after, of),
            change=interval(split.difference, of, confidence=policy.confidence),
            p_value=split.p_value,
        )
        for split in splits
    ]
