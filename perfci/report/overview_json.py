"""
The format of `overview.json`: what `perfci run --all` found, scenario by scenario, and the readiness of each profile.

Written from the model field by field, so that a name of the model may change and no program that reads this does.
"""

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Self

from pydantic_core import to_json

from perfci.model import Outcome, Readiness, SloResult
from perfci.report.overview import result_of
from perfci.schema.stored import Format, stored


@stored
class LimitDocument:
    """One SLO: its limit, the worst value that was measured (null where nothing was), and PASS, FAIL, WARN or OPEN."""

    metric: str
    where: str
    limit: float
    worst: float | None
    importance: str
    result: str
    reason: str

    @classmethod
    def from_model(cls, slo: SloResult) -> Self:
        return cls(
            metric=slo.metric.name,
            where=slo.slo.where,
            limit=slo.slo.limit,
            worst=slo.worst,
            importance=slo.slo.importance.value,
            result=result_of(slo),
            reason=slo.reason,
        )


@stored
class RecommendationDocument:
    """What to do, and the finding behind it."""

    cause: str
    advice: str


@stored
class ScenarioDocument:
    """One scenario; `grade` is empty and `bands` has no entries where it could not be measured."""

    verdict: str
    reason: str
    grade: str
    bands: dict[str, str]
    limits: tuple[LimitDocument, ...]
    recommendations: tuple[RecommendationDocument, ...]

    @classmethod
    def from_model(cls, outcome: Outcome) -> Self:
        found = outcome.assessment
        return cls(
            verdict=outcome.verdict.value,
            reason=outcome.reason,
            grade=found.grade if found else "",
            bands={name: band.value for name, band in found.bands.items()} if found else {},
            limits=tuple(map(LimitDocument.from_model, outcome.slos)),
            recommendations=tuple(
                RecommendationDocument(cause=str(each.cause), advice=each.advice)
                for each in (found.recommendations if found else ())
            ),
        )


@stored
class ReadinessDocument:
    """Whether the system behind a profile is ready for production, and the reasons against it."""

    level: str
    reasons: tuple[str, ...]


@stored
class OverviewDocument:
    """Every scenario by PROFILE:SCENARIO, every profile by its name; `left_out` has the reason for each."""

    scenarios: dict[str, ScenarioDocument]
    readiness: dict[str, ReadinessDocument]
    left_out: dict[str, str] = field(default_factory=dict)


FORMAT = Format("overview", OverviewDocument, schema=1, key="schema_version")


def document(
    outcomes: Mapping[str, Outcome],
    readiness: Mapping[str, Readiness],
    left_out: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """All scenarios as one document, with those that were left out; `result.json` of each run has the rest."""
    whole = OverviewDocument(
        scenarios={name: ScenarioDocument.from_model(outcome) for name, outcome in outcomes.items()},
        readiness={
            profile: ReadinessDocument(level=found.level.value, reasons=tuple(map(str, found.reasons)))
            for profile, found in readiness.items()
        },
        left_out=dict(left_out),
    )
    return to_json(FORMAT.fields(whole), indent=1).decode() + "\n"
