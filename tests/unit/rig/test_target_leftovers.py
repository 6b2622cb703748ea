"""Notes of what runs: whom a sweep ends, and whom it never does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from perfci.rig.host import leftovers, process

pytestmark = pytest.mark.kind("N")


@pytest.fixture
def stranger() -> Iterator[psutil.Process]:
    """A process that perfci did not start."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True) as child:
        yield psutil.Process(child.pid)
        child.kill()


def _note(state: Path, *, owner: leftovers.Life, leader: leftovers.Life | None) -> Path:
    state.mkdir(exist_ok=True)
    path = state / "left.json"
    note = leftovers.Note(owner=owner, mark=process.new_mark(), leader=leader)
    path.write_text(note.model_dump_json())
    return path


def _dead() -> leftovers.Life:
    return leftovers.life(os.getpid()).model_copy(update={"started_at": 1.0})


def test_a_reused_number_is_not_believed(tmp_path: Path, stranger: psutil.Process) -> None:
    """A process with the number of a noted one, but another start, is a stranger and lives on."""
    path = _note(tmp_path, owner=_dead(), leader=leftovers.Life(pid=stranger.pid, started_at=1.0))
    assert leftovers.sweep(tmp_path, environ={}) == []
    assert stranger.is_running()
    assert not path.exists()


def test_the_noted_process_of_a_dead_owner_is_ended(tmp_path: Path, stranger: psutil.Process) -> None:
    """Number and start time agree and the owner is gone: it is ended, once."""
    _note(tmp_path, owner=_dead(), leader=leftovers.life(stranger.pid))
    ended = leftovers.sweep(tmp_path, environ={})
    assert ended == [f"stopped process group {stranger.pid} (1 processes)"]
    assert stranger.status() == psutil.STATUS_ZOMBIE
    assert leftovers.sweep(tmp_path, environ={}) == []


def test_a_living_owner_keeps_its_own(tmp_path: Path, stranger: psutil.Process) -> None:
    """Two jobs on one machine do not end each other's targets."""
    path = _note(tmp_path, owner=leftovers.life(os.getpid()), leader=leftovers.life(stranger.pid))
    assert leftovers.sweep(tmp_path, environ={}) == []
    assert stranger.is_running()
    assert path.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"owner": {"pid": 1}, "project": "x"}', '{"project": "production"}'])
def test_broken_notes_do_no_harm(tmp_path: Path, text: str) -> None:
    """A note that cannot be read ends nothing, and is not met again."""
    (tmp_path / "broken.json").write_text(text)
    assert leftovers.sweep(tmp_path, environ={}) == []
    assert list(tmp_path.iterdir()) == []


def test_no_state_folder(tmp_path: Path) -> None:
    """The first run ever has nothing to sweep."""
    assert leftovers.sweep(tmp_path / "none", environ={}) == []


def test_projects_that_are_not_ours_cannot_be_noted(tmp_path: Path) -> None:
    """Only a name with perfci's prefix is ever removed."""
    with pytest.raises(ValueError, match="project"):
        leftovers.note(tmp_path, project="production")


def test_a_stack_whose_removal_fails_is_kept_for_next_time(tmp_path: Path) -> None:
    """Without a docker command the note stays."""
    path = tmp_path / "left.json"
    path.write_text(leftovers.Note(owner=_dead(), project="perfci-x").model_dump_json())
    assert leftovers.sweep(tmp_path, environ={"PATH": "/nowhere"}) == []
    assert path.exists()
