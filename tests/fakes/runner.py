"""A runner for the steps of action.yml: bash, with the step's environment over that of the job, and command files."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
FILES = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How a step ended, and what it wrote to the runner's command files, by the file's variable."""

    code: int
    log: str
    files: Mapping[str, str]

    @property
    def outputs(self) -> dict[str, str]:
        """By name, from lines `name=value` and from `name<<END`, the lines of the value, `END`."""
        lines = iter(self.files["GITHUB_OUTPUT"].splitlines())
        found = {}
        for line in lines:
            name, mark, value = re.fullmatch(r"([^=<]+)(=|<<)(.*)", line).groups()  # type: ignore[union-attr]
            found[name] = value if mark == "=" else "\n".join(iter(lines.__next__, value))
        return found


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A job whose checkout is *workspace*; *environ* is what its earlier steps have set beyond PATH and HOME."""

    action: Path
    workspace: Path
    temp: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _definition(self) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.safe_load((self.action / "action.yml").read_text())
        return loaded

    def step(
        self, name: str, *, inputs: Mapping[str, str] | None = None, setup: Mapping[str, str] | None = None
    ) -> Step:
        """Run the step called *name* with these inputs, and with *setup* as the outputs of the set-up step."""
        step = next(one for one in self._definition["runs"]["steps"] if one["name"] == name)
        values = {f"inputs.{key}": one.get("default", "") for key, one in self._definition["inputs"].items()}
        values |= {f"inputs.{key}": value for key, value in (inputs or {}).items()}
        values |= {f"steps.setup.outputs.{key}": value for key, value in (setup or {}).items()}
        values |= {"toJSON(matrix)": "null"}
        given = {key: EXPRESSION.sub(lambda found: values.get(found[1], ""), text) for key, text in step["env"].items()}
        files = {name: self.temp / "_runner" / name for name in FILES}
        for file in files.values():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")
        script = self.temp / "_runner" / "step.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=self.workspace,
            env={**self._of_the_job(), **{name: str(file) for name, file in files.items()}, **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return Step(
            code=done.returncode, log=done.stdout, files={name: file.read_text() for name, file in files.items()}
        )

    def _of_the_job(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            **self.environ,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(self.action),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
        }
