"""The part of the HTML report about each endpoint: distributions and quantiles of both sides, values block by block."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from perfci import histogram
from perfci.model import (
    ALL_ENDPOINTS,
    Better,
    Decision,
    Histogram,
    Metric,
    Quantity,
    Role,
    Round,
    RoundKind,
    Scale,
    SeriesVerdict,
    Side,
)
from perfci.report import rows
from perfci.report.charts import Chart, blocks, latencies
from perfci.report.sanitise import visible
from perfci.report.view import View

MAX_ENDPOINTS = 200
MAX_DRAWN = 20
"""Number of endpoints with pictures, those with the worst series first; a picture takes about 20 ms."""

SERIES_OF_AN_ENDPOINT = 4
"""Number of series whose values are listed by block, worst first; the first is also drawn. `result.json` has all."""

SHARES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "longest": 1.0}
NAME_LIMIT = 120

LATENCY = Metric(
    name="latency",
    quantity=Quantity.TIME,
    unit="ms",
    better=Better.LOWER,
    scale=Scale.RATIO,
    portable=False,
    exact=False,
    meaning="",
)

_Histograms = Mapping[RoundKind, Mapping[Side, Histogram]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """The latencies of one endpoint on one side, over all rounds of a kind."""

    kind: RoundKind
    side: Side
    requests: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """The values of one series, block by block."""

    metric: str
    kind: RoundKind
    labels: tuple[str, ...]
    base: tuple[str, ...]
    candidate: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What the report shows of one endpoint besides its changes."""

    name: str
    verdict: SeriesVerdict | None  # of its worst series that is red or must be settled; None: there is none
    charts: tuple[Chart, ...]
    quantiles: tuple[Quantiles, ...]
    series: tuple[Blocks, ...]


def endpoints(view: View) -> Iterator[Endpoint]:
    """Every endpoint of the run: by the order of its series in the table of effects, then by its worst other one."""
    sides = _rounds_by_side(view)
    known = {name for rounds in sides.values() for each in rounds for name in each.endpoints} - {ALL_ENDPOINTS}
    by_name: dict[str, list[Decision]] = {}
    for decision in sorted(view.outcome.decisions, key=lambda each: not _first(each)):
        by_name.setdefault(decision.comparison.series.endpoint, []).append(decision)
    ranked = [name for name in by_name if name in known]
    for number, name in enumerate(list(dict.fromkeys([*ranked, *sorted(known)]))[:MAX_ENDPOINTS]):
        decisions = by_name.get(name, [])
        timed = [each for each in decisions if each.comparison.kind is not RoundKind.CENSUS]
        listed = sorted((each for each in timed if each.comparison.replicates), key=lambda each: not _first(each))
        merged = _merged(name, sides)
        yield Endpoint(
            name=name,
            verdict=next((each.verdict for each in decisions if _first(each)), None),
            charts=tuple(_charts(name, merged, listed[:1])) if number < MAX_DRAWN else (),
            quantiles=tuple(_quantiles(name, merged, sides)),
            series=tuple(map(_blocks, listed[:SERIES_OF_AN_ENDPOINT])),
        )


def _first(decision: Decision) -> bool:
    """Whether a reader needs this series of an endpoint first."""
    red = decision.counts and decision.verdict is SeriesVerdict.REGRESSION
    return red or decision.comparison.budget.role is Role.REQUIRED


def _rounds_by_side(view: View) -> dict[Side, list[Round]]:
    """The rounds of each side; those of the base come from the stored runs where the run has none."""
    rounds = view.run.rounds if view.run else ()
    sides = {side: [each for each in rounds if each.side is side] for side in Side}
    stored = [each for run in view.stored for each in run.rounds if each.side is Side.CANDIDATE]
    return {**sides, Side.BASE: sides[Side.BASE] or stored}


def _merged(name: str, sides: Mapping[Side, Sequence[Round]]) -> _Histograms:
    return {
        kind: {
            side: histogram.merged(
                found
                for each in rounds
                if each.kind is kind and name in each.endpoints and (found := each.endpoints[name].histogram)
            )
            for side, rounds in sides.items()
        }
        for kind in (RoundKind.DUET, RoundKind.LOAD)
    }


def _charts(name: str, merged: _Histograms, listed: Sequence[Decision]) -> Iterator[Chart]:
    shown = visible(name, NAME_LIMIT)
    drawn = [latencies.distribution(each, endpoint=shown, kind=kind, metric=LATENCY) for kind, each in merged.items()]
    drawn += [blocks.by_block(each) for each in listed]
    yield from (each for each in drawn if each.svg)


def _quantiles(name: str, merged: _Histograms, sides: Mapping[Side, Sequence[Round]]) -> Iterator[Quantiles]:
    for kind, by_side in merged.items():
        for side, found in by_side.items():
            if found.text:
                seen = [each.endpoints.get(name) for each in sides[side] if each.kind is kind]
                values = [histogram.quantile(found, share) for share in SHARES.values()]
                yield Quantiles(
                    kind=kind,
                    side=side,
                    requests=sum(each.requests for each in seen if each),
                    values=rows.values(values, LATENCY),
                )


def _blocks(decision: Decision) -> Blocks:
    comparison = decision.comparison
    metric, replicates = comparison.series.metric, comparison.replicates
    both = rows.values([*(each.base for each in replicates), *(each.candidate for each in replicates)], metric)
    return Blocks(
        metric=rows.metric_label(metric),
        kind=comparison.kind,
        labels=tuple(each.label for each in replicates),
        base=both[: len(replicates)],
        candidate=both[len(replicates) :],
    )
