"""A path is any bytes on Linux: it is taken as git names it, and where Compose cannot read it, the message says so."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from perfci.errors import ConfigError
from perfci.model import Side
from perfci.rig.host import leftovers
from perfci.rig.host.checkout import work_tree
from perfci.rig.host.git import Git
from perfci.rig.target.project import Project, resolve
from perfci.rig.target.running import Launch
from tests.fakes import docker_cli

pytestmark = [
    pytest.mark.kind("J"),
    pytest.mark.skipif(sys.platform != "linux", reason="file systems elsewhere take UTF-8 only"),
]

LATIN = os.fsdecode(b"caf\xe9")
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


def _run(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.test", "-c", "protocol.file.allow=always")
    command = ["git", *identity, *arguments]
    return os.fsdecode(subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=30).stdout).strip()


def _commit(folder: Path) -> str:
    _run(folder, "add", "--all")
    _run(folder, "commit", "-qm", "more")
    return _run(folder, "rev-parse", "HEAD")


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """A repository, and a project in it, both in folders whose names are Latin-1."""
    project = tmp_path / LATIN / LATIN
    project.mkdir(parents=True)
    (project / "service.py").write_text("version = 1\n")
    _run(project.parent, "init", "-q")
    _commit(project)
    return Git(root=project, environ=os.environ)


def test_a_commit_is_checked_out_from_any_folder(git: Git, tmp_path: Path) -> None:
    """The state may be in such a folder, too, and nothing is left in either."""
    state = tmp_path / os.fsdecode(b"\xff")
    with work_tree(git, git.head(), state=state) as folder:
        assert (folder / "service.py").read_text() == "version = 1\n"
        assert folder.parts[-2:] == (LATIN, LATIN)
    assert list(state.rglob("*")) == []
    assert _run(git.root, "worktree", "list").count("\n") == 0


def test_a_work_tree_of_a_killed_perfci_is_removed(git: Git, tmp_path: Path) -> None:
    """Its note names the folders; what the repository knows of the tree goes, too."""
    state = tmp_path / os.fsdecode(b"\xff")
    context = work_tree(git, git.head(), state=state)
    folder = context.__enter__()
    (note,) = state.glob("*.json")
    left = json.loads(note.read_text())
    left["owner"]["started_at"] = 1.0
    note.write_text(json.dumps(left))
    (said,) = leftovers.sweep(state, environ=git.environ)
    assert said.startswith(f"removed work tree {tmp_path}/\\xff/perfci-tree-")
    assert not folder.exists()
    assert _run(git.root, "worktree", "list").count("\n") == 0


def test_a_submodule_is_checked_out_into_any_folder(git: Git, tmp_path: Path) -> None:
    """As those with other names are."""
    library = tmp_path / "library"
    library.mkdir()
    _run(library, "init", "-q")
    (library / "version").write_text("1")
    _commit(library)
    _run(git.root.parent, "submodule", "--quiet", "add", "--name", "library", f"file://{library}", LATIN + "/libs")
    base = _commit(git.root)
    with work_tree(git, base, state=tmp_path / "state") as folder:
        assert (folder / "libs/version").read_text() == "1"


def test_a_file_of_git_lfs_may_have_any_name(git: Git, tmp_path: Path) -> None:
    """A pointer would else be measured in the place of the file."""
    content = "weights"
    digest = hashlib.sha256(content.encode()).hexdigest()
    (git.root / ".gitattributes").write_text("*.bin filter=lfs -text\n")
    (git.root / f"{LATIN}.bin").write_text(POINTER.format(digest, len(content)))
    base = _commit(git.root)
    (git.root / f"{LATIN}.bin").write_text(content)
    with work_tree(git, base, state=tmp_path / "state") as folder:
        assert (folder / f"{LATIN}.bin").read_text() == content


@pytest.fixture
def launch(git: Git, tmp_path: Path) -> Launch:
    """The project as a compose target, with a docker that knows no service but one."""
    (git.root / "compose.yaml").touch()
    return Launch(
        source=git.root,
        workspace=tmp_path / "logs",
        state=tmp_path / "state",
        side=Side.CANDIDATE,
        label="run-candidate-1",
        environ=docker_cli.install(tmp_path, {"project": {"services": {"web": {"image": "a"}}}, "images": []}),
        counted=False,
        side_by_side=True,
    )


def test_compose_cannot_read_such_a_path(launch: Launch, tmp_path: Path) -> None:
    """It is told before anything is built: Compose would name a folder that does not exist."""
    with pytest.raises(ConfigError, match="paths as UTF-8, and this one is not") as caught:
        resolve(Project(service="web", port=80), launch)
    assert f"{tmp_path}/caf\\xe9/caf\\xe9:" in str(caught.value)
    assert "rename the folder" in caught.value.hint
