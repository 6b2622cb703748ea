"""`perfci run --all`: runs every scenario of a profile, or of the configuration, and combines their outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from perfci.config import Against, Config, read
from perfci.errors import ConfigError, ExitCode, PerfciError
from perfci.judge.readiness import readiness_of
from perfci.model import Outcome, Readiness
from perfci.pipeline import documents
from perfci.pipeline.ports import Ports
from perfci.pipeline.request import Request
from perfci.pipeline.run import run
from perfci.report import overview_json
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
    left_out: tuple[str, ...]  # soaks, which nobody asked for


def run_all(request: Request, ports: Ports, *, smoke: bool, include_soak: bool) -> Overall:
    """
    Run the scenarios that `names_of` gives, against limits only, unless they or the request say otherwise.

    A scenario that cannot be measured is an outcome, and the others are run all the same.
    """
    config = read(ports.root / request.config_file)
    names = names_of(config, request.profile, smoke=smoke, include_soak=include_soak)
    left_out = set(names_of(config, request.profile, smoke=smoke, include_soak=True)) - set(names)
    request = replace(request, runs=len(names))
    outcomes: dict[str, Outcome] = {}
    codes: list[ExitCode] = []
    for number, name in enumerate(names, start=1):
        ports.progress.note(f"scenario {number} of {len(names)}: {name}")
        outcomes[name], code = _run_one(name, config, request, ports)
        codes.append(code)
    profiles = dict.fromkeys(name.partition(":")[0] for name in names)
    readiness = {
        profile: readiness_of({name: outcome for name, outcome in outcomes.items() if name.startswith(f"{profile}:")})
        for profile in profiles
    }
    file = (ports.output or ports.work) / OVERVIEW
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, overview_json.document(outcomes, readiness))
    worst = next(code for code in WORST_FIRST if code in codes)
    return Overall(outcomes=outcomes, readiness=readiness, exit_code=worst, file=file, left_out=tuple(sorted(left_out)))


def names_of(config: Config, profile: str, *, smoke: bool, include_soak: bool) -> list[str]:
    """
    The scenarios as PROFILE:SCENARIO, in the order of the file: those of *profile*, or all of them where it is empty.

    *smoke*: those called "smoke" or "...-smoke", else the others. Soaks only with *include_soak*.
    """
    if ":" in profile:
        raise ConfigError(f"--all runs every scenario, and {profile} names one", hint="leave the scenario or --all out")
    if profile:
        config.find(profile)
    chosen = [profile] if profile else list(config.profiles)
    names = [
        f"{each}:{name}"
        for each in chosen
        for name, scenario in config.profiles[each].scenarios.items()
        if (name == SMOKE or name.endswith(f"-{SMOKE}")) == smoke and (include_soak or scenario.measured_s < SOAK_S)
    ]
    if not names:
        which = "" if smoke else "other than "
        raise ConfigError(
            f"{profile or 'the configuration'} has no {which}smoke scenario",
            hint="--smoke chooses between them, --include-soak adds soaks",
        )
    return names


def _run_one(name: str, config: Config, request: Request, ports: Ports) -> tuple[Outcome, ExitCode]:
    profile, _, scenario = name.partition(":")
    configured = config.profiles[profile].scenarios[scenario].against
    usual = Against.LIMITS if configured in {None, Against.AUTO} else configured
    own = replace(request, profile=name, against=request.against or usual)
    if config.profiles[profile].scenarios[scenario].stages and request.overrides.spawn_rate is not None:
        ports.progress.note(f"{name}: its stages say how fast users start, and --spawn-rate is not used")
        own = replace(own, overrides=request.overrides.model_copy(update={"spawn_rate": None}))
    there = ports if ports.output is None else replace(ports, output=ports.output / f"{profile}-{scenario}")
    try:
        result = run(own, there)
    except PerfciError as error:
        subject = documents.no_subject(profile, scenario)
        return documents.not_measured(error, subject, alpha=0.0), error.exit_code
    return result.outcome, result.exit_code
