"""The wheel that is released: the same bytes twice, and a perfci that runs from it."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the release workflow builds, out of the files of this checkout."""
    folder = tmp_path_factory.mktemp("release")
    tree = folder / "tree"
    kept = shutil.ignore_patterns(".venv", ".git", ".perfci", "__pycache__", "*_cache", ".hypothesis")
    shutil.copytree(ROOT, tree, ignore=kept)
    git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.test"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *arguments], cwd=tree, check=True, timeout=60)
    for name in ("first", "second"):
        command = [sys.executable, ".ci/release.py", "build", str(folder / name)]
        environ = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
        subprocess.run(command, cwd=tree, env=environ, check=True, timeout=300)
    return folder


def test_two_builds_are_the_same(dist: Path) -> None:
    """To the byte, wheel and sdist."""
    first, second = (
        {file.name: file.read_bytes() for file in (dist / name).glob("perfci-*")} for name in ("first", "second")
    )
    assert first == second
    assert {Path(name).suffix for name in first} == {".whl", ".gz"}


def test_the_wheel_knows_its_commit(dist: Path) -> None:
    """So that `perfci init` pins the workflows; the tree that it was built from is as before."""
    (wheel,) = (dist / "first").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        noted = archive.read("perfci/starter/commit.txt").decode()
    git = ["git", "rev-parse", "HEAD"]
    assert noted == subprocess.run(git, cwd=dist / "tree", check=True, capture_output=True, text=True).stdout
    assert not (dist / "tree/perfci/starter/commit.txt").exists()


def test_uvx_runs_it(dist: Path, tmp_path: Path) -> None:
    """`uvx perfci` in an environment of its own, from a folder as the index of perfci; `init` pins the commit."""
    (tmp_path / "Procfile").write_text("web: ./serve $PORT\n")
    run = [str(BIN / "uv"), "tool", "run", "--quiet", "--find-links", str(dist / "first"), "--from", "perfci", "perfci"]
    subprocess.run([*run, "init", "--no-start"], cwd=tmp_path, check=True, timeout=300)
    commit = (dist / "tree/.git/refs/heads").glob("*")
    gate = (tmp_path / ".github/workflows/performance.yml").read_text()
    assert f"gate.yml@{next(commit).read_text().strip()} # v" in gate


def test_pipx_runs_it(dist: Path, tmp_path: Path) -> None:
    """`pipx run`, in an environment that it makes of the wheel; what it starts is the program as it was released."""
    (wheel,) = (dist / "first").glob("*.whl")
    (tmp_path / "Procfile").write_text("web: ./serve $PORT\n")
    environ = {
        **os.environ,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_DEFAULT_BACKEND": "uv",
    }
    run = ["uv", "tool", "run", "--quiet", "pipx@1.18.4", "run", "--spec", str(wheel), "perfci"]
    subprocess.run([*run, "init", "--no-start"], cwd=tmp_path, env=environ, check=True, timeout=300)
    assert (tmp_path / "perfci.toml").exists()
