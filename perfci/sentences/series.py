"""The sentence about a series: the claim, the numbers that it rests on, and their format."""

from perfci.model import (
    ALL_ENDPOINTS,
    Comparison,
    Interval,
    Metric,
    Pooling,
    Quantity,
    Role,
    RoundKind,
    Scale,
    SeriesVerdict,
)
from perfci.sentences.reason import reason


@reason
class NotCompared:
    """A series has nothing to be compared with."""

    code = "not-compared"
    comparison: Comparison

    def __str__(self) -> str:
        comparison = self.comparison
        why = comparison.note or "no values"
        return f"{subject(comparison)}: {name_of(comparison.series.metric)} not compared ({why})"


@reason
class Compared:
    """What is claimed of a series by a test, and what the claim rests on."""

    code = "compared"
    comparison: Comparison
    change: Interval
    verdict: SeriesVerdict
    confidence: float  # of the interval
    further_blocks: int | None  # that would settle it

    def __str__(self) -> str:
        claim = _claim(self.comparison, self.change, self.verdict)
        evidence = _evidence(self.comparison, self.change, self.confidence)
        further = f"; {_many(self.further_blocks, 'more block')} would settle it" if self.further_blocks else ""
        return f"{subject(self.comparison)} {claim} ({evidence}){further}{advisory(self.comparison)}"


def advisory(comparison: Comparison) -> str:
    """The end of the reason of a series that cannot change the verdict."""
    return "; advisory" if comparison.budget.role is Role.ADVISORY else ""


def amount(value: float, metric: Metric) -> str:
    """A value with its unit: "4.1 ms", "12.5 %", "830 /s"."""
    return f"{number(_shown(value, metric))} {_unit(metric)}".rstrip()


def number(value: float) -> str:
    """Format a number with three significant digits, commas for thousands and no exponent."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def count(mean: float) -> str:
    """Format a count: whole where it is constant or large, else with three significant digits; never an exponent."""
    if mean == round(mean) or abs(mean) >= 1000:
        return f"{mean:,.0f}"
    return f"{float(f'{mean:.3g}'):,.10f}".rstrip("0").rstrip(".")


def signed(change: float) -> str:
    """Format a change of a count, with its sign."""
    return f"{'-' if change < 0 else '+'}{count(abs(change))}"


def subject(comparison: Comparison) -> str:
    """The endpoint, or the whole service, and whether it is under load."""
    endpoint = comparison.series.endpoint
    whole = "The mean over all endpoints" if comparison.series.metric.pooling is Pooling.ENDPOINTS else "The service"
    name = whole if endpoint == ALL_ENDPOINTS else endpoint
    return f"{name} under load" if comparison.kind is RoundKind.LOAD else name


def _claim(comparison: Comparison, change: Interval, verdict: SeriesVerdict) -> str:
    metric = comparison.series.metric
    if verdict is SeriesVerdict.EQUIVALENT:
        return "stays within its margin"
    if verdict is SeriesVerdict.BELOW_BUDGET:
        return "stays below its budget"
    if verdict is SeriesVerdict.INCONCLUSIVE:
        return "can neither be called changed nor unchanged"
    unit = "percentage points" if metric.scale is Scale.DIFFERENCE else "%"
    adjusted = "" if comparison.common_shift is None else " relative to the other endpoints"
    return claim(metric, change.estimate, f"{percent(abs(change.estimate))} {unit}") + adjusted


def claim(metric: Metric, change: float, size: str) -> str:
    """What a metric's change of this direction and *size* is called: "is 12 % slower"."""
    phrase = metric.phrases.larger if change > 0 else metric.phrases.smaller
    return phrase.replace("{change}", size).replace("{metric}", name_of(metric))


def name_of(metric: Metric) -> str:
    """The name of a metric in a sentence; for a counter, the name that its source uses."""
    return metric.name if metric.exact else metric.name.replace("_", " ")


def _evidence(comparison: Comparison, change: Interval, confidence: float) -> str:
    metric = comparison.series.metric
    unit = "percentage points" if metric.scale is Scale.DIFFERENCE else "%"
    interval = f"{_signed(change.low)}..{_signed(change.high)} {unit}"
    count = len(comparison.replicates)
    stored = any(replicate.candidate is None for replicate in comparison.replicates)
    behind = "" if not count else f", {_many(count - 1, 'stored run')}" if stored else f", {_many(count, 'block')}"
    before = number(_shown(comparison.base, metric)) if comparison.base is not None else "?"
    after = amount(comparison.candidate, metric) if comparison.candidate is not None else "?"
    return f"{name_of(metric)} {before} -> {after}, {100 * confidence:.0f} % interval {interval}{behind}"


def _shown(value: float, metric: Metric) -> float:
    return 100 * value if metric.quantity is Quantity.SHARE else value


def _unit(metric: Metric) -> str:
    return "%" if metric.quantity is Quantity.SHARE else metric.unit.removeprefix("1")


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def percent(share: float) -> str:
    """A share in percent, without the percent sign."""
    value = 100 * share
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}"


def _signed(share: float) -> str:
    text = percent(share)
    return text if text.startswith("-") else f"+{text}"
