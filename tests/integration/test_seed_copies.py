"""Blocks that begin with a copy of the data of the first seeding, on the toy service."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from perfci import store
from perfci.cli.progress import Silent
from perfci.config import from_bytes
from perfci.model import Side
from perfci.pipeline.live_rig import LiveRig
from perfci.pipeline.plan import Overrides, plan_of, source_of
from perfci.pipeline.rig import RigSpec
from perfci.rig.host.environment import of_job
from tests.fakes.shell import shell_in
from tests.fakes.toy_project import MEASURED

CONFIG = """
[target]
kind = "command"
command = ["{python}", "-m", "tests.fakes.toy", "--port", "{port}"]
env = { DATA = "{dir}" }
ready = { timeout_s = 60 }

[seed]
kind = "command"
command = ["{python}", "data.py", "fill", "{dir}"]
digest_command = ["{python}", "data.py", "digest", "{dir}"]

[profiles.toy]
locustfile = "toy.py"
[profiles.toy.scenarios.short]
users = 1
paired = { blocks = 3, duet = "500ms", duet_warmup = "100ms", load_blocks = 0 }
"""
PROFILE = """
from locust import FastHttpUser, task


class Visitor(FastHttpUser):
    @task
    def one(self):
        self.client.get("/one")
"""
DATA = """
import hashlib, json, pathlib, sys

what, folder = sys.argv[1], pathlib.Path(sys.argv[2])
file = folder / "rows"
if what == "fill":
    assert not file.exists()
    file.write_text("40 rows")
    with open("seedings", "a") as log:
        log.write(f"{folder}\\n")
print(json.dumps({"digest": hashlib.sha256(DIGESTED).hexdigest()}))
"""
ROWS = "file.read_bytes()"
FILES = {"perfci.toml": CONFIG, "toy.py": PROFILE, "data.py": DATA.replace("DIGESTED", ROWS)}


@pytest.fixture
def rig(tmp_path: Path) -> Callable[..., LiveRig]:
    """A rig of both sides in one tree, with a place for copies; what it is told to digest may be another thing."""

    def made(*, config: str = CONFIG, digested: str = ROWS) -> LiveRig:
        project = tmp_path / "project"
        project.mkdir()
        for name, text in FILES.items():
            (project / name).write_text(text)
        (project / "data.py").write_text(DATA.replace("DIGESTED", digested))
        (tmp_path / "copies").mkdir()
        read = from_bytes(config.encode(), where="perfci.toml")
        environ = of_job({**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})
        return LiveRig(
            RigSpec(
                plan=plan_of(read, "toy", Overrides(), root=project),
                sources={side: source_of(read, tree=project, file="perfci.toml") for side in Side},
                load_tree=project,
                run_id="run",
                folder=tmp_path / "run",
                environ=environ,
                working_tree=project,
                state=tmp_path / "state",
                progress=Silent(),
                copies=tmp_path / "copies",
            )
        )

    return made


def seedings(folder: Path) -> int:
    """How often a side was seeded."""
    return len((folder / "project" / "seedings").read_text().splitlines())


def blocks(rig: LiveRig) -> tuple[list[set[str]], list[str]]:
    """The digests that the sides of three blocks tell, and what the reader is told."""
    digests, incidents = [], list[str]()
    for number in (1, 2, 3):
        with rig.block(number, tuple(Side), duet=False, on_incident=incidents.append) as block:
            digests.append(set(block.seed_digests.values()))
    return digests, incidents


def test_sides_are_seeded_once_and_begin_with_copies(rig: Callable[..., LiveRig], tmp_path: Path) -> None:
    """All blocks hold the same data as after the only seeding of each side, and the first one does, too."""
    digests, incidents = blocks(rig())
    assert incidents == []
    assert seedings(tmp_path) == 2
    assert len(digests[0]) == 1
    assert digests == [digests[0]] * 3


def test_data_that_a_copy_does_not_have_is_seeded_anew(rig: Callable[..., LiveRig], tmp_path: Path) -> None:
    """A copied file is another file, and does not have the time of the first one. The reader is told once."""
    _, incidents = blocks(rig(digested="str(file.stat().st_ctime_ns).encode()"))
    assert seedings(tmp_path) == 2 + 2 * 3
    assert [text for text in incidents if "tells another digest than it was seeded with" in text] == incidents
    assert len(incidents) == 1


def test_a_digest_that_cannot_be_asked_for_stops_no_side(rig: Callable[..., LiveRig], tmp_path: Path) -> None:
    """The block goes on with the sides that were seeded, and nothing is copied."""
    _, incidents = blocks(rig(digested="what.encode()"))
    assert seedings(tmp_path) == 2 * 3
    assert len(incidents) == 1
    assert "does not tell the one that it was seeded with" in incidents[0]


def test_a_target_without_a_folder_of_its_own_is_seeded_anew(rig: Callable[..., LiveRig], tmp_path: Path) -> None:
    """Where its data is cannot be known."""
    _, incidents = blocks(rig(config=CONFIG.replace('env = { DATA = "{dir}" }', "")))
    assert seedings(tmp_path) == 2 * 3
    assert len(incidents) == 1
    assert "perfci cannot copy what the base keeps its data in" in incidents[0]


def test_a_copy_that_cannot_be_read_is_seeded_anew(rig: Callable[..., LiveRig], tmp_path: Path) -> None:
    """Somebody empties the temporary folder, or the disk is full: the block begins without a copy."""
    made, incidents = rig(), list[str]()
    for number in (1, 2):
        with made.block(number, tuple(Side), duet=False, on_incident=incidents.append) as block:
            assert len(set(block.seed_digests.values())) == 1
        shutil.rmtree(tmp_path / "copies" / "candidate", ignore_errors=True)
    assert seedings(tmp_path) == 2 + 2
    assert len(incidents) == 1
    assert "cannot be copied" in incidents[0]


def test_a_whole_run_leaves_no_copy_behind(tmp_path: Path) -> None:
    """The state folder is empty afterwards, and the run has the digest of the data."""
    with shell_in(tmp_path / "project", FILES, state=tmp_path / "state") as shell:
        out = tmp_path / "out"
        done = shell.perfci("run", "toy", "--base", ".", "--census", "off", "--fail-on", "never", "--output", str(out))
        assert done.returncode in MEASURED, done.stderr
        assert shell.left() == []
    assert list((tmp_path / "state" / "perfci").iterdir()) == []
    assert seedings(tmp_path) == 2
    run = store.load(out)
    assert run.incidents == ()
    assert len(run.fingerprint.seed_digest) == 64
