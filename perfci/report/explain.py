"""Everything that is known about one series, and the numbers that its verdict hangs on."""

from collections.abc import Iterator

from perfci.errors import ConfigError
from perfci.model import Better, Decision, Outcome, Replicate, Scale
from perfci.report import rows
from perfci.report.sanitise import plain

TEXT_LIMIT = 600


def explain(outcome: Outcome, series: str) -> str:
    """The text for every series that *series* names: "GET /tickets/ p95" exactly, else the one that contains it."""
    return "\n".join("\n".join(_lines(decision, outcome)) + "\n" for decision in _find(outcome, series))


def _find(outcome: Outcome, wanted: str) -> list[Decision]:
    named = [(rows.label(decision.comparison.series), decision) for decision in outcome.decisions]
    exact = [decision for name, decision in named if name == wanted]
    close = [(name, decision) for name, decision in named if wanted.casefold() in name.casefold()]
    if exact or len(close) == 1:
        return exact or [close[0][1]]
    known = [name for name, _ in close or named]
    listed = "\n".join(f"  {plain(name, 200)}" for name in known[:20])
    problem = "names more than one series" if close else "is no series of this result"
    raise ConfigError(f"{plain(wanted, 200)!r} {problem}", hint=f"Take one of these {len(known)}:\n{listed}")


def _lines(decision: Decision, outcome: Outcome) -> Iterator[str]:
    comparison, metric = decision.comparison, decision.comparison.series.metric
    row = rows.row(decision)
    yield f"{rows.MARKS[row.verdict]} {row.verdict.upper()}  {plain(rows.label(comparison.series), 200)}"
    yield plain(decision.reason, TEXT_LIMIT)
    yield from [plain(comparison.note, TEXT_LIMIT)] if comparison.note else []
    yield ""
    yield f"{metric.meaning} Better: {metric.better}. Measured by: {comparison.kind}. Role: {comparison.budget.role}."
    yield f"Base {row.base}, candidate {row.candidate}, change {row.change}."
    yield ""
    yield from _replicates(decision)
    yield from _test(decision, outcome)
    yield from _limits(decision, outcome)


def _replicates(decision: Decision) -> Iterator[str]:
    metric, replicates = decision.comparison.series.metric, decision.comparison.replicates
    if not replicates:
        return
    sides = [replicate.base for replicate in replicates] + [replicate.candidate for replicate in replicates]
    texts = rows.values(sides, metric)
    width = max(len(text) for text in (*texts, "candidate"))
    labels = [plain(replicate.label, 40) for replicate in replicates]
    first = max(len(label) for label in labels)
    yield f"{'':{first}}  {'base':>{width}}  {'candidate':>{width}}"
    for number, (label, replicate) in enumerate(zip(labels, replicates, strict=True)):
        base, candidate = texts[number], texts[number + len(replicates)]
        yield f"{label:{first}}  {base:>{width}}  {candidate:>{width}}  {_change(replicate, decision)}".rstrip()
    yield ""


def _change(replicate: Replicate, decision: Decision) -> str:
    if replicate.base is None or replicate.candidate is None:
        return ""
    metric = decision.comparison.series.metric
    if metric.scale is Scale.DIFFERENCE:
        return rows.signed_size(replicate.candidate - replicate.base, metric)
    return rows.signed_size(replicate.candidate / replicate.base - 1, metric) if replicate.base else ""


def _test(decision: Decision, outcome: Outcome) -> Iterator[str]:
    comparison, metric = decision.comparison, decision.comparison.series.metric
    if comparison.p_worse is None and comparison.p_better is None:
        yield "Test        none: " + ("counts are compared as they are" if metric.exact else "it was not compared")
        return
    worse, better = rows.probability(comparison.p_worse), rows.probability(comparison.p_better)
    yield f"Test        one-sided p: worse {worse}, better {better}"
    if decision.p_adjusted is not None:
        yield f"Corrected   p = {rows.probability(decision.p_adjusted)}, in a family of {outcome.family} series"
    if comparison.smallest_detectable is not None and not metric.exact:
        seen = rows.size(comparison.smallest_detectable, metric)
        yield f"Could see   a change of {seen} (in 8 of 10 such runs)"


def _limits(decision: Decision, outcome: Outcome) -> Iterator[str]:
    budget, metric = decision.comparison.budget, decision.comparison.series.metric
    sign = "+" if metric.better is Better.LOWER else "-"
    needs = [
        f"a change of {sign}{rows.size(budget.change, metric)} or worse"
        if budget.change
        else "any change for the worse"
    ]
    if not metric.exact:
        needs.append(f"a corrected p below {outcome.alpha:g}")
    if budget.floor:
        needs.append(f"a difference of {rows.values((budget.floor,), metric)[0]} or more")
    yield f"Regression  needs {', and '.join(needs)}"
    within = f"the whole interval within ±{rows.size(budget.margin, metric)}" if budget.margin else "no change at all"
    yield f"Equivalent  needs {within}"
    if decision.further_blocks:
        yield f"To settle   about {decision.further_blocks} more blocks"
