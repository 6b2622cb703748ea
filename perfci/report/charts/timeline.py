"""Draws the run over time: its phases, then the seconds of the load rounds and the gauges of the target."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil

from perfci.model import Better, Metric, Outcome, Quantity, Round, RoundKind, Run, Scale, Second, Side, Step
from perfci.report.charts.drawing import BASE, CANDIDATE, LINE, WIDTH, Chart, Spec, labels, svg, values
from perfci.report.sanitise import visible

MOST_POINTS = 240
"""Largest number of points of one line; in a longer run each point stands for several seconds."""

FEW_POINTS = 80
"""Up to this number, points are also drawn as dots, since an isolated point has no line."""

MOST_GAUGES = 12
NAME_LIMIT = 60

_TARGET = "(target)"  # where a limit on a gauge stands among the SLOs of endpoints


@dataclass(frozen=True, slots=True)
class _Point:
    """One value of one side, *at_s* seconds after the first load round began; rounds are laid end to end."""

    side: Side
    round: int
    at_s: float
    value: float | None


@dataclass(frozen=True, slots=True)
class _Quantity:
    """A quantity that every second of a load round has."""

    title: str
    quantity: Quantity
    of: Callable[[Second], float | None]
    together: Callable[[Sequence[float]], float]


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


_QUANTITIES = (
    _Quantity("Users", Quantity.COUNT, lambda second: second.users, _mean),
    _Quantity("Requests per second", Quantity.COUNT, lambda second: second.requests, _mean),
    _Quantity("Failures per second", Quantity.COUNT, lambda second: second.failures, _mean),
    _Quantity("p50", Quantity.TIME, lambda second: second.p50_ms, _mean),
    _Quantity("p95", Quantity.TIME, lambda second: second.p95_ms, max),
)


def phases(run: Run) -> Chart | None:
    """What the time of the run went into, on the clock of the whole run."""
    bars = [
        {"step": timing.step.value, "from_s": timing.began_s, "to_s": round(timing.began_s + timing.seconds, 3)}
        for timing in run.timings
        if timing.seconds > 0
    ]
    if not bars:
        return None
    steps = [step.value for step in Step if any(bar["step"] == step.value for bar in bars)]
    spec: Spec = {
        "width": WIDTH,
        "height": {"step": 15},
        "data": values(bars),
        "mark": {"type": "bar", "color": "var(--base)", "height": 9},
        "encoding": {
            "y": {"field": "step", "type": "ordinal", "sort": steps, "axis": {"title": None, "ticks": False}},
            "x": {"field": "from_s", "type": "quantitative", "axis": {"title": "seconds since it began"}},
            "x2": {"field": "to_s"},
        },
    }
    return _shown(Chart(name=f"Phases of the run over time: {', '.join(steps)}", title="Phases", svg=svg(spec)))


def under_load(run: Run, outcome: Outcome) -> list[Chart]:
    """Users, rates, latencies, then the gauges of the target; those that an alert names come first."""
    rounds = sorted(
        (each for each in run.rounds if each.kind is RoundKind.LOAD), key=lambda each: (each.block, each.number)
    )
    begins = _begins(rounds)
    charts = [_of_quantity(quantity, rounds, begins) for quantity in _QUANTITIES]
    names = sorted({name for each in rounds for name in each.gauges})
    alerts = {name: _alerts(name, outcome) for name in names}
    chosen = sorted(names, key=lambda name: not alerts[name])[:MOST_GAUGES]
    charts += [_of_gauge(name, rounds, begins, outcome, alerts[name]) for name in chosen]
    return [chart for chart in charts if chart is not None]


def _begins(rounds: Iterable[Round]) -> dict[tuple[int, int], float]:
    """When each pair of rounds begins, counting only time under load."""
    begins, at_s = {}, 0.0
    for key, pair in groupby(rounds, key=lambda each: (each.block, each.number)):
        begins[key] = at_s
        at_s += max(ceil(each.duration_s) for each in pair)
    return begins


def _of_quantity(quantity: _Quantity, rounds: Sequence[Round], begins: Mapping[tuple[int, int], float]) -> Chart | None:
    points = [
        _Point(each.side, number, begins[each.block, each.number] + second.at_s, quantity.of(second))
        for number, each in enumerate(rounds)
        for second in each.seconds
    ]
    metric = _metric(quantity.title, "", quantity.quantity)
    return _chart(quantity.title, points, begins.values(), metric, together=quantity.together)


def _of_gauge(
    name: str,
    rounds: Sequence[Round],
    begins: Mapping[tuple[int, int], float],
    outcome: Outcome,
    alerts: Sequence[str],
) -> Chart | None:
    watched = [(number, each, each.gauges[name]) for number, each in enumerate(rounds) if name in each.gauges]
    points = [
        _Point(each.side, number, begins[each.block, each.number] + position * gauge.step_s, value)
        for number, each, gauge in watched
        for position, value in enumerate(gauge.points)
    ]
    metric = _metric(name, watched[0][2].unit, Quantity.COUNT)
    limits = dict.fromkeys(limit for gauge in outcome.gauges if gauge.name == name for limit in gauge.limits)
    limits |= dict.fromkeys(  # of a result from before it had those of the gauges
        result.slo.limit
        for result in outcome.slos
        if result.slo.endpoint == _TARGET and result.metric.name.startswith(f"{name} for ")
    )
    title = visible(f"{name}, {metric.unit}" if metric.unit else name, NAME_LIMIT)
    return _chart(title, points, begins.values(), metric, limits=list(limits), alerts=alerts)


def _alerts(name: str, outcome: Outcome) -> list[str]:
    """The limits on a gauge: those that warn, then those that fail and were exceeded."""
    said = [each.message for each in outcome.findings if each.code == "alert" and f": {name} was " in each.message]
    failed = [
        each.reason
        for each in outcome.slos
        if each.slo.endpoint == _TARGET and not each.held and each.metric.name.startswith(f"{name} for ")
    ]
    return [*said, *failed]


def _chart(
    title: str,
    points: Sequence[_Point],
    begins: Iterable[float],
    metric: Metric,
    *,
    together: Callable[[Sequence[float]], float] = _mean,
    limits: Sequence[float] = (),
    alerts: Sequence[str] = (),
) -> Chart | None:
    data = list(_thinned([each for each in points if each.value is not None], together))
    if not data:
        return None
    spec = _spec(data, sorted(begins), metric, limits)
    note = " ".join(f"▲ {visible(each, 300)}" for each in alerts)
    name = f"{title} over the time under load" + ", beyond an alert's limit" * bool(alerts)
    return _shown(Chart(name=name, title=title, svg=svg(spec), note=note))


def _thinned(points: Sequence[_Point], together: Callable[[Sequence[float]], float]) -> Iterator[dict[str, object]]:
    span = max((each.at_s for each in points), default=0.0) + 1
    width = max(1, ceil(span / MOST_POINTS))

    def key(point: _Point) -> tuple[Side, int, int]:
        return point.side, point.round, int(point.at_s // width)

    for (side, number, _), group in groupby(sorted(points, key=lambda each: (key(each), each.at_s)), key=key):
        found = list(group)
        numbers = [each.value for each in found if each.value is not None]
        yield {
            "side": side.value,
            "round": number,
            "at_s": found[0].at_s,
            "value": float(f"{together(numbers):.4g}"),
        }


def _spec(
    data: Sequence[Mapping[str, object]], begins: Sequence[float], metric: Metric, limits: Sequence[float]
) -> Spec:
    ticks = {"tickCount": 5, "tickMinStep": 1, "grid": False}
    x = {"type": "quantitative", "scale": {"nice": False}, "axis": {"title": "seconds under load", **ticks}}
    axis = {"title": None, "tickCount": 4, "domain": False, "ticks": False, **labels(metric)}
    seen = [number for each in data if isinstance(number := each["value"], float)] + [*limits]
    y = {"type": "quantitative", "scale": {"domain": [min(0.0, *seen), max(0.0, *seen) or 1.0]}, "axis": axis}
    encoding = {
        "x": {"field": "at_s", **x},
        "y": {"field": "value", **y},
        "detail": {"field": "round", "type": "nominal"},
    }
    layers: list[Spec] = [
        {"data": values([{"at_s": each} for each in begins[1:]]), "mark": {"type": "rule", "color": LINE}}
        | {"encoding": {"x": {"field": "at_s", **x}}},
        {"data": values([{"value": each} for each in limits]), "mark": {"type": "rule", "color": "var(--red)"}}
        | {"encoding": {"y": {"field": "value", **y}}},
    ]
    dots = len(data) <= FEW_POINTS
    for side, look in (
        (Side.BASE, {"color": BASE, "strokeWidth": 1.5, "strokeDash": [4, 2]}),
        (Side.CANDIDATE, {"color": CANDIDATE, "strokeWidth": 2}),
    ):
        layers.append(
            {
                "transform": [{"filter": f"datum.side === '{side}'"}],
                "mark": {"type": "line", **look, "point": dots and {"size": 12, "color": look["color"], "opacity": 1}},
                "encoding": encoding,
            }
        )
    return {"width": WIDTH, "height": 90, "data": values(data), "layer": [each for each in layers if _has_data(each)]}


def _has_data(layer: Spec) -> bool:
    return "data" not in layer or bool(layer["data"]["values"])


def _metric(name: str, unit: str, quantity: Quantity) -> Metric:
    return Metric(
        name=name,
        quantity=quantity,
        unit=unit,
        better=Better.LOWER,
        scale=Scale.RATIO,
        portable=False,
        exact=False,
        meaning="",
    )


def _shown(chart: Chart) -> Chart | None:
    return chart if chart.svg else None
