"""The environment and the logs of children."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from perfci.errors import Interrupted
from perfci.rig.host import process


def test_tail_is_bounded_and_survives_any_bytes(tmp_path: Path) -> None:
    """The end of a log is text, however large or broken the log is."""
    log = tmp_path / "log"
    log.write_bytes(b"x" * 100_000 + b"\nlast but one \xff\nlast\n")
    assert process.tail(log, lines=2) == "last but one \N{REPLACEMENT CHARACTER}\nlast"
    assert len(process.tail(log)) <= 16_000


def test_tail_of_nothing(tmp_path: Path) -> None:
    """A log that was never written is empty."""
    assert process.tail(tmp_path / "none") == ""


def test_group_outlives_its_leader_and_is_ended_twice(tmp_path: Path) -> None:
    """Children of a dead leader are found and ended; ending them again is harmless."""
    child = process.start(
        ["sh", "-c", "sleep 300 & sleep 300 & exit 0"],
        cwd=tmp_path,
        environment=dict(os.environ),
        log_path=tmp_path / "log",
    )
    assert child.process.wait(10) == 0
    assert len(process.members(child.process.pid, child.mark)) == 2
    assert process.stop_group(child, grace_s=2)
    assert process.members(child.process.pid, child.mark) == []
    assert process.stop_group(child, grace_s=2)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of a child that nobody waited for
def test_a_command_that_nobody_held_yet_is_ended_by_its_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interruption may come between the start of a command and the line that notes it."""

    def interrupted(_: int) -> float:
        raise Interrupted("stop")

    monkeypatch.setattr(process, "_birth", interrupted)
    mark = process.new_mark()
    command = process.running(["sleep", "300"], cwd=tmp_path, environment=dict(os.environ), timeout_s=300, mark=mark)
    with pytest.raises(Interrupted), command:
        pass
    assert process.members(None, mark) == []


def test_all_descendants_are_ended() -> None:
    """Those of a child as well, whatever groups they are in."""
    script = """
import subprocess, sys, psutil
from perfci.rig.host import process
child = "import subprocess; started = subprocess.Popen(['sleep', '300']); print(1, flush=True); started.wait()"
started = [subprocess.Popen([sys.executable, "-c", child], stdout=-1, start_new_session=new) for new in (True, False)]
for each in started:
    each.stdout.readline()
process.end_descendants()
print(len([each for each in psutil.Process().children(recursive=True) if each.status() != psutil.STATUS_ZOMBIE]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "0\n"
