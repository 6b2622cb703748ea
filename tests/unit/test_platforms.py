"""What perfci does away from Linux: runs are judged and shown on every system, measured on POSIX alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from perfci.errors import ResultError
from perfci.store.history_folder import HistoryFolder

RUN = Path(__file__).parents[1] / "data/stored/schema-1/paired"
WITHOUT_POSIX = """
import os, signal, subprocess, sys
import psutil  # libraries choose by the platform, which is still Linux
for module in ("fcntl", "grp", "pwd", "resource", "termios", "tty"):
    sys.modules[module] = None
for name in ("SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGSTOP", "SIGCONT"):
    delattr(signal, name)
for name in ("fork", "forkpty", "getpgid", "getuid", "geteuid", "killpg", "setsid", "statvfs"):
    delattr(os, name)
from perfci.cli import main
main()
"""
"""Starts perfci as if the interpreter were that of a system without POSIX, such as Windows."""

CONFIG = """
[target]
kind = "external"
url = "http://127.0.0.1:1"

[profiles.shop]
locustfile = "locustfile.py"
scenarios.smoke = {}

[[gate.slo]]
metric = "p95"
limit = 10000
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("compare", str(RUN), str(RUN)),
        ("check", str(RUN), "--config", "perfci.toml"),
        ("report", str(RUN), "--format", "markdown"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_stored_runs_are_judged_and_shown_without_posix(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """No traceback, and an answer: neither fork nor signals nor file locks of POSIX are needed to read a run."""
    (tmp_path / "perfci.toml").write_text(CONFIG)
    perfci = [sys.executable, "-c", WITHOUT_POSIX, *arguments]
    done = subprocess.run(perfci, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode in {0, 10}, done.stderr
    assert done.stdout.strip()


def test_a_folder_that_cannot_be_locked_is_no_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two writers at once would lose a run; the error says so and names the branch."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(ResultError, match="cannot lock") as refusal:
        HistoryFolder(tmp_path / "history").update(lambda _files: {}, message="")
    assert refusal.value.hint == "push to a branch"
    assert not (tmp_path / "history").exists()
