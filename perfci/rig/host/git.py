"""Reads what the local git knows about the project's repository; perfci never fetches."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfci.errors import BaseUnavailableError, RefError
from perfci.rig.host import process
from perfci.rig.host.environment import child_environment
from perfci.rig.host.process import Completed

GIT_S = 300.0

_REFUSED = 128  # git's exit code for what it calls fatal
_SAFE_DIRECTORY = re.compile(r"git config --global --add safe\.directory .+")
_NOTHING = "PERFCI_NOTHING"
_PARTIAL = re.compile(r"promisor|transport '\w+' not allowed")
_PARENT = re.compile(r"^parent ([0-9a-f]+)$", re.MULTILINE)
_OF_A_HOOK = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"})  # they lead git to another repository
_NO_REPOSITORY = re.compile(r"not a git repository", re.IGNORECASE)
_QUIET = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "submodule.recurse=false")
_ALONE = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "none", _NOTHING: ""}
"""Variables for git: messages in English, no prompts, and no transport, whatever the configuration allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The checked-out commit and its merge base with another branch, as full hashes; "" for none."""

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
            answer = self.run("rev-parse", "--verify", "--quiet", "HEAD")
        except BaseUnavailableError:  # no git here: a run needs none
            return ""
        return answer.out.strip() if answer.ok else ""

    def shallow(self) -> bool:
        """Whether this clone lacks a part of the history."""
        return self.run("rev-parse", "--is-shallow-repository").out.strip() == "true"

    def history(self, others: Sequence[str]) -> History:
        """The history of the checked-out commit; *others* are names of the other branch, which may be missing."""
        if not (head := self.head()):
            return History()
        header = self.run("cat-file", "commit", head).out.partition("\n\n")[0]
        found = [self._commit(name) for name in others]
        tips = [answer.out.strip() for answer in found if answer.ok]
        fork = self.run("merge-base", head, *tips) if tips else None
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
        raise RefError(message, hint=self._other_names(ref))

    def _other_names(self, ref: str) -> str:
        """The next step where there is no *ref*: the branch of a remote that is called so, if there is one."""
        listed = self.run("for-each-ref", "--format=%(refname:lstrip=2)", "refs/remotes")
        remote = [name for name in listed.out.splitlines() if name.partition("/")[2] == ref]
        if listed.ok and remote:
            return f"a branch of that name was fetched, and not checked out: {remote[0]}"
        return "check the name: `git branch --all` and `git tag` list those that this clone has"

    def run(self, *arguments: str, git_dir: Path | None = None, config: Sequence[str] = ()) -> Completed:
        """
        Run git in the project's folder, or on the repository *git_dir*: no hook, no network, no questions.

        The settings that *config* names are empty for this call.
        """
        command = ["git", *(part for setting in _QUIET for part in ("-c", setting))]
        command += [f"--config-env={name}={_NOTHING}" for name in config]
        if git_dir is not None:  # its configuration may name a work tree that is gone
            command += [f"--git-dir={git_dir}", f"--work-tree={git_dir}"]
        try:
            environment = _environment(self.environ)
            return process.run([*command, *arguments], cwd=self.root, environment=environment, timeout_s=GIT_S)
        except (OSError, subprocess.SubprocessError) as error:
            raise BaseUnavailableError(
                f"git cannot be run: {error}", absent=True, hint="install git, or compare with --against baseline"
            ) from None

    def _commit(self, ref: str) -> Completed:
        return self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")


def refusal(answer: Completed, *, absent: bool) -> BaseUnavailableError:
    """An error with the message of git's failed *answer*, and the next step that git names, if any."""
    if answer.code is None:
        return BaseUnavailableError(
            f"git did not answer within {GIT_S:g} s", absent=absent, hint="run `git status` by hand to see why"
        )
    words = " ".join(answer.err.split())
    if step := _SAFE_DIRECTORY.search(answer.err):
        hint = f"the folder belongs to another user; trust it in a step before perfci: `{step[0].strip()}`"
    elif _NO_REPOSITORY.search(answer.err):
        hint = "run perfci inside a git repository, or compare with --against baseline"
    elif _PARTIAL.search(answer.err):
        hint = "this clone is partial, and perfci does not fetch: check out without `filter`"
    else:
        hint = "run `git status` in the project's folder to see the same"
    return BaseUnavailableError(f"git refuses: {words.partition(' To add an exception')[0]}", absent=absent, hint=hint)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if name not in _OF_A_HOOK}
    return child_environment(kept, _ALONE, passed=("GIT_CONFIG_*",))
