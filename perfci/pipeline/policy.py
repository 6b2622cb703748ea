"""The project's policy: perfci's defaults with the changes of `[gate]`."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from perfci.config import AlertTable, BudgetChange, GateTable, OverrideTable
from perfci.errors import ConfigError
from perfci.judge.census.counters import WORK, budget_for
from perfci.judge.policy import DEFAULT, never_counts
from perfci.metrics.registry import METRICS, kinds
from perfci.model import Budget, GatePolicy, Reference, RoundKind

LOAD = RoundKind.LOAD

Tree = dict[Reference, dict[RoundKind, dict[str, Budget]]]


def policy_of(table: GateTable, profile: str = "", *, alerts: Sequence[AlertTable] = ()) -> GatePolicy:
    """The gate's policy for *profile*; a metric that does not exist is an error that lists those that do."""
    _check_metrics(table)
    _check_measured(table)
    slos = tuple(entry.slo() for entry in table.slo if entry.profile in {None, profile})
    own = {"alpha", "confidence", "min_requests", "accept_census"}
    given = table.model_dump(include=own, exclude_none=True)
    overrides = [one for one in table.override if one.profile in {None, profile}]
    policy = replace(DEFAULT, budgets=_overridden(_budgets(table), overrides), slos=slos, **given)
    policy = replace(policy, alerts=tuple(one.alert() for one in alerts if one.profile in {None, profile}))
    _check_consistent(table, policy)
    return policy


def _check_metrics(table: GateTable) -> None:
    named: set[tuple[str, RoundKind | None]] = {(slo.metric, LOAD) for slo in table.slo}
    named |= {(one.metric, one.kind) for one in table.override if one.metric is not None}
    named |= {
        (metric, kind) for by_kind in table.budget.values() for kind, metrics in by_kind.items() for metric in metrics
    }
    if unknown := sorted({metric for metric, kind in named if not _exists(metric, kind)}):
        counted = any(kind is RoundKind.CENSUS for metric, kind in named if metric in unknown)
        hint = f"counters are: {', '.join(WORK)}, or SOURCE/COUNTER" if counted else f"known: {', '.join(METRICS)}"
        raise ConfigError(f"[gate] names unknown metrics: {', '.join(unknown)}", hint=hint)


def _exists(metric: str, kind: RoundKind | None) -> bool:
    """A counter of the target's own cannot be known before it was read: its source must be named with it."""
    counter = metric in WORK or "/" in metric
    return counter if kind is RoundKind.CENSUS else metric in METRICS or (kind is None and counter)


def _check_measured(table: GateTable) -> None:
    """A limit on what is never measured, or never counts, would be a check that cannot fail."""
    wrong = [f"slo on {slo.metric}: no load round measures it" for slo in table.slo if not _measured(slo.metric, LOAD)]
    wrong += [
        f"budget.{reference}.{kind}.{metric}: no {kind} round measures it"
        for reference, by_kind in table.budget.items()
        for kind, metrics in by_kind.items()
        for metric in metrics
        if not _measured(metric, kind) or (reference is Reference.BASELINE and kind is RoundKind.DUET)
    ]
    for number, one in enumerate(table.override, start=1):
        if not list(_places(one, _budgets(table))):
            wrong.append(f"override {number}: no such round measures {one.metric}")
        elif one.metric and one.metric in METRICS and one.endpoint and never_counts(METRICS[one.metric], one.endpoint):
            wrong.append(f"override {number}: {one.metric} of {one.endpoint} is shown, but never counts")
    if wrong:
        raise ConfigError("[gate] limits what is never measured:\n" + "\n".join(f"  {line}" for line in wrong))


def _check_consistent(table: GateTable, policy: GatePolicy) -> None:
    """A change that the budget allows must not be too large to be called unchanged; of two limits one is a mistake."""
    wrong = [
        f"budget.{reference}.{kind}.{metric}: a change of {budget.change:g} is allowed, a margin of {budget.margin:g}"
        " is narrower: a margin is at least as wide as the change"
        for reference, by_kind in policy.budgets.items()
        for kind, budgets in by_kind.items()
        for metric, budget in budgets.items()
        if budget.margin < budget.change
    ]
    limits = Counter((one.metric, one.slo().endpoint, one.profile) for one in table.slo)
    wrong += [
        f"slo: {count} limits on {metric} of {endpoint}: keep one"
        for (metric, endpoint, _), count in limits.items()
        if count > 1
    ]
    if wrong:
        raise ConfigError("[gate] contradicts itself:\n" + "\n".join(f"  {line}" for line in wrong))


def _measured(metric: str, kind: RoundKind) -> bool:
    if kind is RoundKind.CENSUS:
        return metric not in METRICS
    return metric in METRICS and kind in kinds(metric)


def _budgets(table: GateTable) -> Tree:
    merged: Tree = {
        reference: {kind: dict(metrics) for kind, metrics in by_kind.items()}
        for reference, by_kind in DEFAULT.budgets.items()
    }
    for reference, by_kind in table.budget.items():
        for kind, metrics in by_kind.items():
            budgets = merged.setdefault(reference, {}).setdefault(kind, {})
            for metric, change in metrics.items():
                budgets[metric] = change.applied_to(_start(budgets, metric))
    return merged


def _start(budgets: Mapping[str, Budget], metric: str) -> Budget | None:
    """What a change is applied to: of one source's counter, what holds for such counters."""
    return budget_for(metric, budgets) if "/" in metric else budgets.get(metric)


def _overridden(
    tree: Tree, overrides: list[OverrideTable]
) -> Mapping[Reference, Mapping[RoundKind, Mapping[str, Budget]]]:
    """What holds for whole metrics first, then what holds for some endpoints of them, each in the order of the file."""
    for one in sorted(overrides, key=lambda one: one.endpoint is not None):
        for budgets, metric in list(_places(one, tree)):
            if one.endpoint is None:
                budgets[metric] = one.budget_change().applied_to(_start(budgets, metric))
            else:
                start = _start(budgets, metric) or BudgetChange().applied_to(None)
                start = replace(start, endpoints=(*start.endpoints, one.endpoint_budget(one.endpoint)))
                budgets[metric] = start
    return tree


def _places(one: OverrideTable, tree: Tree) -> Iterator[tuple[dict[str, Budget], str]]:
    """Each budget that an override picks: where it is kept, and its metric."""
    for reference, by_kind in tree.items():
        for kind, budgets in by_kind.items():
            if one.reference in {None, reference} and one.kind in {None, kind}:
                named = list(budgets) if one.metric is None else [one.metric] if _measured(one.metric, kind) else []
                yield from ((budgets, metric) for metric in named)
