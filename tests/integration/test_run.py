"""`perfci run`, whole, as a child process on the toy service: what it leaves behind, and what never runs on."""

import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfci import store
from perfci.model import RoundKind, Side, Verdict
from perfci.pipeline import documents
from perfci.report import FORMATS
from tests.fakes.shell import Perfci, Shell, shell_in
from tests.fakes.toy_project import MEASURED

CONFIG = """
[target]
kind = "command"
command = ["{python}", "-m", "tests.fakes.toy", "--port", "{port}"]
ready = { timeout_s = 60 }

[profiles.toy]
locustfile = "toy.py"
[profiles.toy.scenarios.short]
users = 2
spawn_rate = 10
duration = "1s"
warmup = "300ms"
paired = { blocks = 2, duet = "1s", duet_warmup = "200ms", load_blocks = 1 }
"""
PROFILE = """
from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def one(self):
        self.client.get("/one")

    @task
    def two(self):
        self.client.get("/two")
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A project with the toy as its service; whatever a test does, nothing of it runs on."""
    files = {"perfci.toml": CONFIG, "toy.py": PROFILE}
    with shell_in(tmp_path / "project", files, state=tmp_path / "state", charts=True) as shell:
        yield shell


def drawn(page: str) -> set[str]:
    """The titles of the pictures of an HTML report."""
    return set(re.findall(r"<figcaption>([^<]+)(?:<small>[^<]*</small>)?</figcaption>\s*<div[^>]*><svg", page))


def test_a_whole_run_leaves_its_documents_and_nothing_else(shell: Shell, perfci: Perfci, tmp_path: Path) -> None:
    """Both sides the same: no exit code but 0, every round on disk, every document written, nothing running."""
    folder = tmp_path / "out"
    done = shell.perfci("run", "toy", "--base", ".", "--fail-on", "never", "--output", str(folder))
    assert done.returncode == 0, done.stderr
    assert shell.left() == []
    assert list((tmp_path / "state" / "perfci").iterdir()) == []

    run = store.load(folder)
    assert run.complete
    assert run.incidents == ()
    expected = [(RoundKind.DUET, side, block) for block in (1, 2) for side in Side]
    expected += [(RoundKind.LOAD, side, 1) for side in Side]
    assert sorted((round_.kind, round_.side, round_.block) for round_ in run.rounds) == sorted(expected)
    assert all({"GET /one", "GET /two"} <= set(round_.endpoints) for round_ in run.rounds)
    assert all(round_.survived and round_.errors == {} for round_ in run.rounds)
    assert {round_.kind for round_ in run.rounds if "process/memory" in round_.gauges} == {
        RoundKind.LOAD
    }  # and no other
    assert all("process/memory" in round_.gauges for round_ in run.rounds if round_.kind is RoundKind.LOAD)
    assert set(run.fingerprint.target) == set(Side)

    outcome = documents.read(folder)
    assert outcome.verdict not in {Verdict.INVALID, Verdict.NO_BASELINE}, outcome.reason
    assert documents.read_exit(folder) == 0
    files = {path.name for path in folder.iterdir()}
    assert files == {"run.json", "exit-code", "logs", *(fmt.file for fmt in FORMATS.values() if fmt.file)}
    assert json.loads((folder / "result.json").read_text())["verdict"] == outcome.verdict.value
    assert outcome.reason in " ".join(done.stdout.split())
    assert "block 2 of 2: turns" in done.stderr
    page = (folder / "report.html").read_text()
    assert {"Relative change", "Latencies in duet rounds", "Requests per second", "Phases"} <= drawn(page)

    assert perfci("gate", str(folder))[:2] == (0, f"perfci: {outcome.verdict}: {outcome.reason}\n")
    _, judged, _ = perfci("compare", str(folder), "--fail-on", "never", "--json")
    assert json.loads(judged)["verdict"] == outcome.verdict.value


MEETING = """
import os, pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
(folder / str(os.getpid())).touch()
deadline = time.monotonic() + 120
while len(list(folder.iterdir())) < int(sys.argv[2]):
    assert time.monotonic() < deadline, "nobody else is being filled"
    time.sleep(0.02)
print('{"digest": "the same"}')
"""


def _meeting(shell: Shell, folder: Path, count: int) -> None:
    """Let every side be seeded by a command that waits until so many of them have begun."""
    folder.mkdir()
    (shell.project / "meet.py").write_text(MEETING)
    command = f'["{{python}}", "meet.py", "{folder}", "{count}"]'
    config = CONFIG.replace("load_blocks = 1", "load_blocks = 0")
    (shell.project / "perfci.toml").write_text(config + f'[seed]\nkind = "command"\ncommand = {command}\n')


def test_both_sides_are_filled_at_the_same_time(shell: Shell, tmp_path: Path) -> None:
    """Each seeding waits for the other: one after the other they would never end."""
    _meeting(shell, tmp_path / "met", 2)
    folder = tmp_path / "out"
    done = shell.perfci("run", "toy", "--base", ".", "--census", "off", "--fail-on", "never", "--output", str(folder))
    assert done.returncode in MEASURED, done.stderr
    assert len(list((tmp_path / "met").iterdir())) == 4  # of two blocks
    assert store.load(folder).fingerprint.seed_digest == "the same"


def test_an_interruption_while_both_sides_are_filled_stops_everything(shell: Shell, tmp_path: Path) -> None:
    """Services, seeding commands and the driver that waits for them."""
    _meeting(shell, tmp_path / "met", 3)  # which never come
    with shell.start("run", "toy", "--base", ".", "--census", "off", "--output", str(tmp_path / "out")) as running:
        deadline = time.monotonic() + 60
        while len(list((tmp_path / "met").iterdir())) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert len(shell.left()) >= 5
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=50)  # the seedings would wait two minutes for a third
    assert running.returncode == 130
    assert "Traceback" not in err
    assert shell.left() == []
    assert list((tmp_path / "state" / "perfci").iterdir()) == []


def test_mistakes_are_told_before_anything_starts(perfci: Perfci, tmp_path: Path) -> None:
    """Exit 2, in one line and a next step; with the exit code deferred, the documents say it, too."""
    (tmp_path / "perfci.toml").write_text(CONFIG)
    assert perfci("run", "tuy") == (2, "", "perfci: no profile 'tuy'\nnext: the profiles are: toy\n")
    assert not (tmp_path / ".perfci").exists()
    code, _, _ = perfci("run", "tuy", "--defer-exit", "--output", str(tmp_path / "out"))
    assert code == 2
    assert documents.read(tmp_path / "out").reason == "no profile 'tuy'"
    assert documents.read_exit(tmp_path / "out") == 2


WATCHED = """
[monitor.gauges.nothing]
url = "/one"
pointer = "/nothing"

[[monitor.alert]]
name = "busy"
gauge = "process/cpu"
above = 0.1
seconds = 1

[[monitor.alert]]
name = "leak"
gauge = "process/memory"
above = 100
seconds = 1
severity = "fail"
"""


def test_what_the_target_uses_is_seen_and_alerts_are_raised(shell: Shell, tmp_path: Path) -> None:
    """A service that burns a core and grows: in the run, on the screen at once, in the report, and in the exit code."""
    config = CONFIG.replace('"{port}"]', '"{port}", "--burn", "--grow", "60"]').replace('"1s"\nwarmup', '"4s"\nwarmup')
    config = config.replace("paired = {", "baseline = { rounds = 1 }\npaired = {")
    (shell.project / "perfci.toml").write_text(config + WATCHED)
    done = shell.perfci("run", "toy", "--against", "baseline", "--census", "off", "--output", str(tmp_path / "out"))
    assert done.returncode == 10, done.stdout + done.stderr
    assert shell.left() == []
    run = store.load(tmp_path / "out")
    (round_,) = run.rounds
    cpu, memory = round_.gauges["process/cpu"], round_.gauges["process/memory"]
    assert (cpu.unit, memory.unit) == ("cores", "MB")
    assert 2 <= len(cpu.points) <= 4  # of four seconds
    assert cpu.mean > 0.1
    assert memory.high > max(memory.low, 100)
    assert round_.gauges["generator/cpu"].mean > 0
    assert run.incidents == ("monitoring the candidate, nothing: nothing is at /nothing in the answer",)

    outcome = documents.read(tmp_path / "out")
    assert outcome.verdict is Verdict.SLO_BREACH
    assert "leak: process/memory was above 100 MB for " in outcome.reason
    assert any(finding.message.startswith("busy: process/cpu was above 0.1 cores for ") for finding in outcome.findings)
    assert "note: alert leak: process/memory was above 100 MB" in done.stderr
    assert "| `process/memory` | \\- | " in (tmp_path / "out" / "report.md").read_text()
    page = (tmp_path / "out" / "report.html").read_text()
    assert {"process/cpu, cores", "process/memory, MB"} <= drawn(page)
    assert "<small>▲ busy: process/cpu was above 0.1 cores for " in page
