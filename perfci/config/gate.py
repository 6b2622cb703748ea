"""`[gate]` in `perfci.toml`: budgets, overrides, SLOs, and which verdicts fail the job."""

from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from perfci.config.values import Duration, Name, NamePatterns
from perfci.model import BudgetRule, Importance, Reference, Role, RoundKind, Slo
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
    group: Name | None = None  # of endpoints, which are judged as one
    user: str | None = Field(None, pattern=r"^[^\W\d]\w*$", max_length=100)  # class whose requests alone count
    phase: Name | None = None  # of the load, as its stages are called
    throughout: Duration | None = Field(None, ge=5)  # length of the windows in each of which the limit holds
    profile: Name | None = None
    scenario: NamePatterns | None = None  # of that profile
    importance: Importance = Importance.CRITICAL

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.endpoint is not None and self.group is not None:
            raise ValueError("is on an endpoint or on a group: give one of them")
        if self.scenario is not None and self.profile is None:
            raise ValueError("names a scenario: give its profile, too")
        if self.user is not None and self.profile is None:
            raise ValueError("names a user class: give its profile, too")
        if self.user is not None and self.phase is not None:
            raise ValueError("is on a user class or on a phase: give one of them")
        if self.throughout is not None and (self.endpoint, self.group, self.user, self.phase) != (None,) * 4:
            raise ValueError("holds throughout a round for all requests together: no endpoint, group, user or phase")
        return self

    def slo(self, groups: Mapping[str, tuple[str, ...]] | None = None) -> Slo:
        """Convert to the judge's SLO; *groups* are those of the policy."""
        where: dict[str, Any] = {} if self.endpoint is None else {"endpoint": self.endpoint}
        if self.group is not None:
            where = {"endpoint": f"({self.group})", "members": (groups or {}).get(self.group, ())}
        return Slo(
            metric=self.metric,
            limit=self.limit,
            phase=self.phase or "",
            user=self.user or "",
            throughout_s=self.throughout or 0.0,
            importance=self.importance,
            **where,
        )

    def holds(self, profile: str, scenario: str) -> bool:
        """Whether the limit is for that scenario."""
        named = self.scenario is None or any(fnmatchcase(scenario, pattern) for pattern in self.scenario)
        return named and self.profile in {None, profile}

    def narrowness(self, scenario: str) -> int:
        """How narrowly the limit names a scenario: 3 by its name, 2 by a pattern, 1 by its profile, 0 not at all."""
        if self.scenario is not None:
            return 3 if scenario in self.scenario else 2
        return int(self.profile is not None)

    @property
    def about(self) -> object:
        """What the limit is on: of several limits on the same, that which names the scenario most narrowly counts."""
        return self.metric, self.endpoint, self.group, self.phase, self.user, self.throughout, self.importance.fails


class GateTable(Table):
    """The project's policy. On a pull request it is read from the base commit."""

    alpha: float | None = Field(None, gt=0, lt=0.5)
    confidence: float | None = Field(None, gt=0.5, lt=1)
    min_requests: int | None = Field(None, ge=1)
    accept_census: bool = True  # more work that the change itself writes into census.json is not red
    accept_answers: tuple[Endpoint, ...] = ()  # patterns of endpoints that may answer otherwise, or be gone
    budget: dict[Compared, dict[RoundKind, dict[str, BudgetTable]]] = {}
    override: tuple[OverrideTable, ...] = ()
    groups: dict[Name, Annotated[tuple[Endpoint, ...], Field(min_length=1)]] = {}  # patterns of endpoints by name
    slo: tuple[SloTable, ...] = ()

    @model_validator(mode="after")
    def _groups_exist(self) -> Self:
        named = {slo.group for slo in self.slo if slo.group is not None}
        if unknown := sorted(named - self.groups.keys()):
            raise ValueError(
                f"slo names unknown groups: {', '.join(unknown)}; [gate.groups] has: {', '.join(self.groups) or 'none'}"
            )
        return self
