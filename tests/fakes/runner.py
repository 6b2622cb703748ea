"""
A runner for composite actions, without Docker: each step as bash, with the runner's files, log and signals.

    runner = Runner(action=ROOT, workspace=..., temp=...)
    job = runner.job(inputs={"profile": "shop"}, setup={"python": sys.executable, ...})
    job.steps["Publish"].outputs, job.failed

What it does as GitHub's does: the environment of a step over that of the job, what GITHUB_ENV and GITHUB_PATH add for
the steps that follow, outputs, `if` with its functions, a step that fails, `continue-on-error`, and a cancel: SIGINT to
the step's own process, SIGTERM after 7.5 s, SIGKILL 2.5 s later; then the steps that run `always()`. A step that `uses`
another action does nothing, unless the job is given something for it.
"""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.expressions import evaluate, filled
from tests.fakes.runner_log import Obeyed, obey

FILES = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")
CANCEL_S = ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 5.0))
"""What a cancelled step is sent, and how long it then has."""

Action = Callable[[Mapping[str, str]], Mapping[str, str]]
"""What stands for another action: from its inputs to its outputs."""

DEFAULT_SIGNALS = ("/usr/bin/env", "--default-signal=INT,TERM")
"""Before a step's own command: tests that run in the background of a shell ignore SIGINT, and bash would, too."""

_HEREDOC = re.compile(r"([^=<]+)<<(.*)")


def read_file(text: str) -> dict[str, str]:
    """Names and values of a command file: lines `name=value`, or `name<<END`, the lines of the value, `END`."""
    lines = iter(text.splitlines())
    found = {}
    for line in filter(None, lines):
        if heredoc := _HEREDOC.fullmatch(line):
            found[heredoc[1]] = "\n".join(iter(lines.__next__, heredoc[2]))
        else:
            name, _, value = line.partition("=")
            found[name] = value
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How a step ended (code None: it was left out), and what it wrote: its log, and the runner's files by variable."""

    code: int | None
    log: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)  # the step's own `env`

    @property
    def outputs(self) -> dict[str, str]:
        """By name."""
        return read_file(self.files.get("GITHUB_OUTPUT", ""))

    @property
    def obeyed(self) -> Obeyed:
        """What the runner does because of the log."""
        return obey(self.log.splitlines())


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """How a job ended, and its steps by name, in their order."""

    steps: Mapping[str, Step]
    failed: bool
    outputs: Mapping[str, str]  # of the action


@dataclass
class _Course:
    """What the steps so far have left to those that follow."""

    steps: dict[str, Step] = field(default_factory=dict)
    failed: bool = False
    cancelled: bool = False
    environ: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)

    def reaches(self, step: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
        """Whether *step* is run: without a function of its own, only where nothing has failed."""
        functions = {
            "always": lambda: True,
            "success": lambda: not (self.failed or self.cancelled),
            "failure": lambda: self.failed,
            "cancelled": lambda: self.cancelled,
        }
        condition = str(step.get("if", "success()"))
        if not re.search(rf"\b({'|'.join(functions)})\(", condition):
            condition = f"success() && ({condition})"
        return bool(evaluate(condition, context, functions))

    def note(self, step: Mapping[str, Any], done: Step, context: Mapping[str, Any]) -> None:
        """Keep what *done* leaves."""
        self.steps[step["name"]] = done
        self.environ |= read_file(done.files.get("GITHUB_ENV", ""))
        self.paths = [*reversed(done.files.get("GITHUB_PATH", "").splitlines()), *self.paths]
        self.failed |= done.code != 0 and not step.get("continue-on-error")
        if "id" in step:
            outcome = "success" if done.code == 0 else "failure"
            context["steps"][step["id"]] = {"outputs": done.outputs, "outcome": outcome}


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A job whose checkout is *workspace*; *environ* is what its earlier steps have set beyond PATH and HOME."""

    action: Path  # the folder of its action.yml
    workspace: Path
    temp: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    matrix: Any = None

    @cached_property
    def _definition(self) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.safe_load((self.action / "action.yml").read_text())
        return loaded

    def step(
        self, name: str, *, inputs: Mapping[str, str] | None = None, setup: Mapping[str, str] | None = None
    ) -> Step:
        """Run the step called *name* with these inputs, and with *setup* as the outputs of the set-up step."""
        step = next(each for each in self._definition["runs"]["steps"] if each["name"] == name)
        return self._run(step, self._context(inputs or {}, setup or {}), _Course(), cancel=None)

    def job(
        self,
        *,
        inputs: Mapping[str, str] | None = None,
        setup: Mapping[str, str] | None = None,
        uses: Mapping[str, Action] | None = None,
        before: Mapping[str, Callable[[], object]] | None = None,
        cancel: Mapping[str, threading.Event] | None = None,
    ) -> Job:
        """
        Run every step of the action.

        *setup* stands for the set-up step and its outputs. *uses* has what a step with another action does, by the name
        of the step: from its inputs to its outputs. *before* has what happens right before a step. The step named in
        *cancel* is cancelled as soon as the event is set.
        """
        context = self._context(inputs or {}, setup or {})
        course = _Course()
        for step in self._definition["runs"]["steps"]:
            name = step["name"]
            if step.get("id") == "setup" and setup is not None:
                continue
            if not course.reaches(step, context):
                course.steps[name] = Step(code=None)
                continue
            (before or {}).get(name, bool)()
            if "uses" in step:
                done = _other_action(step, context, (uses or {}).get(name))
            else:
                event = (cancel or {}).get(name)
                done = self._run(step, context, course, cancel=event)
                course.cancelled |= event is not None and event.is_set()
            course.note(step, done, context)
        outputs = {key: filled(each["value"], context) for key, each in self._definition.get("outputs", {}).items()}
        return Job(steps=course.steps, failed=course.failed or course.cancelled, outputs=outputs)

    def _context(self, inputs: Mapping[str, str], setup: Mapping[str, str]) -> dict[str, Any]:
        declared = self._definition.get("inputs", {})
        return {
            "inputs": {**{key: each.get("default", "") for key, each in declared.items()}, **inputs},
            "steps": {"setup": {"outputs": dict(setup), "outcome": "success"}},
            "matrix": self.matrix,
            "job": {},
            "github": {"token": ""},
        }

    def _run(
        self,
        step: Mapping[str, Any],
        context: dict[str, Any],
        course: "_Course",
        *,
        cancel: threading.Event | None,
    ) -> Step:
        given = {key: filled(str(text), context) for key, text in step.get("env", {}).items()}
        files = {name: self.temp / "_runner" / name for name in FILES}
        for file in files.values():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")
        script, log = self.temp / "_runner" / "step.sh", self.temp / "_runner" / "log"
        script.write_text(step["run"])
        with log.open("w") as out:
            process = subprocess.Popen(
                [*DEFAULT_SIGNALS, "/bin/bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
                cwd=self.workspace,
                env={**self._of_the_job(course), **{name: str(file) for name, file in files.items()}, **given},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            code = _ended(process, cancel)
        written = {name: file.read_text() for name, file in files.items()}
        return Step(code=code, log=log.read_text(errors="replace"), files=written, given=given)

    def _of_the_job(self, course: "_Course") -> dict[str, str]:
        return {
            "PATH": os.pathsep.join([*course.paths, os.environ["PATH"]]),
            "HOME": os.environ["HOME"],
            **self.environ,
            **course.environ,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(self.action),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
        }


def _other_action(step: Mapping[str, Any], context: Mapping[str, Any], act: Action | None) -> Step:
    given = {key: filled(str(text), context) for key, text in step.get("with", {}).items()}
    made = act(given) if act else {}
    return Step(code=0, given=given, files={"GITHUB_OUTPUT": "".join(f"{key}={text}\n" for key, text in made.items())})


def _ended(process: subprocess.Popen[bytes], cancel: threading.Event | None) -> int:
    """The exit code of a step, which ends by itself or, once *cancel* is set, as the runner makes it end."""
    if cancel is None:
        return process.wait(timeout=120)
    while process.poll() is None and not cancel.wait(0.02):
        pass
    for number, patience_s in CANCEL_S:
        if process.poll() is not None:
            break
        process.send_signal(number)  # to the step's own process, not to what it has started
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience_s)
    return process.wait(timeout=5)
