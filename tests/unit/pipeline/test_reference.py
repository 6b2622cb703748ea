"""What a job is compared with, as a table, in a real repository."""

import os
import subprocess

import pytest

from perfci.config import Against
from perfci.errors import BaseUnavailableError, ConfigError, ExitCode, PerfciError, RefError
from perfci.model import Reference
from perfci.pipeline.reference import WORKTREE, NamedBase, choose
from perfci.rig.host.git import Git

AUTO, BASELINE, REF = Against.AUTO, Against.BASELINE, Against.REF


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Git:
    """A repository with one commit, tagged v1."""
    folder = tmp_path_factory.mktemp("repository")
    for arguments in (
        ("init", "-q", "-b", "main"),
        ("-c", "user.name=T", "-c", "user.email=t@example.test", "commit", "-q", "--allow-empty", "-m", "one"),
        ("tag", "v1"),
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True, timeout=30)
    return Git(root=folder, environ=os.environ)


def _given(ref: str) -> NamedBase:
    """What the user typed; "" for nothing."""
    return NamedBase(ref=ref, required=True, by_user=True) if ref else NamedBase()


@pytest.mark.parametrize(
    ("against", "base", "reference", "commit", "name", "reason"),
    [
        (AUTO, "v1", Reference.REF, "HEAD", "v1 ({short})", "compared with {name}"),
        (AUTO, "", Reference.BASELINE, "", "the stored baseline", "no base commit was named"),
        (AUTO, ".", Reference.REF, WORKTREE, "the working tree", "both sides are the working tree"),
        (REF, "main", Reference.REF, "HEAD", "main ({short})", "compared with {name}"),
        (REF, ".", Reference.REF, WORKTREE, "the working tree", "both sides are the working tree"),
        (BASELINE, "v1", Reference.BASELINE, "HEAD", "the stored baseline", "asked for"),
        (BASELINE, "", Reference.BASELINE, "", "the stored baseline", "no base commit was named"),
    ],
)
def test_what_is_compared_with(
    git: Git, *, against: Against, base: str, reference: Reference, commit: str, name: str, reason: str
) -> None:
    """What was asked for, and what the local git has, decide; the reason is told."""
    choice = choose(against, _given(base), git)
    assert choice.reference is reference
    assert choice.base == (git.head() if commit == "HEAD" else commit)
    assert choice.name == name.format(short=git.head()[:7])
    assert choice.reason == reason.format(name=choice.name)


@pytest.mark.parametrize(
    ("against", "base", "error", "told"),
    [
        (REF, "", ConfigError, "comparing with a commit needs to know which"),
        (REF, "gone", RefError, "the local git has no commit 'gone'"),
        (AUTO, "gone", RefError, "the local git has no commit 'gone'"),
        (BASELINE, "gone", RefError, "the local git has no commit 'gone'"),
        (BASELINE, ".", ConfigError, "--base . compares the working tree with itself"),
    ],
)
def test_what_cannot_be_compared_with(
    git: Git, against: Against, base: str, error: type[PerfciError], told: str
) -> None:
    """Who asks for a commit gets that commit or an error, and never something else."""
    with pytest.raises(error, match=told) as caught:
        choose(against, _given(base), git)
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.hint


def test_a_hash_is_its_own_name(git: Git) -> None:
    """A commit named by its hash is not named twice."""
    for length in (7, 12, 40):
        assert choose(REF, _given(git.head()[:length]), git).name == git.head()[:7]


def test_a_base_that_nobody_asked_for_may_be_missing(git: Git) -> None:
    """The commit before a push that was forced: the stored runs are the reference, and it is told why."""
    choice = choose(AUTO, NamedBase(ref="1" * 40, role="the commit before the push"), git)
    assert (choice.reference, choice.base) == (Reference.BASELINE, "")
    assert choice.reason.startswith(f"the local git has no commit '{'1' * 40}', the commit before the push; fetch it")
    with pytest.raises(BaseUnavailableError):
        choose(REF, NamedBase(ref="1" * 40), git)


@pytest.mark.parametrize("against", [AUTO, REF, BASELINE])
@pytest.mark.parametrize("named", [NamedBase(ref="1" * 40, required=True), NamedBase(required=True, problem="none")])
def test_a_base_that_is_required_is_never_replaced(git: Git, against: Against, named: NamedBase) -> None:
    """Not by the change's own policy and stored runs either, where the baseline is asked for."""
    with pytest.raises(BaseUnavailableError) as caught:
        choose(against, named, git)
    assert caught.value.absent
    assert caught.value.exit_code is ExitCode.NOT_MEASURED
