"""Compares one series at a time, candidate against reference: effect, interval, and the p-values of both directions."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from perfci.judge import comparability
from perfci.judge.budgets import Rules, by_metric, resolve, with_centre_of_aggregates, with_required
from perfci.judge.compare import block_means, failures, pending
from perfci.judge.compare.pending import Draft
from perfci.judge.compare.replicates import Blocks, Replicates, StoredRuns, headline
from perfci.judge.stats.effect import Effect, of_rates
from perfci.judge.stats.looks import Fractions
from perfci.metrics.registry import METRICS, needs_schedule, resolving
from perfci.model import (
    ALL_ENDPOINTS,
    Baseline,
    Budget,
    Comparison,
    GatePolicy,
    Metric,
    Pooling,
    Quantity,
    Reason,
    Reference,
    Role,
    Round,
    RoundKind,
    Run,
    Series,
    Side,
)

BudgetOf = Callable[[str], Budget]
"""Endpoint -> the budget of its series."""


def paired(run: Run, policy: GatePolicy, looks: Mapping[RoundKind, Fractions] | None = None) -> tuple[Comparison, ...]:
    """
    Compare the two sides of a run; the replicate is the block.

    *looks* are those up to now, of a run that is judged while it is measured: fractions of the planned blocks.
    """
    made: list[Draft] = []
    rules = with_required(policy.budgets, Reference.REF, {round_.kind for round_ in run.rounds})
    for kind in _measured(run):
        blocks = Blocks(_rounds(run, kind, Side.BASE), _rounds(run, kind, Side.CANDIDATE), (looks or {}).get(kind, ()))
        for metric in _compared_metrics(run, rules, Reference.REF, kind):
            made += _compare(blocks, metric, partial(resolve, rules, Reference.REF, kind, metric), kind, policy)
    return pending.finish(made, policy)


def against_baseline(run: Run, baseline: Baseline, policy: GatePolicy) -> tuple[Comparison, ...]:
    """
    Compare a run's candidate with the accepted runs of the baseline; the replicate is the run.

    Where machine, load or data were others, only portable metrics are compared, and the rest is listed with the reason.
    No runs, no comparisons.
    """
    if not baseline.runs:
        return ()
    made: list[Draft] = []
    similar, portable = comparability.comparable(run, baseline), comparability.same_scenario(run, baseline)
    too_few = comparability.too_few_files(run, baseline)
    rules = with_required(policy.budgets, Reference.BASELINE, {round_.kind for round_ in run.rounds})
    if run.origin.imported:
        rules = with_centre_of_aggregates(rules, run.rounds)
    for kind in _measured(run):
        for metric in _compared_metrics(run, rules, Reference.BASELINE, kind):
            budget_of = partial(resolve, rules, Reference.BASELINE, kind, metric)
            stored = portable if metric.portable else similar
            if too_few:
                made += _unlike(run, metric, budget_of, kind, too_few, stored=baseline.runs)
            elif stored:
                made += _compare(_stored(run, stored, kind), metric, budget_of, kind, policy)
            else:
                made += _unlike(run, metric, budget_of, kind, comparability.obstacle(run, baseline))
    return pending.finish(made, policy)


def _measured(run: Run) -> list[RoundKind]:
    found = {round_.kind for round_ in run.rounds}
    return [kind for kind in (RoundKind.DUET, RoundKind.LOAD) if kind in found]


def _compared_metrics(run: Run, rules: Rules, reference: Reference, kind: RoundKind) -> list[Metric]:
    """The metrics that have a budget; an advisory one that needs due times only where the load has some."""
    due = any(round_.generator and round_.generator.schedule for round_ in run.rounds)
    return [
        METRICS[name]
        for name, budget in by_metric(rules, reference, kind).items()
        if due or budget.role is not Role.ADVISORY or not needs_schedule(name)
    ]


def _rounds(run: Run, kind: RoundKind, side: Side) -> list[Round]:
    return [round_ for round_ in run.rounds if round_.kind is kind and round_.side is side]


def _stored(run: Run, stored: tuple[Run, ...], kind: RoundKind) -> StoredRuns:
    return StoredRuns(
        label=run.id,
        labels=[run_.id for run_ in stored],
        clusters=[_rounds(run_, kind, Side.CANDIDATE) for run_ in stored],
        candidate=_rounds(run, kind, Side.CANDIDATE),
        same_machine=comparability.same_machine(run, stored),
    )


def _compare(
    replicates: Replicates, metric: Metric, budget_of: BudgetOf, kind: RoundKind, policy: GatePolicy
) -> list[Draft]:
    """Every endpoint's series of one metric."""
    if metric.pooling is Pooling.FAILURES:
        return _failures(replicates, metric, budget_of, kind, policy)
    return _ratios(replicates, metric, budget_of, kind, policy)


class Sides(NamedTuple):
    """The rounds of both sides, gathered once for all endpoints."""

    base: Sequence[Round]
    candidate: Sequence[Round]


def _names(metric: Metric, sides: Sides) -> list[str]:
    """
    Every endpoint; all of them together, too, where that was counted directly and is no average over a mix of requests.
    """
    rounds = [*sides.base, *sides.candidate]
    together = metric.pooling is not Pooling.ENDPOINTS and any(ALL_ENDPOINTS in round_.endpoints for round_ in rounds)
    return [*([ALL_ENDPOINTS] if together else []), *sorted(block_means.endpoints(rounds))]


def _failures(
    replicates: Replicates, metric: Metric, budget_of: BudgetOf, kind: RoundKind, policy: GatePolicy
) -> list[Draft]:
    made = []
    sides = Sides(replicates.base, replicates.candidate)
    for endpoint in _names(metric, sides):
        blank = pending.blank(
            series=Series(endpoint=endpoint, metric=metric),
            kind=kind,
            budget=budget_of(endpoint),
            note=block_means.one_sided(endpoint, sides.base, sides.candidate),
            looks=replicates.looks,
        )
        base = [count for group in replicates.clusters for count in block_means.counts(group, endpoint)]
        candidate = block_means.counts(sides.candidate, endpoint)
        made.append(Draft(comparison=blank) if blank.note else pending.of_counts(blank, base, candidate, policy))
    return made


def _ratios(
    replicates: Replicates, metric: Metric, budget_of: BudgetOf, kind: RoundKind, policy: GatePolicy
) -> list[Draft]:
    sides = Sides(replicates.base, replicates.candidate)
    names = _names(metric, sides)
    pairs = {endpoint: replicates.pair(metric, endpoint) for endpoint in names}
    notes = {
        endpoint: _why_not(sides, metric, endpoint, policy) or replicates.shortage(pair, metric)
        for endpoint, pair in pairs.items()
    }
    usable = {endpoint: pair for endpoint, pair in pairs.items() if not notes[endpoint]}
    effects = replicates.effects(usable)
    together = headline(usable) if metric.pooling is Pooling.ENDPOINTS else None
    if together:
        pairs = {ALL_ENDPOINTS: together, **pairs}
        effects |= replicates.effects({ALL_ENDPOINTS: together})
    if metric.quantity is Quantity.RATE:
        effects = {endpoint: _of_rate(effect, endpoint, sides) for endpoint, effect in effects.items()}
    made = []
    for endpoint, pair in pairs.items():
        blank = pending.blank(
            series=Series(endpoint=endpoint, metric=metric),
            kind=kind,
            budget=budget_of(endpoint),
            base=block_means.typical(pair.base),
            candidate=block_means.typical(pair.candidate),
            replicates=replicates.shown(pair),
            note=notes.get(endpoint, ""),
            looks=replicates.looks,
        )
        made.append(pending.of_effect(blank, effects.get(endpoint), policy))
    return made


def _of_rate(effect: Effect, endpoint: str, sides: Sides) -> Effect:
    return of_rates(effect, *(block_means.successes(side, endpoint) for side in sides))


def _why_not(sides: Sides, metric: Metric, endpoint: str, policy: GatePolicy) -> str:
    """Why the requests of a series do not allow comparing its ratio; empty where they do."""
    return (
        block_means.one_sided(endpoint, sides.base, sides.candidate)
        or block_means.too_few_requests(endpoint, sides.base, sides.candidate, policy.min_requests)
        or (failures.survivors(endpoint, sides.base, sides.candidate) if resolving(metric.name) else "")
    )


def _unlike(
    run: Run,
    metric: Metric,
    budget_of: BudgetOf,
    kind: RoundKind,
    obstacle: Reason | None,
    *,
    stored: Sequence[Run] = (),
) -> list[Draft]:
    """Series that were measured but have no comparable reference; the values of *stored* are shown."""
    candidate = _rounds(run, kind, Side.CANDIDATE)
    base = [round_ for each in stored for round_ in _rounds(each, kind, Side.CANDIDATE)]
    return [
        Draft(
            comparison=pending.blank(
                series=Series(endpoint=endpoint, metric=metric),
                kind=kind,
                budget=budget_of(endpoint),
                base=block_means.typical(block_means.line(base, metric, endpoint)),
                candidate=block_means.typical(block_means.line(candidate, metric, endpoint)),
                note=str(obstacle or ""),
            )
        )
        for endpoint in _names(metric, Sides(base, candidate))
    ]
