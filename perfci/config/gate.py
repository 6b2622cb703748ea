"""`[gate]` in `perfci.toml`: budgets, overrides, SLOs, and which verdicts fail the job."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from perfci.config.values import Name, first_given
from perfci.model import Budget, EndpointBudget, Reference, Role, RoundKind, Slo
from perfci.schema import Table


class Against(StrEnum):
    """What to compare with: `auto` decides by what there is, and says why."""

    AUTO = "auto"
    BASELINE = "baseline"
    REF = "ref"


class FailOn(StrEnum):
    """Which verdicts end in a failing exit code; an invalid measurement always does."""

    REGRESSION = "regression"
    INCONCLUSIVE = "inconclusive"
    NEVER = "never"


class BudgetChange(Table):
    """What a project changes about a default budget; the rest stays."""

    role: Role | None = None
    change: float | None = Field(None, ge=0)
    margin: float | None = Field(None, ge=0)
    floor: float | None = Field(None, ge=0)

    def applied_to(self, default: Budget | None) -> Budget:
        """The budget with this project's changes; a metric without a default informs, unless the project says more."""
        start = default or Budget(role=Role.INFORMS, change=0.1, margin=0.2)
        wider = None if self.change is None else 2 * self.change  # a margin that nobody set follows the budget
        return Budget(
            role=first_given(self.role, start.role),
            change=first_given(self.change, start.change),
            margin=first_given(self.margin, wider, start.margin),
            floor=first_given(self.floor, start.floor),
        )


class OverrideTable(Table):
    """What is different about some budgets: those that every given filter picks."""

    profile: Name | None = None
    endpoint: str | None = Field(None, min_length=1, max_length=500)
    metric: str | None = None
    reference: Reference | None = None
    kind: RoundKind | None = None
    role: Role | None = None
    change: float | None = Field(None, ge=0)
    margin: float | None = Field(None, ge=0)
    floor: float | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        numbers = (self.change, self.margin, self.floor)
        if self.role is None and all(number is None for number in numbers):
            raise ValueError("says nothing: give role, change, margin or floor")
        if self.metric is None and (self.role is not Role.INFORMS or any(number is not None for number in numbers)):
            raise ValueError('needs a metric: without one, only role = "informs" means something')
        return self

    def budget_change(self) -> BudgetChange:
        """What it changes about a whole metric's budget."""
        return BudgetChange(role=self.role, change=self.change, margin=self.margin, floor=self.floor)

    def endpoint_budget(self, pattern: str) -> EndpointBudget:
        """What it changes for the endpoints of *pattern*; a margin that nobody set follows the change."""
        wider = None if self.change is None else 2 * self.change
        margin = wider if self.margin is None else self.margin
        return EndpointBudget(pattern=pattern, role=self.role, change=self.change, margin=margin, floor=self.floor)


class SloTable(Table):
    """One absolute limit."""

    metric: str
    limit: float
    endpoint: str | None = Field(None, min_length=1, max_length=500)
    profile: Name | None = None

    def slo(self) -> Slo:
        """As the judge knows it."""
        where = {} if self.endpoint is None else {"endpoint": self.endpoint}
        return Slo(metric=self.metric, limit=self.limit, **where)


class GateTable(Table):
    """The project's policy. On a pull request it is read from the base commit."""

    alpha: float | None = Field(None, gt=0, lt=0.5)
    confidence: float | None = Field(None, gt=0.5, lt=1)
    min_requests: int | None = Field(None, ge=1)
    accept_census: bool = True  # more work that the change itself writes into census.json is not red
    budget: dict[Reference, dict[RoundKind, dict[str, BudgetChange]]] = {}
    override: tuple[OverrideTable, ...] = ()
    slo: tuple[SloTable, ...] = ()
