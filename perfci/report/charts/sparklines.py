"""Draws each line of a trend as a sparkline, oldest run first, with a rule at each change."""

from collections.abc import Iterator, Sequence

from perfci.model import Line
from perfci.report.charts.drawing import CANDIDATE, WIDTH, Chart, Spec, labels, svg, values

MOST_POINTS = 240
"""Largest number of points of one line; with more runs each point is a mean of several."""

HEIGHT = 56


def sparkline(line: Line, *, name: str) -> Chart:
    """The sparkline of *line*, with *name* as its text alternative; empty where it cannot be drawn."""
    places = {row.run: number for number, row in enumerate(line.rows)}
    worse = [places[event.run] for event in line.events if event.worse and event.run in places]
    better = [places[event.run] for event in line.events if not event.worse and event.run in places]
    x = {"type": "quantitative", "axis": None, "scale": {"domain": [0, max(len(line.values) - 1, 1)], "nice": False}}
    axis = {"title": None, "tickCount": 2, "domain": False, "ticks": False, "grid": False, **labels(line.metric)}
    y = {"type": "quantitative", "scale": {"zero": False}, "axis": axis}
    points = list(_points(line.values))
    layers: list[Spec] = [
        {
            "data": values([{"run": place} for place in changed]),
            "mark": {"type": "rule", "color": colour, "strokeDash": dash},
            "encoding": {"x": {"field": "run", **x}},
        }
        for changed, colour, dash in ((worse, "var(--red)", [1, 0]), (better, "var(--green)", [4, 2]))
        if changed
    ]
    curve = {"type": "line", "color": CANDIDATE, "strokeWidth": 1.5, "point": len(points) == 1 and {"color": CANDIDATE}}
    encoding = {"x": {"field": "run", **x}, "y": {"field": "value", **y}}
    layers.append({"data": values(points), "mark": curve, "encoding": encoding})
    return Chart(name=name, svg=svg({"width": WIDTH, "height": HEIGHT, "layer": layers}))


def _points(numbers: Sequence[float]) -> Iterator[dict[str, object]]:
    """The mean of each stretch of runs, placed at its middle."""
    count = min(len(numbers), MOST_POINTS)
    for number in range(count):
        begin, end = number * len(numbers) // count, (number + 1) * len(numbers) // count
        part = numbers[begin:end]
        yield {"run": (begin + end - 1) / 2, "value": float(f"{sum(part) / len(part):.4g}")}
