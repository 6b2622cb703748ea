"""What was watched on the target, as `result.json` has it."""

from dataclasses import asdict
from typing import Annotated

from pydantic import ConfigDict, Field

from perfci.model import GaugeChange, GaugeLevel
from perfci.schema import Table

NAME_LIMIT = 300

Name = Annotated[str, Field(max_length=NAME_LIMIT)]


class LevelV1(Table):
    """`GaugeLevel`."""

    model_config = ConfigDict(strict=True)

    mean: float
    low: float
    high: float


class GaugeV1(Table):
    """`GaugeChange`."""

    model_config = ConfigDict(strict=True)

    name: Name
    unit: Name
    base: LevelV1 | None
    candidate: LevelV1 | None


def written(one: GaugeChange) -> GaugeV1:
    """For the document."""
    return GaugeV1.model_validate(asdict(one) | {"name": one.name[:NAME_LIMIT], "unit": one.unit[:NAME_LIMIT]})


def read(gauge: GaugeV1) -> GaugeChange:
    """From a document."""
    return GaugeChange(name=gauge.name, unit=gauge.unit, base=_level(gauge.base), candidate=_level(gauge.candidate))


def _level(level: LevelV1 | None) -> GaugeLevel | None:
    return None if level is None else GaugeLevel(**level.model_dump())
