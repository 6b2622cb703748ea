"""The folder of a run: its files have one owner, and what was measured is never overwritten."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfci import store
from perfci.errors import ConfigError
from perfci.store import RunFolder
from tests.builders import a_run

ROOT = Path(__file__).parents[2]
OWNER = "perfci/store/run_folder.py"
NAMES = {"run.json", "comment.md"}
"""Those that stand for nothing else. Reports are called as `FORMATS` says."""


def named(folder: Path) -> Iterator[str]:
    """Every module below *folder* with a text that is the name of a file of a run."""
    for path in sorted((folder / "perfci").rglob("*.py")):
        texts = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        if texts & NAMES:
            yield path.relative_to(folder).as_posix()


def test_only_the_owner_names_the_files() -> None:
    """Everybody else asks the folder, so that a file has one name."""
    assert list(named(ROOT)) == [OWNER]


def test_a_run_is_never_overwritten(tmp_path: Path) -> None:
    """An empty folder, or one with other files in it, may become a run's; one with a run may not."""
    folder = RunFolder(tmp_path / "runs" / "one")
    folder.create()
    (folder.path / "notes.txt").touch()
    folder.create()
    assert not folder.holds_run()
    store.save(a_run(), folder.run)
    assert folder.holds_run()
    with pytest.raises(ConfigError, match="holds a run already") as caught:
        folder.create()
    assert "name another folder" in caught.value.hint


def test_the_folder_of_a_run_stands_for_it(tmp_path: Path) -> None:
    """Where a run is asked for, its folder is enough."""
    store.save(a_run(), RunFolder(tmp_path).run)
    assert store.load(tmp_path) == store.load(RunFolder(tmp_path).run) == a_run()
