"""Decides what a job will do before anything is started, and reports every mistake that can be found by then."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from perfci.config import Against, BaselineSchedule, Blocks, Config, Duration, PairedSchedule, Scenario, WorkersTable
from perfci.errors import ConfigError
from perfci.model import Arrivals, LoadPlan, LookPlan, RoundKind, Stage
from perfci.pipeline.paths import inside
from perfci.rig import seed, target
from perfci.rig.load import sources
from perfci.rig.load.packages import Requirements, check_locust
from perfci.rig.load.runtime import Runtime
from perfci.rig.load.workers import Workers, invitation
from perfci.schema import Table, parse


class Overrides(Table):
    """What flags or the Action's inputs change about a scenario; None leaves it as configured."""

    users: int | None = None
    spawn_rate: float | None = None
    duration: Duration | None = None
    warmup: Duration | None = None
    blocks: Blocks | None = None
    keep_going: bool = False
    rounds: int | None = None
    tags: tuple[str, ...] | None = None
    user_classes: tuple[str, ...] | None = None

    @property
    def load(self) -> bool:
        """Whether these overrides change the load; more blocks or rounds of the same load do not."""
        given = (self.users, self.spawn_rate, self.duration, self.warmup, self.tags, self.user_classes)
        return any(value is not None for value in given)


@dataclass(frozen=True, slots=True, kw_only=True)
class SideSource:
    """One side: a tree of files, how it is started and seeded, and its variables."""

    tree: Path  # the project's folder
    target: target.Options
    seed: seed.Options
    env: Mapping[str, str] = field(default_factory=dict)  # for the target of this side alone

    @property
    def external(self) -> bool:
        """Whether perfci does not start the target itself, so that it is the same for every commit."""
        return self.target.kind == "external"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The load and the schedule of one job."""

    profile: str
    scenario: str
    load: LoadPlan
    workers: Workers | None  # elsewhere, who drive the users
    runtime: Runtime
    requirements: Requirements  # of the load, beside Locust
    paired: PairedSchedule
    guard_s: float  # of the measured part of a load round in a block that has turns, too
    guard_warmup_s: float  # and of its warm-up
    baseline: BaselineSchedule
    against: Against | None  # what the scenario is compared with; None: as the whole configuration says
    limits_rounds: int  # load rounds where limits alone are held against it
    rng_seed: int
    keep_going: bool = False  # measure on after a regression, until everything that is required is settled

    @property
    def name(self) -> str:
        """PROFILE:SCENARIO, as people type it."""
        return f"{self.profile}:{self.scenario}"

    def for_both_sides(self) -> "Plan":
        """The plan of a run of both sides: load rounds beside turns only guard, and may be shorter."""
        if not self.paired.duet:
            return self
        return replace(self, load=replace(self.load, duration_s=self.guard_s, warmup_s=self.guard_warmup_s))

    @property
    def looks(self) -> LookPlan | None:
        """The looks at a run of both sides; None where a fixed number of blocks is judged once."""
        blocks, loads = self.paired.blocks, self.paired.load_blocks
        if blocks.fixed:
            return None
        if not self.paired.duet:
            return LookPlan(first=blocks.least, most={RoundKind.LOAD: blocks.most})
        most = {RoundKind.DUET: blocks.most} | ({RoundKind.LOAD: min(loads, blocks.most)} if loads else {})
        return LookPlan(first=blocks.least, most=most)

    @property
    def load_s(self) -> float:
        """Smallest duration of a load round, in seconds."""
        return self.load.users / self.load.spawn_rate + self.load.warmup_s + self.load.duration_s

    def block_s(self, block: int) -> float:
        """Smallest duration of the rounds of a block with both sides, in seconds."""
        return self.paired.duet_s + (2 * self.load_s if self.paired.loads(block) else 0.0)


def plan_of(config: Config, name: str, overrides: Overrides, *, root: Path) -> Plan:
    """The plan of "PROFILE[:SCENARIO]" with *overrides*."""
    profile_name, scenario_name, profile, configured = config.find(name)
    scenario = _overridden(configured, overrides)
    runtime = Runtime(
        files=locustfiles(profile.locustfile, root=root),
        directory=_directory(profile.working_directory, root=root),
        arguments=scenario.arguments,
        exclude_tags=scenario.exclude_tags,
        limited_classes=limited_classes(config, profile_name, scenario_name),
    )
    requirements = _requirements(profile.requirements, root=root)
    return Plan(
        profile=profile_name,
        scenario=scenario_name,
        load=LoadPlan(
            locustfile=", ".join(profile.locustfile),
            user_classes=scenario.user_classes,
            tags=scenario.tags,
            users=scenario.most_users,
            spawn_rate=scenario.rate(),
            duration_s=scenario.measured_s,
            warmup_s=scenario.warmup,
            environment=scenario.environment,
            digest=_load_digest(runtime, requirements, profile_name, root=root),
            processes=scenario.processes,
            workers=scenario.workers.count if scenario.workers else 0,
            stages=_stages(scenario),
            endpoints=tuple(each.named() for each in config.endpoints),
            arrivals=None
            if scenario.arrivals is None
            else Arrivals(**scenario.arrivals.model_dump(), rng_seed=config.rng_seed),
        ),
        workers=_workers(scenario.workers, f"{profile_name}:{scenario_name}"),
        runtime=runtime,
        requirements=requirements,
        paired=scenario.paired,
        guard_s=scenario.guard_s,
        guard_warmup_s=scenario.guard_warmup_s,
        baseline=scenario.baseline,
        against=scenario.against,
        limits_rounds=overrides.rounds or 1,
        rng_seed=config.rng_seed,
        keep_going=overrides.keep_going,
    )


def limited_classes(config: Config, profile: str, scenario: str) -> tuple[str, ...]:
    """The user classes that the limits of a scenario are for."""
    return tuple(sorted({slo.user for slo in config.gate.slo if slo.user and slo.holds(profile, scenario)}))


def locustfiles(named: Sequence[str], *, root: Path) -> tuple[str, ...]:
    """The paths of the *named* Locust files, relative to *root*; of a folder all modules without a leading `_`."""
    found: list[str] = []
    for name in named:
        path = inside(root, name, what="locustfile")
        if not path.is_dir():
            found.append(name)
            continue
        below = sorted(file for file in path.rglob("*.py") if not file.name.startswith("_"))
        if not below:
            raise ConfigError(f"the folder {name} holds no Locust file", hint="Locust files end with .py")
        found += [file.relative_to(root.resolve()).as_posix() for file in below]
    for name in found:
        inside(root, name, what="locustfile")
    return tuple(dict.fromkeys(found))


def _load_digest(runtime: Runtime, requirements: Requirements, profile: str, *, root: Path) -> str:
    """Digest of everything that decides which requests are sent: files and their imports, arguments, tags, packages."""
    digests = []
    for name in runtime.files:
        try:
            digests.append(sources.digest(inside(root, name, what="locustfile"), root=root.resolve()))
        except OSError as error:
            raise ConfigError(
                f"the locustfile {name} cannot be read: {error.strerror}",
                hint=f"check locustfile in [profiles.{profile}]; it is relative to the configuration file",
            ) from None
    rest = [*runtime.arguments, *(f"-E {tag}" for tag in runtime.exclude_tags), *requirements.text().splitlines()]
    if len(digests) == 1 and not rest:
        return digests[0]
    return hashlib.sha256("\0".join([*digests, *rest]).encode()).hexdigest()[:16]


def _directory(name: str, *, root: Path) -> str:
    if not inside(root, name, what="working_directory").is_dir():
        raise ConfigError(f"the working_directory {name} is no folder", hint="it is relative to the configuration file")
    return name


def _requirements(given: str | tuple[str, ...], *, root: Path) -> Requirements:
    """The profile's requirements; ConfigError where a file cannot be read, or asks for another Locust."""
    if not isinstance(given, str):
        found = Requirements(lines=given)
    else:
        found = Requirements(file=inside(root, given, what="requirements"))
    try:
        check_locust(found)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(
            f"the requirements {given} cannot be read: {why}", hint="they are relative to the configuration file"
        ) from None
    return found


def _stages(scenario: Scenario) -> tuple[Stage, ...]:
    return tuple(
        Stage(name=stage.name or f"stage-{number}", users=stage.users, ramp_s=stage.ramp, hold_s=stage.hold)
        for number, stage in enumerate(scenario.stages, start=1)
    )


def _workers(table: WorkersTable | None, name: str) -> Workers | None:
    if table is None:
        return None
    return Workers(
        count=table.count,
        bind=table.bind,
        port=table.port,
        wait_s=table.wait,
        command=invitation(name, bind=table.bind, port=table.port),
    )


def _overridden(scenario: Scenario, overrides: Overrides) -> Scenario:
    given = overrides.model_dump(exclude_none=True, exclude={"keep_going"})
    tables = scenario.model_dump(exclude_unset=True)
    for option, (table, key) in {"blocks": ("paired", "blocks"), "rounds": ("baseline", "rounds")}.items():
        if option in given:
            tables[table] = {**tables.get(table, {}), key: given.pop(option)}
    if scenario.stages:
        tables["stages"] = _resized(scenario, given.pop("users", None), given.pop("duration", None))
    return parse(Scenario, {**tables, **given}, where="the options")


def _resized(scenario: Scenario, users: int | None, seconds: float | None) -> list[Any]:
    """The stages of *scenario* with at most so many users, in so many seconds; None: as configured."""
    if users is not None:
        scenario = scenario.model_copy(update={"stages": scenario.stages_with_most(users)})
    try:
        stages = scenario.stages if seconds is None else scenario.stages_lasting(seconds)
    except ValueError as error:
        raise ConfigError(f"--duration: {error}", hint="give a longer one") from error
    return [stage.model_dump(exclude_unset=True) for stage in stages]


def source_of(config: Config, *, tree: Path, file: str, env: Mapping[str, str] | None = None) -> SideSource:
    """What is started from *tree*, as [target] and [seed] of *config* say; *file* is named in errors."""
    return SideSource(
        tree=tree,
        target=target.parse(config.target, where=f"{file}: [target]"),
        seed=seed.parse(config.seed, where=f"{file}: [seed]"),
        env=env or {},
    )
