"""What `result.json` calls the members of the model's enumerations."""

from typing import Literal

from perfci.model import (
    Better,
    CulpritKind,
    Importance,
    Quantity,
    Reference,
    Role,
    RoundKind,
    Scale,
    SeriesVerdict,
    Verdict,
    Weight,
)
from perfci.schema.stored import Vocabulary

BetterWord = Literal["lower", "higher"]
BETTER: Vocabulary[Better, BetterWord] = Vocabulary({Better.LOWER: "lower", Better.HIGHER: "higher"})

ScaleWord = Literal["ratio", "difference"]
SCALES: Vocabulary[Scale, ScaleWord] = Vocabulary({Scale.RATIO: "ratio", Scale.DIFFERENCE: "difference"})

QuantityWord = Literal["time", "rate", "share", "size", "count"]
QUANTITIES: Vocabulary[Quantity, QuantityWord] = Vocabulary(
    {
        Quantity.TIME: "time",
        Quantity.RATE: "rate",
        Quantity.SHARE: "share",
        Quantity.SIZE: "size",
        Quantity.COUNT: "count",
    }
)

RoleWord = Literal["decides", "guards", "informs"]
ROLES: Vocabulary[Role, RoleWord] = Vocabulary(
    {Role.REQUIRED: "decides", Role.GUARDING: "guards", Role.ADVISORY: "informs"}
)

ReferenceWord = Literal["baseline", "ref", "limits"]
REFERENCES: Vocabulary[Reference, ReferenceWord] = Vocabulary(
    {Reference.BASELINE: "baseline", Reference.REF: "ref", Reference.LIMITS: "limits"}
)

ImportanceWord = Literal["critical", "high", "important", "medium"]
IMPORTANCES: Vocabulary[Importance, ImportanceWord] = Vocabulary(
    {
        Importance.CRITICAL: "critical",
        Importance.HIGH: "high",
        Importance.IMPORTANT: "important",
        Importance.MEDIUM: "medium",
    }
)

KindWord = Literal["load", "duet", "census"]
KINDS: Vocabulary[RoundKind, KindWord] = Vocabulary(
    {RoundKind.LOAD: "load", RoundKind.DUET: "duet", RoundKind.CENSUS: "census"}
)

WeightWord = Literal["invalid", "regression", "inconclusive", "notice", "warning"]
WEIGHTS: Vocabulary[Weight, WeightWord] = Vocabulary(
    {
        Weight.INVALID: "invalid",
        Weight.REGRESSION: "regression",
        Weight.INCONCLUSIVE: "inconclusive",
        Weight.NOTICE: "notice",
        Weight.WARNING: "warning",
    }
)

CulpritWord = Literal["n+1", "new", "more calls", "plan", "cache", "payload", "round trips"]
CULPRITS: Vocabulary[CulpritKind, CulpritWord] = Vocabulary(
    {
        CulpritKind.N_PLUS_ONE: "n+1",
        CulpritKind.NEW: "new",
        CulpritKind.MORE_CALLS: "more calls",
        CulpritKind.PLAN: "plan",
        CulpritKind.CACHE: "cache",
        CulpritKind.PAYLOAD: "payload",
        CulpritKind.ROUND_TRIPS: "round trips",
    }
)

SeriesVerdictWord = Literal[
    "regression", "improvement", "equivalent", "below budget", "inconclusive", "not compared", "accepted"
]
SERIES_VERDICTS: Vocabulary[SeriesVerdict, SeriesVerdictWord] = Vocabulary(
    {
        SeriesVerdict.REGRESSION: "regression",
        SeriesVerdict.IMPROVEMENT: "improvement",
        SeriesVerdict.EQUIVALENT: "equivalent",
        SeriesVerdict.BELOW_BUDGET: "below budget",
        SeriesVerdict.INCONCLUSIVE: "inconclusive",
        SeriesVerdict.NOT_COMPARED: "not compared",
        SeriesVerdict.ACCEPTED: "accepted",
    }
)

VerdictWord = Literal["invalid", "regression", "slo breach", "no baseline", "inconclusive", "pass"]
VERDICTS: Vocabulary[Verdict, VerdictWord] = Vocabulary(
    {
        Verdict.INVALID: "invalid",
        Verdict.REGRESSION: "regression",
        Verdict.SLO_BREACH: "slo breach",
        Verdict.NO_BASELINE: "no baseline",
        Verdict.INCONCLUSIVE: "inconclusive",
        Verdict.PASS: "pass",
    }
)
