"""The default budgets, for projects that configure none."""

from perfci.judge.census.counters import BUDGETS as OF_COUNTERS
from perfci.model import BudgetRule, GatePolicy, Reference, Role, RoundKind


def _duet(metric: str, role: Role, change: float, margin: float, floor: float = 0.0) -> BudgetRule:
    return BudgetRule(
        reference=Reference.REF,
        kind=RoundKind.DUET,
        metric=metric,
        role=role,
        change=change,
        margin=margin,
        floor=floor,
    )


def _load(metric: str, role: Role, change: float, margin: float, floor: float = 0.0) -> BudgetRule:
    return BudgetRule(kind=RoundKind.LOAD, metric=metric, role=role, change=change, margin=margin, floor=floor)


_DUETS = (
    # Real turns, eight blocks: identical sides never red and always "pass", two CPU hogs beside them or not. In compose
    # two identical stacks can differ by 0.9 %: with a budget of 2 % a true +3 % hides behind that in 9 of 100, with one
    # of 1.5 % identical ones are red. 10 microseconds are 2 % of the fastest endpoint measured, five times its scatter.
    _duet("service_time", Role.REQUIRED, 0.0175, 0.04, 0.01),
    _duet("failure_rate", Role.GUARDING, 0.001, 0.005),
)
_UNDER_LOAD = (
    # Of the centres that were tried on real rounds, this one scatters least where the machine stalls now and then
    # (3.9 % a pair of rounds against 4.8 % of the plain geometric mean and 8.4 % of the arithmetic one).
    _load("trimmed_gmean", Role.GUARDING, 0.03, 0.10, 0.1),
    _load("p95", Role.GUARDING, 0.25, 0.50, 2.0),
    _load("failure_rate", Role.GUARDING, 0.001, 0.005),
    _load("throughput", Role.GUARDING, 0.10, 0.20),
    _load("gmean", Role.ADVISORY, 0.10, 0.20, 1.0),
    _load("p50", Role.ADVISORY, 0.10, 0.20, 1.0),
    _load("mean", Role.ADVISORY, 0.10, 0.20, 1.0),
    _load("p99", Role.ADVISORY, 0.25, 0.50, 2.0),
    _load("response_p50", Role.ADVISORY, 0.10, 0.20, 1.0),
    _load("response_p95", Role.ADVISORY, 0.25, 0.50, 2.0),
    _load("response_p99", Role.ADVISORY, 0.25, 0.50, 2.0),
)
_AGAINST_STORED_RUNS = (
    # Jobs differ by more than rounds do. With a margin of 10 % identical runs of a restless machine were never settled,
    # with 20 % a service slower by 10 % was called unchanged.
    BudgetRule(
        reference=Reference.BASELINE,
        kind=RoundKind.LOAD,
        metric="trimmed_gmean",
        role=Role.REQUIRED,
        change=0.05,
        margin=0.15,
    ),
    # What is assumed of the variation between jobs holds for averages; a 95th percentile of a few dozen requests varies
    # far more, and cried wolf between identical runs.
    BudgetRule(reference=Reference.BASELINE, kind=RoundKind.LOAD, metric="p95", role=Role.ADVISORY),
)

DEFAULT = GatePolicy(
    alpha=0.01,
    confidence=0.95,
    budgets=(*_DUETS, *_UNDER_LOAD, *_AGAINST_STORED_RUNS, *OF_COUNTERS),
    slos=(),
    min_requests=10,
)
"""The default policy."""
