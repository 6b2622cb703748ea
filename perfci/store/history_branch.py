"""
A history on a branch of its own in the repository, which shares no commit with the code.

Nothing is checked out: commits are made from objects, beside the work tree and its index. A commit is pushed without
force. Where somebody else was faster the push is rejected, and the run is added to what that writer has left.
"""

import os
import random
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfci.errors import ConfigError, PublishError
from perfci.store.history import MARKER_FILE, Change, check_marked

BRANCH, REMOTE = "perfci-history", "origin"

ATTEMPTS = 12
WAIT_S = 0.5
"""The longest pause after the first rejected push; after the N-th it is N times as long."""

GIT_S = 600.0

_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
_FETCH = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance")
_ENGLISH = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
_AUTHOR = {
    "GIT_AUTHOR_NAME": "perfci",
    "GIT_AUTHOR_EMAIL": "perfci@localhost",
    "GIT_COMMITTER_NAME": "perfci",
    "GIT_COMMITTER_EMAIL": "perfci@localhost",
}
_OF_A_HOOK = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"})  # they lead git to another repository
_ABSENT = re.compile(r"couldn't find remote ref", re.IGNORECASE)
_OVERTAKEN = re.compile(
    r"\[rejected\]|cannot lock ref|failed to update ref|incorrect old value|reference already exists", re.IGNORECASE
)
_LOCKED = re.compile(r"cannot lock ref|unable to update local ref|\.lock'?: File exists", re.IGNORECASE)
_CREDENTIALS = re.compile(r"(://)[^/\s@]+@")


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchFiles:
    """The files of one commit; empty without a commit."""

    branch: "HistoryBranch"
    commit: str  # "" where the branch does not exist

    def paths(self) -> Sequence[str]:
        """Every file, in the order of their names."""
        if not self.commit:
            return []
        listed = self.branch.git("ls-tree", "-r", "-z", "--name-only", "--full-tree", self.commit)
        return sorted(os.fsdecode(path) for path in listed.split(b"\0") if path)

    def read(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """The content of those of *paths* that there are, by one call of git."""
        if not self.commit or not paths:
            return {}
        asked = "".join(f"{self.commit}:{path}\n" for path in paths).encode()
        answer = self.branch.git("cat-file", "--batch", given=asked)
        return {path: content for path, content in zip(paths, _blobs(answer), strict=True) if content is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryBranch:
    """The history on *branch* of *remote*, a remote of the repository around *root* or an address."""

    root: Path
    environ: Mapping[str, str]
    remote: str = REMOTE
    branch: str = BRANCH

    @property
    def name(self) -> str:
        """The branch, as people write it."""
        return f"branch {self.branch} of {_masked(self.remote)}"

    def files(self) -> BranchFiles:
        """
        The files of the branch as the remote has it now.

        ConfigError where branch or remote cannot be used, PublishError where the remote gives no answer.
        """
        files = BranchFiles(branch=self, commit=self._fetched())
        check_marked(files.paths(), files.read([MARKER_FILE]), where=self.name)
        return files

    def update(self, change: Change, *, message: str) -> bool:
        """Commit what *change* makes of the files, and push it; PublishError where that cannot be done."""
        for attempt in range(1, ATTEMPTS + 1):
            files = self.files()
            written = change(files)
            if not written:
                return False
            commit = self._commit(files.commit, written, message)
            if self._push(commit):
                return True
            time.sleep(random.uniform(0.0, WAIT_S * attempt))  # noqa: S311  # no secret: writers must not keep step
        raise PublishError(
            f"others were faster {ATTEMPTS} times in pushing to {self.name}", hint="push the run again: it is kept"
        )

    def git(self, *arguments: str, given: bytes = b"", also: Mapping[str, str] | None = None) -> bytes:
        """What git prints; PublishError where it fails."""
        done = self._run(*arguments, given=given, also=also)
        if done.returncode:
            raise self._failed(arguments[0], done)
        return done.stdout

    def _fetched(self) -> str:
        """The commit at the tip of the branch, "" where the remote has no such branch; its objects are here then."""
        self._check_names()
        for attempt in range(1, ATTEMPTS + 1):
            done = self._run("fetch", *_FETCH, self.remote, f"+refs/heads/{self.branch}:{self._local}")
            if not done.returncode:
                return self.git("rev-parse", "--verify", f"{self._local}^{{commit}}").decode().strip()
            if _ABSENT.search(done.stderr.decode(errors="replace")):
                return ""
            if not _LOCKED.search(done.stderr.decode(errors="replace")):
                raise self._failed("fetch", done)
            time.sleep(random.uniform(0.0, WAIT_S * attempt))  # noqa: S311  # as above
        raise PublishError(f"{self.name} cannot be fetched: another git holds its lock in {self.root}")

    def _commit(self, parent: str, written: Mapping[str, str], message: str) -> str:
        """A commit with the files of *parent* and *written*; nothing refers to it yet."""
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": f"{folder}/index"}
            if parent:
                self.git("read-tree", parent, also=index)
            entries = [self._entry(path, text) for path, text in written.items()]
            self.git("update-index", "-z", "--add", "--index-info", given=b"".join(entries), also=index)
            tree = self.git("write-tree", also=index).decode().strip()
        parents = ("-p", parent) if parent else ()
        made = self.git("commit-tree", tree, *parents, given=message.encode(), also=_AUTHOR)
        return made.decode().strip()

    def _entry(self, path: str, text: str) -> bytes:
        blob = self.git("hash-object", "-w", "--stdin", given=text.encode()).decode().strip()
        return f"100644 {blob}\t{path}\0".encode()

    def _push(self, commit: str) -> bool:
        """Whether the remote took *commit*; False where the branch has moved on since."""
        done = self._run("push", "--porcelain", "--no-verify", self.remote, f"{commit}:refs/heads/{self.branch}")
        if not done.returncode:
            return True
        if not _OVERTAKEN.search((done.stdout + done.stderr).decode(errors="replace")):
            raise self._failed("push", done)
        return False

    def _check_names(self) -> None:
        """Refuse names that git would read as an option or that are no part of a ref."""
        if self._run("check-ref-format", f"refs/heads/{self.branch}").returncode or self.branch.startswith("-"):
            raise ConfigError(f"{self.branch[:100]!r} cannot be the name of a branch")
        if not self.remote or self.remote.startswith("-") or "::" in self.remote:
            raise ConfigError(f"{self.remote[:100]!r} cannot be a remote")

    def _failed(self, what: str, done: subprocess.CompletedProcess[bytes]) -> PublishError:
        output = _masked(" ".join((done.stderr or done.stdout).decode(errors="replace").split()))[-600:]
        hint = "in a workflow the job needs `permissions: contents: write`, and actions/checkout its credentials kept"
        return PublishError(f"git {what} failed for {self.name}: {output}", hint=hint)

    def _run(
        self, *arguments: str, given: bytes = b"", also: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        kept = {name: value for name, value in self.environ.items() if name not in _OF_A_HOOK}
        command = ["git", *_QUIET, *arguments]
        environment = {**kept, **_ENGLISH, **(also or {})}
        try:
            return subprocess.run(
                command, cwd=self.root, env=environment, input=given, capture_output=True, timeout=GIT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise PublishError(f"git {arguments[0]} did not end within {GIT_S:g} s for {self.name}") from None
        except OSError as error:
            raise PublishError(f"git cannot be run: {os.strerror(error.errno or 0)}", hint="install git") from None

    @property
    def _local(self) -> str:
        """Where the fetched branch is kept: apart from the branches of the user."""
        return f"refs/perfci/{self.branch}"


def _blobs(answer: bytes) -> Iterator[bytes | None]:
    """The objects in the output of `git cat-file --batch`, None for a missing one."""
    at = 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        head = answer[at:end]
        if head.endswith(b" missing"):
            yield None
            at = end + 1
        else:
            size = int(head.rsplit(b" ", 1)[1])
            yield answer[end + 1 : end + 1 + size]
            at = end + size + 2


def _masked(text: str) -> str:
    return _CREDENTIALS.sub(r"\1***@", text)
