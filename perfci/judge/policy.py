"""What the gate holds unless a project says otherwise."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from perfci.judge.census.counters import WORK
from perfci.model import ALL_ENDPOINTS, Budget, GatePolicy, Metric, Reference, Role, RoundKind, Scale

_ADVISORY = Budget(role=Role.INFORMS, change=0.10, margin=0.20, floor=1.0)
_TAIL = Budget(role=Role.INFORMS, change=0.25, margin=0.50, floor=2.0)
_FAILURES = Budget(role=Role.GUARDS, change=0.001, margin=0.005)
_THROUGHPUT = Budget(role=Role.GUARDS, change=0.10, margin=0.20)

_UNDER_LOAD: Mapping[str, Budget] = MappingProxyType(
    {
        # Of the centres that were tried on real rounds, this one scatters least where the machine stalls now and then
        # (3.9 % a pair of rounds against 4.8 % of the plain geometric mean and 8.4 % of the arithmetic one).
        "trimmed_mean": Budget(role=Role.GUARDS, change=0.03, margin=0.10, floor=0.1),
        "p95": Budget(role=Role.GUARDS, change=0.25, margin=0.50, floor=2.0),
        "failure_rate": _FAILURES,
        "throughput": _THROUGHPUT,
        "gmean": _ADVISORY,
        "p50": _ADVISORY,
        "mean": _ADVISORY,
        "p99": _TAIL,
        "response_p50": _ADVISORY,
        "response_p95": _TAIL,
        "response_p99": _TAIL,
    }
)

DEFAULT = GatePolicy(
    alpha=0.01,
    confidence=0.95,
    budgets=MappingProxyType(
        {
            Reference.REF: MappingProxyType(
                {
                    RoundKind.DUET: MappingProxyType(
                        {
                            # Real turns, eight blocks: identical sides never red and always "pass", two CPU hogs
                            # beside them or not. In compose two identical stacks can differ by 0.9 %: with a budget of
                            # 2 % a true +3 % hides behind that in 9 of 100, with one of 1.5 % identical ones are red.
                            # 10 microseconds are 2 % of the fastest endpoint measured, five times its scatter.
                            "service_time": Budget(role=Role.DECIDES, change=0.0175, margin=0.04, floor=0.01),
                            "failure_rate": _FAILURES,
                        }
                    ),
                    RoundKind.LOAD: _UNDER_LOAD,
                    RoundKind.CENSUS: WORK,
                }
            ),
            Reference.BASELINE: MappingProxyType(
                {
                    RoundKind.LOAD: MappingProxyType(
                        {
                            **_UNDER_LOAD,
                            # Jobs differ by more than rounds do. With a margin of 10 % identical runs of a restless
                            # machine were never settled, with 20 % a service slower by 10 % was called unchanged.
                            "trimmed_mean": Budget(role=Role.DECIDES, change=0.05, margin=0.15, floor=0.1),
                            # What is assumed of the variation between jobs holds for averages; a 95th percentile of a
                            # few dozen requests varies far more, and cried wolf between identical runs.
                            "p95": replace(_UNDER_LOAD["p95"], role=Role.INFORMS),
                        }
                    ),
                    RoundKind.CENSUS: WORK,
                }
            ),
        }
    ),
    slos=(),
    min_requests=10,
)
"""The default policy."""


Budgets = Mapping[RoundKind, Mapping[str, Budget]]


def budgets_for(policy: GatePolicy, reference: Reference, kinds: Iterable[RoundKind]) -> Budgets:
    """
    The budgets of the kinds of round that were measured.

    Something must decide: where nothing would (a paired run without duets), the centre of the latencies does.
    """
    measured = set(kinds)
    chosen = {kind: dict(budgets) for kind, budgets in policy.budgets.get(reference, {}).items() if kind in measured}
    decided = any(budget.role is Role.DECIDES for budgets in chosen.values() for budget in budgets.values())
    load = chosen.get(RoundKind.LOAD, {})
    if not decided and "trimmed_mean" in load:
        load["trimmed_mean"] = replace(load["trimmed_mean"], role=Role.DECIDES)
    return chosen


def budget_of(budget: Budget, metric: Metric, endpoint: str) -> Budget:
    """
    The budget of one series of a metric.

    The throughput of one endpoint follows the request mix, so only that of all counts; the failures of all endpoints
    are those of each once more, so only those of each count.
    """
    for one in budget.endpoints:
        if matches(one.pattern, endpoint):
            budget = Budget(
                role=budget.role if one.role is None else one.role,
                change=budget.change if one.change is None else one.change,
                margin=budget.margin if one.margin is None else one.margin,
                floor=budget.floor if one.floor is None else one.floor,
                endpoints=budget.endpoints,
            )
    role = Role.INFORMS if never_counts(metric, endpoint) else budget.role
    if role is budget.role and not budget.endpoints:
        return budget
    return replace(budget, role=role, endpoints=())


def never_counts(metric: Metric, endpoint: str) -> bool:
    """Whether a series of this endpoint is shown only, whatever a budget says."""
    if metric.unit == "1/s":
        return endpoint != ALL_ENDPOINTS
    return metric.scale is Scale.DIFFERENCE and endpoint == ALL_ENDPOINTS


def matches(pattern: str, endpoint: str) -> bool:
    """
    Whether *pattern* names *endpoint*: "*" stands for any text, all else for itself.

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
