"""The gate: from comparisons, findings and SLOs to one verdict, with its reasons."""

from collections.abc import Sequence
from math import inf, log, log1p

from perfci.judge.alpha import in_family, shares
from perfci.judge.stats import effect
from perfci.judge.stats.family import holm
from perfci.model import (
    Better,
    Comparison,
    Decision,
    Finding,
    GatePolicy,
    Interval,
    Outcome,
    Reason,
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
from perfci.sentences import verdict as say
from perfci.sentences.headline import headline
from perfci.sentences.series import Compared, NotCompared

_WORST_FIRST = (
    SeriesVerdict.REGRESSION,
    SeriesVerdict.INCONCLUSIVE,
    SeriesVerdict.ACCEPTED,
    SeriesVerdict.IMPROVEMENT,
    SeriesVerdict.BELOW_BUDGET,
    SeriesVerdict.EQUIVALENT,
    SeriesVerdict.NOT_COMPARED,
)
_ROLES = tuple(Role)
SETTLED = (
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
    timed: Sequence[Decision] | None = None,
) -> Outcome:
    """
    Judge every series, and the whole by the first rule that applies, in the order of `Verdict`.

    *work* is what the census has decided already, in its own order: it is no part of this family. *timed* are the
    decisions about the *comparisons*, where they are made already: by looks while the run was measured.
    """
    if timed is None:
        timed = series_decisions(comparisons, policy, extendable=subject.reference is Reference.REF)
    decisions = sorted([*work, *timed], key=worst_first)
    verdict, because = whole(decisions, findings, slo_results, subject)
    further = [decision.further_blocks for decision in _required(decisions) if decision.further_blocks]
    return Outcome(
        verdict=verdict,
        because=because,
        subject=subject,
        decisions=tuple(decisions),
        slos=tuple(slo_results),
        findings=tuple(findings),
        family=sum(in_family(comparison) for comparison in comparisons),
        alpha=policy.alpha,
        further_blocks=max(further, default=None),
    )


def series_decisions(comparisons: Sequence[Comparison], policy: GatePolicy, *, extendable: bool) -> list[Decision]:
    """Judge every series as one of its family; *extendable*: more blocks could be measured."""
    shared = shares(comparisons)
    worse, better = _adjusted(comparisons, shared, "p_worse"), _adjusted(comparisons, shared, "p_better")
    return [
        _decision(comparison, p_worse, p_better, policy, share if extendable else None)
        for comparison, p_worse, p_better, share in zip(comparisons, worse, better, shared, strict=True)
    ]


def _adjusted(comparisons: Sequence[Comparison], shared: Sequence[float], which: str) -> list[float | None]:
    """
    p-values, corrected for the family; in the order of the comparisons.

    A series outside the family is never counted, and so is corrected by its share alone.
    """
    both = list(zip(comparisons, shared, strict=True))
    members = [(getattr(comparison, which), share) for comparison, share in both if in_family(comparison)]
    corrected = iter(holm([p for p, _ in members], [share for _, share in members]))
    adjusted: list[float | None] = []
    for comparison, share in both:
        p = getattr(comparison, which)
        if p is None:
            adjusted.append(None)
        else:
            adjusted.append(next(corrected) if in_family(comparison) else min(1.0, p / share))
    return adjusted


def _decision(
    comparison: Comparison,
    p_worse: float | None,
    p_better: float | None,
    policy: GatePolicy,
    share: float | None,  # of alpha, where more blocks could be measured
) -> Decision:
    if comparison.change is None or p_worse is None or p_better is None:
        missing = NotCompared(comparison=comparison)
        return Decision(comparison=comparison, verdict=SeriesVerdict.NOT_COMPARED, p_adjusted=None, because=missing)
    verdict = _verdict(comparison, comparison.change, p_worse, p_better, policy.alpha)
    unsettled = verdict is SeriesVerdict.INCONCLUSIVE
    further = _further(comparison, comparison.change, policy, share) if unsettled and share else None
    because = Compared(
        comparison=comparison,
        change=comparison.change,
        verdict=verdict,
        confidence=policy.confidence,
        further_blocks=further,
    )
    return Decision(comparison=comparison, verdict=verdict, p_adjusted=p_worse, because=because, further_blocks=further)


def _verdict(comparison: Comparison, change: Interval, p_worse: float, p_better: float, alpha: float) -> SeriesVerdict:
    """
    The rules of one series.

    Red needs all of it: shown to be worse than nothing, as large as the budget, and above the floor; and where the
    others' change was taken out of it, the endpoint's own values must have moved as far, too: what only failed to
    become faster is not slower.

    What is smaller than a regression without being shown to lie within the margin is below the budget. Of a required
    series, which has to be settled for a pass, that is said only where it is shown to be no worse than the margin.
    """
    upwards = change.estimate > 0
    worsened = upwards == (comparison.series.metric.better is Better.LOWER)
    large = matters(comparison, change)
    if large:
        if worsened and p_worse < alpha:
            return SeriesVerdict.REGRESSION
        if not worsened and p_better < alpha:
            return SeriesVerdict.IMPROVEMENT
    early = _too_early(comparison)
    if not early and _within(comparison, change, _distance(comparison, comparison.budget.margin)):
        return SeriesVerdict.EQUIVALENT
    if not early and _no_worse(comparison, change, large=large):
        return SeriesVerdict.BELOW_BUDGET
    settled = comparison.budget.role is not Role.REQUIRED and not large
    return SeriesVerdict.BELOW_BUDGET if settled else SeriesVerdict.INCONCLUSIVE


def matters(comparison: Comparison, change: Interval) -> bool:
    """Whether the estimated change, for better or worse, is as large as the budget and the floor."""
    size = min(_size(comparison, change.estimate), _own_move(comparison, change.estimate > 0))
    return size >= _limit(comparison, comparison.budget.change)


def _too_early(comparison: Comparison) -> bool:
    """
    Whether a later look may still show a change that matters, so that this one does not call the series settled.

    A change between budget and margin is both: red, if there are blocks enough to show it, and equivalent, if it is
    known well. Who stops at the first of the two would call it equivalent more often than all planned blocks do. So
    before the last of them the interval of this look alone must lie within the budget, too.
    """
    if not comparison.looks or comparison.looks[-1] >= 1.0 or comparison.unadjusted is None:
        return False
    return not _within(comparison, comparison.unadjusted, _limit(comparison, comparison.budget.change))


def _own_move(comparison: Comparison, upwards: bool) -> float:
    """How far the values themselves went in that direction, whatever the others did; no limit where it is the same."""
    if comparison.common_shift is None or not comparison.base or not comparison.candidate:
        return inf
    return log(comparison.candidate / comparison.base) * (1 if upwards else -1)


def _within(comparison: Comparison, change: Interval, limit: float) -> bool:
    """Whether the whole interval lies within the limit."""
    return max(_size(comparison, change.low), _size(comparison, change.high)) <= limit


def _no_worse(comparison: Comparison, change: Interval, *, large: bool) -> bool:
    """
    Whether a series that is not known to be unchanged is at least known not to be a regression.

    A ratio is where the interval's worse end lies within the margin or the floor, however much better it may be (a test
    of non-inferiority). A share of failures is unless it looks like one: nothing spoke against it, and an interval
    around none of few requests is wide.
    """
    if comparison.series.metric.scale is Scale.DIFFERENCE:
        return not large
    ends = (_worsening(comparison, end) for end in (change.low, change.high))
    return max(ends) <= _limit(comparison, comparison.budget.margin)


def _worsening(comparison: Comparison, change: float) -> float:
    """The log of a ratio, positive where it is for the worse."""
    return log1p(change) if comparison.series.metric.better is Better.LOWER else -log1p(change)


def _size(comparison: Comparison, change: float) -> float:
    """How far from nothing a change is; a ratio by its log, so that 10 % more and the way back are equally far."""
    return abs(change) if comparison.series.metric.scale is Scale.DIFFERENCE else abs(log1p(change))


def _distance(comparison: Comparison, share: float) -> float:
    """A budget or margin as a distance from nothing, as `_size` measures it."""
    return share if comparison.series.metric.scale is Scale.DIFFERENCE else log1p(share)


def _limit(comparison: Comparison, share: float) -> float:
    """A budget or margin as `_distance` gives it, but at least the floor: what is too small to matter is no change."""
    if comparison.series.metric.scale is Scale.DIFFERENCE:
        return max(share, comparison.budget.floor)
    return _distance(comparison, max(share, comparison.budget.floor / comparison.base if comparison.base else 0.0))


def _further(comparison: Comparison, change: Interval, policy: GatePolicy, share: float) -> int | None:
    """How many more blocks would settle an inconclusive ratio that has this *share* of alpha."""
    if comparison.series.metric.scale is Scale.DIFFERENCE or comparison.standard_error is None:
        return None
    return effect.further_blocks(
        _worsening(comparison, change.estimate),
        comparison.standard_error,
        blocks=len(comparison.replicates),
        budget=_limit(comparison, comparison.budget.change),
        margin=_limit(comparison, comparison.budget.margin),
        alpha=min(0.5, policy.alpha * share),
        confidence=policy.confidence,
    )


def worst_first(decision: Decision) -> tuple[int, int, bool, float, str, str, str]:
    """
    By verdict, then by role, then by how much worse the series became; improvements by how much better.

    Times and failures come before counts, whose order is the census's own.
    """
    change, series = decision.comparison.change, decision.comparison.series
    gravity, role = _WORST_FIRST.index(decision.verdict), _ROLES.index(decision.comparison.budget.role)
    if decision.comparison.kind is RoundKind.CENSUS:
        return (gravity, role, True, 0.0, "", "", "")
    size = _size(decision.comparison, change.estimate) if change else 0.0
    upwards = bool(change and change.estimate > 0)
    worse = upwards is (series.metric.better is Better.LOWER) or decision.verdict is SeriesVerdict.IMPROVEMENT
    return (
        gravity,
        role,
        False,
        -round(size if worse else -size, 12),
        series.endpoint,
        decision.comparison.kind.value,
        series.metric.name,
    )


def whole(
    decisions: Sequence[Decision], findings: Sequence[Finding], slos: Sequence[SloResult], subject: Subject
) -> tuple[Verdict, Reason]:
    """The first rule that applies; what cannot be told is never green."""
    if invalid := [finding for finding in findings if finding.weight is Weight.INVALID]:
        return Verdict.INVALID, say.Found(first=invalid[0], more=len(invalid) - 1)
    counted = [decision for decision in decisions if decision.counts]
    if regressions(decisions, findings):
        return Verdict.REGRESSION, headline(decisions, findings)
    if breached := [slo for slo in slos if slo.slo.fails and slo.rounds and not slo.held]:
        return Verdict.SLO_BREACH, say.SloBreached(first=breached[0], more=len(breached) - 1)
    timed = [decision for decision in decisions if decision.comparison.kind is not RoundKind.CENSUS]
    if subject.reference is Reference.BASELINE and not (timed or _required(decisions)):
        same = sum(decision.verdict is SeriesVerdict.EQUIVALENT for decision in decisions)
        return Verdict.NO_BASELINE, say.NoStoredRun(unchanged=same)
    # Before open series: further blocks would not settle it.
    if doubts := [finding for finding in findings if finding.weight is Weight.INCONCLUSIVE]:
        return Verdict.INCONCLUSIVE, say.Found(first=doubts[0], more=len(doubts) - 1)
    verdict, because = _settled(_required(counted), slos, subject)
    return verdict, _with_accepted(because, counted)


def _with_accepted(because: Reason, counted: Sequence[Decision]) -> Reason:
    accepted = [decision for decision in counted if decision.verdict is SeriesVerdict.ACCEPTED]
    if not accepted:
        return because
    only_counts = all(decision.comparison.kind is RoundKind.CENSUS for decision in accepted)
    return say.WithAccepted(of=because, accepted=len(accepted), only_counts=only_counts)


def _required(decisions: Sequence[Decision]) -> list[Decision]:
    return [decision for decision in decisions if decision.comparison.budget.role is Role.REQUIRED]


def _settled(required: Sequence[Decision], slos: Sequence[SloResult], subject: Subject) -> tuple[Verdict, Reason]:
    """Nothing is red: is enough known to call it green?"""
    if subject.reference is Reference.LIMITS:
        return _checked(slos)
    compared = [decision for decision in required if decision.verdict is not SeriesVerdict.NOT_COMPARED]
    if not compared:
        return Verdict.INCONCLUSIVE, say.NothingCompared(first=required[0].because if required else None)
    if open_ := [decision for decision in compared if decision.verdict not in SETTLED]:
        return Verdict.INCONCLUSIVE, say.Unsettled(first=open_[0].because, more=len(open_) - 1)
    if unjudged := [slo for slo in slos if slo.slo.fails and not slo.rounds]:
        return Verdict.INCONCLUSIVE, say.SloOpen(first=unjudged[0], more=0)
    better = sum(decision.verdict is SeriesVerdict.IMPROVEMENT for decision in compared)
    return Verdict.PASS, say.NoRegression(
        reference=subject.reference_name,
        compared=len(compared),
        improved=better,
        accepted=any(decision.verdict is SeriesVerdict.ACCEPTED for decision in compared),
    )


def _checked(slos: Sequence[SloResult]) -> tuple[Verdict, Reason]:
    """No limit was breached: was every one held against something?"""
    if not slos:
        return Verdict.INCONCLUSIVE, say.NoSlo()
    if open_ := [slo for slo in slos if slo.slo.fails and not slo.rounds]:
        return Verdict.INCONCLUSIVE, say.SloOpen(first=open_[0], more=len(open_) - 1)
    if warned := [slo for slo in slos if not slo.held]:
        return Verdict.PASS, say.SloWarns(first=warned[0])
    return Verdict.PASS, say.SlosHeld(slos=len(slos))
