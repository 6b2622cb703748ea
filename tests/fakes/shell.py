"""A project, and a shell in it: perfci as a program of its own, whose children can be told from all others."""

import contextlib
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from perfci.rig.host.process import MARK

ROOT = Path(__file__).parents[2]
TAG = "PERFCI_TEST_TAG"

AS_THE_ACTION = ("-m", "perfci")
WITHOUT_CHARTS = ("-c", "import sys; sys.modules['vl_convert'] = None; from perfci.__main__ import main; main()")
"""As where the library that draws them is not installed: it takes a second of CPU in each run."""

Perfci = Callable[..., tuple[int, str, str]]
"""The program in the test's own process (a fixture): arguments -> exit code, standard output, standard error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What it starts carries its tag."""

    project: Path
    environ: dict[str, str]
    tag: str
    charts: bool = False  # whether the HTML report of a run has them

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """perfci with these arguments, in an interpreter as isolated as that of the Action."""
        program = AS_THE_ACTION if self.charts else WITHOUT_CHARTS
        return subprocess.Popen(
            [sys.executable, "-I", *program, *arguments],
            cwd=self.project,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def perfci(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """perfci with these arguments, to its end."""
        with self.start(*arguments) as running:
            try:
                out, err = running.communicate(timeout=300)
            except subprocess.TimeoutExpired:
                running.kill()
                raise
        return subprocess.CompletedProcess(running.args, running.returncode, out, err)

    def left(self) -> list[psutil.Process]:
        """What runs that this shell's perfci started."""
        return [process for process in psutil.process_iter() if self._ours(process)]

    def _ours(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            environ = process.environ()
            return MARK in environ and environ.get(TAG) == self.tag and process.status() != psutil.STATUS_ZOMBIE
        return False


@contextlib.contextmanager
def shell_in(
    project: Path,
    files: Mapping[str, str],
    *,
    state: Path,
    environ: Mapping[str, str] | None = None,
    charts: bool = False,
) -> Iterator[Shell]:
    """A shell in a new project of these files; what still runs at its end is killed, and is a failure."""
    project.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content)
    tag = uuid.uuid4().hex
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "PERFCI_", "COV_"))}
    mine = {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(state), TAG: tag}
    shell = Shell(project=project, environ={**kept, **mine, **(environ or {})}, tag=tag, charts=charts)
    left: list[psutil.Process] = []
    try:
        yield shell
    finally:
        left = shell.left()
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
    assert left == []
