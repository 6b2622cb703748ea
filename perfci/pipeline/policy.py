"""Builds the project's policy: perfci's defaults, changed by `[gate]`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from perfci.config import AlertTable, GateTable, OverrideTable, SloTable
from perfci.errors import ConfigError
from perfci.judge.budgets import by_metric, compares, measures
from perfci.judge.census.counters import COUNTERS
from perfci.judge.limits import throughout
from perfci.judge.limits.quantities import QUANTITIES
from perfci.judge.policy import DEFAULT
from perfci.metrics.registry import METRICS
from perfci.model import BudgetRule, GatePolicy, Reference, RoundKind

LOAD = RoundKind.LOAD
OF_USERS = frozenset({"mean", "p50", "p95", "p99", "failure_rate", "throughput", "max", "success_rate"})
"""Metrics that are known of the requests of one class of users."""


def policy_of(
    table: GateTable, profile: str = "", scenario: str = "", *, alerts: Sequence[AlertTable] = ()
) -> GatePolicy:
    """The gate policy of a scenario; an unknown metric is an error that lists the known ones."""
    _check_metrics(table)
    _check_measured(table)
    slos = tuple(entry.slo(table.groups) for entry in _narrowest(table.slo, profile, scenario))
    own = {"alpha", "confidence", "min_requests", "accept_census", "accept_answers"}
    given = table.model_dump(include=own, exclude_none=True)
    budgets = (*DEFAULT.budgets, *_rules(table, profile))
    policy = replace(DEFAULT, budgets=budgets, slos=slos, **given)
    policy = replace(policy, alerts=tuple(alert.alert() for alert in alerts if alert.profile in {None, profile}))
    _check_consistent(table, policy)
    return policy


def _narrowest(slos: Sequence[SloTable], profile: str, scenario: str) -> Iterator[SloTable]:
    """The limits of a scenario: of several on one quantity and importance, the most specific."""
    own = [slo for slo in slos if slo.holds(profile, scenario)]
    narrowest: dict[object, int] = {}
    for slo in own:
        narrowest[slo.about] = max(narrowest.get(slo.about, 0), slo.narrowness(scenario))
    yield from (slo for slo in own if slo.narrowness(scenario) == narrowest[slo.about])


def _rules(table: GateTable, profile: str) -> Iterator[BudgetRule]:
    """The budget rules of the project: its budgets first, then its overrides, in the order of the file."""
    for reference, by_kind in table.budget.items():
        for kind, metrics in by_kind.items():
            yield from (
                budget_table.rule(reference=reference, kind=kind, metric=metric)
                for metric, budget_table in metrics.items()
            )
    yield from (override.own_rule() for override in table.override if override.profile in {None, profile})


def _check_metrics(table: GateTable) -> None:
    named: set[tuple[str, RoundKind | None]] = {(slo.metric, LOAD) for slo in table.slo if slo.metric not in QUANTITIES}
    named |= {(override.metric, override.kind) for override in table.override if override.metric is not None}
    named |= {
        (metric, kind) for by_kind in table.budget.values() for kind, metrics in by_kind.items() for metric in metrics
    }
    if unknown := sorted({metric for metric, kind in named if not _exists(metric, kind)}):
        counted = any(kind is RoundKind.CENSUS for metric, kind in named if metric in unknown)
        hint = f"counters are: {', '.join(COUNTERS)}, or SOURCE/COUNTER" if counted else f"known: {', '.join(METRICS)}"
        raise ConfigError(f"[gate] names unknown metrics: {', '.join(unknown)}", hint=hint)


def _exists(metric: str, kind: RoundKind | None) -> bool:
    """Refuse a counter without the name of its source: a target's own counters are unknown before it runs."""
    counter = metric in COUNTERS or "/" in metric
    return counter if kind is RoundKind.CENSUS else metric in METRICS or (kind is None and counter)


def _check_measured(table: GateTable) -> None:
    """Refuse a limit on a metric that is never measured or never counts, since it could not fail."""
    wrong = [
        f"slo on {slo.metric}: no load round measures it"
        for slo in table.slo
        if not (slo.metric in QUANTITIES or measures(LOAD, slo.metric))
    ]
    wrong += [
        f"budget.{reference}.{kind}.{metric}: no {kind} round measures it"
        for reference, by_kind in table.budget.items()
        for kind, metrics in by_kind.items()
        for metric in metrics
        if not (measures(kind, metric) and compares(reference, kind))
    ]
    for number, override in enumerate(table.override, start=1):
        if not _meets_rounds(override):
            wrong.append(f"override {number}: no such round measures {override.metric}")
        elif (
            override.metric
            and override.metric in METRICS
            and override.endpoint
            and not METRICS[override.metric].may_count(override.endpoint)
        ):
            wrong.append(f"override {number}: {override.metric} of {override.endpoint} is shown, but never counts")
    wrong += [
        f"slo on {slo.metric} of {slo.user}: of a user class there are {', '.join(sorted(OF_USERS))}"
        for slo in table.slo
        if slo.user is not None and slo.metric not in OF_USERS
    ]
    wrong += [
        f"slo on {slo.metric} throughout a round: of its windows there are {', '.join(sorted(throughout.METRICS))}"
        for slo in table.slo
        if slo.throughout is not None and slo.metric not in throughout.METRICS
    ]
    if wrong:
        raise ConfigError("[gate] limits what is never measured:\n" + "\n".join(f"  {line}" for line in wrong))


def _meets_rounds(override: OverrideTable) -> bool:
    """Whether any comparison has rounds that measure the metric of an override."""
    return any(
        compares(reference, kind) and (override.metric is None or measures(kind, override.metric))
        for reference in Reference
        for kind in RoundKind
        if override.reference in {None, reference} and override.kind in {None, kind}
    )


def _check_consistent(table: GateTable, policy: GatePolicy) -> None:
    """Refuse a margin narrower than its budget, and two limits on the same quantity."""
    wrong = [
        f"budget.{reference}.{kind}.{metric}: a change of {budget.change:g} is allowed, a margin of {budget.margin:g}"
        " is narrower: a margin is at least as wide as the change"
        for reference in (Reference.REF, Reference.BASELINE)
        for kind in (RoundKind.DUET, LOAD, RoundKind.CENSUS)
        for metric, budget in by_metric(policy.budgets, reference, kind).items()
        if budget.margin < budget.change
    ]
    limits: Counter[tuple[object, ...]] = Counter(
        (slo.metric, slo.slo().where, slo.profile, pattern, slo.importance.fails)
        for slo in table.slo
        for pattern in slo.scenario or (None,)
    )
    limits |= Counter((slo.metric, slo.where, slo.fails) for slo in policy.slos)  # patterns may meet in one scenario
    doubled = {(metric, where): count for (metric, where, *_), count in limits.items() if count > 1}
    wrong += [f"slo: {count} limits on {metric} of {where}: keep one" for (metric, where), count in doubled.items()]
    if wrong:
        raise ConfigError("[gate] contradicts itself:\n" + "\n".join(f"  {line}" for line in wrong))
