"""One sentence with its numbers for every decision."""

from perfci.model import ALL_ENDPOINTS, Better, Comparison, Interval, Metric, RoundKind, Scale, SeriesVerdict


def amount(value: float, metric: Metric) -> str:
    """A value with its unit: "4.1 ms", "12.5 %", "830 /s"."""
    if metric.unit == "":
        return f"{number(100 * value)} %"
    return f"{number(value)} {'/s' if metric.unit == '1/s' else metric.unit}"


def number(value: float) -> str:
    """Three digits that mean something, never an exponent."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def sentence(comparison: Comparison, verdict: SeriesVerdict, confidence: float, *, tail: str = "") -> str:
    """What is claimed of one series, and what it rests on."""
    who = _subject(comparison)
    if comparison.change is None:
        return f"{who}: {_metric(comparison)} not compared ({comparison.note or 'no values'})"
    return f"{who} {_claim(comparison, comparison.change, verdict)} ({_evidence(comparison, confidence)}){tail}"


def _subject(comparison: Comparison) -> str:
    endpoint = comparison.series.endpoint
    name = "The mean over all endpoints" if endpoint == ALL_ENDPOINTS else endpoint
    return f"{name} under load" if comparison.kind is RoundKind.LOAD else name


def _claim(comparison: Comparison, change: Interval, verdict: SeriesVerdict) -> str:
    metric = comparison.series.metric
    if verdict is SeriesVerdict.EQUIVALENT:
        return "stays within its margin"
    if verdict is SeriesVerdict.INCONCLUSIVE:
        return "can neither be called changed nor unchanged"
    if metric.scale is Scale.DIFFERENCE:
        return f"fails {'more' if change.estimate > 0 else 'less'} often"
    size = f"{_percent(abs(change.estimate))} %"
    if metric.better is Better.HIGHER:
        return f"answers {size} {'more' if change.estimate > 0 else 'fewer'} requests"
    beside = "" if comparison.moved is None else " beside the other endpoints"
    return f"is {size} {'slower' if change.estimate > 0 else 'faster'}{beside}"


def _evidence(comparison: Comparison, confidence: float) -> str:
    metric, change = comparison.series.metric, comparison.change
    assert change is not None
    unit = "percentage points" if metric.scale is Scale.DIFFERENCE else "%"
    interval = f"{_signed(change.low)}..{_signed(change.high)} {unit}"
    count = len(comparison.replicates)
    stored = any(replicate.candidate is None for replicate in comparison.replicates)
    behind = "" if not count else f", {_many(count - 1, 'stored run')}" if stored else f", {_many(count, 'block')}"
    before = number(comparison.base * (100 if metric.unit == "" else 1)) if comparison.base is not None else "?"
    after = amount(comparison.candidate, metric) if comparison.candidate is not None else "?"
    return f"{_metric(comparison)} {before} -> {after}, {100 * confidence:.0f} % interval {interval}{behind}"


def _metric(comparison: Comparison) -> str:
    return comparison.series.metric.name.replace("_", " ")


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _percent(share: float) -> str:
    value = 100 * share
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.1f}"


def _signed(share: float) -> str:
    text = _percent(share)
    return text if text.startswith("-") else f"+{text}"
