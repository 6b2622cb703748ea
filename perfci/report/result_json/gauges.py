"""What was watched on the target, as `result.json` has it."""

from typing import Annotated, Self

from pydantic import Field

from perfci.model import GaugeChange, GaugeLevel
from perfci.report.result_json.parts import NAME_LIMIT, Name, Part


class LevelDocument(Part):
    """One gauge over all load rounds of a side."""

    mean: float
    low: float
    high: float

    @classmethod
    def from_model(cls, level: GaugeLevel | None) -> Self | None:
        return None if level is None else cls(mean=level.mean, low=level.low, high=level.high)

    def to_model(self) -> GaugeLevel:
        return GaugeLevel(mean=self.mean, low=self.low, high=self.high)


class GaugeDocument(Part):
    """One gauge on both sides; null: not watched on that side."""

    name: Name
    unit: Name
    base: LevelDocument | None
    candidate: LevelDocument | None
    limits: Annotated[tuple[float, ...], Field(max_length=100)] = ()  # of the alerts on it

    @classmethod
    def from_model(cls, gauge: GaugeChange) -> Self:
        return cls(
            name=gauge.name[:NAME_LIMIT],
            unit=gauge.unit[:NAME_LIMIT],
            base=LevelDocument.from_model(gauge.base),
            candidate=LevelDocument.from_model(gauge.candidate),
            limits=gauge.limits[:100],
        )

    def to_model(self) -> GaugeChange:
        return GaugeChange(
            name=self.name,
            unit=self.unit,
            base=self.base.to_model() if self.base else None,
            candidate=self.candidate.to_model() if self.candidate else None,
            limits=self.limits,
        )
