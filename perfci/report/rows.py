"""
Turns an outcome into text: scales and rounds numbers, chooses words and symbols, sorts the worst first.

Everything here is raw text. Whoever lays it out (terminal, Markdown) also makes names harmless for that place.
"""

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from perfci.model import (
    BASE_UNAVAILABLE,
    Better,
    Comparison,
    Decision,
    Interval,
    Metric,
    Outcome,
    Pooling,
    Quantity,
    Reference,
    Role,
    RoundKind,
    Scale,
    Series,
    SeriesVerdict,
    Side,
    SloResult,
    Verdict,
    Weight,
)

MOST_RATIO = 10.0
"""Beyond ten times more, a number is no information."""

NOTHING = "-"
"""Shown where there is no number."""

MARKS = {
    SeriesVerdict.REGRESSION: "✗",
    SeriesVerdict.IMPROVEMENT: "▲",
    SeriesVerdict.EQUIVALENT: "✓",
    SeriesVerdict.BELOW_BUDGET: "≈",
    SeriesVerdict.INCONCLUSIVE: "?",
    SeriesVerdict.NOT_COMPARED: "○",
    SeriesVerdict.ACCEPTED: "◇",
}
VERDICT_MARKS = {
    Verdict.INVALID: "!",
    Verdict.REGRESSION: "✗",
    Verdict.SLO_BREACH: "✗",
    Verdict.NO_BASELINE: "○",
    Verdict.INCONCLUSIVE: "?",
    Verdict.PASS: "✓",
}
KIND_SUFFIXES = {RoundKind.DUET: " in turns", RoundKind.LOAD: " under load"}
_NEXT_STEPS = {
    Verdict.SLO_BREACH: "Bring it back within its limit.",
    Verdict.NO_BASELINE: "Record a baseline and commit it, or compare with a ref, which needs none.",
    Verdict.INVALID: "Remove the cause named in the findings and measure again; these numbers prove nothing.",
}
_MORE_BLOCKS = "Measure again with more blocks, or on a quieter machine."
_MORE_REQUESTS = (
    "Make rounds longer, use more users or choose fewer tasks: an endpoint needs more requests in a round, and more"
    " blocks bring none."
)
_MORE_RUNS = "Measure again with more rounds, accept further runs into the baseline, or compare with a ref."
_MORE_LOAD = "Measure for longer, or with more requests: what the rounds show may be within the limit or beyond it."
_OTHER_LOAD = "Measure load rounds that ask for what the SLO limits: no other rounds are held against it."
_MORE_FILES = (
    "Give a folder with three files or more for each side, measured in turns, on one machine, with the same load."
)
_UNITS = {
    Quantity.TIME: ((1000.0, "s", 1e-3), (0.1, "ms", 1.0), (0.0, "µs", 1e3)),
    Quantity.SIZE: ((1e6, "MB", 1e-6), (1e3, "kB", 1e-3), (0.0, "B", 1.0)),
    Quantity.SHARE: ((0.0, "%", 100.0),),
}
"""Quantity -> from which value on it is shown in which unit, and the factor to it; others in the metric's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One series as a table shows it."""

    label: str
    endpoint: str
    metric: str
    base: str
    candidate: str
    change: str
    verdict: SeriesVerdict
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class SloRow:
    """One SLO as a table shows it."""

    endpoint: str
    metric: str
    limit: str
    worst: str
    rounds: str
    held: bool
    word: str  # "held", "breached", "open"; and what it matters, where it fails nothing


def row(decision: Decision) -> Row:
    """One series, its two values in the same unit."""
    comparison = decision.comparison
    base, candidate = values((comparison.base, comparison.candidate), comparison.series.metric)
    return Row(
        label=f"{label(comparison.series)}{_measured_by(comparison)}",
        endpoint=comparison.series.endpoint,
        metric=f"{metric_label(comparison.series.metric)}{_measured_by(comparison)}",
        base=base,
        candidate=candidate,
        change=change(comparison),
        verdict=decision.verdict,
        role=comparison.budget.role,
    )


def slo_row(result: SloResult) -> SloRow:
    """One SLO with its limit in the metric's direction."""
    (limit,), (worst,) = values((result.slo.limit,), result.metric), values((result.worst,), result.metric)
    sign = "≤" if result.metric.better is Better.LOWER else "≥"
    return SloRow(
        endpoint=result.slo.where,
        metric=metric_label(result.metric),
        limit=f"{sign} {limit}",
        worst=worst,
        rounds=f"{result.rounds_within}/{result.rounds}",
        held=result.held,
        word=slo_word(result),
    )


def slo_word(result: SloResult) -> str:
    """What became of a limit, with its importance where a breach fails nothing."""
    word = "held" if result.held else "breached" if result.rounds else "not settled"
    return word if result.slo.fails or result.held else f"{word} ({result.slo.importance})"


def label(series: Series) -> str:
    """The name by which a user can ask for a series."""
    return series.label


def _measured_by(comparison: Comparison) -> str:
    """The kind of round, where one metric of an endpoint is measured in turns and under load."""
    if comparison.series.metric.pooling is not Pooling.FAILURES:
        return ""
    return KIND_SUFFIXES.get(comparison.kind, "")


def metric_label(metric: Metric) -> str:
    """The name of a metric for people; a counter is what its source calls it."""
    return metric.name if metric.exact else metric.name.replace("_", " ")


def values(numbers: Sequence[float | None], metric: Metric) -> tuple[str, ...]:
    """Numbers of one metric, all in the unit that suits the largest."""
    known = [abs(number) for number in numbers if number is not None and math.isfinite(number)]
    factor, unit = _unit(max(known, default=0.0), metric)
    return tuple(_value(number, factor, unit) for number in numbers)


def change(comparison: Comparison) -> str:
    """An estimate with its interval: "+61 % [+58, +64]", or the difference where a ratio means nothing."""
    found = comparison.change
    factor, unit = _change_unit(comparison.series.metric)
    if found is None or not math.isfinite(found.estimate * factor):
        return NOTHING
    return _interval(found, factor, unit) + _relative(comparison)


def _relative(comparison: Comparison) -> str:
    """How much a count grew beside what it was, where the budget asks for that."""
    found, base = comparison.change, comparison.base
    if found is None or not (comparison.series.metric.exact and comparison.budget.change and base and found.estimate):
        return ""
    share = 100 * found.estimate / base
    return f" ({_signed(share, _decimals(share))} %)" if math.isfinite(share) else ""


def taken_out(decisions: Sequence[Decision]) -> str:
    """What all endpoints share and no `change` of theirs holds, in a sentence; empty where nothing was taken out."""
    shared = [
        (decision.comparison.common_shift, decision.comparison.series.metric)
        for decision in decisions
        if decision.comparison.common_shift is not None
    ]
    if not shared:
        return ""
    (low, low_metric), (high, high_metric) = min(shared, key=itemgetter(0)), max(shared, key=itemgetter(0))
    first, last = signed_size(low, low_metric), signed_size(high, high_metric)
    moved = first if first == last else f"{first} to {last}"
    return (
        f"Change of an endpoint: relative to the others. Their common shift, {moved}, is the machine's and removed; "
        "the values still contain it."
    )


def interval(found: Interval, metric: Metric) -> str:
    """A change with its interval, in the unit in which changes of the metric are told."""
    return _interval(found, *_change_unit(metric))


def size(amount: float | None, metric: Metric) -> str:
    """Format the size of a change without its sign: a budget, a margin, the smallest detectable change."""
    factor, unit = _change_unit(metric)
    if amount is None or not math.isfinite(amount * factor):
        return NOTHING
    if metric.scale is Scale.RATIO and amount > MOST_RATIO:
        return f"over {MOST_RATIO * factor:,.0f}{unit}"
    return _short(f"{amount * factor:,.{_decimals(amount * factor)}f}") + unit


def signed_size(amount: float, metric: Metric) -> str:
    """A change with its sign and no interval."""
    return _interval(Interval(estimate=amount, low=amount, high=amount), *_change_unit(metric))


def probability(p: float | None) -> str:
    """A p-value in two digits."""
    return NOTHING if p is None or not math.isfinite(p) else f"{p:.2g}"


def commit(sha: str) -> str:
    """A commit as people write it."""
    return sha[:7]


def compared(outcome: Outcome) -> str:
    """Describe what was compared with what."""
    subject = outcome.subject
    head = commit(subject.head_commit) or subject.head_name
    return f"{head} with {subject.reference_name or 'nothing'}"


def comparison(outcome: Outcome) -> str:
    """Describe what was compared with what, and how the reference was measured."""
    asked, reference = compared(outcome), outcome.subject.reference
    if cannot_compare(outcome):
        return f"nothing; {asked} was asked for" if outcome.subject.reference_name else "nothing"
    if reference is Reference.REF:
        return f"{asked}, both sides on this machine, in turns"
    if reference is Reference.LIMITS:
        return f"{asked}, and with nothing else"
    return f"{asked}, one run now against stored runs"


def sides(outcome: Outcome) -> tuple[Side, ...]:
    """The sides that a report has columns and keys for: a run against limits has the candidate alone."""
    return (Side.CANDIDATE,) if outcome.subject.reference is Reference.LIMITS else (Side.BASE, Side.CANDIDATE)


def could_see(outcome: Outcome) -> bool:
    """Whether there is a change that the run could have seen: something was compared, and its numbers are valid."""
    compared = any(decision.verdict is not SeriesVerdict.NOT_COMPARED for decision in outcome.decisions)
    return compared and outcome.verdict is not Verdict.INVALID


def cannot_compare(outcome: Outcome) -> bool:
    """Whether a base was named and could not be had, so that nothing was compared."""
    return outcome.verdict is Verdict.INVALID and any(f.code == BASE_UNAVAILABLE for f in outcome.findings)


def next_step(outcome: Outcome) -> str:
    """Suggest what to do about a verdict that is not a pass."""
    if outcome.verdict is Verdict.REGRESSION:
        return _explain_worst(outcome)
    if cannot_compare(outcome):
        return "Make the base available, as the finding says, and run again."
    if outcome.verdict is Verdict.INCONCLUSIVE:
        return _settling(outcome)
    return _NEXT_STEPS.get(outcome.verdict, "")


def _settling(outcome: Outcome) -> str:
    """What would make an inconclusive outcome a pass or a fail; "" where nothing that can be named would."""
    if any(finding.weight is Weight.INCONCLUSIVE for finding in outcome.findings):
        return "See the findings above the table: they decide, not the numbers."
    if outcome.further_blocks:
        blocks = outcome.further_blocks
        return f"About {blocks} more block{'s' * (blocks != 1)} would settle it; or use a quieter machine."
    required = [decision for decision in outcome.decisions if decision.comparison.budget.role is Role.REQUIRED]
    unjudged = [slo for slo in outcome.slos if slo.slo.fails and not slo.rounds]
    if unjudged and not any(decision.verdict is SeriesVerdict.INCONCLUSIVE for decision in required):
        return _MORE_LOAD if all(slo.because.code == "not-settled" for slo in unjudged) else _OTHER_LOAD
    if outcome.subject.reference is Reference.BASELINE:
        return _MORE_FILES if any(finding.code == "imported" for finding in outcome.findings) else _MORE_RUNS
    if outcome.subject.reference is Reference.LIMITS:
        return "Write a limit into perfci.toml: [[gate.slo]]."
    return _more(outcome) if required else ""


def _more(outcome: Outcome) -> str:
    """More requests where nothing required could be compared, because rounds had too few of them; else more blocks."""
    judged = (d for d in outcome.decisions if d.verdict is not SeriesVerdict.NOT_COMPARED)
    any_compared = any(decision.comparison.budget.role is Role.REQUIRED for decision in judged)
    few = any(finding.code == "few-requests" for finding in outcome.findings)
    return _MORE_REQUESTS if few and not any_compared else _MORE_BLOCKS


def _explain_worst(outcome: Outcome) -> str:
    worst = [d.comparison.series for d in outcome.decisions if d.verdict is SeriesVerdict.REGRESSION]
    if not worst:
        return "See the findings: they say what only the candidate did."
    return f"Numbers behind the worst: perfci compare RUN --explain {shlex.quote(label(worst[0]))}"


def _unit(largest: float, metric: Metric) -> tuple[float, str]:
    own = ((0.0, metric.unit.removeprefix("1"), 1.0),)
    units = _UNITS.get(metric.quantity, own)
    return next((factor, f" {unit}".rstrip()) for least, unit, factor in units if (largest or 1.0) >= least)


def _change_unit(metric: Metric) -> tuple[float, str]:
    if metric.scale is Scale.RATIO:
        return 100.0, " %"
    return (100.0, " points") if metric.quantity is Quantity.SHARE else (1.0, f" {metric.unit}".rstrip())


def _value(number: float | None, factor: float, unit: str) -> str:
    if number is None or not math.isfinite(number * factor):
        return NOTHING
    scaled = number * factor
    magnitude = math.floor(math.log10(abs(scaled))) if scaled else 0
    return _short(f"{scaled:,.{min(max(2 - magnitude, 0), 6)}f}") + unit


def _short(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def _interval(found: Interval, factor: float, unit: str) -> str:
    estimate, low, high = found.estimate * factor, found.low * factor, found.high * factor
    if factor == 1.0 and low == high and estimate == round(estimate):  # a count
        return f"{_signed(estimate, 0)}{unit}"
    decimals = _decimals(max(abs(number) for number in (estimate, low, high) if math.isfinite(number)))
    text = f"{_signed(estimate, decimals)}{unit}"
    return text if low == high else f"{text} [{_signed(low, decimals)}, {_signed(high, decimals)}]"


def _decimals(number: float) -> int:
    if abs(number) >= 9.95:
        return 0
    return 2 if 0.005 <= abs(number) < 0.095 else 1


def _signed(number: float, decimals: int) -> str:
    if math.isinf(number):
        return "+∞" if number > 0 else "-∞"
    if math.isnan(number):
        return NOTHING
    text = f"{number:+,.{decimals}f}"
    return text[1:] if not float(text.replace(",", "")) else text
