"""
The values that the rooms hand to each other: frozen, without I/O, standard library only.

Everyone may import this package. A word means the same thing here, in the configuration and in the reports:
a *block* is one start of the system under test, a *round* is one measurement inside a block, a *run* is the
rounds of one job, a *baseline* is a set of accepted runs, a *series* is one metric of one endpoint.
"""

from perfci.model.census import (
    Census,
    CounterSource,
    EndpointCensus,
    Statement,
    Tally,
)
from perfci.model.judged import (
    Budget,
    Comparison,
    Decision,
    Finding,
    GatePolicy,
    Interval,
    Outcome,
    Reference,
    Replicate,
    Role,
    SeriesVerdict,
    Slo,
    SloResult,
    Subject,
    Verdict,
    Weight,
)
from perfci.model.measured import (
    ALL_ENDPOINTS,
    Better,
    EndpointRound,
    GeneratorHealth,
    Metric,
    Requests,
    Round,
    RoundKind,
    Scale,
    Second,
    Series,
    Side,
    TargetHealth,
)
from perfci.model.runs import (
    Baseline,
    Fingerprint,
    LoadPlan,
    Machine,
    Run,
)

__all__ = [
    "ALL_ENDPOINTS",
    "Baseline",
    "Better",
    "Budget",
    "Census",
    "Comparison",
    "CounterSource",
    "Decision",
    "EndpointCensus",
    "EndpointRound",
    "Finding",
    "Fingerprint",
    "GatePolicy",
    "GeneratorHealth",
    "Interval",
    "LoadPlan",
    "Machine",
    "Metric",
    "Outcome",
    "Reference",
    "Replicate",
    "Requests",
    "Role",
    "Round",
    "RoundKind",
    "Run",
    "Scale",
    "Second",
    "Series",
    "SeriesVerdict",
    "Side",
    "Slo",
    "SloResult",
    "Statement",
    "Subject",
    "Tally",
    "TargetHealth",
    "Verdict",
    "Weight",
]
