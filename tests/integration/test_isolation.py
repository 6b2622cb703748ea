"""perfci started with -I, as the Action starts it: what runs for the project finds its modules all the same."""

import os
from pathlib import Path

from perfci import store
from tests.fakes.shell import ROOT
from tests.faults.scenes import Scene, play

PROFILE = """
import beside
import elsewhere
from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def one(self):
        self.client.get(beside.PATH + elsewhere.QUERY, name="/one")
"""
NOT_MINE = 'raise SystemExit("a module of the workspace was imported")\n'


def test_a_whole_run_in_isolation(tmp_path: Path) -> None:
    """The profile imports what lies beside it and on PYTHONPATH; perfci imports nothing of either."""
    path = tmp_path / "path"
    path.mkdir()
    mine = {"pydantic.py": NOT_MINE, "perfci.py": NOT_MINE}
    for name, content in {"elsewhere.py": 'QUERY = "?a=1"\n', **mine}.items():
        (path / name).write_text(content)
    project = {"beside.py": 'PATH = "/one"\n', **mine}
    searched = os.pathsep.join([str(path), str(ROOT)])
    played = play(Scene(profile=PROFILE, more=project, environ={"PYTHONPATH": searched}), tmp_path)
    assert played.code == 0, played.text
    assert store.load(played.folder).rounds
    assert played.left == 0
