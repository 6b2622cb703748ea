"""The project's policy: perfci's defaults with the changes of `[gate]`."""

from collections import Counter
from dataclasses import replace

from perfci.config import GateTable
from perfci.errors import ConfigError
from perfci.judge.metrics import METRICS, kinds
from perfci.judge.policy import DEFAULT
from perfci.model import Budget, GatePolicy, Reference, RoundKind

LOAD = RoundKind.LOAD


def policy_of(table: GateTable) -> GatePolicy:
    """The gate's policy; a metric that does not exist is an error that lists those that do."""
    slos = tuple(entry.slo() for entry in table.slo)
    named = {slo.metric for slo in slos} | {
        metric for by_kind in table.budget.values() for metrics in by_kind.values() for metric in metrics
    }
    if unknown := sorted(named - set(METRICS)):
        raise ConfigError(f"[gate] names unknown metrics: {', '.join(unknown)}", hint=f"known: {', '.join(METRICS)}")
    _check_measured(table)
    given = table.model_dump(include={"alpha", "confidence", "min_requests"}, exclude_none=True)
    policy = replace(DEFAULT, budgets=_budgets(table), slos=slos, **given)
    _check_consistent(policy)
    return policy


def _check_measured(table: GateTable) -> None:
    """A limit on what is never measured would be a check that cannot fail."""
    wrong = [f"slo on {slo.metric}: no load round measures it" for slo in table.slo if not _measured(slo.metric, LOAD)]
    wrong += [
        f"budget.{reference}.{kind}.{metric}: no {kind} round measures it"
        for reference, by_kind in table.budget.items()
        for kind, metrics in by_kind.items()
        for metric in metrics
        if not _measured(metric, kind) or (reference is Reference.BASELINE and kind is RoundKind.DUET)
    ]
    if wrong:
        raise ConfigError("[gate] limits what is never measured:\n" + "\n".join(f"  {line}" for line in wrong))


def _check_consistent(policy: GatePolicy) -> None:
    """A change that the budget allows must not be too large to be called unchanged; of two limits one is a mistake."""
    wrong = [
        f"budget.{reference}.{kind}.{metric}: a change of {budget.change:g} is allowed, a margin of {budget.margin:g}"
        " is narrower: a margin is at least as wide as the change"
        for reference, by_kind in policy.budgets.items()
        for kind, budgets in by_kind.items()
        for metric, budget in budgets.items()
        if budget.margin < budget.change
    ]
    limits = Counter((slo.metric, slo.endpoint) for slo in policy.slos)
    wrong += [
        f"slo: {count} limits on {metric} of {endpoint}: keep one"
        for (metric, endpoint), count in limits.items()
        if count > 1
    ]
    if wrong:
        raise ConfigError("[gate] contradicts itself:\n" + "\n".join(f"  {line}" for line in wrong))


def _measured(metric: str, kind: RoundKind) -> bool:
    return kind is not RoundKind.CENSUS and kind in kinds(metric)


def _budgets(table: GateTable) -> dict[Reference, dict[RoundKind, dict[str, Budget]]]:
    merged = {
        reference: {kind: dict(metrics) for kind, metrics in by_kind.items()}
        for reference, by_kind in DEFAULT.budgets.items()
    }
    for reference, by_kind in table.budget.items():
        for kind, metrics in by_kind.items():
            budgets = merged.setdefault(reference, {}).setdefault(kind, {})
            for metric, change in metrics.items():
                budgets[metric] = change.applied_to(budgets.get(metric))
    return merged
