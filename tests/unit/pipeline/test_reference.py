"""What a job is compared with, as a table, in a real repository."""

import os
import subprocess

import pytest

from perfci.config import Against
from perfci.errors import ConfigError, ExitCode, PerfciError, RefError
from perfci.model import Reference
from perfci.pipeline.reference import WORKTREE, choose
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


@pytest.mark.parametrize(
    ("against", "base", "reference", "commit", "name", "reason"),
    [
        (AUTO, "v1", Reference.REF, "HEAD", "v1 ({short})", "the base commit is in the local git"),
        (AUTO, "", Reference.BASELINE, "", "the stored baseline", "no base commit was named"),
        (
            AUTO,
            "gone",
            Reference.BASELINE,
            "",
            "the stored baseline",
            "the local git has no commit 'gone'; check the name",
        ),
        (AUTO, ".", Reference.REF, WORKTREE, "the working tree", "both sides are the working tree"),
        (REF, "main", Reference.REF, "HEAD", "main ({short})", "the base commit is in the local git"),
        (REF, ".", Reference.REF, WORKTREE, "the working tree", "both sides are the working tree"),
        (BASELINE, "v1", Reference.BASELINE, "HEAD", "the stored baseline", "asked for"),
        (BASELINE, "", Reference.BASELINE, "", "the stored baseline", "no base commit was named"),
        (BASELINE, "gone", Reference.BASELINE, "", "the stored baseline", "asked for"),
    ],
)
def test_what_is_compared_with(
    git: Git, *, against: Against, base: str, reference: Reference, commit: str, name: str, reason: str
) -> None:
    """What was asked for, and what the local git has, decide; the reason is told."""
    choice = choose(against, base, git)
    assert choice.reference is reference
    assert choice.base == (git.head() if commit == "HEAD" else commit)
    assert choice.name == name.format(short=git.head()[:7])
    assert choice.reason.startswith(reason)


@pytest.mark.parametrize(
    ("against", "base", "error", "told"),
    [
        (REF, "", ConfigError, "comparing with a commit needs to know which"),
        (REF, "gone", RefError, "the local git has no commit 'gone'"),
        (BASELINE, ".", ConfigError, "--base . compares the working tree with itself"),
    ],
)
def test_what_cannot_be_compared_with(
    git: Git, against: Against, base: str, error: type[PerfciError], told: str
) -> None:
    """Who asks for a commit gets that commit or an error, and never something else."""
    with pytest.raises(error, match=told) as caught:
        choose(against, base, git)
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.hint


def test_a_hash_is_its_own_name(git: Git) -> None:
    """A commit named by its hash is not named twice."""
    for length in (7, 12, 40):
        assert choose(REF, git.head()[:length], git).name == git.head()[:7]
