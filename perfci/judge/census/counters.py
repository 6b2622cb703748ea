"""What a counter is called, which way it is better, and how much more of it is too much."""

from collections.abc import Mapping
from types import MappingProxyType

from perfci.model import Better, Budget, Metric, Role, Scale

_ANY_FURTHER = Budget(role=Role.GUARDS, change=0.0, margin=0.10)
_TENTH = Budget(role=Role.GUARDS, change=0.10, margin=0.10)
_TOLD = Budget(role=Role.INFORMS, change=0.10, margin=0.10)

WORK: Mapping[str, Budget] = MappingProxyType(
    {
        "failures": _ANY_FURTHER,
        "statements": _ANY_FURTHER,
        "transactions": _ANY_FURTHER,
        "commands": _ANY_FURTHER,
        "misses": _ANY_FURTHER,
        "hits": _TOLD,
        "rows": _TENTH,
        # A page that is split, or an index that grows by a level, is one block; a lost index is more.
        "blocks": Budget(role=Role.GUARDS, change=0.10, margin=0.10, floor=1.5),
        # An identifier of one digit more is no change of work.
        "bytes": Budget(role=Role.GUARDS, change=0.10, margin=0.10, floor=64.0),
        # A late acknowledgement is one packet that no round trip needed.
        "packets": Budget(role=Role.GUARDS, change=0.10, margin=0.10, floor=1.5),
        "reads": Budget(role=Role.GUARDS, change=0.10, margin=0.10, floor=1.5),
        "writes": Budget(role=Role.GUARDS, change=0.10, margin=0.10, floor=1.5),
    }
)
"""
The default budget of each counter: its name, or the first word of it ("packets_in").

A change of 0 means that any further one counts. No default decides: a run whose clocks were measured, too, is settled
by those. Counters that nobody knows are shown and never count, until a project gives them a budget.
"""

_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "failures": "Share of the requests that failed, with nothing else in flight.",
        "statements": "Statements sent to the database for one request.",
        "transactions": "Transactions for one request.",
        "commands": "Commands sent to the cache for one request.",
        "misses": "Lookups that the cache could not answer, for one request.",
        "hits": "Lookups that the cache answered, for one request.",
        "rows": "Rows that the statements of one request returned or changed.",
        "blocks": "Blocks that the database looked at for one request.",
        "bytes": "Bytes for one request.",
        "packets": "Network packets for one request.",
        "reads": "Reads by the service for one request.",
        "writes": "Writes by the service for one request.",
    }
)
_ORDER = tuple(WORK)


def metric_of(counter: str) -> Metric:
    """The metric of "SOURCE/COUNTER": exact, the same on every machine, compared by its difference."""
    kind = kind_of(counter)
    return Metric(
        name=counter,
        unit="",
        better=Better.HIGHER if kind == "hits" else Better.LOWER,
        scale=Scale.DIFFERENCE,
        portable=True,
        exact=True,
        meaning=_MEANINGS.get(kind, "A counter of the target's own, for one request."),
    )


def kind_of(counter: str) -> str:
    """The counter as budgets know it: "db/rows_read" counts rows."""
    name = counter.rpartition("/")[2]
    return name if name in WORK else name.partition("_")[0]


def rank(counter: str) -> int:
    """The counter that explains most comes first: one more statement explains the rows, packets and bytes."""
    kind = kind_of(counter)
    first = _ORDER.index(kind) if kind in WORK else len(_ORDER)
    return first + (len(_ORDER) if kind == "bytes" and not counter.startswith("response/") else 0)


def budget_for(counter: str, budgets: Mapping[str, Budget]) -> Budget:
    """The project's budget for this very counter, else for its name, else for its kind, else it is only told."""
    keys = (counter, counter.rpartition("/")[2], kind_of(counter))
    return next((budgets[key] for key in keys if key in budgets), _TOLD)
