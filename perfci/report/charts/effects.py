"""Draws the changes of series with their intervals, against budget and margin: a forest plot."""

import math
from collections.abc import Iterator, Sequence

from perfci.model import Better, Comparison, Decision, Quantity, Scale, SeriesVerdict
from perfci.report import rows
from perfci.report.charts.drawing import INK, QUIET, Chart, Spec, svg, values
from perfci.report.sanitise import visible

MOST = 24
"""Largest number of series in one picture; the table has all of them."""

NAME_LIMIT = 60
MOST_CHANGE = 10.0
"""Largest relative change on the axis; a larger one is drawn at the edge, with its number."""

_SHAPES = {
    SeriesVerdict.REGRESSION: ("cross", "var(--red)", True),
    SeriesVerdict.IMPROVEMENT: ("triangle-up", "var(--green)", True),
    SeriesVerdict.ACCEPTED: ("diamond", "var(--amber)", True),
    SeriesVerdict.INCONCLUSIVE: ("circle", "var(--amber)", False),
    SeriesVerdict.BELOW_BUDGET: ("circle", "var(--quiet)", False),
    SeriesVerdict.EQUIVALENT: ("circle", "var(--green)", True),
}
"""Verdict -> shape, colour, and whether the shape is filled: colour is never the only difference."""

_SIZES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.9, 1.0, 2.0, 5.0, 10.0)
_TICKS = (0.0, *(sign * size for size in _SIZES for sign in (1, -1)))
_LABEL = 46
"""Width of a tick's label in pixels."""

WIDE, NARROW = 560, 320
_STEP_ABOVE = 0.05
"""Change up to which the axis is about linear; beyond, it is about logarithmic."""

_ROW = 24
_NARROW_ROW = 40


def forest(decisions: Sequence[Decision]) -> list[Chart]:
    """A picture of relative changes and, where there are any, one of differences in points; in the order given."""
    counted = [each for each in decisions if each.comparison.change is not None]
    relative = [each for each in counted if not _in_points(each.comparison)][:MOST]
    points = [each for each in counted if _in_points(each.comparison)][:MOST]
    drawn = [_chart(relative, "Relative change", " %"), _chart(points, "Difference in points", "")]
    return [chart for chart in drawn if chart and chart.svg]


def _in_points(comparison: Comparison) -> bool:
    metric = comparison.series.metric
    return metric.scale is Scale.DIFFERENCE and metric.quantity is Quantity.SHARE


def _chart(decisions: Sequence[Decision], what: str, unit: str) -> Chart | None:
    marks = [mark for number, decision in enumerate(decisions) if (mark := _mark(number, decision))]
    if not marks:
        return None
    low, high = _domain(marks)
    data = [{key: _clamped(value, low, high) for key, value in mark.items()} for mark in marks]
    return Chart(
        name=f"{what} of {len(data)} series with their intervals, worst first; the table below has the numbers",
        title=what,
        svg=svg(_spec(data, (low, high), unit=unit, narrow=False)),
        narrow=svg(_spec(data, (low, high), unit=unit, narrow=True)),
    )


def _mark(number: int, decision: Decision) -> dict[str, object]:
    """The mark of one series; empty where its change is not finite."""
    comparison = decision.comparison
    found, metric, budget = comparison.change, comparison.series.metric, comparison.budget
    share = 1.0 if metric.scale is Scale.RATIO or _in_points(comparison) else _share(comparison.base)
    if found is None or not math.isfinite(found.estimate):
        return {}
    worse = 1 if metric.better is Better.LOWER else -1
    shape, colour, filled = _SHAPES.get(decision.verdict, _SHAPES[SeriesVerdict.BELOW_BUDGET])
    return {
        "row": number,
        "name": visible(f"{comparison.series.endpoint} · {rows.metric_label(metric)}", NAME_LIMIT),
        "change": rows.change(comparison).partition(" [")[0],
        "at": found.estimate * share,
        "low": found.low * share,
        "high": found.high * share,
        "margin_low": -budget.margin,
        "margin_high": budget.margin,
        "budget": worse * budget.change,
        "shape": shape,
        "colour": colour,
        "fill": colour if filled else "var(--paper)",
    }


def _share(base: float | None) -> float:
    """The factor that makes a difference of a count relative to its base; infinite where the base is zero."""
    return 1 / base if base else math.inf


def _domain(marks: Sequence[dict[str, object]]) -> tuple[float, float]:
    seen = [
        value
        for mark in marks
        for key in ("at", "low", "high", "budget")
        if isinstance(value := mark[key], float) and math.isfinite(value)
    ]
    least = max(min(seen, default=0.0), -0.95)
    most = min(max(seen, default=0.0), MOST_CHANGE)
    reach = max(_STEP_ABOVE, -least, most)
    return max(min(least, -0.3 * reach) * 1.1, -0.98), max(most, 0.3 * reach) * 1.1


def _clamped(value: object, low: float, high: float) -> object:
    if not isinstance(value, float):
        return value
    return 0.0 if math.isnan(value) else min(max(value, low), high)


def _spec(data: Sequence[dict[str, object]], domain: tuple[float, float], *, unit: str, narrow: bool) -> Spec:
    width, step = (NARROW, _NARROW_ROW) if narrow else (WIDE, _ROW)
    scale: Spec = {"type": "symlog", "constant": _STEP_ABOVE, "domain": list(domain), "nice": False}
    axis: Spec = {
        "title": None,
        "grid": not narrow,
        "values": _ticks(domain, width),
        "labelExpr": "(datum.value > 0 ? '+' : '') + format(datum.value * 100, '.3~r')" + f" + '{unit}'",
    }
    return {
        "width": width,
        "height": step * len(data),
        "autosize": {
            "type": "none",
            "contains": "content",
        },  # the texts stand beside the plot, in fonts that only the browser knows
        "padding": {"left": 4, "right": 4, "top": 4, "bottom": 24}
        if narrow
        else {"left": 290, "right": 150, "top": 4, "bottom": 24},
        "data": values(data),
        "encoding": {"y": {"field": "row", "type": "ordinal", "axis": None, "scale": {"padding": 0}}},
        "layer": list(_layers({"type": "quantitative", "scale": scale, "axis": axis}, width=width, narrow=narrow)),
    }


def _ticks(domain: tuple[float, float], width: int) -> list[float]:
    """Zero, then ticks from the outermost inwards that leave room for their labels."""
    low, high = (_place(end) for end in domain)
    taken = [-_LABEL / 2, width + _LABEL / 2]
    chosen: list[float] = []
    for tick in sorted(_TICKS, key=lambda each: (each != 0, -abs(each))):
        pixel = (_place(tick) - low) / (high - low) * width
        if all(abs(pixel - other) >= _LABEL for other in taken) and 0 <= pixel <= width:
            chosen.append(tick)
            taken.append(pixel)
    return sorted(chosen)


def _place(change: float) -> float:
    """The position of a change on the axis, which is linear around zero and logarithmic beyond."""
    return math.copysign(math.log1p(abs(change) / _STEP_ABOVE), change)


def _layers(x: Spec, *, width: int, narrow: bool) -> Iterator[Spec]:
    below = 9 if narrow else 0
    yield {
        "mark": {"type": "bar", "height": 12, "yOffset": below, "color": "var(--band)"},
        "encoding": {"x": {"field": "margin_low", **x}, "x2": {"field": "margin_high"}},
    }
    yield {
        "mark": {"type": "tick", "size": 16, "thickness": 1, "yOffset": below, "color": QUIET},
        "encoding": {"x": {"datum": 0, **x}},
    }
    yield {
        "mark": {"type": "tick", "size": 12, "thickness": 2, "yOffset": below, "color": INK},
        "encoding": {"x": {"field": "budget", **x}},
    }
    own = {"field": "colour", "type": "nominal", "scale": None}
    yield {
        "mark": {"type": "rule", "size": 2, "yOffset": below},
        "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}, "color": own},
    }
    yield {
        "mark": {"type": "point", "size": 64, "strokeWidth": 2, "opacity": 1, "yOffset": below},
        "encoding": {
            "x": {"field": "at", **x},
            "shape": {"field": "shape", "type": "nominal", "scale": None},
            "stroke": own,
            "fill": {"field": "fill", "type": "nominal", "scale": None},
        },
    }
    name: Spec = {"type": "text", "limit": 240, "fontSize": 12, "color": INK}
    change: Spec = {"type": "text", "fontSize": 12, "color": INK, "fontWeight": 600}
    if narrow:
        places = ({"align": "left", "dy": -9}, 0), ({"align": "right", "dy": -9}, width)
    else:
        places = ({"align": "right", "dx": -12}, 0), ({"align": "left", "dx": 12}, width)
    for mark, field, (place, at) in zip((name, change), ("name", "change"), places, strict=True):
        yield {
            "mark": {**mark, **place, "baseline": "middle"},
            "encoding": {"x": {"value": at}, "text": {"field": field, "type": "nominal"}},
        }
