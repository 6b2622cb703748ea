"""What the local git knows about the project's repository: perfci never fetches."""

import contextlib
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfci.errors import BaseUnavailableError, RefError
from perfci.rig.host.process import Completed, child_environment, run

GIT_S = 120.0

_REFUSED = 128  # git's exit code for what it calls fatal
_SAFE_DIRECTORY = re.compile(r"git config --global --add safe\.directory .+")
_PARENT = re.compile(r"^parent ([0-9a-f]+)$", re.MULTILINE)
_OF_A_HOOK = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"})  # they lead git to another repository
_NO_REPOSITORY = re.compile(r"not a git repository", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The commit that is checked out, and where its branch left another one; texts are full hashes, "" for none."""

    head: str = ""
    parents: tuple[str, ...] = ()  # as the commit itself names them: a shallow clone need not have them
    fork: str = ""  # the best common ancestor of the head and the other branch
    shallow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """The repository around *root*, the project's folder."""

    root: Path
    environ: Mapping[str, str]

    def head(self) -> str:
        """Full hash of the commit that is checked out, or "" outside a repository."""
        try:
            answer = self._git("rev-parse", "--verify", "--quiet", "HEAD")
        except BaseUnavailableError:  # no git here: a run needs none
            return ""
        return answer.out.strip() if answer.ok else ""

    def shallow(self) -> bool:
        """Whether this clone lacks a part of the history."""
        return self._git("rev-parse", "--is-shallow-repository").out.strip() == "true"

    def history(self, others: Sequence[str]) -> History:
        """The history of the commit that is checked out; *others* name the other branch, and need not be there."""
        if not (head := self.head()):
            return History()
        header = self._git("cat-file", "commit", head).out.partition("\n\n")[0]
        found = [self._commit(name) for name in others]
        tips = [answer.out.strip() for answer in found if answer.ok]
        fork = self._git("merge-base", head, *tips) if tips else None
        return History(
            head=head,
            parents=tuple(_PARENT.findall(header)),
            fork=fork.out.strip() if fork and fork.ok else "",
            shallow=self.shallow(),
        )

    def resolve(self, ref: str, *, fetch_depth: int = 0) -> str:
        """
        Full hash of the commit *ref*.

        RefError where a clone with the whole history has no such commit; BaseUnavailableError where git refuses to
        answer, or the clone is shallow: *fetch_depth* is then the depth of a checkout that would have it (0: all).
        """
        answer = self._commit(ref)
        if answer.ok:
            return answer.out.strip()
        if answer.code is None or answer.code >= _REFUSED:
            raise refusal(answer, absent=True)
        message = f"the local git has no commit {ref!r}"
        if self.shallow():
            raise BaseUnavailableError(
                f"{message}: this clone is shallow",
                absent=True,
                hint=f"actions/checkout with `fetch-depth: {fetch_depth}` brings it;"
                " on a laptop, `git fetch --unshallow`",
            )
        raise RefError(message, hint="check the name: `git branch --all` and `git tag` list those that this clone has")

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
                raise BaseUnavailableError(
                    f"git could not check out {commit[:12]}: {added.err.strip()}", absent=False, hint="see git's words"
                )
            yield folder / prefix
        finally:
            self._git("worktree", "remove", "--force", str(folder))
            self._git("worktree", "prune")

    def _commit(self, ref: str) -> Completed:
        return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")

    def _git(self, *arguments: str) -> Completed:
        command = ("git", *arguments)
        try:
            return run(command, cwd=self.root, environment=_environment(self.environ), timeout_s=GIT_S)
        except (OSError, subprocess.SubprocessError) as error:
            raise BaseUnavailableError(
                f"git cannot be run: {error}", absent=True, hint="install git, or compare with --against baseline"
            ) from None


def refusal(answer: Completed, *, absent: bool) -> BaseUnavailableError:
    """The error for an *answer* in which git refused, in git's own words, with the step that git names, if any."""
    if answer.code is None:
        return BaseUnavailableError(
            f"git did not answer within {GIT_S:g} s", absent=absent, hint="run `git status` by hand to see why"
        )
    words = " ".join(answer.err.split())
    if step := _SAFE_DIRECTORY.search(answer.err):
        hint = f"the folder belongs to another user; trust it in a step before perfci: `{step[0].strip()}`"
    elif _NO_REPOSITORY.search(answer.err):
        hint = "run perfci inside a git repository, or compare with --against baseline"
    else:
        hint = "run `git status` in the project's folder to see the same"
    return BaseUnavailableError(f"git refuses: {words.partition(' To add an exception')[0]}", absent=absent, hint=hint)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if name not in _OF_A_HOOK}
    return child_environment(kept, {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"})  # messages in English
