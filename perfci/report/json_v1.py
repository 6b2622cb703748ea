"""
The versioned `result.json`: what programs read, and what a second, trusted workflow renders again.

The document has its own shape, so that the model may change without breaking a reader. The reader trusts nothing:
bounded size, no unknown key, no number that is none.
"""

import math
from dataclasses import asdict
from itertools import accumulate
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, ValidationError

from perfci.errors import ResultError
from perfci.model import (
    Budget,
    Comparison,
    Culprit,
    CulpritKind,
    Decision,
    Finding,
    Interval,
    Metric,
    Outcome,
    Reference,
    Replicate,
    RoundKind,
    Series,
    SeriesVerdict,
    Slo,
    SloResult,
    Subject,
    Verdict,
    Weight,
)
from perfci.report import json_gauges
from perfci.report.json_parts import MetricV1, RoleV1
from perfci.report.rows import Links
from perfci.report.sanitise import plain
from perfci.schema import Table

SCHEMA: Final = 1
MAX_BYTES = 1 << 20
NAME_LIMIT = 300
TEXT_LIMIT = 2000
ROW_LIMIT = 20_000

Name = Annotated[str, Field(max_length=NAME_LIMIT)]
Text = Annotated[str, Field(max_length=TEXT_LIMIT)]
Count = Annotated[int, Field(ge=0)]


class _Strict(Table):
    model_config = ConfigDict(strict=True)


class ChangeV1(_Strict):
    """`Interval`; an end that is null is unbounded."""

    estimate: float
    low: float | None
    high: float | None


class BudgetV1(_Strict):
    """`Budget`; the role by its name in schema 1."""

    role: RoleV1
    change: float
    margin: float
    floor: float


class ReplicateV1(_Strict):
    """`Replicate`."""

    label: Name
    base: float | None
    candidate: float | None


class CulpritV1(_Strict):
    """`Culprit`."""

    kind: CulpritKind
    what: Text
    before: float
    after: float
    unit: Name
    beside: Text


class DecisionV1(_Strict):
    """`Decision` and its `Comparison`; *metric* is a key of the document's `metrics`."""

    endpoint: Name
    metric: Name
    kind: RoundKind
    verdict: SeriesVerdict
    reason: Text
    base: float | None
    candidate: float | None
    change: ChangeV1 | None
    p_worse: float | None
    p_better: float | None
    p_adjusted: float | None
    standard_error: float | None
    smallest_detectable: float | None
    further_blocks: Count | None
    budget: BudgetV1
    replicates: Annotated[tuple[ReplicateV1, ...], Field(max_length=1000)]
    note: Text
    culprits: Annotated[tuple[CulpritV1, ...], Field(max_length=100)] = ()
    moved: float | None = None
    stands_out: float | None = None


class SloV1(_Strict):
    """`SloResult`."""

    endpoint: Name
    metric: Name
    limit: float
    rounds: Count
    rounds_within: Count
    worst: float | None
    held: bool
    reason: Text


class FindingV1(_Strict):
    """`Finding`."""

    code: Name
    weight: Weight
    message: Text
    hint: Text


class SubjectV1(_Strict):
    """`Subject`."""

    profile: Name
    scenario: Name
    reference: Reference
    reference_name: Name
    base_commit: Name
    head_commit: Name
    machine: Name
    load: Name


class ResultV1(_Strict):
    """The document; `series` counts the series that count, by verdict, for those who read nothing else."""

    schema_version: Literal[1]
    verdict: Verdict
    reason: Text
    alpha: float
    family: Count
    further_blocks: Count | None
    series: dict[SeriesVerdict, Count]
    subject: SubjectV1
    metrics: Annotated[dict[Name, MetricV1], Field(max_length=1000)]
    decisions: Annotated[tuple[DecisionV1, ...], Field(max_length=ROW_LIMIT)]
    slos: Annotated[tuple[SloV1, ...], Field(max_length=ROW_LIMIT)]
    findings: Annotated[tuple[FindingV1, ...], Field(max_length=ROW_LIMIT)]
    gauges: Annotated[tuple[json_gauges.GaugeV1, ...], Field(max_length=1000)] = ()


def render(outcome: Outcome, _links: Links | None = None, /) -> str:
    """The document, small enough for `read`; what does not fit is left out, mildest first, and a finding says so."""
    document = _document(outcome, outcome.decisions, details=True)
    if len(document.encode()) <= MAX_BYTES:
        return document
    room = MAX_BYTES - len(_document(outcome, (), details=False).encode())
    sizes = (len(described(d, details=False).model_dump_json().encode()) + 1 for d in outcome.decisions)
    fit = sum(total <= room for total in accumulate(sizes))
    return _document(outcome, outcome.decisions[:fit], details=False)


def read(data: bytes) -> Outcome:
    """The outcome in *data*, which anybody may have written; `ResultError` without its content where it is unusable."""
    if len(data) > MAX_BYTES:
        raise ResultError(f"result.json has {len(data)} bytes, more than the {MAX_BYTES} that are read")
    try:
        document = ResultV1.model_validate_json(data)
    except ValidationError as problems:
        first = problems.errors(include_url=False, include_input=False, include_context=False)[0]
        place = plain(".".join(str(part) for part in first["loc"]) or "(top level)")
        raise ResultError(
            f"result.json is no result of schema {SCHEMA}: {problems.error_count()} problems, the first at {place}"
        ) from None
    used = {decision.metric for decision in document.decisions} | {slo.metric for slo in document.slos}
    if not used <= document.metrics.keys():
        raise ResultError("result.json uses a metric that it does not describe")
    return _outcome(document)


def _document(outcome: Outcome, decisions: tuple[Decision, ...], *, details: bool) -> str:
    findings = [_finding(finding) for finding in outcome.findings]
    if not details:
        left_out = len(outcome.decisions) - len(decisions)
        message = f"{left_out} series and all values per block were left out: the result would be too large"
        findings.append(FindingV1(code="result-cut", weight=Weight.WARNING, message=message, hint=""))
    metrics = [d.comparison.series.metric for d in outcome.decisions] + [slo.metric for slo in outcome.slos]
    document = ResultV1(
        schema_version=SCHEMA,
        verdict=outcome.verdict,
        reason=_text(outcome.reason),
        alpha=outcome.alpha,
        family=outcome.family,
        further_blocks=outcome.further_blocks,
        series=outcome.series,
        subject=_subject(outcome.subject),
        metrics={_name(metric.name): _metric(metric) for metric in metrics},
        decisions=tuple(described(decision, details=details) for decision in decisions),
        slos=tuple(_slo(slo) for slo in outcome.slos),
        findings=tuple(findings),
        gauges=tuple(map(json_gauges.written, outcome.gauges)),
    )
    return document.model_dump_json(indent=1 if details else None) + "\n"


def described(decision: Decision, *, details: bool = True) -> DecisionV1:
    """One decision as the document has it."""
    comparison, budget = decision.comparison, decision.comparison.budget
    replicates = comparison.replicates if details else ()
    culprits = comparison.culprits if details else ()
    return DecisionV1(
        endpoint=_name(comparison.series.endpoint),
        metric=_name(comparison.series.metric.name),
        kind=comparison.kind,
        verdict=decision.verdict,
        reason=_text(decision.reason),
        base=_number(comparison.base),
        candidate=_number(comparison.candidate),
        change=_change(comparison.change),
        p_worse=_number(comparison.p_worse),
        p_better=_number(comparison.p_better),
        p_adjusted=_number(decision.p_adjusted),
        standard_error=_number(comparison.standard_error),
        smallest_detectable=_number(comparison.smallest_detectable),
        further_blocks=decision.further_blocks,
        budget=BudgetV1(role=budget.role, change=budget.change, margin=budget.margin, floor=budget.floor),
        replicates=tuple(
            ReplicateV1(label=_name(r.label), base=_number(r.base), candidate=_number(r.candidate)) for r in replicates
        ),
        note=_text(comparison.note),
        culprits=tuple(map(_culprit, culprits)),
        moved=_number(comparison.moved),
        stands_out=_number(comparison.stands_out),
    )


def _culprit(one: Culprit) -> CulpritV1:
    return CulpritV1(**asdict(one) | {"what": _text(one.what), "beside": _text(one.beside)})


def _change(change: Interval | None) -> ChangeV1 | None:
    if change is None or not math.isfinite(change.estimate):
        return None
    return ChangeV1(estimate=change.estimate, low=_number(change.low), high=_number(change.high))


def _metric(metric: Metric) -> MetricV1:
    texts = {"name": _name(metric.name), "unit": _name(metric.unit), "meaning": _text(metric.meaning)}
    return MetricV1(**{key: getattr(metric, key) for key in MetricV1.model_fields} | texts)


def _slo(result: SloResult) -> SloV1:
    return SloV1(
        endpoint=_name(result.slo.endpoint),
        metric=_name(result.metric.name),
        limit=result.slo.limit,
        rounds=result.rounds,
        rounds_within=result.rounds_within,
        worst=_number(result.worst),
        held=result.held,
        reason=_text(result.reason),
    )


def _finding(finding: Finding) -> FindingV1:
    return FindingV1(
        code=_name(finding.code), weight=finding.weight, message=_text(finding.message), hint=_text(finding.hint)
    )


def _subject(subject: Subject) -> SubjectV1:
    return SubjectV1(
        profile=_name(subject.profile),
        scenario=_name(subject.scenario),
        reference=subject.reference,
        reference_name=_name(subject.reference_name),
        base_commit=_name(subject.base_commit),
        head_commit=_name(subject.head_commit),
        machine=_name(subject.machine),
        load=_name(subject.load),
    )


def _number(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _name(text: str) -> str:
    return _encodable(text, NAME_LIMIT)


def _text(text: str) -> str:
    return _encodable(text, TEXT_LIMIT)


def _encodable(text: str, limit: int) -> str:
    whole = text.encode("utf-8", "replace").decode()
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"


def _outcome(document: ResultV1) -> Outcome:
    metrics = {name: metric.metric() for name, metric in document.metrics.items()}
    return Outcome(
        verdict=document.verdict,
        reason=document.reason,
        subject=Subject(**document.subject.model_dump()),
        decisions=tuple(_read_decision(decision, metrics) for decision in document.decisions),
        slos=tuple(_read_slo(slo, metrics) for slo in document.slos),
        findings=tuple(Finding(**finding.model_dump()) for finding in document.findings),
        family=document.family,
        alpha=document.alpha,
        further_blocks=document.further_blocks,
        gauges=tuple(map(json_gauges.read, document.gauges)),
    )


def _read_decision(decision: DecisionV1, metrics: dict[str, Metric]) -> Decision:
    comparison = Comparison(
        series=Series(endpoint=decision.endpoint, metric=metrics[decision.metric]),
        kind=decision.kind,
        budget=Budget(**decision.budget.model_dump()),
        base=decision.base,
        candidate=decision.candidate,
        change=_read_change(decision.change),
        p_worse=decision.p_worse,
        p_better=decision.p_better,
        standard_error=decision.standard_error,
        smallest_detectable=decision.smallest_detectable,
        replicates=tuple(Replicate(**replicate.model_dump()) for replicate in decision.replicates),
        note=decision.note,
        culprits=tuple(Culprit(**culprit.model_dump()) for culprit in decision.culprits),
        moved=decision.moved,
        stands_out=decision.stands_out,
    )
    return Decision(
        comparison=comparison,
        verdict=decision.verdict,
        p_adjusted=decision.p_adjusted,
        reason=decision.reason,
        further_blocks=decision.further_blocks,
    )


def _read_change(change: ChangeV1 | None) -> Interval | None:
    if change is None:
        return None
    low = -math.inf if change.low is None else change.low
    return Interval(estimate=change.estimate, low=low, high=math.inf if change.high is None else change.high)


def _read_slo(slo: SloV1, metrics: dict[str, Metric]) -> SloResult:
    metric = metrics[slo.metric]
    return SloResult(
        slo=Slo(metric=metric.name, limit=slo.limit, endpoint=slo.endpoint),
        metric=metric,
        rounds=slo.rounds,
        rounds_within=slo.rounds_within,
        worst=slo.worst,
        held=slo.held,
        reason=slo.reason,
    )
