"""Draws the latency distributions of one endpoint on both sides, from the stored histograms."""

from collections.abc import Iterable, Mapping
from math import ceil, isqrt

from perfci import histogram
from perfci.model import Histogram, Metric, RoundKind, Side
from perfci.report.charts.drawing import BASE, CANDIDATE, WIDTH, Chart, Spec, labels, svg, values

FEWEST_STEPS, MOST_STEPS = 12, 50
"""
Number of bins of a drawn distribution, which grows with the number of requests; neighbouring bins of the histogram are
merged.
"""


def distribution(histograms: Mapping[Side, Histogram], *, endpoint: str, kind: RoundKind, metric: Metric) -> Chart:
    """The shares of requests by latency, on a logarithmic axis; *metric* says how latencies are written."""
    counts = {side: histogram.counts_of(each) for side, each in histograms.items() if each.text}
    sides = " and ".join(side.value for side in counts)
    return Chart(
        name=f"Distribution of the latencies of {endpoint} in {kind} rounds, {sides}; the table has the quantiles",
        title=f"Latencies in {kind} rounds",
        svg=svg(_spec(counts, metric)) if counts else "",
    )


def _spec(counts: Mapping[Side, Mapping[int, int]], metric: Metric) -> Spec:
    keys = [key for each in counts.values() for key in each]
    fewest = min(sum(each.values()) for each in counts.values())
    steps = min(max(FEWEST_STEPS, 2 * isqrt(fewest)), MOST_STEPS)
    width = max(1, ceil((max(keys) - min(keys) + 1) / steps))
    rows = [row for side, each in counts.items() for row in _steps(each, side, first=min(keys), width=width)]
    x = {
        "field": "from_ms",
        "type": "quantitative",
        "scale": {"type": "log", "nice": False},
        "axis": {"title": None, "grid": False, "tickCount": 5, **labels(metric)},
    }
    y = {
        "field": "share",
        "type": "quantitative",
        "stack": None,
        "axis": {"title": "share of requests", "tickCount": 3, "domain": False, "ticks": False}
        | {"labelExpr": "format(datum.value * 100, '.3~r') + ' %'"},
    }
    is_base, is_candidate = ({"filter": f"datum.side === '{side}'"} for side in Side)
    return {
        "width": WIDTH,
        "height": 110,
        "data": values(rows),
        "encoding": {"x": x, "y": y},
        "layer": [
            {
                "transform": [is_base],
                "mark": {"type": "area", "interpolate": "step-after", "color": "var(--base-area)"},
            },
            {
                "transform": [is_base],
                "mark": {"type": "line", "interpolate": "step-after", "color": BASE, "strokeWidth": 1.5}
                | {"strokeDash": [4, 2]},
            },
            {
                "transform": [is_candidate],
                "mark": {"type": "line", "interpolate": "step-after", "color": CANDIDATE, "strokeWidth": 2},
            },
        ],
    }


def _steps(counts: Mapping[int, int], side: Side, *, first: int, width: int) -> Iterable[dict[str, object]]:
    """The outline of a distribution, which begins and ends at zero, with its gaps."""
    groups: dict[int, int] = {}
    for key, count in counts.items():
        group = (key - first) // width
        groups[group] = groups.get(group, 0) + count
    total = sum(groups.values())
    for group in range(min(groups), max(groups) + 2):
        lower, _ = histogram.edges(first + group * width)
        yield {"side": side.value, "from_ms": float(f"{lower:.4g}"), "share": round(groups.get(group, 0) / total, 5)}
