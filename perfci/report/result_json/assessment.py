"""The assessment of a run against limits, as `result.json` has it."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field

from perfci.model import Analysis, Assessment, Band, Capacity, Metric, Recommendation, WordedReason
from perfci.report.result_json.parts import Count, Name, Part, Text, finite, name, text
from perfci.schema.stored import Vocabulary

BandWord = Literal["excellent", "good", "acceptable", "poor", "failing"]
BANDS: Vocabulary[Band, BandWord] = Vocabulary(
    {
        Band.EXCELLENT: "excellent",
        Band.GOOD: "good",
        Band.ACCEPTABLE: "acceptable",
        Band.POOR: "poor",
        Band.FAILING: "failing",
    }
)


class AnalysisDocument(Part):
    """One quantity of the whole load with its bounds; `metric` is a key of the document's `metrics`."""

    metric: Name
    value: float | None
    low: float | None
    high: float | None
    evidence: Text

    @classmethod
    def from_model(cls, found: Analysis) -> Self:
        return cls(
            metric=name(found.metric.name),
            value=finite(found.value),
            low=finite(found.low),
            high=finite(found.high),
            evidence=text(str(found.evidence or "")),
        )

    def to_model(self, metrics: Mapping[str, Metric]) -> Analysis:
        return Analysis(
            metric=metrics[self.metric],
            value=self.value,
            low=self.low,
            high=self.high,
            evidence=WordedReason(self.evidence) if self.evidence else None,
        )


class RecommendationDocument(Part):
    """What to do, and the limit or finding that asks for it."""

    cause: Text
    advice: Text

    @classmethod
    def from_model(cls, found: Recommendation) -> Self:
        return cls(cause=text(str(found.cause)), advice=text(found.advice))

    def to_model(self) -> Recommendation:
        return Recommendation(cause=WordedReason(self.cause), advice=self.advice)


class CapacityDocument(Part):
    """What the service bears: users and requests a second of the last level that held."""

    users: Count
    per_second: float
    cores: Count | None
    broke: bool

    @classmethod
    def from_model(cls, found: Capacity | None) -> Self | None:
        if found is None:
            return None
        return cls(users=found.users, per_second=found.per_second, cores=found.cores, broke=found.broke)

    def to_model(self) -> Capacity:
        return Capacity(users=self.users, per_second=self.per_second, cores=self.cores, broke=self.broke)


class AssessmentDocument(Part):
    """The grade of the scenario and what it rests on."""

    grade: Name
    bands: dict[Name, BandWord]
    analyses: Annotated[tuple[AnalysisDocument, ...], Field(max_length=100)]
    recommendations: Annotated[tuple[RecommendationDocument, ...], Field(max_length=100)]
    capacity: CapacityDocument | None

    @classmethod
    def from_model(cls, found: Assessment | None) -> Self | None:
        if found is None:
            return None
        return cls(
            grade=name(found.grade),
            bands={name(what): BANDS.word(band) for what, band in found.bands.items()},
            analyses=tuple(map(AnalysisDocument.from_model, found.analyses)),
            recommendations=tuple(map(RecommendationDocument.from_model, found.recommendations[:100])),
            capacity=CapacityDocument.from_model(found.capacity),
        )

    def to_model(self, metrics: Mapping[str, Metric]) -> Assessment:
        return Assessment(
            grade=self.grade,
            bands={what: BANDS.member(band) for what, band in self.bands.items()},
            analyses=tuple(each.to_model(metrics) for each in self.analyses),
            recommendations=tuple(each.to_model() for each in self.recommendations),
            capacity=self.capacity.to_model() if self.capacity else None,
        )
