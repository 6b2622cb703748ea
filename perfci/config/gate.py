"""`[gate]` in `perfci.toml`: budgets, overrides, SLOs, and which verdicts fail the job."""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from perfci.config.values import Name
from perfci.model import BudgetRule, Reference, Role, RoundKind, Slo
from perfci.schema import Table

Endpoint = Annotated[str, Field(min_length=1, max_length=500)]
"""The name of an endpoint, or a pattern."""


class Against(StrEnum):
    """What to compare with: `auto` decides by what there is, and says why."""

    AUTO = "auto"
    BASELINE = "baseline"
    REF = "ref"
    LIMITS = "limits"


class FailOn(StrEnum):
    """
    Which verdicts end in a failing exit code; an invalid measurement always does.

    Each includes those before it: never, regression, no-baseline, inconclusive.
    """

    NEVER = "never"
    REGRESSION = "regression"
    NO_BASELINE = "no-baseline"
    INCONCLUSIVE = "inconclusive"


class OnMissingBase(StrEnum):
    """What a run does whose base commit is there and does not start."""

    FAIL = "fail"  # the verdict is invalid
    BASELINE = "baseline"  # the change is compared with the stored runs, if there are any


class Load(StrEnum):
    """Whose Locust file drives both sides."""

    HEAD = "head"
    BASE = "base"


Limit = Annotated[float, Field(ge=0)]


def _compared(reference: Reference) -> Reference:
    if reference is Reference.LIMITS:
        raise ValueError("limits are no reference for a budget: an absolute limit is a [[gate.slo]]")
    return reference


Compared = Annotated[Reference, AfterValidator(_compared)]
"""What a budget may be for."""


class BudgetTable(Table):
    """What a project changes about a budget; the rest stays."""

    role: Role | None = None
    change: Limit | None = None
    margin: Limit | None = None
    floor: Limit | None = None

    def rule(self, **picks: Any) -> BudgetRule:
        """Convert to the judge's rule for the series that *picks* names; an unset margin follows the change."""
        wider = None if self.change is None else 2 * self.change
        margin = wider if self.margin is None else self.margin
        return BudgetRule(role=self.role, change=self.change, margin=margin, floor=self.floor, **picks)


class _Picked(Table):
    """Filters that choose budgets: a budget is chosen if every given filter matches."""

    profile: Name | None = None
    endpoint: str | None = Field(None, min_length=1, max_length=500)
    metric: str | None = None
    reference: Compared | None = None
    kind: RoundKind | None = None


class OverrideTable(BudgetTable, _Picked):
    """Other budgets for the series that its filters match."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        numbers = (self.change, self.margin, self.floor)
        if self.role is None and all(number is None for number in numbers):
            raise ValueError("says nothing: give role, change, margin or floor")
        if self.metric is None and (self.role is not Role.ADVISORY or any(number is not None for number in numbers)):
            raise ValueError('needs a metric: without one, only role = "advisory" means something')
        return self

    def own_rule(self) -> BudgetRule:
        """Convert to the judge's rule."""
        return self.rule(reference=self.reference, kind=self.kind, metric=self.metric, endpoint=self.endpoint)


class SloTable(Table):
    """One absolute limit."""

    metric: str
    limit: float
    endpoint: str | None = Field(None, min_length=1, max_length=500)
    profile: Name | None = None

    def slo(self) -> Slo:
        """Convert to the judge's SLO."""
        where = {} if self.endpoint is None else {"endpoint": self.endpoint}
        return Slo(metric=self.metric, limit=self.limit, **where)


class GateTable(Table):
    """The project's policy. On a pull request it is read from the base commit."""

    alpha: float | None = Field(None, gt=0, lt=0.5)
    confidence: float | None = Field(None, gt=0.5, lt=1)
    min_requests: int | None = Field(None, ge=1)
    accept_census: bool = True  # more work that the change itself writes into census.json is not red
    accept_answers: tuple[Endpoint, ...] = ()  # patterns of endpoints that may answer otherwise, or be gone
    budget: dict[Compared, dict[RoundKind, dict[str, BudgetTable]]] = {}
    override: tuple[OverrideTable, ...] = ()
    slo: tuple[SloTable, ...] = ()
