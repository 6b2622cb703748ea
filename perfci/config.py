"""
`perfci.toml` as typed values.

Strength, weakest first: the file, its named environment (`--environment`), environment variables, flags. The last two
are the CLI's: click reads a PERFCI_* variable for each option that the Action needs. A room's own table (`[target]`,
`[seed]`) is handed to the room as it stands, so that a new kind of target touches one room only.
"""

import math
import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from perfci.errors import ConfigError
from perfci.model import Alert, Budget, EndpointBudget, Reference, Role, RoundKind, Severity, Slo
from perfci.schema import Table, parse

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
T = TypeVar("T")
CHECK = "docs/configuration.md names every key; `perfci doctor` checks the file without starting anything"
MOST_SPAWNED = 500.0
"""Users that a process starts per second without standing still: each sends its first request at once."""

NAME = r"^[a-z0-9][a-z0-9-]*$"


def seconds(value: object) -> float:
    """Seconds of "90", "90s", "2m", "1.5h" or a number; ValueError names the allowed form."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) < 1e300 else math.inf
    elif isinstance(value, str) and (found := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\s*", value)):
        number = float(found[1]) * UNITS_S[found[2] or "s"]
    else:
        raise ValueError('a duration is a number of seconds or text like "90s", "2m", "1h"')
    if not 0 <= number <= 7 * 86400:
        raise ValueError("a duration lies between 0 and 7 days")
    return number


def own(name: str) -> str:
    """The name of a variable for the locustfile; ValueError where Locust, or its recorder, would obey it."""
    if name.upper().startswith(("LOCUST_", "PERFCI_")):
        raise ValueError("would change the load behind the plan's back: the keys of the scenario decide about it")
    return name


Duration = Annotated[float, BeforeValidator(seconds)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), AfterValidator(own)]
VariableText = Annotated[str, Field(pattern=r"^[^\x00]*$")]
Name = Annotated[str, Field(pattern=NAME, max_length=60)]


def _first(*values: T | None) -> T:
    """The first value that was given."""
    return next(value for value in values if value is not None)


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


class PairedSchedule(Table):
    """How base and candidate share the time of a job, both on this machine."""

    blocks: int = Field(8, ge=2, le=100)  # starts of both sides; the block is the replicate
    duet: Duration = 5.0  # of turns per block, after their warm-up; 0: none
    duet_warmup: Duration = 1.0
    load_blocks: int = Field(4, ge=0, le=100)  # blocks that also get a load round for each side
    slice: Duration = 1.0  # of load on one side before the other has its turn; 0: a whole round each

    @property
    def duet_s(self) -> float:
        """Seconds of turns in a block, with their warm-up."""
        return self.duet_warmup + self.duet if self.duet else 0.0

    def loads(self, block: int) -> bool:
        """Whether *block* has load rounds; without turns they are all there is."""
        return not self.duet or block <= self.load_blocks


class BaselineSchedule(Table):
    """How one run is measured that is to be compared with stored ones."""

    rounds: int = Field(5, ge=1, le=100)  # load rounds, each on a target started anew


class ArrivalsTable(Table):
    """Tasks that are due at times of their own, instead of the users' waits: an open workload."""

    rate: float = Field(gt=0, le=100_000)  # tasks a second, of all users together
    pattern: Literal["poisson", "constant"] = "poisson"


class WorkersTable(Table):
    """Load generators on other machines, which drive the users instead of this one."""

    count: int = Field(ge=1, le=256)
    bind: str = Field("127.0.0.1", pattern=r"^[A-Za-z0-9.:*-]+$")  # where they connect; "0.0.0.0": every address
    port: int = Field(5557, ge=1, le=65_535)
    wait: Duration = 120.0  # for all of them to connect


class Scenario(Table):
    """One way to drive a profile."""

    users: int = Field(10, ge=1, le=100_000)
    spawn_rate: float | None = Field(None, gt=0)  # users per second; default: all within two seconds, if they are few
    processes: int = Field(1, ge=1, le=256)  # of the load generator, which share the users
    workers: WorkersTable | None = None
    duration: Duration = 12.0  # of the measured part of a load round
    warmup: Duration = 3.0  # cut off after the last user has started
    environment: dict[VariableName, VariableText] = {}  # variables for the locustfile
    user_classes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    arrivals: ArrivalsTable | None = None  # the users are then those that take them
    paired: PairedSchedule = PairedSchedule()
    baseline: BaselineSchedule = BaselineSchedule()

    @model_validator(mode="after")
    def _driven_once(self) -> Self:
        if self.workers is not None and self.processes > 1:
            raise ValueError("processes are of this machine, workers of others: give one of them")
        return self

    @model_validator(mode="after")
    def _taken(self) -> Self:
        sharing = self.workers.count if self.workers is not None else self.processes
        if self.arrivals is not None and self.users < sharing:
            raise ValueError(f"arrivals are shared by {sharing} load generators, and each needs a user that takes them")
        return self

    def rate(self) -> float:
        """Users started per second."""
        if self.spawn_rate is not None:
            return self.spawn_rate
        generators = self.workers.count if self.workers else self.processes
        return min(max(1.0, self.users / 2), MOST_SPAWNED * generators)


class Profile(Table):
    """One Locust file and the scenarios that drive it."""

    locustfile: str
    scenarios: dict[Name, Scenario] = Field(min_length=1)


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
            role=_first(self.role, start.role),
            change=_first(self.change, start.change),
            margin=_first(self.margin, wider, start.margin),
            floor=_first(self.floor, start.floor),
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


class PrometheusTable(Table):
    """Counters that the service publishes itself."""

    path: str = Field("/metrics", pattern=r"^(/.*)?$")  # empty: not asked for
    names: tuple[str, ...] = ()  # empty: every counter that stands still while nothing is asked


class CensusTable(Table):
    """How the work of the target is counted."""

    enabled: Literal["auto", "off"] = "auto"  # auto: where there is something that counts
    requests: int = Field(20, ge=2, le=10_000)  # of each endpoint, the first visit apart
    seconds: Duration = 15.0  # after which it ends, whatever was seen
    headers: tuple[str, ...] = ()  # of the answers, whose numbers count, beside Server-Timing
    exclude: tuple[str, ...] = ()  # sources that are not opened, by name or kind
    prometheus: PrometheusTable = PrometheusTable()


class AlertTable(Table):
    """A limit on what is watched."""

    name: Name
    gauge: str = Field(min_length=1, max_length=200)
    above: float | None = None  # one of the two, in the gauge's unit
    below: float | None = None
    seconds: Duration = 5.0  # of measured time in a row beyond it
    severity: Severity = Severity.WARN
    profile: Name | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("needs one limit: above or below")
        return self

    def alert(self) -> Alert:
        """As the judge knows it."""
        return Alert(
            name=self.name,
            gauge=self.gauge,
            limit=_first(self.above, self.below),
            upper=self.above is not None,
            seconds=self.seconds,
            severity=self.severity,
        )


class MonitorTable(Table):
    """How the target is watched while it is under load. Its alerts are policy, and read from the base commit."""

    enabled: Literal["auto", "off"] = "auto"
    exclude: tuple[str, ...] = ()  # sources that are not read, by name or kind
    allow_hosts: tuple[str, ...] = ()  # beside this machine, that may be asked for gauges
    gauges: dict[Name, dict[str, Any]] = {}
    alert: tuple[AlertTable, ...] = ()


class Overlay(Table):
    """A named environment: tables that replace those of the file, key by key."""

    target: dict[str, Any] = {}
    seed: dict[str, Any] = {}


class Config(Table):
    """The whole of `perfci.toml`."""

    target: dict[str, Any]
    seed: dict[str, Any] = {"kind": "none"}
    profiles: dict[Name, Profile] = Field(min_length=1)
    census: CensusTable = CensusTable()
    monitor: MonitorTable = MonitorTable()
    gate: GateTable = GateTable()
    against: Against = Against.AUTO
    fail_on: FailOn = FailOn.REGRESSION
    baselines: str = "baselines"
    rng_seed: int = Field(1, ge=0)
    environments: dict[Name, Overlay] = {}

    @model_validator(mode="after")
    def _profiles_exist(self) -> Self:
        named = {one.profile for one in self.gate.override} | {one.profile for one in self.gate.slo}
        named |= {one.profile for one in self.monitor.alert}
        if unknown := sorted(name for name in named if name is not None and name not in self.profiles):
            known = _listed(self.profiles)
            raise ValueError(
                f"[gate] or [monitor] names unknown profiles: {', '.join(unknown)}; the profiles are: {known}"
            )
        return self

    def find(self, name: str) -> tuple[str, str, Profile, Scenario]:
        """Profile and scenario of "PROFILE" or "PROFILE:SCENARIO"; without one, the first of the file."""
        profile_name, _, scenario_name = name.partition(":")
        profile = self.profiles.get(profile_name)
        if profile is None:
            raise ConfigError(f"no profile {profile_name!r}", hint=f"the profiles are: {_listed(self.profiles)}")
        scenario_name = scenario_name or next(iter(profile.scenarios))
        scenario = profile.scenarios.get(scenario_name)
        if scenario is None:
            raise ConfigError(
                f"profile {profile_name!r} has no scenario {scenario_name!r}",
                hint=f"its scenarios are: {_listed(profile.scenarios)}",
            )
        return profile_name, scenario_name, profile, scenario

    def within(self, environment: str | None) -> "Config":
        """The configuration as it is in the named environment."""
        if environment is None:
            return self
        overlay = self.environments.get(environment)
        if overlay is None:
            known = f"the environments are: {_listed(self.environments)}" if self.environments else "the file has none"
            raise ConfigError(f"no environment {environment!r}", hint=known)
        changes = {"target": _overlaid(self.target, overlay.target), "seed": _overlaid(self.seed, overlay.seed)}
        return self.model_copy(update=changes)


def _overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Key by key; a table of another kind shares no keys with the one below it and so replaces it whole."""
    if "kind" in above and above["kind"] != below.get("kind"):
        return dict(above)
    return {**below, **above}


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(names)


def read(path: Path) -> Config:
    """The configuration in *path*; ConfigError says what cannot be used, all of it at once."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"there is no {path}", hint="run perfci where your perfci.toml is, or name it with --config"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    return from_bytes(content, where=path.name)


def from_bytes(content: bytes, *, where: str) -> Config:
    """The configuration in *content*, which came from *where*."""
    try:
        return parse(Config, tomllib.loads(content.decode("utf-8")), where=where, error=_unusable)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where} is not UTF-8 (byte {error.start})", hint="save it as UTF-8") from None
    except (ValueError, RecursionError) as error:  # not only TOMLDecodeError: numbers and brackets without end
        raise _unusable(f"{where} is not TOML: {error}") from None


def _unusable(message: str) -> ConfigError:
    return ConfigError(message, hint=CHECK)
