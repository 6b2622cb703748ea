"""Turns trends into words and numbers for a reader; whoever lays them out makes names harmless for that place."""

from collections.abc import Iterator, Sequence

from perfci.model import Drift, Event, FoundBy, Interval, Line, Trend
from perfci.report import rows

BARS = "▁▂▃▄▅▆▇█"
LONGEST = 40
"""Columns of a sparkline; of more runs each column is a mean."""

_WORDS = {FoundBy.CHANGE_POINTS: "Otava's", FoundBy.GATE: "gate's"}


def label(line: Line) -> str:
    """The series, as `--series` takes it."""
    return f"{line.name.series.endpoint} {line.name.series.metric}"


def where(line: Line, trend: Trend) -> str:
    """The number of the conditions under which the runs of a line were measured, as `summary` lists them."""
    digests = [each.digest for each in trend.conditions]
    return str(digests.index(line.name.conditions) + 1) if line.name.conditions else "any"


def changed(line: Line, interval: Interval) -> str:
    """A change with its interval."""
    return rows.interval(interval, line.metric)


def levels(line: Line, moved: Event | Drift) -> str:
    """Both levels in one unit: "4.1 -> 6.13 ms"."""
    before, after = rows.values((moved.before, moved.after), line.metric)
    number, _, unit = before.partition(" ")
    return f"{number if after.endswith(f' {unit}') else before} -> {after}"


def found_by(event: Event) -> str:
    """Whose test found an event."""
    return "both" if len(event.found_by) == len(FoundBy) else _WORDS[event.found_by[0]]


def commits(event: Event) -> str:
    """The commits that brought a change: those after the run before."""
    since, commit = rows.commit(event.since), rows.commit(event.commit)
    return f"{since}..{commit}" if since and since != commit else commit or rows.NOTHING


def events(trend: Trend) -> list[tuple[Line, Event]]:
    """Every event, the newest first, of one day those for the worse first, the largest before the others."""
    found = [(line, event) for line in trend.lines for event in line.events]
    found.sort(key=lambda each: (not each[1].worse, -abs(each[1].change.estimate)))
    return sorted(found, key=lambda each: each[1].created_at[:10], reverse=True)


def drifts(trend: Trend) -> list[tuple[Line, Drift]]:
    """Every drift, the largest first among those for the worse, then the others."""
    found = [(line, line.drift) for line in trend.lines if line.drift]
    return sorted(found, key=lambda each: (not each[1].worse, -abs(each[1].change.estimate)))


def drift(line: Line, found: Drift) -> str:
    """A drift in one sentence."""
    return (
        f"{label(line)} is {changed(line, found.change)} ({levels(line, found)}) over {found.runs} runs since "
        f"{found.since}, though no change alone reached the budget of {rows.size(line.budget, line.metric)}"
    )


def summary(trend: Trend) -> Iterator[str]:
    """What the trend is made of, in sentences."""
    yield f"{_count(trend.runs, 'run')} from {trend.first[:10]} to {trend.last[:10]}, in {trend.place}"
    if trend.excluded:
        yield f"{_count(trend.excluded, 'run')} excluded: not complete, not valid, or disturbed"
    if len(trend.conditions) > 1:
        yield "Times of different machines, loads or data are never joined in one line. Measured were:"
    for number, each in enumerate(trend.conditions, start=1):
        machine = each.machine or "a machine that is not known"
        same = [other.machine for other in trend.conditions[: number - 1]].count(each.machine)
        other = ", with another load or other data" if same else ""
        yield f"{number}: {machine}{other}: {_count(each.runs, 'run')} from {each.first[:10]} to {each.last[:10]}"
    if any(not line.name.conditions for line in trend.lines):
        yield "Counts of work and shares of failures hold on every machine: one line joins all runs"


def sparkline(values: Sequence[float]) -> str:
    """The values as bars from their least to their greatest; a flat line where they are all alike."""
    points = list(_condensed(values, LONGEST))
    low, high = min(points), max(points)
    if high == low:
        return BARS[0] * len(points)
    return "".join(BARS[min(int((point - low) / (high - low) * len(BARS)), len(BARS) - 1)] for point in points)


def _condensed(values: Sequence[float], most: int) -> Iterator[float]:
    count = min(len(values), most)
    for number in range(count):
        part = values[number * len(values) // count : (number + 1) * len(values) // count]
        yield sum(part) / len(part)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
