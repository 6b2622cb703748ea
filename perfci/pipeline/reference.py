"""Decides what to compare with, and why, from the configuration, the job and the local git."""

from dataclasses import dataclass

from perfci.config import Against
from perfci.errors import BaseUnavailableError, ConfigError, RefError
from perfci.model import Reference
from perfci.pipeline.trees import is_folder, short
from perfci.rig.host.git import Git


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

    def __bool__(self) -> bool:
        """Whether a base was named at all, be it one that cannot be had."""
        return bool(self.ref or self.problem)


def reference_of(against: Against, named: NamedBase, *, external: bool) -> Reference:
    """
    What a run is compared with: side by side where a base was named, else the stored runs; limits alone where asked to.

    An *external* target is one and the same for every commit: side by side it would be compared with itself, and pass.
    """
    if against is Against.LIMITS:
        return Reference.LIMITS
    uncommitted = is_folder(named.ref)
    if external and (against is Against.REF or uncommitted):
        raise ConfigError(
            "an external target cannot be started at another commit, so there is nothing to compare side by side",
            hint="use --against baseline, or a target of kind command or compose",
        )
    if uncommitted and against is Against.BASELINE:
        raise ConfigError(
            f"--base {named.ref} names files that are compared side by side", hint="use --against ref, or name a commit"
        )
    if against is Against.REF and not named:
        raise ConfigError("comparing with a commit needs to know which", hint="name it: --base main")
    return Reference.BASELINE if external or against is Against.BASELINE or not named else Reference.REF


def commit_of(named: NamedBase, git: Git) -> str:
    """Full hash of the base commit; RefError for a name that the user mistyped, BaseUnavailableError for the rest."""
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


def name_of(commit: str, named: NamedBase) -> str:
    """The base commit for the reader: its short hash, and what it is to the job or how it was named."""
    if named.role:
        return f"{commit[:7]} ({named.role})"
    return short(commit, named.ref)
