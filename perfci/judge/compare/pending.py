"""Builds comparisons in two steps: the effect of each series, then the correction for the family."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from perfci.judge.alpha import shares
from perfci.judge.stats import effect as effects
from perfci.judge.stats import exact
from perfci.judge.stats.effect import Effect
from perfci.judge.stats.exact import Count
from perfci.judge.stats.looks import Fractions, confidence_now, level_now, repeated_p
from perfci.model import Budget, Comparison, GatePolicy, Replicate, RoundKind, Series
from perfci.sentences import notes

UNADJUSTED = 0.7
"""
Confidence of the interval that an early look requires to lie within the budget. On recorded turns in compose, 0.8 takes
up to one more block where nothing changed, and detects 99.8 instead of 99.2 % of changes of 3 % (`bench/README.md`).
"""

Power = Callable[[float], float]
"""Share of alpha of a series in its family -> the smallest change that it would have detected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A comparison that waits for the size of its family."""

    comparison: Comparison
    power: Power | None = None
    critical: Power | None = None  # ... the smallest estimate that is more than noise


def finish(drafts: Sequence[Draft], policy: GatePolicy) -> tuple[Comparison, ...]:
    """
    Complete every comparison with its detectable change and the blocks that it needed, now that the family is known.
    """
    shared = shares([draft.comparison for draft in drafts])
    return tuple(
        replace(
            draft.comparison,
            smallest_detectable=draft.power(policy.alpha * share) if draft.power else None,
            critical_change=draft.critical(policy.alpha * share) if draft.critical else None,
        )
        for draft, share in zip(drafts, shared, strict=True)
    )


def of_effect(blank: Comparison, effect: Effect | None, policy: GatePolicy) -> Draft:
    """Fill in a comparison of ratios; without an effect it stays blank."""
    if effect is None:
        return Draft(comparison=blank)
    lower_is_better = blank.series.metric.better.value == "lower"
    up, down = (repeated_p(p, blank.looks) for p in (effect.p_greater, effect.p_smaller))
    filled = replace(
        blank,
        change=effect.relative_interval(confidence_now(policy.confidence, blank.looks)),
        unadjusted=effect.relative_interval(UNADJUSTED) if blank.looks else None,
        p_worse=up if lower_is_better else down,
        p_better=down if lower_is_better else up,
        standard_error=effect.standard_error,
        common_shift=None if effect.common_shift is None else effects.relative(effect.common_shift),
    )
    return Draft(
        comparison=filled,
        power=partial(_power, effect, blank.budget.change, blank.looks),
        critical=partial(_critical, effect, blank.looks),
    )


def of_counts(blank: Comparison, base: Sequence[Count], candidate: Sequence[Count], policy: GatePolicy) -> Draft:
    """Fill in a comparison of shares from both sides' counts, block by block."""
    seen_base, seen_candidate = exact.pool(base), exact.pool(candidate)
    if not seen_base.requests or not seen_candidate.requests:
        return Draft(comparison=replace(blank, note=blank.note or notes.NO_REQUESTS))
    worth_base, worth_candidate = exact.effective(base), exact.effective(candidate)
    worse, better = (repeated_p(p, blank.looks) for p in exact.fisher(worth_base, worth_candidate))
    filled = replace(
        blank,
        base=seen_base.share,
        candidate=seen_candidate.share,
        change=exact.newcombe(worth_base, worth_candidate, confidence=confidence_now(policy.confidence, blank.looks)),
        p_worse=worse,
        p_better=better,
        standard_error=exact.standard_error(worth_base, worth_candidate),
    )
    power = partial(_power_of_counts, worth_base, worth_candidate, blank.looks)
    return Draft(comparison=filled, power=power)


def blank(
    *,
    series: Series,
    kind: RoundKind,
    budget: Budget,
    base: float | None = None,
    candidate: float | None = None,
    replicates: tuple[Replicate, ...] = (),
    note: str = "",
    looks: Fractions = (),
) -> Comparison:
    """A series that was not compared, or not yet."""
    return Comparison(
        series=series,
        kind=kind,
        budget=budget,
        base=base,
        candidate=candidate,
        change=None,
        p_worse=None,
        p_better=None,
        standard_error=None,
        smallest_detectable=None,
        replicates=replicates,
        note=note,
        looks=looks,
    )


def _power(effect: Effect, change: float, looks: Fractions, alpha: float) -> float:
    return effects.smallest_detectable(effect, alpha=level_now(alpha, looks), change=change)


def _critical(effect: Effect, looks: Fractions, alpha: float) -> float:
    return effects.critical_change(effect, alpha=level_now(alpha, looks))


def _power_of_counts(base: Count, candidate: Count, looks: Fractions, alpha: float) -> float:
    return exact.smallest_detectable(base, candidate, alpha=level_now(alpha, looks), power=effects.POWER)
