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


def choose(against: Against, base_ref: str, git: Git, *, external: bool = False) -> Choice:
    """
    Paired where a base was named and the local git has it, else the baseline.

    *base_ref* is what the user or the event named, "" for none. Asked for `ref`, a missing base is an error;
    asked for `auto`, it is a reason to fall back. An *external* target is one and the same for every commit: side by
    side it would be compared with itself, and pass.
    """
    if external and (against is Against.REF or base_ref == WORKTREE):
        raise ConfigError(
            "an external target cannot be started at another commit, so there is nothing to compare side by side",
            hint="use --against baseline, or a target of kind command or compose",
        )
    if external:
        return _baseline("", "the target is external")
    if base_ref == WORKTREE:
        if against is Against.BASELINE:
            raise ConfigError("--base . compares the working tree with itself, side by side", hint="use --against ref")
        return Choice(
            reference=Reference.REF, base=WORKTREE, name="the working tree", reason="both sides are the working tree"
        )
    if not base_ref:
        if against is Against.REF:
            raise ConfigError("comparing with a commit needs to know which", hint="name it: --base main")
        return _baseline("", "no base commit was named")
    try:
        commit = git.resolve(base_ref)
    except (RefError, BaseUnavailableError) as error:
        if against is Against.REF:
            raise
        return _baseline("", f"{error}; {error.hint}" if against is Against.AUTO else "asked for")
    if against is Against.BASELINE:
        return _baseline(commit, "asked for")
    name = commit[:7] if commit.startswith(base_ref) else f"{base_ref} ({commit[:7]})"
    return Choice(reference=Reference.REF, base=commit, name=name, reason="the base commit is in the local git")


def _baseline(commit: str, reason: str) -> Choice:
    return Choice(reference=Reference.BASELINE, base=commit, name="the stored baseline", reason=reason)
