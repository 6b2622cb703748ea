"""Monitored values of the target under load, and limits on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """
    One number about the target over the measured time of a round.

    Point N is the mean of what was read in the N-th step of the measured time, that of slices laid end to end as it is
    in `Second`; None where nothing was read. The other numbers are over the steps that have one.
    """

    unit: str  # "cores", "MB", "kB/s", "" for a plain count
    mean: float
    low: float
    high: float
    p95: float
    points: tuple[float | None, ...]
    step_s: int = 1  # more than a second in long rounds, so that points stay few


class Severity(StrEnum):
    """What an alert does: it is reported, or it makes the verdict red as an SLO does."""

    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A limit on gauges of the candidate, which must not be left for long."""

    name: str
    gauge: str  # a name, in which "*" stands for any text
    limit: float  # in the gauge's unit
    upper: bool  # whether what is above it is wrong, else what is below
    seconds: float  # of measured time in a row; 0: any moment
    severity: Severity = Severity.WARN


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeLevel:
    """One gauge over all load rounds of a side: the mean of their means, and the most and the least that was seen."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeChange:
    """One gauge on both sides, for information only. None: not monitored on that side."""

    name: str
    unit: str
    base: GaugeLevel | None
    candidate: GaugeLevel | None
    limits: tuple[float, ...] = ()  # of the alerts on it, those that warn and those that fail


Gauges = Mapping[str, Gauge]
"""By name: "SOURCE/WHAT", or as the project calls its own."""
