"""Describes the monitored gauges in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from perfci.model import Better, GaugeChange, Metric, Outcome, Quantity, Scale, Side
from perfci.report.rows import NOTHING, values

FEW = 6
"""Number of gauges named in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeRow:
    """One gauge as a table shows it: its means, and the highest second of any round."""

    name: str
    base: str
    candidate: str
    base_high: str
    candidate_high: str

    def cells(self, sides: Sequence[Side]) -> tuple[str, ...]:
        """The means of these sides, then their highest seconds."""
        means = {Side.BASE: self.base, Side.CANDIDATE: self.candidate}
        highest = {Side.BASE: self.base_high, Side.CANDIDATE: self.candidate_high}
        return tuple(each[side] for each in (means, highest) for side in sides)


def gauge_row(gauge: GaugeChange) -> GaugeRow:
    """The row of one gauge; all four numbers are in the gauge's unit."""
    sides = (gauge.base, gauge.candidate)
    base, candidate = _formatted([None if side is None else side.mean for side in sides], gauge)
    base_high, candidate_high = _formatted([None if side is None else side.high for side in sides], gauge)
    return GaugeRow(name=gauge.name, base=base, candidate=candidate, base_high=base_high, candidate_high=candidate_high)


def in_short(outcome: Outcome) -> str:
    """The first gauges in one line: "process/cpu 0.41 cores → 0.43 cores"; empty where nothing was watched."""
    shown = [_moved(gauge_row(gauge)) for gauge in outcome.gauges[:FEW]]
    more = len(outcome.gauges) - FEW
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _moved(row: GaugeRow) -> str:
    return f"{row.name} {row.candidate}" if row.base == NOTHING else f"{row.name} {row.base} → {row.candidate}"


def _formatted(numbers: Sequence[float | None], gauge: GaugeChange) -> tuple[str, ...]:
    metric = Metric(
        name=gauge.name,
        quantity=Quantity.COUNT,
        unit=gauge.unit,
        better=Better.LOWER,
        scale=Scale.RATIO,
        portable=False,
        exact=True,
        meaning="",
    )
    return values(numbers, metric)
