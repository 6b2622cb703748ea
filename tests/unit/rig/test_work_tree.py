"""The project at another commit: a private work tree, made of real repositories, of which nothing stays."""

import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from perfci.errors import BaseUnavailableError
from perfci.rig.host import leftovers
from perfci.rig.host.checkout import work_tree
from perfci.rig.host.git import Git

pytestmark = pytest.mark.kind("J")

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


def _run(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.test", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *identity, "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.stdout.strip()


def _commit(folder: Path, message: str) -> str:
    _run(folder, "add", "--all")
    _run(folder, "commit", "-q", "--allow-empty", "-m", message)
    return _run(folder, "rev-parse", "HEAD")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a sub-folder of a repository with two commits; the first, v1, has another service.py."""
    repository = tmp_path / "repository"
    project = repository / "services" / "shop"
    project.mkdir(parents=True)
    _run(repository, "init", "-q")
    for number in (1, 2):
        (project / "service.py").write_text(f"version = {number}\n")
        _commit(repository, f"version {number}")
    _run(repository, "tag", "v1", "HEAD~1")
    return project


@pytest.fixture
def git(project: Path) -> Git:
    """perfci's git there, on a laptop."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "RUNNER_"))}
    return Git(root=project, environ=environ)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """perfci's state folder."""
    return tmp_path / "state"


def _nothing_left(project: Path, state: Path) -> None:
    assert len(_run(project, "worktree", "list", "--porcelain").split("\n\n")) == 1
    assert list(state.rglob("*")) == []


def test_a_work_tree_is_the_project_as_it_was(git: Git, project: Path, state: Path) -> None:
    """The working tree stays as it is, uncommitted changes and all; nothing is left afterwards."""
    (project / "service.py").write_text("uncommitted\n")
    with work_tree(git, git.resolve("v1"), state=state) as folder:
        assert folder.parts[-3:] == ("repository", "services", "shop")
        assert (folder / "service.py").read_text() == "version = 1\n"
        assert _run(folder, "rev-parse", "HEAD") == git.resolve("v1")
    assert not folder.exists()
    assert (project / "service.py").read_text() == "uncommitted\n"
    assert _run(project, "branch", "--list") == "* main"
    _nothing_left(project, state)


def test_a_work_tree_is_private_and_outside_of_the_project(
    git: Git, project: Path, state: Path, tmp_path: Path
) -> None:
    """What looks for files in the folders above finds none of the change; other users find nothing at all."""
    runner = {**git.environ, "GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(tmp_path / "temp")}
    inside = {**git.environ, "GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(project / "temp")}
    elsewhere = {**git.environ, "RUNNER_TEMP": str(tmp_path / "temp")}
    for environ, parent in ((git.environ, state), (runner, tmp_path / "temp"), (inside, state), (elsewhere, state)):
        here = Git(root=project, environ=environ)
        with work_tree(here, git.resolve("v1"), state=state) as folder:
            assert folder.is_relative_to(parent)
            assert not folder.is_relative_to(project.parents[1])
            private = folder.parents[2]
            assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert not private.exists()
    with work_tree(git, git.resolve("v1"), state=project / ".state") as folder:
        assert not folder.is_relative_to(project.parents[1])


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_work_tree_is_removed_whatever_happens(
    git: Git, project: Path, state: Path, failure: type[BaseException]
) -> None:
    """Also when the measurement fails or is interrupted, and although a build has left files that nobody may write."""

    def fail() -> None:
        with work_tree(git, git.resolve("v1"), state=state) as folder:
            (folder / "cache").mkdir()
            (folder / "cache" / "module").write_text("by the build")
            (folder / "cache").chmod(0o500)
            raise failure

    with pytest.raises(failure):
        fail()
    _nothing_left(project, state)


def test_what_a_killed_perfci_left_is_removed_by_the_next(git: Git, project: Path, state: Path) -> None:
    """Folder, note, and what the repository knows of it; that of a living one stays."""
    context = work_tree(git, git.resolve("v1"), state=state)
    folder = context.__enter__()
    assert leftovers.sweep(state, environ=git.environ) == []
    assert folder.exists()
    (note,) = state.glob("*.json")
    left = leftovers.Note.model_validate_json(note.read_bytes())
    dead = left.owner.model_copy(update={"started_at": 1.0})
    note.write_text(left.model_copy(update={"owner": dead}).model_dump_json())
    assert leftovers.sweep(state, environ=git.environ) == [f"removed work tree {left.tree}"]
    assert leftovers.sweep(state, environ=git.environ) == []
    _nothing_left(project, state)


def test_only_a_folder_of_perfcis_own_is_ever_removed(tmp_path: Path) -> None:
    """A note of another folder is none."""
    with pytest.raises(ValueError, match="tree"):
        leftovers.note(tmp_path, tree=tmp_path / "home")


def test_a_commit_that_is_not_there_cannot_be_checked_out(git: Git, project: Path, state: Path) -> None:
    """The message is git's own; nothing is left."""
    with (
        pytest.raises(BaseUnavailableError, match=r"git cannot check out 000000000000: git refuses: fatal: .*0000"),
        work_tree(git, "0" * 40, state=state),
    ):
        pytest.fail("entered")
    _nothing_left(project, state)


def test_a_file_that_a_partial_clone_lacks_would_have_to_be_fetched(project: Path, state: Path, tmp_path: Path) -> None:
    """perfci fetches nothing: the error says how the checkout has it."""
    upstream = project.parents[1]
    _run(upstream, "config", "uploadpack.allowFilter", "true")
    _run(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{upstream}", "partial")
    partial = Git(root=tmp_path / "partial", environ=os.environ)
    with (
        pytest.raises(BaseUnavailableError, match="git refuses") as caught,
        work_tree(partial, partial.head(), state=state),
    ):
        pytest.fail("entered")
    assert "without `filter`" in caught.value.hint
    assert not caught.value.absent
    _nothing_left(tmp_path / "partial", state)


def test_no_command_of_the_configuration_runs(git: Git, project: Path, state: Path, tmp_path: Path) -> None:
    """Neither hook nor filter nor monitor; git itself would have run them."""
    repository, proof = project.parents[1], tmp_path / "ran"
    (project / ".gitattributes").write_text("*.py filter=evil\n*.txt filter=x=y\n")
    (project / "a.txt").write_text("text\n")
    commit = _commit(repository, "with attributes")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    script = hooks / "post-checkout"
    script.write_text(f"#!/bin/sh\ntouch '{proof}'\n")
    script.chmod(0o755)
    command = f"touch '{proof}'; cat"
    for name, value in {
        "core.hooksPath": str(hooks),
        "core.fsmonitor": str(script),
        "filter.evil.smudge": command,
        "filter.evil.required": "true",
        "filter.x=y.process": command,
    }.items():
        _run(repository, "config", name, value)
    with work_tree(git, commit, state=state) as folder:
        assert (folder / "service.py").read_text() == "version = 2\n"
        assert not proof.exists()
    _run(repository, "worktree", "add", "-q", "--detach", str(tmp_path / "other"), "v1")
    assert proof.exists()


def test_hooks_of_the_configuration_are_off(git: Git, project: Path, state: Path, tmp_path: Path) -> None:
    """Git 2.54 runs them wherever hooks lie; older ones, as the test may meet, are told so without effect."""
    repository, proof, said = project.parents[1], tmp_path / "ran", tmp_path / "said"
    _run(repository, "config", "hook.evil.command", f"touch '{proof}'")
    _run(repository, "config", "hook.evil.event", "post-checkout")
    real = shutil.which("git")
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\necho "$*" >>{said}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    environ = {**git.environ, "PATH": f"{wrapper.parent}:{os.environ['PATH']}"}
    with work_tree(replace(git, environ=environ), "v1", state=state):
        assert not proof.exists()
    (added,) = [line for line in said.read_text().splitlines() if " worktree add " in line]
    assert "--config-env=hook.evil.enabled=" in added


@pytest.fixture
def with_submodule(project: Path, tmp_path: Path) -> Callable[..., tuple[str, str]]:
    """Adds a submodule to the repository, and raises it in a second commit; the first commit, and the submodule's."""

    def added() -> tuple[str, str]:
        library = tmp_path / "library"
        library.mkdir()
        _run(library, "init", "-q")
        (library / "version").write_text("1")
        first = _commit(library, "one")
        repository = project.parents[1]
        _run(repository, "submodule", "add", "-q", f"file://{library}", "libs/library")
        base = _commit(repository, "with a submodule")
        (library / "version").write_text("2")
        _commit(library, "two")
        _run(repository / "libs/library", "pull", "-q", "origin", "main")
        _commit(repository, "with a newer one")
        return base, first

    return added


def test_submodules_come_from_the_local_git(
    git: Git, project: Path, state: Path, tmp_path: Path, with_submodule: Callable[..., tuple[str, str]]
) -> None:
    """As the base wants them, although their origin is gone, the change has removed them and an update is a command."""
    base, first = with_submodule()
    repository, proof = project.parents[1], tmp_path / "ran"
    _run(repository, "config", "submodule.libs/library.update", f"!touch {proof}")
    (tmp_path / "library").rename(tmp_path / "gone")
    for gone in (False, True):
        if gone:
            _run(repository, "rm", "-q", "-f", "libs/library")
        with work_tree(git, base, state=state) as folder:
            library = folder.parents[1] / "libs" / "library"
            assert (library / "version").read_text() == "1"
            assert _run(library, "rev-parse", "HEAD") == first
    assert not proof.exists()
    assert not list((repository / ".git" / "modules" / "libs" / "library").glob("worktrees/*"))
    _nothing_left(project, state)


def test_a_submodule_that_is_not_there_is_named(
    project: Path, state: Path, tmp_path: Path, with_submodule: Callable[..., tuple[str, str]]
) -> None:
    """With the commit, and what to do; a checkout without any submodules has none on either side."""
    base, first = with_submodule()
    clone = tmp_path / "clone"
    _run(tmp_path, "clone", "-q", f"file://{project.parents[1]}", "clone")
    git = Git(root=clone, environ=os.environ)
    with work_tree(git, base, state=state) as folder:
        assert list((folder / "libs" / "library").iterdir()) == []
    _run(clone, "submodule", "update", "-q", "--init", "--depth", "1")
    message = f"the base needs the submodule libs/library at {first[:12]}, which the local git does not have"
    with pytest.raises(BaseUnavailableError, match=message) as caught, work_tree(git, base, state=state):
        pytest.fail("entered")
    assert "`submodules: true`" in caught.value.hint
    assert f"git -C libs/library fetch origin {first}" in caught.value.hint
    assert not caught.value.absent
    _nothing_left(clone, state)


@pytest.fixture
def lfs(project: Path) -> Callable[[str], str]:
    """Commits a file of Git LFS with this content, as its pointer; the commit. The working tree has the content."""
    (project / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")

    def committed(content: str) -> str:
        digest = hashlib.sha256(content.encode()).hexdigest()
        (project / "model.bin").write_text(POINTER.format(digest, len(content)))
        commit = _commit(project, content)
        (project / "model.bin").write_text(content)
        return commit

    return committed


def _store(project: Path, content: str) -> None:
    digest = hashlib.sha256(content.encode()).hexdigest()
    place = project.parents[1] / ".git" / "lfs" / "objects" / digest[:2] / digest[2:4]
    place.mkdir(parents=True)
    (place / digest).write_text(content)


def test_files_of_git_lfs_come_from_the_local_store(
    git: Git, project: Path, state: Path, lfs: Callable[[str], str]
) -> None:
    """No filter asks the network for them; one that is not there is named, unless the change has its pointer, too."""
    base, other, _ = lfs("weights of the base"), lfs("weights of another"), lfs("weights of the change")
    _store(project, "weights of the base")
    with work_tree(git, base, state=state) as folder:
        assert (folder / "model.bin").read_text() == "weights of the base"
    with (
        pytest.raises(BaseUnavailableError, match=r"the base needs the file services/shop/model\.bin of Git LFS"),
        work_tree(git, other, state=state),
    ):
        pytest.fail("entered")
    _run(project, "checkout", "-q", "--force", base)
    with work_tree(git, other, state=state) as folder:
        assert (folder / "model.bin").read_text().startswith("version https://git-lfs")
    _nothing_left(project, state)


def test_a_file_of_git_lfs_that_the_change_did_not_touch(
    git: Git, project: Path, state: Path, lfs: Callable[[str], str]
) -> None:
    """It comes from the working tree, where its content is the one that the base names; else the base lacks it."""
    other, base = lfs("weights of another"), lfs("weights of both sides")
    with work_tree(git, base, state=state) as folder:
        assert (folder / "model.bin").read_text() == "weights of both sides"
    with pytest.raises(BaseUnavailableError, match=r"model\.bin of Git LFS"), work_tree(git, other, state=state):
        pytest.fail("entered")
