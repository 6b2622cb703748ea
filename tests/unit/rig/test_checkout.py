"""The base commit from the local git, with real repositories."""

import os
import subprocess
from collections.abc import Iterator
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


def test_files_of_a_commit_are_the_projects(git: Git) -> None:
    """Paths are relative to the project's folder; what a commit does not have is nothing."""
    assert git.show("v1", "service.py") == b"version = 1\n"
    assert git.show("HEAD", "service.py") == b"version = 2\n"
    assert git.show("v1", "perfci.toml") is None
    assert git.show("nowhere", "service.py") is None


def _worktrees(project: Path) -> list[str]:
    return _run(project, "worktree", "list", "--porcelain").split("\n\n")


def test_a_worktree_is_the_project_as_it_was(git: Git, project: Path, tmp_path: Path) -> None:
    """Beside the working tree, which stays as it is, uncommitted changes and all; gone afterwards."""
    (project / "service.py").write_text("uncommitted\n")
    with git.worktree(git.resolve("v1"), tmp_path / "base") as folder:
        assert folder == tmp_path / "base" / "services" / "shop"
        assert (folder / "service.py").read_text() == "version = 1\n"
        assert len(_worktrees(project)) == 2
    assert not (tmp_path / "base").exists()
    assert len(_worktrees(project)) == 1
    assert (project / "service.py").read_text() == "uncommitted\n"
    assert _run(project, "branch", "--list") == "* main"


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_worktree_is_removed_whatever_happens(
    git: Git, project: Path, tmp_path: Path, failure: type[BaseException]
) -> None:
    """Also when the measurement fails or is interrupted, and although a build has left files in it."""

    def fail() -> None:
        with git.worktree(git.resolve("v1"), tmp_path / "base") as folder:
            (folder / "built").write_text("by the build")
            raise failure

    with pytest.raises(failure):
        fail()
    assert not (tmp_path / "base").exists()
    assert len(_worktrees(project)) == 1


def test_a_commit_that_is_not_there_cannot_be_checked_out(git: Git, tmp_path: Path) -> None:
    """The message is git's own; nothing is left."""
    with (
        pytest.raises(BaseUnavailableError, match=r"git could not check out 000000000000: .*0000"),
        git.worktree("0" * 40, tmp_path / "base"),
    ):
        pytest.fail("entered")
    assert not (tmp_path / "base").exists()


@pytest.fixture
def hook(project: Path) -> Iterator[Path]:
    """A hook that every checkout would run; the file that it would write."""
    proof = project.parents[1] / "hook-ran"
    hooks = project.parents[1] / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    script = hooks / "post-checkout"
    script.write_text(f"#!/bin/sh\ntouch '{proof}'\n")
    script.chmod(0o755)
    yield proof
    proof.unlink(missing_ok=True)


def test_no_hook_runs(git: Git, project: Path, tmp_path: Path, hook: Path) -> None:
    """The repository's hooks are code that nobody asked to run; git itself would have run this one."""
    with git.worktree(git.resolve("v1"), tmp_path / "base"):
        assert not hook.exists()
    _run(project, "worktree", "add", "-q", "--detach", str(tmp_path / "other"), "v1")
    assert hook.exists()
