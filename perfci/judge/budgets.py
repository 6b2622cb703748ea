"""Resolves the budget of a series: the policy's rules that apply to it, the later over the earlier."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from perfci.judge.census.counters import kind_of, metric_of
from perfci.metrics.registry import METRICS, kinds
from perfci.model import ALL_ENDPOINTS, Budget, BudgetRule, Metric, Reference, Role, Round, RoundKind

START = Budget(role=Role.ADVISORY, change=0.10, margin=0.20)
"""The budget before any rule: a metric that no rule gives a role to is advisory."""

CENTRE = "trimmed_gmean"
"""The metric that is required where no other is: the centre of the latencies under load."""

AGGREGATED_CENTRES = ("p50", "mean")
"""Its substitutes for other tools' aggregates, the first available one."""

Rules = tuple[BudgetRule, ...]


def resolve(
    rules: Sequence[BudgetRule], reference: Reference, kind: RoundKind, metric: Metric, endpoint: str
) -> Budget:
    """
    The budget of one series: `START`, changed by every rule that picks the series, the later over the earlier.

    Rules for an endpoint are stronger than rules for a whole metric, wherever they stand. Among each of both, rules
    that name a counter with its source ("db/rows") are stronger than rules for its kind ("rows"). A series that may
    not count is advisory, whatever the rules say.
    """
    picked = [rule for rule in rules if _picks(rule, reference, kind, metric)]
    own = [rule for rule in picked if rule.endpoint is not None and matches(rule.endpoint, endpoint)]
    budget = _applied([*_whole(picked, metric), *_strongest(own, metric)])
    return budget if metric.may_count(endpoint) else replace(budget, role=Role.ADVISORY)


def by_metric(rules: Sequence[BudgetRule], reference: Reference, kind: RoundKind) -> dict[str, Budget]:
    """The budget of every metric that the rules name for this kind of round, without rules for single endpoints."""
    if not compares(reference, kind):
        return {}
    named = [rule.metric for rule in rules if rule.metric and _applies(rule, reference, kind)]
    metrics = [metric_of(name) if kind is RoundKind.CENSUS else METRICS[name] for name in named if measures(kind, name)]
    return {
        metric.name: _applied(_whole([rule for rule in rules if _picks(rule, reference, kind, metric)], metric))
        for metric in metrics
    }


def with_required(rules: Rules, reference: Reference, measured: Collection[RoundKind]) -> Rules:
    """
    The rules of a run with rounds of the *measured* kinds, in which at least one metric is required.

    Where the rules require none (in a paired run without duets, say), they require `CENTRE` under load.
    """
    budgets = {kind: by_metric(rules, reference, kind) for kind in measured}
    required = any(budget.role is Role.REQUIRED for each in budgets.values() for budget in each.values())
    if required or CENTRE not in budgets.get(RoundKind.LOAD, {}):
        return rules
    return (*rules, BudgetRule(reference=reference, kind=RoundKind.LOAD, metric=CENTRE, role=Role.REQUIRED))


def with_centre_of_aggregates(rules: Rules, rounds: Iterable[Round]) -> Rules:
    """
    The rules for another tool's aggregates, which lack `CENTRE`: the median is required, else the mean.

    Its budget is that of `CENTRE` against stored runs.
    """
    known = {name for round_ in rounds for seen in round_.endpoints.values() for name in seen.values}
    instead = next((metric for metric in AGGREGATED_CENTRES if metric in known), None)
    if CENTRE in known or instead is None:
        return rules
    budget = by_metric(rules, Reference.BASELINE, RoundKind.LOAD).get(CENTRE, START)
    rule = BudgetRule(
        reference=Reference.BASELINE,
        kind=RoundKind.LOAD,
        metric=instead,
        role=Role.REQUIRED,
        change=budget.change,
        margin=budget.margin,
    )
    absent = BudgetRule(reference=Reference.BASELINE, kind=RoundKind.LOAD, metric=CENTRE, role=Role.ADVISORY)
    return (*rules, absent, rule)


def compares(reference: Reference, kind: RoundKind) -> bool:
    """Whether rounds of this kind are compared with this reference: stored runs have no turns."""
    return not (reference is Reference.BASELINE and kind is RoundKind.DUET)


def measures(kind: RoundKind, metric: str) -> bool:
    """Whether rounds of this kind measure a metric or counter of this name."""
    if kind is RoundKind.CENSUS:
        return metric not in METRICS
    return metric in METRICS and kind in kinds(metric)


def matches(pattern: str, endpoint: str) -> bool:
    """
    Whether *pattern* matches *endpoint*: "*" stands for any text, every other character for itself.

    The line for all endpoints is no endpoint: only its own name names it. Linear in the length of both, since a policy
    is text that somebody wrote.
    """
    if endpoint == ALL_ENDPOINTS or "*" not in pattern:
        return pattern == endpoint
    first, *middle, last = pattern.split("*")
    if not endpoint.startswith(first) or len(endpoint) < len(first) + len(last):
        return False
    at, end = len(first), len(endpoint) - len(last)
    for part in middle:
        found = endpoint.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return endpoint.endswith(last)


def _picks(rule: BudgetRule, reference: Reference, kind: RoundKind, metric: Metric) -> bool:
    """Whether the rule applies to any endpoint of the metric."""
    named = rule.metric is None or rule.metric == metric.name or (metric.exact and rule.metric == kind_of(metric.name))
    return named and _applies(rule, reference, kind)


def _applies(rule: BudgetRule, reference: Reference, kind: RoundKind) -> bool:
    return rule.reference in {None, reference} and rule.kind in {None, kind}


def _whole(picked: Sequence[BudgetRule], metric: Metric) -> Iterator[BudgetRule]:
    return _strongest([rule for rule in picked if rule.endpoint is None], metric)


def _strongest(rules: Sequence[BudgetRule], metric: Metric) -> Iterator[BudgetRule]:
    """The rules without those for a kind of counter that follow a rule for the counter itself."""
    special = False
    for rule in rules:
        if rule.metric == metric.name:
            special = True
        if rule.metric in {None, metric.name} or not special:
            yield rule


def _applied(rules: Sequence[BudgetRule] | Iterator[BudgetRule]) -> Budget:
    budget = START
    for rule in rules:
        budget = Budget(
            role=budget.role if rule.role is None else rule.role,
            change=budget.change if rule.change is None else rule.change,
            margin=budget.margin if rule.margin is None else rule.margin,
            floor=budget.floor if rule.floor is None else rule.floor,
        )
    return budget
