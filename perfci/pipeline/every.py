"""`perfci run --all`: runs every scenario of a profile, or of the configuration, and combines their outcomes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from perfci.config import Against, Config, Scenario, read
from perfci.errors import ConfigError, ExitCode, PerfciError
from perfci.judge.readiness import readiness_of
from perfci.model import Outcome, Readiness
from perfci.pipeline import documents
from perfci.pipeline.parts import LocustFiles, obstacle, parted
from perfci.pipeline.plan import Overrides
from perfci.pipeline.ports import Ports
from perfci.pipeline.request import Request
from perfci.pipeline.run import run
from perfci.report import overview_json
from perfci.rig.load.collection import Collection
from perfci.store import write_atomically

SMOKE = "smoke"
"""Scenarios that fit a laptop and a minute are called "smoke", or end with "-smoke"."""

SOAK_S = 3600.0
"""Seconds of load from which a scenario counts as a soak test, which runs only on request."""

OVERVIEW = "overview.json"

WORST_FIRST = (
    ExitCode.USAGE,
    ExitCode.NOT_MEASURED,
    ExitCode.REGRESSION,
    ExitCode.INCONCLUSIVE,
    ExitCode.OK,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overall:
    """The outcome of each scenario by its name, the readiness of each profile, and the worst exit code."""

    outcomes: Mapping[str, Outcome]
    readiness: Mapping[str, Readiness]
    exit_code: ExitCode
    file: Path  # in which all of it stands
    left_out: Mapping[str, str]  # scenario -> why it was not run


def run_all(request: Request, ports: Ports, *, smoke: bool, include_soak: bool) -> Overall:
    """
    Run the scenarios of the `Choice`, against limits only, unless they or the request say otherwise.

    A scenario that cannot be measured is an outcome, and the others are run all the same.
    """
    config = read(ports.root / request.config_file)
    choice = Choice(
        profile=request.profile,
        smoke=smoke,
        include_soak=include_soak,
        part=request.overrides,
        files=LocustFiles(config, ports).of,
    )
    names, left_out = choice.names(config), choice.left_out(config)
    request = replace(request, runs=len(names))
    outcomes: dict[str, Outcome] = {}
    codes: list[ExitCode] = []
    for number, name in enumerate(names, start=1):
        ports.progress.note(f"scenario {number} of {len(names)}: {name}")
        outcomes[name], code = _run_one(name, choice, config, request, ports)
        codes.append(code)
    profiles = dict.fromkeys(name.partition(":")[0] for name in names)
    readiness = {
        profile: readiness_of({name: outcome for name, outcome in outcomes.items() if name.startswith(f"{profile}:")})
        for profile in profiles
    }
    file = (ports.output or ports.work) / OVERVIEW
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, overview_json.document(outcomes, readiness, left_out))
    worst = next(code for code in WORST_FIRST if code in codes)
    return Overall(outcomes=outcomes, readiness=readiness, exit_code=worst, file=file, left_out=left_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which scenarios a call with `--all` runs."""

    profile: str  # "": all profiles
    smoke: bool  # those called "smoke" or "...-smoke", else the others
    include_soak: bool
    part: Overrides = field(default_factory=Overrides)  # whose tags and user classes choose scenarios, too
    files: Callable[[str], Collection | None] = lambda _: None  # what the Locust files of PROFILE:SCENARIO hold

    def names(self, config: Config) -> list[str]:
        """The scenarios as PROFILE:SCENARIO, in the order of the file; ConfigError where there are none."""
        if ":" in self.profile:
            raise ConfigError(
                f"--all runs every scenario, and {self.profile} names one", hint="leave the scenario or --all out"
            )
        if self.profile:
            config.find(self.profile)
        left_out = self.left_out(config)
        names = [name for name in self._of_size(config) if name not in left_out]
        if not names:
            which = "" if self.smoke else "other than "
            alike = {why: [name for name in left_out if left_out[name] == why] for why in left_out.values()}
            reasons = "; ".join(f"{', '.join(names)}: {why}" for why, names in alike.items())
            raise ConfigError(
                f"{self.profile or 'the configuration'} has no {which}smoke scenario to run",
                hint=reasons or "--smoke chooses between them, --include-soak adds soaks",
            )
        return names

    def left_out(self, config: Config) -> dict[str, str]:
        """The scenarios of that size that are not run, each with the reason."""
        reasons = {name: self._obstacle(name, scenario) for name, scenario in self._of_size(config).items()}
        return {name: why for name, why in reasons.items() if why}

    def of_scenario(self, name: str, scenario: Scenario) -> Overrides:
        """What is changed about *scenario*: those of the tags and user classes alone that it has."""
        return parted(self.part, scenario, self._files(name))

    def _obstacle(self, name: str, scenario: Scenario) -> str:
        if scenario.workers is not None:
            return f"its workers have to be started as well: perfci run {name}, and perfci worker {name}"
        if scenario.measured_s >= SOAK_S and not self.include_soak:
            return "an hour of load or more: --include-soak runs it, too"
        return obstacle(self.part, scenario, None) or obstacle(self.part, scenario, self._files(name))

    def _files(self, name: str) -> Collection | None:
        return self.files(name) if self.part.tags or self.part.user_classes else None

    def _of_size(self, config: Config) -> dict[str, Scenario]:
        return {
            f"{profile}:{name}": scenario
            for profile in ([self.profile] if self.profile else config.profiles)
            for name, scenario in config.profiles[profile].scenarios.items()
            if (name == SMOKE or name.endswith(f"-{SMOKE}")) == self.smoke
        }


def _fitting(overrides: Overrides, scenario: Scenario, name: str, ports: Ports) -> Overrides:
    """The *overrides* without what the scenario cannot have."""
    if not scenario.stages or overrides.spawn_rate is None:
        return overrides
    ports.progress.note(f"{name}: its stages say how fast users start, and --spawn-rate is not used")
    return overrides.model_copy(update={"spawn_rate": None})


def _run_one(name: str, choice: Choice, config: Config, request: Request, ports: Ports) -> tuple[Outcome, ExitCode]:
    profile, _, scenario = name.partition(":")
    table = config.profiles[profile].scenarios[scenario]
    configured = table.against
    usual = Against.LIMITS if configured in {None, Against.AUTO} else configured
    overrides = _fitting(choice.of_scenario(name, table), table, name, ports)
    own = replace(request, profile=name, against=request.against or usual, overrides=overrides)
    there = ports if ports.output is None else replace(ports, output=ports.output / f"{profile}-{scenario}")
    try:
        result = run(own, there)
    except PerfciError as error:
        subject = documents.no_subject(profile, scenario)
        return documents.not_measured(error, subject, alpha=0.0), error.exit_code
    return result.outcome, result.exit_code
