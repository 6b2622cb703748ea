"""The document of `result.json` as a whole."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field

from perfci.model import Finding, Metric, Outcome, Remark, Slo, SloResult, Subject, WordedFinding, WordedReason
from perfci.report.result_json.assessment import AssessmentDocument
from perfci.report.result_json.decisions import DecisionDocument, MetricDocument
from perfci.report.result_json.gauges import GaugeDocument
from perfci.report.result_json.parts import ROW_LIMIT, Count, Name, Part, Text, finite, name, text
from perfci.report.result_json.words import (
    IMPORTANCES,
    REFERENCES,
    SERIES_VERDICTS,
    VERDICTS,
    WEIGHTS,
    ImportanceWord,
    ReferenceWord,
    SeriesVerdictWord,
    VerdictWord,
    WeightWord,
)
from perfci.sentences.whole import ResultCut


class SloDocument(Part):
    """An absolute limit over every round of the candidate under load; `metric` is a key of the document's `metrics`."""

    endpoint: Name
    metric: Name
    limit: float
    rounds: Count
    rounds_within: Count
    worst: float | None
    held: bool
    reason: Text
    members: Annotated[tuple[Name, ...], Field(max_length=1000)] = ()  # patterns of a group's endpoints
    phase: Name = ""  # of the load; empty: the whole round
    user: Name = ""  # class of users whose requests count; empty: those of all
    throughout_s: float = 0.0  # length of the windows in each of which the limit holds; 0: in each round as a whole
    importance: ImportanceWord = "critical"

    @classmethod
    def from_model(cls, result: SloResult) -> Self:
        return cls(
            endpoint=name(result.slo.endpoint),
            metric=name(result.metric.name),
            limit=result.slo.limit,
            rounds=result.rounds,
            rounds_within=result.rounds_within,
            worst=finite(result.worst),
            held=result.held,
            reason=text(result.reason),
            members=tuple(map(name, result.slo.members)),
            phase=name(result.slo.phase),
            user=name(result.slo.user),
            throughout_s=result.slo.throughout_s,
            importance=IMPORTANCES.word(result.slo.importance),
        )

    def to_model(self, metrics: Mapping[str, Metric]) -> SloResult:
        metric = metrics[self.metric]
        return SloResult(
            slo=Slo(
                metric=metric.name,
                limit=self.limit,
                endpoint=self.endpoint,
                members=self.members,
                phase=self.phase,
                user=self.user,
                throughout_s=self.throughout_s,
                importance=IMPORTANCES.member(self.importance),
            ),
            metric=metric,
            rounds=self.rounds,
            rounds_within=self.rounds_within,
            worst=self.worst,
            held=self.held,
            because=WordedReason(self.reason),
        )


class FindingDocument(Part):
    """Something about the measurement that has to be known before its numbers are believed; `code` is stable."""

    code: Name
    weight: WeightWord
    message: Text
    hint: Text

    @classmethod
    def from_model(cls, finding: Finding) -> Self:
        return cls(
            code=name(finding.code),
            weight=WEIGHTS.word(finding.weight),
            message=text(finding.message),
            hint=text(finding.hint),
        )

    def to_model(self) -> Finding:
        return WordedFinding(code=self.code, weight=WEIGHTS.member(self.weight), message=self.message, hint=self.hint)


class RemarkDocument(Part):
    """A line about how the run was measured, which weighs nothing."""

    name: Name
    text: Text

    @classmethod
    def from_model(cls, remark: Remark) -> Self:
        return cls(name=name(remark.name), text=text(remark.text))

    def to_model(self) -> Remark:
        return Remark(name=self.name, text=self.text)


class SubjectDocument(Part):
    """What was judged: the part of a report that is not a number."""

    profile: Name
    scenario: Name
    reference: ReferenceWord
    reference_name: Name
    base_commit: Name
    head_commit: Name
    machine: Name
    load: Name
    head_name: Name = "the working tree"

    @classmethod
    def from_model(cls, subject: Subject) -> Self:
        return cls(
            profile=name(subject.profile),
            scenario=name(subject.scenario),
            reference=REFERENCES.word(subject.reference),
            reference_name=name(subject.reference_name),
            base_commit=name(subject.base_commit),
            head_commit=name(subject.head_commit),
            machine=name(subject.machine),
            load=name(subject.load),
            head_name=name(subject.head_name),
        )

    def to_model(self) -> Subject:
        return Subject(
            profile=self.profile,
            scenario=self.scenario,
            reference=REFERENCES.member(self.reference),
            reference_name=self.reference_name,
            base_commit=self.base_commit,
            head_commit=self.head_commit,
            machine=self.machine,
            load=self.load,
            head_name=self.head_name,
        )


class ResultDocument(Part):
    """The judged outcome of a run; `series` counts the series that count, by verdict."""

    verdict: VerdictWord
    reason: Text
    alpha: float
    family: Count
    further_blocks: Count | None
    series: dict[SeriesVerdictWord, Count]
    subject: SubjectDocument
    metrics: Annotated[dict[Name, MetricDocument], Field(max_length=1000)]
    decisions: Annotated[tuple[DecisionDocument, ...], Field(max_length=ROW_LIMIT)]
    slos: Annotated[tuple[SloDocument, ...], Field(max_length=ROW_LIMIT)]
    findings: Annotated[tuple[FindingDocument, ...], Field(max_length=ROW_LIMIT)]
    gauges: Annotated[tuple[GaugeDocument, ...], Field(max_length=1000)] = ()
    remarks: Annotated[tuple[RemarkDocument, ...], Field(max_length=100)] = ()
    assessment: AssessmentDocument | None = None  # of a run that was held against limits alone

    @classmethod
    def from_model(cls, outcome: Outcome, *, first: int | None = None) -> Self:
        """With *first*, only so many of the decisions, without their details, and a finding that says so."""
        findings = [FindingDocument.from_model(finding) for finding in outcome.findings]
        if first is not None:
            left_out = len(outcome.decisions[first:])
            findings.append(FindingDocument.from_model(ResultCut(left_out=left_out)))
        metrics = [d.comparison.series.metric for d in outcome.decisions] + [slo.metric for slo in outcome.slos]
        metrics += [each.metric for each in outcome.assessment.analyses] if outcome.assessment else []
        return cls(
            verdict=VERDICTS.word(outcome.verdict),
            reason=text(outcome.reason),
            alpha=outcome.alpha,
            family=outcome.family,
            further_blocks=outcome.further_blocks,
            series={SERIES_VERDICTS.word(verdict): count for verdict, count in outcome.series.items()},
            subject=SubjectDocument.from_model(outcome.subject),
            metrics={name(metric.name): MetricDocument.from_model(metric) for metric in metrics},
            decisions=tuple(DecisionDocument.from_model(d, details=first is None) for d in outcome.decisions[:first]),
            slos=tuple(map(SloDocument.from_model, outcome.slos)),
            findings=tuple(findings),
            gauges=tuple(map(GaugeDocument.from_model, outcome.gauges)),
            remarks=tuple(map(RemarkDocument.from_model, outcome.remarks)),
            assessment=AssessmentDocument.from_model(outcome.assessment),
        )

    def to_model(self) -> Outcome:
        metrics = {name: metric.to_model() for name, metric in self.metrics.items()}
        return Outcome(
            verdict=VERDICTS.member(self.verdict),
            because=WordedReason(self.reason),
            subject=self.subject.to_model(),
            decisions=tuple(decision.to_model(metrics) for decision in self.decisions),
            slos=tuple(slo.to_model(metrics) for slo in self.slos),
            findings=tuple(finding.to_model() for finding in self.findings),
            family=self.family,
            alpha=self.alpha,
            further_blocks=self.further_blocks,
            gauges=tuple(gauge.to_model() for gauge in self.gauges),
            remarks=tuple(remark.to_model() for remark in self.remarks),
            assessment=self.assessment.to_model(metrics) if self.assessment else None,
        )
