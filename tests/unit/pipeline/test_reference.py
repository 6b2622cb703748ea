"""What a job is compared with, as a table, in a real repository."""

import os
import subprocess

import pytest

from perfci.config import Against
from perfci.errors import BaseUnavailableError, ConfigError, ExitCode, RefError
from perfci.model import Reference
from perfci.pipeline.reference import NamedBase, commit_of, name_of, reference_of
from perfci.rig.host.git import Git

pytestmark = pytest.mark.kind("K")

AUTO, BASELINE, REF, LIMITS = Against.AUTO, Against.BASELINE, Against.REF, Against.LIMITS


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
    ("against", "base", "reference"),
    [
        (AUTO, "v1", Reference.REF),
        (AUTO, "", Reference.BASELINE),
        (AUTO, ".", Reference.REF),
        (AUTO, "./old", Reference.REF),
        (REF, "main", Reference.REF),
        (REF, ".", Reference.REF),
        (BASELINE, "v1", Reference.BASELINE),
        (BASELINE, "", Reference.BASELINE),
        (LIMITS, "", Reference.LIMITS),
        (LIMITS, "v1", Reference.LIMITS),
    ],
)
def test_what_is_compared_with(against: Against, base: str, reference: Reference) -> None:
    """A base that was named is compared side by side, unless the stored runs were asked for."""
    assert reference_of(against, _given(base), external=False) is reference


@pytest.mark.parametrize(
    ("against", "base", "external", "message"),
    [
        (REF, "", False, "comparing with a commit needs to know which"),
        (BASELINE, ".", False, r"--base \. names files that are compared side by side"),
        (BASELINE, "/srv/old", False, "--base /srv/old names files"),
        (REF, "v1", True, "an external target cannot be started at another commit"),
        (AUTO, ".", True, "an external target cannot be started at another commit"),
    ],
)
def test_what_cannot_be_compared_with(*, against: Against, base: str, external: bool, message: str) -> None:
    """What contradicts itself is refused with the next step."""
    with pytest.raises(ConfigError, match=message) as caught:
        reference_of(against, _given(base), external=external)
    assert caught.value.hint


def test_an_external_target_has_stored_runs_only(git: Git) -> None:
    """It is the same service for every commit; the base that was named gives its policy and its stored runs."""
    assert reference_of(AUTO, _given("v1"), external=True) is Reference.BASELINE


def test_a_mistyped_name_is_a_usage_error(git: Git) -> None:
    """A clone with the whole history knows that there is no such commit."""
    with pytest.raises(RefError, match="the local git has no commit 'gone'") as caught:
        commit_of(_given("gone"), git)
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.hint


@pytest.mark.parametrize(
    "named",
    [
        NamedBase(ref="1" * 40, role="the commit before the push"),
        NamedBase(ref="1" * 40, required=True),
        NamedBase(required=True, problem="the event names no base commit", step="name one"),
    ],
)
def test_a_commit_of_the_event_that_is_not_there(git: Git, named: NamedBase) -> None:
    """What the event names and git does not have is no mistake of the user, and says so with the next step."""
    with pytest.raises(BaseUnavailableError) as caught:
        commit_of(named, git)
    assert caught.value.absent
    assert caught.value.exit_code is ExitCode.NOT_MEASURED
    assert caught.value.hint


def test_the_name_of_a_base(git: Git) -> None:
    """Its short hash, and how it was named or what it is to the job; a hash is not named twice."""
    head = git.head()
    assert commit_of(_given("v1"), git) == head
    assert name_of(head, _given("v1")) == f"v1 ({head[:7]})"
    assert name_of(head, NamedBase(ref=head, role="the first parent of the merge")) == (
        f"{head[:7]} (the first parent of the merge)"
    )
    for length in (7, 12, 40):
        assert name_of(head, _given(head[:length])) == head[:7]
