"""The base commit beside the working tree, from the local git alone: perfci never fetches."""

import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from perfci.errors import RefError
from perfci.rig.host.process import Completed, child_environment, run

GIT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """The repository around *root*, the project's folder."""

    root: Path
    environ: Mapping[str, str]

    def head(self) -> str:
        """Full hash of the commit that is checked out, or "" outside a repository."""
        try:
            answer = self._git("rev-parse", "--verify", "--quiet", "HEAD")
        except RefError:  # no git here: a run needs none
            return ""
        return answer.out.strip() if answer.ok else ""

    def resolve(self, ref: str) -> str:
        """Full hash of *ref*; RefError where the local git does not have it."""
        answer = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        if not answer.ok:
            raise RefError(
                f"the local git has no commit {ref!r}",
                hint="check out the whole history: actions/checkout with `fetch-depth: 0`, or `git fetch` on a laptop",
            )
        return answer.out.strip()

    def show(self, commit: str, path: str) -> bytes | None:
        """Content of the project's file *path* at *commit*, or None where that commit has none."""
        answer = self._git("show", f"{commit}:./{path}")
        return answer.out.encode() if answer.ok else None

    @contextlib.contextmanager
    def worktree(self, commit: str, folder: Path) -> Iterator[Path]:
        """The project's folder as it is at *commit*, in a work tree at *folder* that is removed at the end."""
        prefix = self._git("rev-parse", "--show-prefix").out.strip()
        try:
            # Hooks of the repository are the author's code; a checkout must not run them.
            added = self._git(
                *("-c", "core.hooksPath=/dev/null", "worktree", "add", "--detach", "--force", str(folder), commit)
            )
            if not added.ok:
                raise RefError(f"git could not check out {commit[:12]}: {added.err.strip()}")
            yield folder / prefix
        finally:
            self._git("worktree", "remove", "--force", str(folder))
            self._git("worktree", "prune")

    def _git(self, *arguments: str) -> Completed:
        command = ("git", *arguments)
        try:
            return run(command, cwd=self.root, environment=child_environment(self.environ), timeout_s=GIT_S)
        except (OSError, subprocess.SubprocessError) as error:
            raise RefError(
                f"git cannot be run: {error}", hint="install git, or compare with --against baseline"
            ) from None
