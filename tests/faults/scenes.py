"""
Whole runs in which something goes wrong: a project, and `perfci run` in it as a program of its own.

A run waits most of its time: `pytest -n 3 tests/faults` plays several side by side.
"""

import contextlib
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from perfci import store
from perfci.model import Verdict
from perfci.pipeline import documents
from tests.fakes.shell import Shell, shell_in
from tests.faults import Fault

COMMAND = """
kind = "command"
command = {command}
stop_grace_s = {grace_s}
"""
COMPOSE = """
kind = "compose"
service = "web"
port = 8000
stop_grace_s = 1
"""
CONFIG = """
[target]
{target}

[profiles.toy]
locustfile = "visitor.py"
[profiles.toy.scenarios.short]
users = 2
spawn_rate = 10
{scenario}
duration = "1s"
warmup = "200ms"
baseline = {{ rounds = 1 }}
paired = {{ blocks = 2, duet = "{duet}", duet_warmup = "100ms", load_blocks = 0 }}
{end}
"""
PROFILE = """
from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def one(self):
        self.client.get("/one")
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A project with the toy as its service, and how perfci is called in it."""

    toy: tuple[str, ...] = ()  # faults of the service
    kind: str = COMMAND  # the target
    target: str = ""  # further keys of [target]
    scenario: str = ""  # further keys of the scenario
    end: str = ""  # further tables
    profile: str = PROFILE
    arguments: tuple[str, ...] = ("--against", "baseline")
    duet: str = "500ms"
    grace_s: float = 2
    more: Mapping[str, str] = field(default_factory=dict)  # files of the project
    environ: Mapping[str, str] = field(default_factory=dict)
    stored: bool = False  # whether there is an accepted run in which nothing went wrong

    def __post_init__(self) -> None:
        """What is compared with a run in which nothing went wrong has everything in common with it but the fault."""
        assert not self.stored or self.profile == PROFILE

    def files(self) -> dict[str, str]:
        """Of the project."""
        command = json.dumps(["{python}", "-m", "tests.fakes.toy", "--port", "{port}", *self.toy])
        target = self.kind.format(command=command, grace_s=self.grace_s) + self.target
        config = CONFIG.format(target=target, scenario=self.scenario, end=self.end, duet=self.duet)
        return {"perfci.toml": config, "visitor.py": self.profile, **self.more}

    def act(self, shell: Shell, folder: Path) -> tuple[int, str]:
        """Run perfci to its end; its exit code, and everything that it said."""
        done = shell.perfci("run", "toy", *self.arguments, "--census", "off", "--output", str(folder))
        return done.returncode, done.stdout + done.stderr


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of it."""

    code: int
    text: str  # everything that was said
    folder: Path  # of the run
    left: int  # processes and notes that outlived it

    def check(self, expected: Fault) -> None:
        """As the row says; nothing is left, and what was measured is on disk."""
        expected.check(code=self.code, text=self.text)
        assert self.left == 0, self.text
        run = store.load(self.folder)
        if expected.verdict is not None:
            assert documents.read(self.folder).verdict is expected.verdict
            assert documents.read_exit(self.folder) == expected.exit
            assert run.rounds or expected.verdict is Verdict.INVALID


@contextlib.contextmanager
def _taken() -> Iterator[int]:
    """A port at which somebody else answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def play(scene: Scene, folder: Path, good: Path | None = None) -> Played:
    """The whole run, to its end; beside the accepted run *good*, where there is one."""
    state = folder / "state"
    with _taken() as port, shell_in(folder / "project", {}, state=state, environ=scene.environ) as shell:
        for name, content in scene.files().items():
            (folder / "project" / name).write_text(content.replace("{taken}", str(port)))
        if good is not None:
            store.save(store.load(good), folder / "project" / "baselines" / "toy-short" / "good.json")
        code, said = scene.act(shell, folder / "out")
        left = len(shell.left()) + len(list(state.glob("perfci/*.json")))
    return Played(code=code, text=said, folder=folder / "out", left=left)


GOOD = Scene()
"""Nothing goes wrong."""


class Stage:
    """Plays scenes, each once, whoever asks for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._played: dict[Scene, Played] = {}

    def of(self, scene: Scene) -> Played:
        """What came of it."""
        if scene not in self._played:
            good = self.of(GOOD).folder if scene.stored else None
            self._played[scene] = play(scene, self._folder / f"scene-{len(self._played)}", good)
        return self._played[scene]
