"""The base commit from the local git, with real repositories."""

import os
import subprocess
from pathlib import Path

import pytest

from perfci.errors import BaseUnavailableError, ExitCode, RefError
from perfci.rig.host.git import Git


def _run(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.test", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True, timeout=30
    )
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a sub-folder of a repository with two commits; the first has another service.py."""
    repository = tmp_path / "repository"
    project = repository / "services" / "shop"
    project.mkdir(parents=True)
    _run(repository, "init", "-q")
    for number in (1, 2):
        (project / "service.py").write_text(f"version = {number}\n")
        _run(repository, "add", ".")
        _run(repository, "commit", "-q", "-m", f"version {number}")
    _run(repository, "tag", "v1", "HEAD~1")
    return project


@pytest.fixture
def git(project: Path) -> Git:
    """perfci's git there."""
    return Git(root=project, environ=os.environ)


def test_head(git: Git, project: Path) -> None:
    """The commit that is checked out, whole."""
    assert git.head() == _run(project, "rev-parse", "HEAD")
    assert len(git.head()) == 40


def test_no_head_is_no_error(tmp_path: Path) -> None:
    """Outside a repository, before the first commit, and without git at all, a run is possible."""
    assert Git(root=tmp_path, environ=os.environ).head() == ""
    _run(tmp_path, "init", "-q")
    assert Git(root=tmp_path, environ=os.environ).head() == ""
    assert Git(root=tmp_path, environ={"PATH": "/nowhere"}).head() == ""


@pytest.mark.parametrize("ref", ["v1", "HEAD~1", "main~1", "short", "whole"])
def test_names_of_commits_are_resolved(git: Git, project: Path, ref: str) -> None:
    """Tags, branches, short and whole hashes."""
    commit = _run(project, "rev-parse", "v1^{commit}")
    assert git.resolve({"short": commit[:8], "whole": commit}.get(ref, ref)) == commit


@pytest.mark.parametrize(
    "ref", ["nowhere", "0" * 40, "--help", "-x", "v1:services/shop/service.py", "", "a b", "$(id)"]
)
def test_what_is_no_commit_here_is_a_usage_error(git: Git, ref: str) -> None:
    """Unknown names and hashes, options and files: in a clone with the whole history, the name is wrong."""
    with pytest.raises(RefError) as caught:
        git.resolve(ref)
    assert str(caught.value) == f"the local git has no commit {ref!r}"
    assert "check the name" in caught.value.hint
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.kind("J")
def test_a_branch_that_was_only_fetched_is_named(project: Path, tmp_path: Path) -> None:
    """A job has checked out its own branch alone: "main" is "origin/main" there."""
    _run(project, "branch", "team/next")
    _run(tmp_path, "clone", "-q", f"file://{project.parents[1]}", "clone")
    _run(tmp_path / "clone", "checkout", "-q", "-b", "change")
    _run(tmp_path / "clone", "branch", "-D", "main")
    for name in ("main", "team/next"):
        with pytest.raises(RefError) as caught:
            Git(root=tmp_path / "clone", environ=os.environ).resolve(name)
        assert caught.value.hint.endswith(f": origin/{name}")


def test_what_a_shallow_clone_lacks_cannot_be_compared(project: Path, tmp_path: Path) -> None:
    """The name may be right: the error names `fetch-depth`, and the exit code says that nothing was compared."""
    _run(tmp_path, "clone", "-q", "--depth", "1", f"file://{project.parents[1]}", "shallow")
    with pytest.raises(BaseUnavailableError, match="the local git has no commit 'v1': this clone is shallow") as caught:
        Git(root=tmp_path / "shallow", environ=os.environ).resolve("v1")
    assert "fetch-depth" in caught.value.hint
    assert caught.value.absent
    assert caught.value.exit_code is ExitCode.NOT_MEASURED


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_is_refused_in_gits_own_words(git: Git, project: Path, tmp_path: Path) -> None:
    """The next step is the one that git names; the depth of the history is no matter."""
    subprocess.run(["chown", "-R", "12345:12345", project.parents[1]], check=True)
    stranger = Git(root=project, environ={"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
    with pytest.raises(BaseUnavailableError, match="git refuses: fatal: detected dubious ownership") as caught:
        stranger.resolve("v1")
    assert f"git config --global --add safe.directory {project.parents[1]}" in caught.value.hint
    assert "fetch-depth" not in str(caught.value) + caught.value.hint
    assert caught.value.absent


def test_without_a_repository_the_reason_is_told(tmp_path: Path) -> None:
    """A folder without git has no commits to compare with."""
    with pytest.raises(BaseUnavailableError, match="git refuses: fatal: not a git repository"):
        Git(root=tmp_path, environ=os.environ).resolve("v1")


def test_without_git_the_reason_is_told(project: Path) -> None:
    """Comparing with a commit needs the command."""
    with pytest.raises(BaseUnavailableError, match="git cannot be run"):
        Git(root=project, environ={"PATH": "/nowhere"}).resolve("v1")
