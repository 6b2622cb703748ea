"""The project's policy: perfci's defaults with the changes of `[gate]`."""

from dataclasses import replace

from perfci.config import GateTable
from perfci.errors import ConfigError
from perfci.judge.metrics import METRICS
from perfci.judge.policy import DEFAULT
from perfci.model import Budget, GatePolicy, Reference, RoundKind


def policy_of(table: GateTable) -> GatePolicy:
    """The gate's policy; a metric that does not exist is an error that lists those that do."""
    slos = tuple(entry.slo() for entry in table.slo)
    named = {slo.metric for slo in slos} | {
        metric for kinds in table.budget.values() for metrics in kinds.values() for metric in metrics
    }
    if unknown := sorted(named - set(METRICS)):
        raise ConfigError(f"[gate] names unknown metrics: {', '.join(unknown)}", hint=f"known: {', '.join(METRICS)}")
    given = table.model_dump(include={"alpha", "confidence", "min_requests"}, exclude_none=True)
    return replace(DEFAULT, budgets=_budgets(table), slos=slos, **given)


def _budgets(table: GateTable) -> dict[Reference, dict[RoundKind, dict[str, Budget]]]:
    merged = {ref: {kind: dict(metrics) for kind, metrics in kinds.items()} for ref, kinds in DEFAULT.budgets.items()}
    for reference, kinds in table.budget.items():
        for kind, metrics in kinds.items():
            budgets = merged.setdefault(reference, {}).setdefault(kind, {})
            for metric, change in metrics.items():
                budgets[metric] = change.applied_to(budgets.get(metric))
    return merged
