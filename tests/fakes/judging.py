"""The job that judges what another one has measured."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perfci.model import Run
from tests.fakes.github import FakeGitHub
from tests.fakes.github_repository import Remote
from tests.fakes.measured import ARTIFACT, RUN, Change, archived
from tests.fakes.shell import Perfci


class Judging:
    """The job that judges: `perfci publish` with an artifact of the measuring job, and what became of it."""

    def __init__(self, perfci: Perfci, patch: pytest.MonkeyPatch, folder: Path, change: Change) -> None:
        self.change = change
        self.remote: Remote = change.remote()
        self.folder = folder
        self.api: FakeGitHub = change.api(self.remote)
        self._perfci = perfci
        self._patch = patch

    def upload(self, run: Run, *, name: str = ARTIFACT, **changes: Any) -> None:
        """Let the measuring job leave *run*."""
        self.remote.add_artifact(RUN, name, archived(self.change.run(run, **changes), self.folder))

    def publish(self, *arguments: str, **job: Any) -> tuple[int, str, str]:
        """Exit code, standard output, standard error; *job* as in `Change.environ`."""
        for name, value in self.change.environ(self.api, self.folder, **job).items():
            self._patch.setenv(name, value)
        given = ["--from", ARTIFACT, "--profile", "tickets:smoke", *arguments]
        return self._perfci("publish", str(self.folder / "run"), *given)

    @property
    def outputs(self) -> str:
        file = self.folder / "outputs"
        return file.read_text() if file.exists() else ""

    @property
    def comment(self) -> str:
        (comment,) = self.api.comments
        assert comment.issue == 7
        return comment.body


Judge = Callable[..., Judging]
"""Makes the job for a change that is described as in `a_change`."""
