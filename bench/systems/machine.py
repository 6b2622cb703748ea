"""What the evidence is produced with: commands, runs of scenarios, running services. Each is asked once and kept."""

import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from bench.demo_service import serving
from bench.systems.measuring import Measuring
from bench.systems.rows import PLANS, Plan
from perfci.config import Config, Scenario, read
from perfci.model import Slo
from perfci.pipeline.policy import policy_of

PATIENCE_S = 1200
MIX_USERS = "400"
COMPOSE_SCENARIOS = {
    "tickets": "normal-smoke",
    "platform": "mixed-smoke",
    "saas": "mixed-smoke",
    "crm": "dashboard-only-smoke",
    "contact-center": "crm-smoke",
}
ACCOUNT = {"email": "admin01@example.test", "password": "perf-test"}
PROFILES = tuple(plan.profile for plan in PLANS.values())
ADDRESS = re.compile(r"127\.0\.0\.1:\d+")  # of one call alone


@dataclass(frozen=True, slots=True)
class Ran:
    """A measured scenario."""

    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What a call may do; what it may not is *not run*."""

    scenarios: frozenset[str] | None = None  # those that may be measured; None: all
    tests: bool = True
    compose: bool = False
    full: bool = True  # scenarios of full size, for twenty seconds, or ten for each stage


@dataclass
class Machine:
    """Runs things in the project, each once; what was produced before lies in *output*, and is taken unless *anew*."""

    root: Path
    output: Path
    allowed: Allowed = field(default_factory=Allowed)
    anew: bool = False
    _runs: dict[str, Ran] = field(default_factory=dict)
    _printed: dict[str, str] = field(default_factory=dict)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _services: dict[str, str] = field(default_factory=dict)
    _config: Config | None = None

    def __enter__(self) -> Self:
        """Nothing is started before it is needed."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """End the services."""
        self._stack.close()

    @property
    def config(self) -> Config:
        """The project's perfci.toml."""
        if self._config is None:
            self._config = read(self.root / "perfci.toml")
        return self._config

    def scenarios(self, profile: str) -> dict[str, Scenario]:
        """The scenarios of a profile."""
        return dict(self.config.profiles[profile].scenarios)

    def slos(self, profile: str, scenario: str) -> tuple[Slo, ...]:
        """The limits of a scenario."""
        return policy_of(self.config.gate, profile, scenario).slos

    def compose_scenario(self, profile: str) -> str:
        """The scenario of a profile that is measured in containers."""
        return COMPOSE_SCENARIOS[profile]

    @property
    def folders(self) -> dict[str, Path]:
        """What was measured without containers and without a fault, now or before, by the name of its scenario."""
        names = [f"{profile}:{scenario}" for profile in PROFILES for scenario in self.scenarios(profile)]
        found = {name: self._folder_of(name) for name in names}
        return {name: folder for name, folder in found.items() if (folder / "result.json").is_file()}

    def _folder_of(self, name: str) -> Path:
        return self.output / "runs" / re.sub(r"[:@+]", "-", name)

    def measuring(self, name: str) -> str:
        """The command by which a scenario is measured."""
        wanted = Measuring.of(name)
        profile, _, scenario = wanted.scenario.partition(":")
        return wanted.command(self.scenarios(profile)[scenario].stages)

    def measure(self, name: str) -> Ran | None:
        """Measure a scenario once; none if that is not allowed, and was not done before."""
        if name in self._runs:
            return self._runs[name]
        folder = self._folder_of(name)
        if self.anew or not (folder / "result.json").is_file():
            if not self._may_measure(name):
                return None
            shutil.rmtree(folder, ignore_errors=True)
            done = self._call(f"{self.measuring(name)} --quiet --output {shlex.quote(str(folder))}")
            print(f"{name}: exit code {done.returncode}", file=sys.stderr, flush=True)
        self._runs[name] = Ran(folder)
        return self._runs[name]

    def _may_measure(self, name: str) -> bool:
        wanted, allowed = Measuring.of(name), self.allowed
        if allowed.scenarios is not None and name not in allowed.scenarios:
            return False
        if wanted.environment == "compose" and not allowed.compose:
            return False
        return wanted.is_smoke or allowed.full

    def run(self, command: str) -> str | None:
        """
        What a command prints, on both streams; none where it needs a run that is not allowed.

        `{service}` is a service with the test data, `{target}` an empty one for `--host`, `{run SCENARIO}` the folder
        of a run, `{new}` a folder that is not there yet.
        """
        if command not in self._printed:
            filled = self._filled(command)
            if filled is None:
                return None
            self._printed[command] = self._kept(command, filled)
        return self._printed[command]

    def _kept(self, command: str, filled: str) -> str:
        file = self.output / "printed" / f"{hashlib.sha256(command.encode()).hexdigest()[:16]}.json"
        if not self.anew and file.is_file():
            return str(json.loads(file.read_text(encoding="utf-8"))["printed"])
        done = self._call(filled)
        printed = done.stdout + done.stderr
        for folder, shown in ((self.output, "FOLDER"), (self.root, ".")):  # no path of this machine
            printed = printed.replace(str(folder), shown)
        printed = ADDRESS.sub("HOST", printed)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"command": command, "printed": printed}, indent=1), encoding="utf-8")
        return printed

    def _filled(self, command: str) -> str | None:
        for name in re.findall(r"\{run ([^}]+)\}", command):
            ran = self.measure(name)
            if ran is None:
                return None
            command = command.replace(f"{{run {name}}}", shlex.quote(str(ran.folder)))
        for name in ("service", "target"):
            if f"{{{name}}}" in command:
                command = command.replace(f"{{{name}}}", self.service(name))
        if "{new}" in command:
            new = self.output / "new" / hashlib.sha256(command.encode()).hexdigest()[:16]
            shutil.rmtree(new, ignore_errors=True)
            command = command.replace("{new}", shlex.quote(str(new)))
        return command

    def service(self, name: str) -> str:
        """The address of a demo, started when it is first asked for; one for each *name*, and the target is empty."""
        if name not in self._services:
            started = serving({"DEMO_RATE_LIMIT": "off"}, filled=name != "target")
            self._services[name] = self._stack.enter_context(started).url
        return self._services[name]

    def ask(self, method: str, path: str) -> requests.Response:
        """The answer of the demo to a signed-in admin."""
        url = self.service("service")
        return requests.request(method, f"{url}{path}", headers=self._headers, timeout=60)

    @cached_property
    def _headers(self) -> dict[str, str]:
        answer = requests.post(f"{self.service('service')}/auth/login", json=ACCOUNT, timeout=60)
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def ratios(self, plan: Plan) -> tuple[str, dict[str, float]]:
        """The command, and the share of each class of users and of each of its tasks."""
        classes = " ".join(plan.classes)
        command = f"locust -f load_tests/{plan.locustfile}.py {classes} -u {MIX_USERS} --show-task-ratio-json"
        printed = self.run(command) or ""
        found = json.loads(printed[printed.index("{") : printed.rindex("}") + 1])
        ratios = {}
        for name, of_class in found["per_class"].items():
            ratios[name] = of_class["ratio"]
            ratios |= {f"{name}.{task}": of_task["ratio"] for task, of_task in of_class["tasks"].items()}
        return " ".join(command.split()), ratios

    def _call(self, command: str) -> subprocess.CompletedProcess[str]:
        """Programs are those beside the Python that runs this."""
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "120"}
        try:
            return subprocess.run(
                shlex.split(command),
                cwd=self.root,
                env=environment,
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 124, "", f"no end after {PATIENCE_S} s")


def allowed_scenarios(names: Iterable[str]) -> frozenset[str] | None:
    """Those *names*, or all where none is named."""
    return frozenset(names) or None
