"""What the evidence is produced with: commands, runs of scenarios, Locust's own ratios. Each is asked once and kept."""

import json
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.systems.rows import Plan

PATIENCE_S = 600
MIX_USERS = "400"
COMPOSE_SCENARIOS = {"tickets": "normal-smoke", "crm": "dashboard-only-smoke"}


@dataclass(frozen=True, slots=True)
class Ran:
    """A measured scenario."""

    folder: Path


class Machine:
    """Runs things in the project, each once."""

    def __init__(
        self, root: Path, output: Path, *, scenarios: Iterable[str] | None, with_tests: bool, with_compose: bool
    ) -> None:
        """*scenarios*: those that may be measured; none: all that are asked for."""
        self.root = root
        self.with_tests = with_tests
        self.with_compose = with_compose
        self._output = output
        self._allowed = None if scenarios is None else frozenset(scenarios)
        self._runs: dict[str, Ran] = {}
        self._printed: dict[str, str] = {}

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The project's perfci.toml."""
        return tomllib.loads((self.root / "perfci.toml").read_text(encoding="utf-8"))

    def scenarios(self, profile: str) -> dict[str, str]:
        """Each scenario of a profile with its size in words."""
        return {name: _size(table) for name, table in self.settings["profiles"][profile]["scenarios"].items()}

    def limited(self, profile: str, metric: str, limit: float, group: str | None = None) -> list[str]:
        """The scenarios of a profile that have such an SLO, for that group of endpoints if one is named."""
        wanted = (profile, metric, limit)
        given = [
            slo.get("scenario", "*")
            for slo in self.settings["gate"].get("slo", [])
            if (slo.get("profile", profile), slo["metric"], slo["limit"]) == wanted and slo.get("group") == group
        ]
        patterns = [pattern for each in given for pattern in ([each] if isinstance(each, str) else each)]
        return [name for name in self.scenarios(profile) if any(fnmatchcase(name, pattern) for pattern in patterns)]

    def compose_scenario(self, profile: str) -> str:
        """The scenario of a profile that is measured in containers."""
        return COMPOSE_SCENARIOS.get(profile, "crm-smoke")

    @property
    def folders(self) -> dict[str, Path]:
        """What was measured, by the name of its scenario."""
        return {name: ran.folder for name, ran in self._runs.items()}

    def measuring(self, name: str) -> str:
        """The command by which a scenario is measured; `@NAME` at its end is an environment."""
        scenario, _, environment = name.partition("@")
        return f"perfci run {scenario} --against limits" + (f" --environment {environment}" if environment else "")

    def measure(self, name: str) -> Ran | None:
        """Measure a scenario once; none if it is not among those that may be, or of full size."""
        if not name.partition("@")[0].endswith("-smoke") or (self._allowed is not None and name not in self._allowed):
            return None
        if name not in self._runs:
            folder = self._output / name.replace(":", "-").replace("@", "-")
            if not (folder / "result.json").is_file():
                done = self._call(f"{self.measuring(name)} --quiet --output {shlex.quote(str(folder))}")
                print(f"{name}: exit code {done.returncode}", file=sys.stderr, flush=True)
            self._runs[name] = Ran(folder)
        return self._runs[name]

    def run(self, command: str) -> str:
        """What a command prints, on both streams."""
        if command not in self._printed:
            done = self._call(command)
            self._printed[command] = (done.stdout + done.stderr).replace(f"{self.root}/", "")  # no path of this machine
        return self._printed[command]

    def ratios(self, plan: Plan) -> tuple[str, dict[str, float]]:
        """The command, and the share of each class of users and of each of its tasks."""
        classes = " ".join(plan.classes)
        command = f"locust -f load_tests/{plan.locustfile}.py {classes} -u {MIX_USERS} --show-task-ratio-json"
        printed = self.run(command)
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


def _size(table: dict[str, Any]) -> str:
    if stages := table.get("stages"):
        return f"up to {max(stage['users'] for stage in stages)} users in {len(stages)} stages"
    return f"{table['users']} users for {table['duration']}"
