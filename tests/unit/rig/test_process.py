"""The environment and the logs of children."""

import os
from pathlib import Path

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
