"""
Whole runs in which something goes wrong: a project, and `perfci run` in it as a program of its own.

A run waits most of its time. So every scene that the collected tests ask for is played in advance, a few at a time,
and a test waits for its own.
"""

import json
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from perfci import store
from perfci.model import Verdict
from perfci.pipeline import documents
from tests.fakes.shell import shell_in
from tests.faults import Fault

AT_ONCE = 3
CONFIG = """
[target]
kind = "command"
command = {command}
stop_grace_s = 2
{target}

[profiles.toy]
locustfile = "toy.py"
[profiles.toy.scenarios.short]
users = 2
spawn_rate = 10
duration = "1s"
warmup = "200ms"
baseline = {{ rounds = 1 }}
paired = {{ blocks = 2, duet = "500ms", duet_warmup = "100ms", load_blocks = 0 }}
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
    target: str = ""  # further keys of [target]
    end: str = ""  # further tables
    command: tuple[str, ...] = ()  # instead of the toy
    profile: str = PROFILE
    arguments: tuple[str, ...] = ("--against", "baseline")
    environ: Mapping[str, str] = field(default_factory=dict)
    stored: bool = False  # whether there is an accepted run in which nothing went wrong

    def __post_init__(self) -> None:
        """What is compared with a run in which nothing went wrong has everything in common with it but the fault."""
        assert not self.stored or self.profile == PROFILE

    def files(self) -> dict[str, str]:
        """Of the project."""
        command = self.command or ("{python}", "-m", "tests.fakes.toy", "--port", "{port}", *self.toy)
        config = CONFIG.format(command=json.dumps(command), target=self.target, end=self.end)
        return {"perfci.toml": config, "toy.py": self.profile}


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
        assert self.left == 0
        run = store.load(self.folder)
        if expected.verdict is not None:
            assert documents.read(self.folder).verdict is expected.verdict
            assert documents.read_exit(self.folder) == expected.exit
        if expected.verdict is not Verdict.INVALID:
            assert run.rounds


def play(scene: Scene, folder: Path, good: Path | None = None) -> Played:
    """The whole run, to its end; beside the accepted run *good*, where there is one."""
    state = folder / "state"
    with shell_in(folder / "project", scene.files(), state=state, environ=scene.environ) as shell:
        if good is not None:
            store.save(store.load(good), folder / "project" / "baselines" / "toy-short" / "good.json")
        done = shell.perfci("run", "toy", *scene.arguments, "--output", str(folder / "out"))
        left = len(shell.left()) + len(list(state.glob("perfci/*.json")))
    return Played(code=done.returncode, text=done.stdout + done.stderr, folder=folder / "out", left=left)


GOOD = Scene()
"""Nothing goes wrong."""


class Stage:
    """Plays scenes side by side; each once, whoever asks for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._played: dict[Scene, Future[Played]] = {}

    def announce(self, scene: Scene) -> None:
        """It will be asked for."""
        if scene.stored:
            self.announce(GOOD)
        if scene not in self._played:
            place = self._folder / f"scene-{len(self._played)}"
            self._played[scene] = self._pool.submit(self._play, scene, place)

    def _play(self, scene: Scene, place: Path) -> Played:
        good = self._played[GOOD].result(timeout=180).folder if scene.stored else None
        return play(scene, place, good)

    def of(self, scene: Scene) -> Played:
        """What came of it, as soon as it is over."""
        self.announce(scene)
        return self._played[scene].result(timeout=180)

    def close(self) -> None:
        """What has not begun is not begun any more."""
        self._pool.shutdown(cancel_futures=True)
