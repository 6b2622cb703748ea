"""The folder of one run: the only place that knows what its files are called."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from perfci.errors import ConfigError

RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
"""The id of a run begins with the time of its start."""


def _subfolders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()] if folder.is_dir() else []


@dataclass(frozen=True, slots=True)
class RunFolder:
    """
    The files of one run below *path*, whether they are there or not.

    `docs/files.md` says what each of them holds, and when it is written.
    """

    path: Path

    @property
    def run(self) -> Path:
        """The file with what was measured."""
        return self.path / "run.json"

    @property
    def result(self) -> Path:
        """The file with the judged outcome, for programs."""
        return self.path / "result.json"

    @property
    def comment(self) -> Path:
        """The file with the comment as it was published."""
        return self.path / "comment.md"

    @property
    def exit_code(self) -> Path:
        """The file with the exit code of the gate."""
        return self.path / "exit-code"

    @property
    def gate(self) -> Path:
        """The file with the parts of the gate's key."""
        return self.path / "gate.json"

    def report(self, file: str) -> Path:
        """The report in one of the formats of `perfci.report.FORMATS`, which call their *file*."""
        return self.path / file

    def logs(self, name: str) -> Path:
        """The folder for the logs of *name*: a side, one start of it, or a round."""
        return self.path / "logs" / name

    @staticmethod
    def prune(work: Path, *, keep: int) -> int:
        """Remove all runs below *work* but the newest *keep*, by their ids; return how many were removed."""
        runs = sorted(path for path in _subfolders(work) if RUN_ID.fullmatch(path.name))
        for path in runs[:-keep]:
            shutil.rmtree(path, ignore_errors=True)
        return len(runs[:-keep])

    def holds_run(self) -> bool:
        """Whether a measurement has been written into the folder."""
        return self.run.exists()

    def create(self) -> None:
        """Make the folder; ConfigError where it holds a run, which is never overwritten."""
        if self.holds_run():
            raise ConfigError(
                f"{self.path} holds a run already", hint="name another folder: nothing measured is overwritten"
            )
        self.path.mkdir(parents=True, exist_ok=True)
