"""Explains one series: everything known about it, and the numbers that its verdict depends on."""

import json
import textwrap
from collections.abc import Iterator, Sequence

from perfci.errors import ConfigError
from perfci.model import (
    Better,
    Comparison,
    Decision,
    Outcome,
    Replicate,
    Role,
    RoundKind,
    Scale,
    SeriesVerdict,
)
from perfci.report import result_json, rows, work
from perfci.report.sanitise import plain
from perfci.report.trend_rows import LONGEST, sparkline

TEXT_LIMIT = 600
FEWEST_BARS = 3
"""Number of blocks or runs from which their values are also drawn as bars."""

_NAMES = ("Because of", "Looks", "Test", "Corrected", "Could see", "Regression", "Equivalent", "Otherwise", "What if")


def explain(outcome: Outcome, series: str, *, width: int = 100) -> str:
    """
    Explain every series that *series* names: "GET /tickets/ p95" exactly, else those that contain it.

    No line is longer than *width* columns.
    """
    texts = (_lines(decision, outcome) for decision in _find(outcome, series))
    return "\n".join("".join(f"{row}\n" for line in lines for row in _wrapped(line, width)) for lines in texts)


def _wrapped(line: str, width: int) -> list[str]:
    """Wrap *line*; where it starts with a name, further rows are indented below its text."""
    beside = line[:12].rstrip() in _NAMES or line.startswith(" " * 12)
    return textwrap.wrap(line, width, subsequent_indent=" " * 12 if beside else "", break_on_hyphens=False) or [""]


def explain_json(outcome: Outcome, series: str) -> str:
    """Explain as JSON: each decision as in `result.json`, its family, and what would have changed it."""
    found = [
        {
            "series": rows.label(decision.comparison.series),
            "test": _test_name(decision.comparison),
            "family": _family(decision, outcome),
            "alpha": outcome.alpha,
            "would_change": list(_would_change(decision, outcome)),
            **result_json.DecisionDocument.from_model(decision).model_dump(mode="json"),
        }
        for decision in _find(outcome, series)
    ]
    return json.dumps({"schema_version": result_json.SCHEMA, "explained": found}, indent=1) + "\n"


def _find(outcome: Outcome, wanted: str) -> list[Decision]:
    named = [(rows.label(decision.comparison.series), decision) for decision in outcome.decisions]
    exact = [
        decision
        for name, decision in named
        if _as_printed(wanted) in {_as_printed(name), _as_printed(rows.row(decision).label)}
    ]
    close = [(name, decision) for name, decision in named if _as_printed(wanted) in _as_printed(name)]
    if exact:
        return exact
    if not named:
        raise ConfigError("this result holds no series: nothing was compared", hint="Read its findings: they say why.")
    known = list(dict.fromkeys(name for name, _ in close or named))  # turns and load have some metrics in common
    if close and len(known) == 1:
        return [decision for _, decision in close]
    listed = "\n".join(f"  {plain(name, 200)}" for name in known[:20])
    problem = "names more than one series" if close else "is no series of this result"
    raise ConfigError(f"{plain(wanted, 200)!r} {problem}", hint=f"Take one of these {len(known)}:\n{listed}")


def _as_printed(name: str) -> str:
    """A name as tables print it: "service time" for service_time."""
    return " ".join(name.replace("_", " ").casefold().split())


def _lines(decision: Decision, outcome: Outcome) -> Iterator[str]:
    comparison, metric = decision.comparison, decision.comparison.series.metric
    row = rows.row(decision)
    yield f"{rows.MARKS[row.verdict]} {row.verdict.upper()}  {plain(rows.label(comparison.series), 200)}"
    yield plain(decision.reason, TEXT_LIMIT)
    yield from [plain(comparison.note, TEXT_LIMIT)] if comparison.note else []
    yield ""
    yield f"{metric.meaning} Better: {metric.better}. Measured by: {comparison.kind}. Role: {comparison.budget.role}."
    yield f"Base {row.base}, candidate {row.candidate}, change {row.change}."
    if comparison.common_shift is not None:
        shift = rows.signed_size(comparison.common_shift, metric)
        yield f"All other endpoints changed by {shift}; that is not in the change."
    yield ""
    yield from _replicates(decision)
    yield from _causes(decision)
    yield from _looks(decision)
    yield from _test(decision, outcome)
    yield from _limits(decision, outcome)
    for number, text in enumerate(_would_change(decision, outcome)):
        yield f"{'' if number else 'What if':<11} {plain(text, TEXT_LIMIT)}"


def _replicates(decision: Decision) -> Iterator[str]:
    metric, replicates = decision.comparison.series.metric, decision.comparison.replicates
    if not replicates:
        return
    sides = [replicate.base for replicate in replicates] + [replicate.candidate for replicate in replicates]
    texts = rows.values(sides, metric)
    shapes = _shapes(replicates)
    width = max(len(text) for text in (*texts, *shapes, "candidate"))
    labels = [plain(replicate.label, 40) for replicate in replicates]
    first = max(len(label) for label in labels)
    yield f"{'':{first}}  {'base':>{width}}  {'candidate':>{width}}"
    for number, (label, replicate) in enumerate(zip(labels, replicates, strict=True)):
        base, candidate = texts[number], texts[number + len(replicates)]
        yield f"{label:{first}}  {base:>{width}}  {candidate:>{width}}  {_change(replicate, decision)}".rstrip()
    if shapes:
        yield f"{'':{first}}  {shapes[0]:>{width}}  {shapes[1]:>{width}}".rstrip()
    yield ""


def _shapes(replicates: Sequence[Replicate]) -> tuple[str, ...]:
    """The values of base and candidate as bars on one scale; nothing where they would not fit."""
    base = [each.base for each in replicates if each.base is not None]
    candidate = [each.candidate for each in replicates if each.candidate is not None]
    if len(replicates) < FEWEST_BARS or len(base) + len(candidate) > LONGEST:
        return ()
    bars = sparkline([*base, *candidate])
    return bars[: len(base)], bars[len(base) :]


def _change(replicate: Replicate, decision: Decision) -> str:
    if replicate.base is None or replicate.candidate is None:
        return ""
    metric = decision.comparison.series.metric
    if metric.scale is Scale.DIFFERENCE:
        return rows.signed_size(replicate.candidate - replicate.base, metric)
    return rows.signed_size(replicate.candidate / replicate.base - 1, metric) if replicate.base else ""


def _causes(decision: Decision) -> Iterator[str]:
    """The statements and other culprits, worst first."""
    for number, culprit in enumerate(decision.comparison.culprits):
        cause = work.cause(culprit, decision)
        statement = f" of {plain(cause.statement, TEXT_LIMIT)}" if cause.statement else ""
        yield f"{'' if number else 'Because of':<11} {cause.kind}: {plain(cause.change)}{statement}"
        if cause.beside:
            yield f"{'':<11}   about once for each row of {plain(cause.beside, TEXT_LIMIT)}"
    if decision.comparison.culprits:
        yield ""


def _looks(decision: Decision) -> Iterator[str]:
    """The result of each look, and the share of alpha spent up to it."""
    metric = decision.comparison.series.metric
    for number, look in enumerate(decision.looks):
        interval = ""
        if look.change is not None:
            estimate, low, high = (
                rows.signed_size(value, metric) for value in (look.change.estimate, look.change.low, look.change.high)
            )
            interval = f"{estimate} [{low}, {high}], "
        yield (
            f"{'' if number else 'Looks':<11} after block {look.block}: {100 * look.spent:.1f} % of alpha spent; "
            f"{interval}p = {rows.probability(look.p_adjusted)}: {look.verdict}"
        )
    if decision.looks:
        yield ""


def _certain(comparison: Comparison) -> bool:
    return comparison.series.metric.exact and comparison.p_worse is None and comparison.p_better is None


def _test_name(comparison: Comparison) -> str:
    metric = comparison.series.metric
    if comparison.change is None:
        return "none: it was not compared"
    if _certain(comparison):
        return "none: the same in every request, so that any change is certain"
    if metric.exact:
        return "Welch's t test on the requests"
    if metric.scale is Scale.DIFFERENCE:
        return "Fisher's exact test on the counts"
    stored = any(replicate.candidate is None for replicate in comparison.replicates)
    return "prediction interval for one further run" if stored else "moderated t test on the blocks"


def _test(decision: Decision, outcome: Outcome) -> Iterator[str]:
    comparison, metric = decision.comparison, decision.comparison.series.metric
    yield f"Test        {_test_name(comparison)}"
    if comparison.p_worse is None and comparison.p_better is None:
        return
    worse, better = rows.probability(comparison.p_worse), rows.probability(comparison.p_better)
    yield f"            one-sided p: worse {worse}, better {better}"
    if decision.p_adjusted is not None:
        tenth = ", which may spend a tenth of alpha" if metric.exact else ""
        family = f"in a family of {_family(decision, outcome)} series{tenth}"
        yield f"Corrected   p = {rows.probability(decision.p_adjusted)}, {family}"
    if comparison.smallest_detectable is not None:
        seen = rows.size(comparison.smallest_detectable, metric)
        yield f"Could see   a change of {seen} (in 8 of 10 such runs)"


def _family(decision: Decision, outcome: Outcome) -> int:
    """The series that were corrected together: the census is a family of its own."""
    if decision.comparison.kind is not RoundKind.CENSUS:
        return outcome.family
    others = [decision.comparison for decision in outcome.decisions if decision.comparison.kind is RoundKind.CENSUS]
    return sum(other.p_worse is not None and other.budget.role is not Role.ADVISORY for other in others)


def _limits(decision: Decision, outcome: Outcome) -> Iterator[str]:
    comparison = decision.comparison
    budget, metric = comparison.budget, comparison.series.metric
    sign = "+" if metric.better is Better.LOWER else "-"
    needs = [f"a change of {sign}{_share(comparison, budget.change)} or worse"]
    if not budget.change:
        needs = ["any change for the worse"]
    if not _certain(comparison):
        needs.append(f"a corrected p below {outcome.alpha:g}")
    if budget.floor:
        needs.append(f"a difference of {rows.values((budget.floor,), metric)[0]} or more")
    yield f"Regression  needs {', and '.join(needs)}"
    within = f"the whole interval within ±{_share(comparison, budget.margin)}" if budget.margin else "no change at all"
    yield f"Equivalent  needs {within}"
    yield f"Otherwise   {_otherwise(comparison)}"


def _otherwise(comparison: Comparison) -> str:
    """The verdict of a series that is neither a regression, nor an improvement, nor equivalent."""
    smaller = "below budget where the change is smaller than a regression"
    if _certain(comparison):
        return smaller
    if comparison.budget.role is Role.REQUIRED and comparison.series.metric.scale is Scale.RATIO:
        limit = "the margin or the floor" if comparison.budget.floor else "the margin"
        return f"below budget where the worse end of the interval is within {limit}, else inconclusive"
    return f"{smaller}, else inconclusive"


def _share(comparison: Comparison, share: float) -> str:
    """A budget or margin; for counts it is a share of the base."""
    if comparison.series.metric.exact:
        return f"{100 * share:g} %"
    return rows.size(share, comparison.series.metric)


def _would_change(decision: Decision, outcome: Outcome) -> Iterator[str]:
    """What would have changed the verdict, all else equal; nothing where the series was not compared."""
    comparison = decision.comparison
    if comparison.change is None:
        return
    if comparison.budget.role is Role.ADVISORY:
        yield "never red: this series is for information only"
        return
    if comparison.series.metric.exact:
        yield _count_from(comparison)
    elif comparison.series.metric.scale is Scale.RATIO:
        yield from _ratio_from(comparison)
    worse = comparison.p_worse is not None and comparison.p_worse < outcome.alpha
    others = _family(decision, outcome) - 1
    if others > 0 and worse and decision.p_adjusted is not None and decision.p_adjusted >= outcome.alpha:
        yield f"it would stand out without the other {others} series of its family (p = {comparison.p_worse:.2g} alone)"
    if decision.further_blocks:
        yield f"settled by about {decision.further_blocks} more blocks, if the estimate stays where it is"
    if decision.verdict is SeriesVerdict.REGRESSION and comparison.kind is RoundKind.CENSUS:
        yield "accepted if the change itself writes the new count into census.json, unless the project says no"


def _count_from(comparison: Comparison) -> str:
    base = comparison.base or 0.0
    budget, metric = comparison.budget, comparison.series.metric
    step = max(budget.change * base, budget.floor)
    (limit,) = rows.values((base + step,), metric)
    on = f"from {limit} on" if step else f"above {limit}"
    certain = "" if _certain(comparison) else ", where the test shows it"
    return f"red {on}{certain}"


def _ratio_from(comparison: Comparison) -> Iterator[str]:
    budget, metric, base = comparison.budget, comparison.series.metric, comparison.base
    sign = 1.0 if metric.better is Better.LOWER else -1.0
    matters = max(budget.change, budget.floor / base if base else 0.0)
    if comparison.critical_change is None:
        return
    limit = max(matters, comparison.critical_change)
    why = "the budget" if matters >= comparison.critical_change else "below that it could be noise"

    def formatted(share: float) -> str:
        return rows.signed_size(share if sign > 0 else 1 / (1 + share) - 1, metric)

    yield f"red from a change of about {formatted(limit)} on ({why})"
