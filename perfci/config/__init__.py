"""
Reads `perfci.toml` into typed values.

Precedence, weakest first: the file, its named environment (`--environment`), environment variables, flags. The last
two belong to the CLI: click reads a PERFCI_* variable for each option that the Action needs. A room's own table
(`[target]`, `[seed]`) is handed to the room unread, so that a new kind of target touches one room only.
"""

import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from perfci import __version__
from perfci.config.census import CensusTable, PrometheusTable
from perfci.config.endpoints import EndpointTable
from perfci.config.gate import Against, BudgetTable, FailOn, GateTable, Load, OnMissingBase, OverrideTable, SloTable
from perfci.config.monitor import AlertTable, MonitorTable
from perfci.config.renames import apply_renames, apply_rewordings
from perfci.config.scenario import (
    ArrivalsTable,
    BaselineSchedule,
    Blocks,
    BlocksTable,
    PairedSchedule,
    Profile,
    Scenario,
    StageTable,
    WorkersTable,
)
from perfci.config.secrets import SecretsTable, VariablePattern
from perfci.config.values import Duration, Name, seconds
from perfci.errors import ConfigError
from perfci.schema import Table, parse

__all__ = [
    "CHECK",
    "Against",
    "AlertTable",
    "ArrivalsTable",
    "BaselineSchedule",
    "Blocks",
    "BlocksTable",
    "BudgetTable",
    "CensusTable",
    "Config",
    "Duration",
    "EndpointTable",
    "FailOn",
    "GateTable",
    "Load",
    "MonitorTable",
    "OnMissingBase",
    "Overlay",
    "OverrideTable",
    "PairedSchedule",
    "Profile",
    "PrometheusTable",
    "Scenario",
    "SecretsTable",
    "SloTable",
    "StageTable",
    "WorkersTable",
    "from_bytes",
    "read",
    "seconds",
]

VERSION = 1
"""Version of the configuration format; a new one is needed where a file of today would change its meaning."""

CHECK = "docs/configuration.md names every key; `perfci doctor --no-start` checks the file"


class Overlay(Table):
    """A named environment: tables that replace those of the file, key by key."""

    target: dict[str, Any] = {}
    seed: dict[str, Any] = {}


class Config(Table):
    """The whole of `perfci.toml`."""

    version: Literal[1] = 1  # of the configuration, not of perfci
    target: dict[str, Any]
    seed: dict[str, Any] = {"kind": "none"}
    profiles: dict[Name, Profile] = Field(min_length=1)
    endpoints: tuple[EndpointTable, ...] = ()  # the first that matches gives the name
    census: CensusTable = CensusTable()
    monitor: MonitorTable = MonitorTable()
    gate: GateTable = GateTable()
    against: Against = Against.AUTO
    fail_on: FailOn | None = None  # no-baseline on a pull request, else regression
    on_missing_base: OnMissingBase = OnMissingBase.FAIL
    load: Load = Load.HEAD
    baselines: str = "baselines"
    rng_seed: int = Field(1, ge=0)
    keep_runs: int = Field(20, ge=2)  # the newest, in .perfci/runs
    secrets: SecretsTable = SecretsTable()
    pass_env: tuple[VariablePattern, ...] = ()
    block_env: tuple[VariablePattern, ...] = ()
    environments: dict[Name, Overlay] = {}
    _warnings: tuple[str, ...] = PrivateAttr(())

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings for the reader of the file: keys under old names."""
        return self._warnings

    @model_validator(mode="after")
    def _profiles_exist(self) -> Self:
        named = {table.profile for table in self.gate.override} | {table.profile for table in self.gate.slo}
        named |= {table.profile for table in self.monitor.alert}
        if unknown := sorted(name for name in named if name is not None and name not in self.profiles):
            known = _listed(self.profiles)
            raise ValueError(
                f"[gate] or [monitor] names unknown profiles: {', '.join(unknown)}; the profiles are: {known}"
            )
        if unknown := sorted({name for slo in self.gate.slo for name in self._unknown_scenarios(slo)}):
            raise ValueError(f"[[gate.slo]] names unknown scenarios: {', '.join(unknown)}")
        if without := sorted({text for slo in self.gate.slo for text in self._without_user(slo)}):
            raise ValueError(f"[[gate.slo]] is on a user class that is not driven: {', '.join(without)}")
        return self

    def _without_user(self, slo: SloTable) -> list[str]:
        """The scenarios for which the limit holds, and which leave its user class out."""
        if slo.user is None or slo.profile is None:
            return []
        driven = {name: each.user_classes for name, each in self.profiles[slo.profile].scenarios.items()}
        return [
            f"{slo.user} by {slo.profile}:{name}, which has {' '.join(classes)}"
            for name, classes in driven.items()
            if classes and slo.user not in classes and slo.holds(slo.profile, name)
        ]

    def _unknown_scenarios(self, slo: SloTable) -> list[str]:
        """The names and patterns of the limit that no scenario of its profile has."""
        known = self.profiles[slo.profile].scenarios if slo.profile else {}
        unknown = [pattern for pattern in slo.scenario or () if not any(fnmatchcase(name, pattern) for name in known)]
        return [f"{slo.profile}:{pattern}" for pattern in unknown]

    def find(self, name: str) -> tuple[str, str, Profile, Scenario]:
        """Return profile and scenario of "PROFILE" or "PROFILE:SCENARIO"; without a scenario, the first of the file."""
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
        """Return the configuration with the tables of the named environment applied."""
        if environment is None:
            return self
        overlay = self.environments.get(environment)
        if overlay is None:
            known = f"the environments are: {_listed(self.environments)}" if self.environments else "the file has none"
            raise ConfigError(f"no environment {environment!r}", hint=known)
        changes = {"target": _overlaid(self.target, overlay.target), "seed": _overlaid(self.seed, overlay.seed)}
        return self.model_copy(update=changes)

    def at(self, host: str | None) -> "Config":
        """Return the configuration with the service that runs at the address *host* already as its target."""
        if host is None:
            return self
        kept = {key: value for key, value in self.target.items() if key in {"allow_hosts", "ready", "tls"}}
        return self.model_copy(update={"target": {**kept, "kind": "external", "url": host}})


def _overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two tables key by key; a table with another `kind` replaces the one below it whole."""
    if "kind" in above and above["kind"] != below.get("kind"):
        return dict(above)
    return {**below, **above}


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(names)


def read(path: Path) -> Config:
    """Read the configuration at *path*; ConfigError lists every problem at once."""
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
    """
    Parse the configuration in *content*; *where* names its origin in errors.

    Keys under old names are read, and `warnings` says so; a version that this perfci does not know is a ConfigError.
    """
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
        _check_version(document.get("version", VERSION), where)
        document, warnings = apply_renames(document, where=where)
        document, reworded = apply_rewordings(document, where=where)
        config = parse(Config, document, where=where, error=_unusable)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where} is not UTF-8 (byte {error.start})", hint="save it as UTF-8") from None
    except (ValueError, RecursionError) as error:  # not only TOMLDecodeError: numbers and brackets without end
        raise _unusable(f"{where} is not TOML: {error}") from None
    config._warnings = (*warnings, *reworded)  # noqa: SLF001 - its own factory
    return config


def _check_version(version: object, where: str) -> None:
    """Refuse a newer file before any key is read: it may have keys that this perfci does not know."""
    if isinstance(version, bool) or not isinstance(version, int):
        raise _unusable(f"{where}: version is a whole number, not {str(version)[:20]!r}")
    if version > VERSION:
        raise ConfigError(
            f"{where} is written for version {version} of the configuration, and perfci {__version__} reads {VERSION}",
            hint="update perfci",
        )


def _unusable(message: str) -> ConfigError:
    return ConfigError(message, hint=CHECK)
