"""The gate: from comparisons, findings and SLOs to one verdict, with its reasons."""

from collections.abc import Sequence
from math import inf, log, log1p

from perfci.judge.alpha import in_family, shares
from perfci.judge.stats import effect
from perfci.judge.stats.family import holm
from perfci.judge.wording import sentence
from perfci.model import (
    Better,
    Comparison,
    Decision,
    Finding,
    GatePolicy,
    Interval,
    Outcome,
    Reference,
    Role,
    RoundKind,
    Scale,
    SeriesVerdict,
    SloResult,
    Subject,
    Verdict,
    Weight,
    regressions,
)

_WORST_FIRST = (
    SeriesVerdict.REGRESSION,
    SeriesVerdict.INCONCLUSIVE,
    SeriesVerdict.ACCEPTED,
    SeriesVerdict.IMPROVEMENT,
    SeriesVerdict.BELOW_BUDGET,
    SeriesVerdict.EQUIVALENT,
    SeriesVerdict.NOT_COMPARED,
)
_SETTLED = (
    SeriesVerdict.EQUIVALENT,
    SeriesVerdict.BELOW_BUDGET,
    SeriesVerdict.IMPROVEMENT,
    SeriesVerdict.ACCEPTED,
)


def decide(
    comparisons: Sequence[Comparison],
    findings: Sequence[Finding],
    slo_results: Sequence[SloResult],
    subject: Subject,
    policy: GatePolicy,
    *,
    work: Sequence[Decision] = (),
) -> Outcome:
    """
    Judge every series, and the whole by the first rule that applies, in the order of `Verdict`.

    *work* is what the census has decided already, in its own order: it is no part of this family.
    """
    shared = shares(comparisons)
    worse, better = _adjusted(comparisons, shared, "p_worse"), _adjusted(comparisons, shared, "p_better")
    extendable = subject.reference is Reference.REF
    decisions = [
        _decision(one, p_worse, p_better, policy, share if extendable else None)
        for one, p_worse, p_better, share in zip(comparisons, worse, better, shared, strict=True)
    ]
    decisions = sorted([*work, *decisions], key=_worst_first)
    verdict, reason = _whole(decisions, findings, slo_results, subject)
    further = [
        one.further_blocks for one in decisions if one.comparison.budget.role is Role.REQUIRED and one.further_blocks
    ]
    return Outcome(
        verdict=verdict,
        reason=reason,
        subject=subject,
        decisions=tuple(decisions),
        slos=tuple(slo_results),
        findings=tuple(findings),
        family=sum(in_family(one) for one in comparisons),
        alpha=policy.alpha,
        further_blocks=max(further, default=None),
    )


def _adjusted(comparisons: Sequence[Comparison], shared: Sequence[float], which: str) -> list[float | None]:
    """
    p-values, corrected for the family; in the order of the comparisons.

    A series outside the family is never counted, and so is corrected by its share alone.
    """
    members = [(getattr(one, which), share) for one, share in zip(comparisons, shared, strict=True) if in_family(one)]
    corrected = iter(holm([p for p, _ in members], [share for _, share in members]))
    adjusted: list[float | None] = []
    for one, share in zip(comparisons, shared, strict=True):
        p = getattr(one, which)
        if p is None:
            adjusted.append(None)
        else:
            adjusted.append(next(corrected) if in_family(one) else min(1.0, p / share))
    return adjusted


def _decision(
    one: Comparison,
    p_worse: float | None,
    p_better: float | None,
    policy: GatePolicy,
    share: float | None,  # of alpha, where more blocks could be measured
) -> Decision:
    if one.change is None or p_worse is None or p_better is None:
        reason = sentence(one, SeriesVerdict.NOT_COMPARED, policy.confidence)
        return Decision(comparison=one, verdict=SeriesVerdict.NOT_COMPARED, p_adjusted=None, reason=reason)
    verdict = _verdict(one, one.change, p_worse, p_better, policy.alpha)
    unsettled = verdict is SeriesVerdict.INCONCLUSIVE
    further = _further(one, one.change, policy, share) if unsettled and share else None
    advice = f"; {further} more block{'s' if further > 1 else ''} would settle it" if further else ""
    advisory = "; advisory" if one.budget.role is Role.ADVISORY else ""
    reason = sentence(one, verdict, policy.confidence, tail=advice + advisory)
    return Decision(comparison=one, verdict=verdict, p_adjusted=p_worse, reason=reason, further_blocks=further)


def _verdict(one: Comparison, change: Interval, p_worse: float, p_better: float, alpha: float) -> SeriesVerdict:
    """
    The rules of one series.

    Red needs all of it: shown to be worse than nothing, as large as the budget, and above the floor; and where the
    others' change was taken out of it, the endpoint's own values must have moved as far, too: what only failed to
    become faster is not slower.

    What is smaller than a regression without being shown to lie within the margin is below the budget. Of a required
    series, which has to be settled for a pass, that is said only where nothing larger is likely either.
    """
    upwards = change.estimate > 0
    worsened = upwards == (one.series.metric.better is Better.LOWER)
    matters = min(_size(one, change.estimate), _own_move(one, upwards)) >= _limit(one, one.budget.change)
    if matters:
        if worsened and p_worse < alpha:
            return SeriesVerdict.REGRESSION
        if not worsened and p_better < alpha:
            return SeriesVerdict.IMPROVEMENT
    if _within(one, change, _distance(one, one.budget.margin)):
        return SeriesVerdict.EQUIVALENT
    settled = one.budget.role is not Role.REQUIRED or _negligible(one, change)
    return SeriesVerdict.BELOW_BUDGET if settled and not matters else SeriesVerdict.INCONCLUSIVE


def _own_move(one: Comparison, upwards: bool) -> float:
    """How far the values themselves went in that direction, whatever the others did; no limit where it is the same."""
    if one.moved is None or not one.base or not one.candidate:
        return inf
    return log(one.candidate / one.base) * (1 if upwards else -1)


def _within(one: Comparison, change: Interval, limit: float) -> bool:
    """Whether the whole interval lies within the limit."""
    return max(_size(one, change.low), _size(one, change.high)) <= limit


def _negligible(one: Comparison, change: Interval) -> bool:
    """
    Whether a required series that is below its budget is settled all the same.

    A ratio is where the whole interval lies within the floor: what is too small to matter. A share of failures always
    is, since nothing spoke against it and an interval around none of few requests is wide.
    """
    return one.series.metric.scale is Scale.DIFFERENCE or _within(one, change, _limit(one, one.budget.margin))


def _size(one: Comparison, change: float) -> float:
    """How far from nothing a change is; a ratio by its log, so that 10 % more and the way back are equally far."""
    return abs(change) if one.series.metric.scale is Scale.DIFFERENCE else abs(log1p(change))


def _distance(one: Comparison, share: float) -> float:
    """A budget or margin as a distance from nothing, as `_size` measures it."""
    return share if one.series.metric.scale is Scale.DIFFERENCE else log1p(share)


def _limit(one: Comparison, share: float) -> float:
    """The same, but never below the floor: what is too small to matter is no change."""
    if one.series.metric.scale is Scale.DIFFERENCE:
        return max(share, one.budget.floor)
    return _distance(one, max(share, one.budget.floor / one.base if one.base else 0.0))


def _further(one: Comparison, change: Interval, policy: GatePolicy, share: float) -> int | None:
    """How many more blocks would settle an inconclusive ratio that has this *share* of alpha."""
    if one.series.metric.scale is Scale.DIFFERENCE or one.standard_error is None:
        return None
    return effect.further_blocks(
        log1p(change.estimate),
        one.standard_error,
        blocks=len(one.replicates),
        budget=_limit(one, one.budget.change),
        margin=_limit(one, one.budget.margin),
        alpha=min(0.5, policy.alpha * share),
        confidence=policy.confidence,
    )


def _worst_first(one: Decision) -> tuple[int, bool, bool, float, str, str, str]:
    """What is certain comes before what is shown, in the order that the census gave it."""
    change, series = one.comparison.change, one.comparison.series
    gravity, advisory = _WORST_FIRST.index(one.verdict), one.comparison.budget.role is Role.ADVISORY
    if one.comparison.kind is RoundKind.CENSUS:
        return (gravity, advisory, False, 0.0, "", "", "")
    size = _size(one.comparison, change.estimate) if change else 0.0
    return (
        gravity,
        advisory,
        True,
        -round(size, 12),
        series.endpoint,
        one.comparison.kind.value,
        series.metric.name,
    )


def _whole(
    decisions: Sequence[Decision], findings: Sequence[Finding], slos: Sequence[SloResult], subject: Subject
) -> tuple[Verdict, str]:
    """The first rule that applies; what cannot be told is never green."""
    if invalid := [one for one in findings if one.weight is Weight.INVALID]:
        return Verdict.INVALID, invalid[0].message + _and_more(len(invalid) - 1, "reason")
    counted = [one for one in decisions if one.counts]
    if red := regressions(decisions, findings):
        return Verdict.REGRESSION, red[0] + _and_more(len(red) - 1, "regression")
    if breached := [one for one in slos if one.rounds and not one.held]:
        first = breached[0]
        named = f"{first.slo.metric} of {first.slo.endpoint}: {first.reason}"
        return Verdict.SLO_BREACH, named + _and_more(len(breached) - 1, "SLO")
    told = [one for one in decisions if one.comparison.kind is not RoundKind.CENSUS]
    if subject.reference is Reference.BASELINE and not (told or _required(decisions)):
        same = sum(one.verdict is SeriesVerdict.EQUIVALENT for one in decisions)
        beside = f"; {same} counts of work are as accepted" if same else ""
        return Verdict.NO_BASELINE, f"There is no stored run to compare with{beside}"
    verdict, reason = _settled(_required(counted), slos, subject)
    if verdict is Verdict.PASS and (doubts := [one for one in findings if one.weight is Weight.INCONCLUSIVE]):
        return Verdict.INCONCLUSIVE, doubts[0].message + _and_more(len(doubts) - 1, "reason")
    accepted = sum(one.verdict is SeriesVerdict.ACCEPTED for one in counted)
    return verdict, f"{reason}; {accepted} counts of work grew and are accepted" if accepted else reason


def _required(decisions: Sequence[Decision]) -> list[Decision]:
    return [one for one in decisions if one.comparison.budget.role is Role.REQUIRED]


def _settled(required: Sequence[Decision], slos: Sequence[SloResult], subject: Subject) -> tuple[Verdict, str]:
    """Nothing is red: is enough known to call it green?"""
    compared = [one for one in required if one.verdict is not SeriesVerdict.NOT_COMPARED]
    if not compared:
        why = f": {required[0].reason}" if required else ""
        return Verdict.INCONCLUSIVE, f"No required series could be compared{why}"
    if open_ := [one for one in compared if one.verdict not in _SETTLED]:
        return Verdict.INCONCLUSIVE, open_[0].reason + _and_more(len(open_) - 1, "open series", plural="open series")
    if unjudged := [one for one in slos if not one.rounds]:
        return Verdict.INCONCLUSIVE, f"{unjudged[0].slo.metric} of {unjudged[0].slo.endpoint}: {unjudged[0].reason}"
    better = sum(one.verdict is SeriesVerdict.IMPROVEMENT for one in compared)
    improved = f", {better} of them improved" if better else ""
    count = f"{len(compared)} required series" if len(compared) > 1 else "the required series"
    return Verdict.PASS, f"No regression against {subject.reference_name} in {count}{improved}"


def _and_more(count: int, noun: str, *, plural: str = "") -> str:
    return "" if not count else f" (and {count} more {noun if count == 1 else plural or noun + 's'})"
