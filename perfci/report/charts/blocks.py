"""Draws the values of one series, block by block, or run by run."""

from collections.abc import Iterator

from perfci.model import Decision
from perfci.report import rows
from perfci.report.charts.drawing import BASE, CANDIDATE, LINE, WIDTH, Chart, Spec, labels, svg, values


def by_block(decision: Decision) -> Chart:
    """The base as open squares, the candidate as filled circles, and a line between those of one block."""
    comparison = decision.comparison
    metric, series = rows.metric_label(comparison.series.metric), comparison.series
    known = [each for each in comparison.replicates if each.base is not None or each.candidate is not None]
    return Chart(
        name=f"{metric} of {series.endpoint}, {len(known)} values in {comparison.kind} rounds; the table has them",
        title=f"{metric.capitalize()}, {comparison.kind} rounds",
        svg=svg(_spec(decision)) if known else "",
    )


def _spec(decision: Decision) -> Spec:
    comparison = decision.comparison
    rows_ = [
        {"at": number, "label": _short(each.label, number), "base": each.base, "candidate": each.candidate}
        for number, each in enumerate(comparison.replicates, start=1)
    ]
    paired = any(each.label.startswith("block ") for each in comparison.replicates)
    x = {
        "field": "label",
        "type": "ordinal",
        "sort": None,
        "axis": {"title": "block" if paired else "stored runs, then this one", "labelAngle": 0, "grid": False}
        | {"ticks": False},
    }
    axis = {"title": None, "tickCount": 4, "domain": False, "ticks": False, **labels(comparison.series.metric)}
    return {
        "width": WIDTH,
        "height": 110,
        "data": values(rows_),
        "encoding": {"x": x},
        "layer": list(_layers({"type": "quantitative", "scale": {"zero": False, "padding": 8}, "axis": axis})),
    }


def _layers(y: Spec) -> Iterator[Spec]:
    yield {
        "transform": [{"filter": "datum.base !== null && datum.candidate !== null"}],
        "mark": {"type": "rule", "color": LINE, "strokeWidth": 2},
        "encoding": {"y": {"field": "base", **y}, "y2": {"field": "candidate"}},
    }
    for field, mark in (
        ("base", {"shape": "square", "stroke": BASE, "fill": "var(--paper)"}),
        ("candidate", {"shape": "circle", "stroke": CANDIDATE, "fill": CANDIDATE}),
    ):
        yield {
            "transform": [{"filter": f"datum.{field} !== null"}],
            "mark": {"type": "point", "size": 50, "strokeWidth": 2, "opacity": 1, **mark},
            "encoding": {"y": {"field": field, **y}},
        }


def _short(label: str, number: int) -> str:
    return label.removeprefix("block ") if label.startswith("block ") else str(number)
