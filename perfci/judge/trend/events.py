"""Builds the events of a line: each change with its commit, whether it was accepted, and the drift."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from math import isclose

from perfci.judge.trend import follow
from perfci.judge.trend.alarms import budget_of
from perfci.judge.trend.change_points import ALPHA, compared
from perfci.judge.trend.index import metric
from perfci.metrics.registry import METRICS
from perfci.model import (
    Alarm,
    Better,
    Budget,
    ChangePoint,
    Changes,
    CommittedCensus,
    Conditions,
    Drift,
    Event,
    Found,
    FoundBy,
    GatePolicy,
    HistoryRow,
    Line,
    LineName,
    Metric,
    Quantity,
    RoundKind,
    Scale,
    Trend,
)
from perfci.sentences.history import accepted_by_comment, accepted_by_run

NEAR = 3
"""Largest distance, in runs, between a change point and an alarm that count as one event."""

ENDS = 10
"""Number of runs at each end of a stretch whose levels are compared to find a drift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What the project has accepted: baseline runs, by the time of their measurement, and counts."""

    runs: Mapping[str, str]  # created_at -> id
    census: CommittedCensus | None = None


def trend(
    rows: Sequence[HistoryRow],
    changes: Changes,
    policy: GatePolicy,
    *,
    accepted: Accepted,
    name: tuple[str, str],
    place: str,
) -> Trend:
    """The trend of the scenario *name*: its *rows*, with the *changes* found in them."""
    counted = [row for row in rows if not row.excluded]
    return Trend(
        profile=name[0],
        scenario=name[1],
        place=place,
        runs=len(rows),
        excluded=len(rows) - len(counted),
        first=rows[0].created_at if rows else "",
        last=rows[-1].created_at if rows else "",
        conditions=tuple(_conditions(counted)),
        lines=tuple(_lines(counted, changes, policy, accepted)),
    )


def _conditions(rows: Sequence[HistoryRow]) -> Iterator[Conditions]:
    groups: dict[str, list[HistoryRow]] = defaultdict(list)
    for row in rows:
        groups[row.conditions].append(row)
    for digest, own in groups.items():
        first, last = own[0], own[-1]
        yield Conditions(
            digest=digest, machine=last.machine, runs=len(own), first=first.created_at, last=last.created_at
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Followed:
    """One line of the trend: its runs, its metric and its budget."""

    name: LineName
    rows: Sequence[HistoryRow]
    values: Sequence[float]
    metric: Metric
    budget: Budget


def _lines(rows: Sequence[HistoryRow], changes: Changes, policy: GatePolicy, accepted: Accepted) -> Iterator[Line]:
    for name, seen in sorted(follow.lines_of(rows).items(), key=lambda item: (item[0].series, item[0].conditions)):
        known, budget = metric(name.series), budget_of(name.series, policy)
        if known is None or budget is None:
            continue
        line = _Followed(name=name, rows=seen.rows, values=seen.values, metric=known, budget=budget)
        found = _events(line, changes.lines.get(name, Found()))
        events = tuple(_with_comment(event, line) for event in _with_acceptance(found, name, accepted))
        yield Line(
            name=name,
            metric=known,
            rows=tuple(seen.rows),
            values=tuple(seen.values),
            events=events,
            drift=_drift(line, events, policy.confidence),
            budget=budget.change,
        )


def _events(line: _Followed, found: Found) -> list[Event]:
    """Change points and alarms in the order of their runs; an alarm near a change point is merged with it."""
    places = {row.run: number for number, row in enumerate(line.rows)}
    alarms = {places[alarm.run]: alarm for alarm in found.alarms if alarm.run in places}
    points = {places[point.run]: point for point in found.change_points if point.run in places}
    events: dict[int, Event] = {}
    for at, point in points.items():
        rises = point.change.estimate > 0
        near = [other for other, alarm in alarms.items() if (alarm.change.estimate > 0) == rises]
        nearest = min(near, key=lambda other: abs(other - at), default=len(line.rows) + NEAR)
        same = abs(nearest - at) <= NEAR
        if same:
            del alarms[nearest]
        by = (FoundBy.CHANGE_POINTS, FoundBy.GATE) if same else (FoundBy.CHANGE_POINTS,)
        events[at] = _event(line, at, point, by)
    for at, alarm in alarms.items():
        events.setdefault(at, _event(line, at, alarm, (FoundBy.GATE,)))
    return [events[at] for at in sorted(events)]


def _event(line: _Followed, at: int, change: ChangePoint | Alarm, by: tuple[FoundBy, ...]) -> Event:
    row = line.rows[at]
    return Event(
        run=row.run,
        created_at=row.created_at,
        commit=row.commit,
        since=line.rows[at - 1].commit if at else "",
        url=row.url,
        before=change.before,
        after=change.after,
        change=change.change,
        p_value=change.p_value,
        found_by=by,
        exceeds_budget=_exceeds(change.before, change.after, line.budget, line.metric),
        worse=_worse(change.before, change.after, line.metric),
        accepted="",
    )


def _exceeds(before: float, after: float, budget: Budget, of: Metric) -> bool:
    """Whether the gate would have called this change a regression or an improvement."""
    difference = abs(after - before)
    share = of.scale is Scale.DIFFERENCE and not of.exact
    return difference > 0 and difference >= max(budget.floor, budget.change * (1.0 if share else abs(before)))


def _worse(before: float, after: float, of: Metric) -> bool:
    return (after > before) == (of.better is Better.LOWER)


def _with_acceptance(events: Sequence[Event], name: LineName, accepted: Accepted) -> Iterator[Event]:
    """Each event with what accepted it: a baseline run measured before the next event, or equal committed counts."""
    for event, later in zip_longest(events, events[1:]):
        end = later.created_at if later else "9999"
        by = next((accepted_by_run(run) for at, run in accepted.runs.items() if event.created_at <= at < end), "")
        if name.series.kind is RoundKind.CENSUS:
            by = "census.json" if event is events[-1] and _committed(event, name, accepted.census) else ""
        yield replace(event, accepted=by)


def _with_comment(event: Event, line: _Followed) -> Event:
    """The event with the comment that accepts it, where it is for the worse and nothing else does."""
    if event.accepted or not event.worse:
        return event
    at = next(number for number, row in enumerate(line.rows) if row.run == event.run)
    near = sorted(range(max(0, at - NEAR), min(len(line.rows), at + NEAR + 1)), key=lambda number: abs(number - at))
    wanted = _labels(line)
    found = (each for number in near for each in line.rows[number].acceptances if _plain(each.series) in wanted)
    by = next(found, None)
    return replace(event, accepted=accepted_by_comment(by)) if by else event


def _labels(line: _Followed) -> set[str]:
    """
    What comments call the series of a line, and those that a run of the gate has in its place.

    A gate measures what the history does not, such as the service time of turns: whoever accepts a time of an endpoint
    accepts its times.
    """
    name = line.name.series
    same = {known.name for known in METRICS.values() if known.quantity is line.metric.quantity is Quantity.TIME}
    return {_plain(f"{name.endpoint} {metric_name}") for metric_name in same | {name.metric}}


def _plain(label: str) -> str:
    """A label as people copy it from a report, whose tables write "service time" for service_time."""
    return " ".join(label.replace("_", " ").split())


def _committed(event: Event, name: LineName, census: CommittedCensus | None) -> bool:
    endpoint = census.census.endpoints.get(name.series.endpoint) if census else None
    tally = endpoint.counters.get(name.series.metric) if endpoint else None
    return tally is not None and isclose(tally.mean, event.after, rel_tol=1e-3, abs_tol=1e-9)


def _drift(line: _Followed, events: Sequence[Event], confidence: float) -> Drift | None:
    """
    The newest runs beside the first ones since the last change that reached its budget.

    A smaller one that was accepted is not the end of it, else a baseline that is refreshed every week would hide all
    drift. Nothing where the level did not move by the budget, or where its move may be chance.
    """
    explained = [event for event in events if event.exceeds_budget]
    begin = next((number for number, row in enumerate(line.rows) if explained and row.run == explained[-1].run), 0)
    stretch = line.rows[begin:]
    if len(stretch) < 2 * ENDS:
        return None
    of = line.metric
    values = follow.scaled(line.values[begin:], of)
    moved = compared(values[:ENDS], values[-ENDS:])
    before, after = follow.level(moved.before, of), follow.level(moved.after, of)
    if moved.p_value >= ALPHA or not _exceeds(before, after, line.budget, of):
        return None
    return Drift(
        before=before,
        after=after,
        change=follow.interval(moved.difference, of, confidence=confidence),
        since=stretch[0].run,
        runs=len(stretch),
        steps=sum(event.created_at > stretch[0].created_at for event in events),
        worse=_worse(before, after, of),
    )
