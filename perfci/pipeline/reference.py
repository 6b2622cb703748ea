"""What to compare with, and why: decided from the configuration, the job and the local git."""

from dataclasses import dataclass

from perfci.config import Against
from perfci.errors import BaseUnavailableError, ConfigError, RefError
from perfci.model import Reference
from perfci.rig.host.git import Git

WORKTREE = "."
"""The name of the working tree as a base: both sides the same, which must end in a pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The reference of this job."""

    reference: Reference
    base: str  # full hash, WORKTREE, or "" where there is no base commit at hand
    name: str  # of the base, for the reader
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedBase:
    """The base commit that was named, by the user or by the event of the job; empty where none was."""

    ref: str = ""  # a name or hash that git understands, or WORKTREE
    role: str = ""  # what the commit is to the job, for the reader: "the first parent of the merge"
    required: bool = False  # whether a run without it is no answer: it was asked for, or a change waits to be merged
    by_user: bool = False
    fetch_depth: int = 0  # of a checkout that would have it; 0 is the whole history
    problem: str = ""  # why no commit can be named, with the next step
    step: str = ""


def choose(against: Against, named: NamedBase, git: Git, *, external: bool = False) -> Choice:
    """
    Paired where a base was named, else the baseline.

    A required base that cannot be had is an error (RefError, BaseUnavailableError) even where the baseline was asked
    for, since policy and stored runs are the base's. An *external* target is one and the same for every commit: side
    by side it would be compared with itself, and pass.
    """
    if external and (against is Against.REF or named.ref == WORKTREE):
        raise ConfigError(
            "an external target cannot be started at another commit, so there is nothing to compare side by side",
            hint="use --against baseline, or a target of kind command or compose",
        )
    if named.ref == WORKTREE:
        if against is Against.BASELINE:
            raise ConfigError("--base . compares the working tree with itself, side by side", hint="use --against ref")
        return Choice(
            reference=Reference.REF, base=WORKTREE, name="the working tree", reason="both sides are the working tree"
        )
    if not named.ref and not named.problem:
        if against is Against.REF:
            raise ConfigError("comparing with a commit needs to know which", hint="name it: --base main")
        return _baseline("", "no base commit was named")
    try:
        commit = _commit_of(named, git)
    except (RefError, BaseUnavailableError) as error:
        if named.required or against is Against.REF:
            raise
        return _baseline("", "asked for" if against is Against.BASELINE else f"{error}; {error.hint}")
    if external or against is Against.BASELINE:
        return _baseline(commit, "the target is external" if external else "asked for")
    name = _named(commit, named)
    return Choice(reference=Reference.REF, base=commit, name=name, reason=f"compared with {name}")


def _commit_of(named: NamedBase, git: Git) -> str:
    if named.problem:
        raise BaseUnavailableError(named.problem, absent=True, hint=named.step)
    try:
        return git.resolve(named.ref, fetch_depth=named.fetch_depth)
    except RefError as error:
        if named.by_user:
            raise
        raise BaseUnavailableError(
            f"{error}, {named.role}" if named.role else str(error),
            absent=True,
            hint="fetch it in a step before perfci, or name another base: the input `base`, --base",
        ) from None


def _named(commit: str, named: NamedBase) -> str:
    if named.role:
        return f"{commit[:7]} ({named.role})"
    return commit[:7] if commit.startswith(named.ref) else f"{named.ref} ({commit[:7]})"


def _baseline(commit: str, reason: str) -> Choice:
    return Choice(reference=Reference.BASELINE, base=commit, name="the stored baseline", reason=reason)
