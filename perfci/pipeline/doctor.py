"""
`perfci doctor`: checks the requirements of the configuration, then starts the target once and reports what that shows.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from perfci.config import read
from perfci.errors import ExitCode, PerfciError
from perfci.pipeline.diagnosis import Line, diagnose
from perfci.pipeline.monitoring import monitor_settings
from perfci.pipeline.paths import inside
from perfci.pipeline.plan import Overrides, plan_of, source_of
from perfci.pipeline.policy import policy_of
from perfci.pipeline.ports import Ports
from perfci.pipeline.secrecy import environment_of
from perfci.pipeline.trial import attempt
from perfci.rig.census import addresses
from perfci.rig.host import docker
from perfci.rig.host.fingerprint import machine
from perfci.rig.host.git import Git


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one check."""

    what: str
    ok: bool
    needed: bool  # by this configuration
    found: str  # what is there, or what is wrong and the next step
    exit_code: ExitCode = ExitCode.OK  # of the error, where it is not


def examine(ports: Ports, config_file: str, environment: str | None, host: str | None = None) -> list[Check]:
    """
    Check the interpreter, the machine, git, Docker and the configuration; nothing is started.

    *host* is the address of a service that runs already, instead of the configured target.
    """
    here = machine()
    kind = ""
    checks = [
        _check("Python", True, lambda: sys.version.split()[0]),
        _check("machine", True, lambda: f"{here.cpu_model}, {here.cores} cores, {here.memory_mb} MB"),
        _check("git", False, lambda: Git(root=ports.root, environ=ports.environ).head()[:12] or "no commit here"),
    ]

    def configuration() -> str:
        nonlocal kind
        config = read(ports.root / config_file).within(environment).at(host)
        source = source_of(config, tree=ports.root, file=config_file)
        kind = source.target.kind
        monitor_settings(config, file=config_file)
        addresses.check(config.census.databases, ports.environ, where=f"{config_file}: [census.databases]")
        names = [
            f"{profile}:{scenario}" for profile, profile_ in config.profiles.items() for scenario in profile_.scenarios
        ]
        for name in names:
            plan = plan_of(config, name, Overrides(), root=ports.root)
            policy_of(config.gate, plan.profile, plan.scenario, alerts=config.monitor.alert)
        inside(ports.root, config.baselines, what="baselines folder")
        environment_of(config, ports.environ)
        article = "an" if kind == "external" else "a"
        return f"{config_file}, {article} {kind} target, {len(names)} scenarios: {', '.join(names)}"

    checks.append(_check("configuration", True, configuration))
    checks.append(_check("Docker Compose", kind == "compose", lambda: _docker(ports)))
    return checks


def look_at_target(
    ports: Ports, config_file: str, environment: str | None, profile: str, host: str | None = None
) -> list[Line]:
    """
    Start the target once, send each task's requests, and describe what that means for a run.

    *profile* is "PROFILE" or "PROFILE:SCENARIO"; empty: the first of the file. PerfciError where the target does not
    start, or the load cannot be run.
    """
    config = read(ports.root / config_file).within(environment).at(host)
    name = profile or next(iter(config.profiles))
    trial = attempt(config, name, ports, file=config_file)
    return diagnose(trial, policy_of(config.gate, trial.plan.profile))


def _docker(ports: Ports) -> str:
    docker.diagnose(ports.environ)
    return "the engine answers"


def _check(what: str, needed: bool, look: Callable[[], str]) -> Check:
    try:
        return Check(what=what, ok=True, needed=needed, found=look())
    except PerfciError as error:
        hint = f" ({error.hint})" if error.hint else ""
        return Check(what=what, ok=False, needed=needed, found=f"{error}{hint}", exit_code=error.exit_code)
