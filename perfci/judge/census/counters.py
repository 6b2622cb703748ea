"""Names, directions and default budgets of counters."""

from perfci.model import Better, BudgetRule, Metric, Quantity, Role, RoundKind, Scale
from perfci.sentences import meanings

COUNTERS = (
    "failures",
    "statements",
    "transactions",
    "commands",
    "misses",
    "hits",
    "rows",
    "blocks",
    "bytes",
    "packets",
    "reads",
    "writes",
)
"""
The counters that perfci knows, the most explanatory first. A counter is matched by its name, or its name's first word
("packets_in"), in every source.
"""


def _rule(counter: str, *, role: Role = Role.GUARDING, change: float = 0.10, floor: float = 0.0) -> BudgetRule:
    return BudgetRule(kind=RoundKind.CENSUS, metric=counter, role=role, change=change, margin=0.10, floor=floor)


BUDGETS = (
    # Counters that nobody knows are shown and never count, until a project gives them a budget.
    BudgetRule(kind=RoundKind.CENSUS, role=Role.ADVISORY, change=0.10, margin=0.10),
    _rule("failures", change=0.0),
    _rule("statements", change=0.0),
    _rule("transactions", change=0.0),
    _rule("commands", change=0.0),
    _rule("misses", change=0.0),
    _rule("hits", role=Role.ADVISORY),
    _rule("rows"),
    # A page that is split, or an index that grows by a level, is one block; a lost index is more.
    _rule("blocks", floor=1.5),
    # An identifier of one digit more is no change of work.
    _rule("bytes", floor=64.0),
    # A late acknowledgement is one packet that no round trip needed.
    _rule("packets", floor=1.5),
    _rule("reads", floor=1.5),
    _rule("writes", floor=1.5),
)
"""
The default budgets of counters. A change of 0 means that any increase counts. None is required where clocks were
measured, too.
"""


def metric_of(counter: str) -> Metric:
    """The metric of "SOURCE/COUNTER": exact, independent of the machine, compared by its difference."""
    kind = kind_of(counter)
    return Metric(
        name=counter,
        quantity=Quantity.COUNT,
        unit="",
        better=Better.HIGHER if kind == "hits" else Better.LOWER,
        scale=Scale.DIFFERENCE,
        portable=True,
        exact=True,
        meaning=meanings.COUNTERS.get(kind, meanings.OWN_COUNTER),
        phrases=meanings.MORE_OR_FEWER,
    )


def kind_of(counter: str) -> str:
    """The kind of the counter, as budgets name it: "db/rows_read" counts rows."""
    name = counter.rpartition("/")[2]
    return name if name in COUNTERS else name.partition("_")[0]


def rank(counter: str) -> int:
    """Order of counters, the most explanatory first: one more statement explains rows, packets and bytes."""
    kind = kind_of(counter)
    first = COUNTERS.index(kind) if kind in COUNTERS else len(COUNTERS)
    return first + (len(COUNTERS) if kind == "bytes" and not counter.startswith("response/") else 0)
