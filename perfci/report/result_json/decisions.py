"""Series and what was decided of each, as `result.json` has them."""

import math
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field

from perfci.model import (
    Acceptance,
    Budget,
    Comparison,
    Culprit,
    Decision,
    Interval,
    Look,
    Metric,
    Quantity,
    Replicate,
    Series,
    WordedReason,
)
from perfci.report.result_json.parts import Count, Name, Part, Text, finite, name, text
from perfci.report.result_json.words import (
    BETTER,
    CULPRITS,
    KINDS,
    QUANTITIES,
    ROLES,
    SCALES,
    SERIES_VERDICTS,
    BetterWord,
    CulpritWord,
    KindWord,
    QuantityWord,
    RoleWord,
    ScaleWord,
    SeriesVerdictWord,
)

_QUANTITIES = {"ms": Quantity.TIME, "1/s": Quantity.RATE}


class MetricDocument(Part):
    """
    Something that is measured; a unit of "" is a share between 0 and 1, or a plain count.

    A quantity of null is that of a result from before it was written: the unit tells it.
    """

    name: Name
    unit: Name
    better: BetterWord
    scale: ScaleWord
    portable: bool
    exact: bool
    meaning: Text
    quantity: QuantityWord | None = None

    @classmethod
    def from_model(cls, metric: Metric) -> Self:
        return cls(
            name=name(metric.name),
            unit=name(metric.unit),
            better=BETTER.word(metric.better),
            scale=SCALES.word(metric.scale),
            portable=metric.portable,
            exact=metric.exact,
            meaning=text(metric.meaning),
            quantity=QUANTITIES.word(metric.quantity),
        )

    def to_model(self) -> Metric:
        by_unit = _QUANTITIES.get(self.unit, Quantity.SHARE if not self.unit and not self.exact else Quantity.COUNT)
        return Metric(
            name=self.name,
            quantity=QUANTITIES.member(self.quantity) if self.quantity else by_unit,
            unit=self.unit,
            better=BETTER.member(self.better),
            scale=SCALES.member(self.scale),
            portable=self.portable,
            exact=self.exact,
            meaning=self.meaning,
        )


class ChangeDocument(Part):
    """An estimate with its confidence interval; an end that is null is unbounded."""

    estimate: float
    low: float | None
    high: float | None

    @classmethod
    def from_model(cls, change: Interval | None) -> Self | None:
        if change is None or not math.isfinite(change.estimate):
            return None
        return cls(estimate=change.estimate, low=finite(change.low), high=finite(change.high))

    def to_model(self) -> Interval:
        return Interval(
            estimate=self.estimate,
            low=-math.inf if self.low is None else self.low,
            high=math.inf if self.high is None else self.high,
        )


class BudgetDocument(Part):
    """The change that matters, as a fraction, and the margin within which a change is equivalent."""

    role: RoleWord
    change: float
    margin: float
    floor: float

    @classmethod
    def from_model(cls, budget: Budget) -> Self:
        return cls(role=ROLES.word(budget.role), change=budget.change, margin=budget.margin, floor=budget.floor)

    def to_model(self) -> Budget:
        return Budget(role=ROLES.member(self.role), change=self.change, margin=self.margin, floor=self.floor)


class ReplicateDocument(Part):
    """One block, or one run, behind a comparison; values in the metric's unit."""

    label: Name
    base: float | None
    candidate: float | None

    @classmethod
    def from_model(cls, replicate: Replicate) -> Self:
        return cls(label=name(replicate.label), base=finite(replicate.base), candidate=finite(replicate.candidate))

    def to_model(self) -> Replicate:
        return Replicate(label=self.label, base=self.base, candidate=self.candidate)


class CulpritDocument(Part):
    """What made an endpoint do more work, per request."""

    kind: CulpritWord
    what: Text
    before: float
    after: float
    unit: Name
    beside: Text

    @classmethod
    def from_model(cls, culprit: Culprit) -> Self:
        return cls(
            kind=CULPRITS.word(culprit.kind),
            what=text(culprit.what),
            before=culprit.before,
            after=culprit.after,
            unit=culprit.unit,
            beside=text(culprit.beside),
        )

    def to_model(self) -> Culprit:
        return Culprit(
            kind=CULPRITS.member(self.kind),
            what=self.what,
            before=self.before,
            after=self.after,
            unit=self.unit,
            beside=self.beside,
        )


class LookDocument(Part):
    """
    One look at a series while the run was measured, after a `block`.

    `fraction` is of the planned blocks; `spent` the share of alpha, and of the interval's error, that was used up.
    """

    block: Count
    fraction: float
    spent: float
    change: ChangeDocument | None
    p_adjusted: float | None
    verdict: SeriesVerdictWord

    @classmethod
    def from_model(cls, look: Look) -> Self:
        return cls(
            block=look.block,
            fraction=look.fraction,
            spent=look.spent,
            change=ChangeDocument.from_model(look.change),
            p_adjusted=finite(look.p_adjusted),
            verdict=SERIES_VERDICTS.word(look.verdict),
        )

    def to_model(self) -> Look:
        return Look(
            block=self.block,
            fraction=self.fraction,
            spent=self.spent,
            change=self.change.to_model() if self.change else None,
            p_adjusted=self.p_adjusted,
            verdict=SERIES_VERDICTS.member(self.verdict),
        )


class AcceptanceDocument(Part):
    """The comment by which somebody accepted a series that is worse, for one commit."""

    commit: Name
    by: Name
    at: Name
    why: Text
    url: Text

    @classmethod
    def from_model(cls, acceptance: Acceptance | None) -> Self | None:
        if acceptance is None:
            return None
        return cls(
            commit=name(acceptance.commit),
            by=name(acceptance.by),
            at=name(acceptance.at),
            why=text(acceptance.why),
            url=text(acceptance.url),
        )

    def to_model(self, series: Series) -> Acceptance:
        return Acceptance(series=series.label, commit=self.commit, by=self.by, at=self.at, why=self.why, url=self.url)


class DecisionDocument(Part):
    """A series, how it compares and what was decided; `metric` is a key of the document's `metrics`."""

    endpoint: Name
    metric: Name
    kind: KindWord
    verdict: SeriesVerdictWord
    reason: Text
    base: float | None
    candidate: float | None
    change: ChangeDocument | None
    p_worse: float | None
    p_better: float | None
    p_adjusted: float | None
    standard_error: float | None
    smallest_detectable: float | None
    further_blocks: Count | None
    budget: BudgetDocument
    replicates: Annotated[tuple[ReplicateDocument, ...], Field(max_length=1000)]
    note: Text
    culprits: Annotated[tuple[CulpritDocument, ...], Field(max_length=100)] = ()
    moved: float | None = None
    stands_out: float | None = None
    looks: Annotated[tuple[LookDocument, ...], Field(max_length=1000)] = ()
    acceptance: AcceptanceDocument | None = None

    @classmethod
    def from_model(cls, decision: Decision, *, details: bool = True) -> Self:
        """Without *details*, the replicates, culprits and looks are left out."""
        comparison = decision.comparison
        return cls(
            endpoint=name(comparison.series.endpoint),
            metric=name(comparison.series.metric.name),
            kind=KINDS.word(comparison.kind),
            verdict=SERIES_VERDICTS.word(decision.verdict),
            reason=text(decision.reason),
            base=finite(comparison.base),
            candidate=finite(comparison.candidate),
            change=ChangeDocument.from_model(comparison.change),
            p_worse=finite(comparison.p_worse),
            p_better=finite(comparison.p_better),
            p_adjusted=finite(decision.p_adjusted),
            standard_error=finite(comparison.standard_error),
            smallest_detectable=finite(comparison.smallest_detectable),
            further_blocks=decision.further_blocks,
            budget=BudgetDocument.from_model(comparison.budget),
            replicates=tuple(map(ReplicateDocument.from_model, comparison.replicates)) if details else (),
            note=text(comparison.note),
            culprits=tuple(map(CulpritDocument.from_model, comparison.culprits)) if details else (),
            moved=finite(comparison.common_shift),
            stands_out=finite(comparison.critical_change),
            looks=tuple(map(LookDocument.from_model, decision.looks)) if details else (),
            acceptance=AcceptanceDocument.from_model(decision.acceptance),
        )

    def to_model(self, metrics: Mapping[str, Metric]) -> Decision:
        comparison = Comparison(
            series=Series(endpoint=self.endpoint, metric=metrics[self.metric]),
            kind=KINDS.member(self.kind),
            budget=self.budget.to_model(),
            base=self.base,
            candidate=self.candidate,
            change=self.change.to_model() if self.change else None,
            p_worse=self.p_worse,
            p_better=self.p_better,
            standard_error=self.standard_error,
            smallest_detectable=self.smallest_detectable,
            replicates=tuple(replicate.to_model() for replicate in self.replicates),
            note=self.note,
            culprits=tuple(culprit.to_model() for culprit in self.culprits),
            common_shift=self.moved,
            critical_change=self.stands_out,
        )
        acceptance = self.acceptance.to_model(comparison.series) if self.acceptance else None
        return Decision(
            comparison=comparison,
            verdict=SERIES_VERDICTS.member(self.verdict),
            p_adjusted=self.p_adjusted,
            because=WordedReason(self.reason),
            further_blocks=self.further_blocks,
            looks=tuple(look.to_model() for look in self.looks),
            acceptance=acceptance,
        )
