"""perfci asked to stop, or killed, in each of its phases: nothing runs on, and what was measured is on disk."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from perfci import store
from tests.fakes.shell import Shell
from tests.faults import Fault, fault
from tests.faults.scenes import Scene, Stage

CANCELLED_S = 25
"""
Time in which perfci has stopped everything. A runner kills after 10 s; what perfci itself waits is seconds (`HURRY_S`
for each process group), the rest is for a busy machine. Whoever waited as configured would need 30 s or more.
"""
STOPPED = "perfci: interrupted; everything that was started is stopped"
REF = ("--base", ".", "--against", "ref")
BASELINE = ("--against", "baseline")
SLEEPS = '[seed]\nkind = "command"\ncommand = ["{python}", "-c", "import time; time.sleep(60)"]\n'

Reached = Callable[[Shell, Path], bool]


@dataclass(frozen=True, kw_only=True, eq=False)
class Interrupted(Scene):
    """As soon as the phase is reached, a signal; whoever is killed is cleaned up after."""

    reached: Reached
    number: signal.Signals = signal.SIGINT
    blocked: bool = False  # the stored runs cannot be read: judging never ends
    after: tuple[str, ...] = ("clean",)  # what is called where perfci was killed

    def act(self, shell: Shell, folder: Path) -> tuple[int, str]:
        """Start, wait for the phase, send the signal, and see what comes of it."""
        if self.blocked:
            stored = shell.project / "baselines" / "toy-short"
            stored.mkdir(parents=True)
            os.mkfifo(stored / "never.json")
        with shell.start("run", "toy", *self.arguments, "--census", "off", "--output", str(folder)) as running:
            try:
                self._wait(shell, folder, running)
                running.send_signal(self.number)
                said = "".join(running.communicate(timeout=CANCELLED_S))
            finally:
                running.kill()
        if self.number is not signal.SIGKILL:
            return running.returncode, said
        assert running.returncode == -signal.SIGKILL
        assert len(shell.left()) >= (not self.blocked), "something should have outlived its parent"
        done = shell.perfci(*self.after)
        return done.returncode, done.stdout + done.stderr

    def _wait(self, shell: Shell, folder: Path, running: "subprocess.Popen[str]") -> None:
        deadline = time.monotonic() + 120
        while not self.reached(shell, folder):
            assert running.poll() is None, running.communicate()
            assert time.monotonic() < deadline, f"never reached; {shell.left()}"
            time.sleep(0.05)


def _processes(count: int) -> Reached:
    return lambda shell, _: len(shell.left()) >= count


def _recording(pattern: str) -> Reached:
    return lambda _, folder: any(path.stat().st_size > 100 for path in folder.glob(f"logs/{pattern}/*.log"))


def _next_block(shell: Shell, folder: Path) -> bool:
    """Whether the second block is up, while the first is still asked to stop."""
    return any(folder.glob("logs/candidate-2/*.log")) and len(shell.left()) >= 4


def _measured(_: Shell, folder: Path) -> bool:
    return (folder / "run.json").exists() and store.load(folder).complete


PHASES = {
    "starting": Interrupted(toy=("--ready-after", "60"), reached=_processes(1), arguments=BASELINE),
    "seeding": Interrupted(end=SLEEPS, reached=_processes(2), arguments=BASELINE),
    "turns": Interrupted(reached=_recording("duet-1"), arguments=REF, duet="60s"),
    "between blocks": Interrupted(toy=("--ignore-sigterm",), grace_s=30, reached=_next_block, arguments=REF),
    "load": Interrupted(reached=_recording("load-*"), arguments=(*BASELINE, "--duration", "60s")),
    "judging": Interrupted(reached=_measured, blocked=True, arguments=BASELINE),
}


def _in_each_phase(number: signal.Signals, row: pytest.MarkDecorator, *phases: str) -> list[object]:
    return [
        pytest.param(replace(PHASES[phase], number=number), marks=row, id=f"{number.name}-{phase}")
        for phase in phases or PHASES
    ]


CASE = "starting, seeding, turns, between blocks, load, judging"


@pytest.mark.parametrize(
    "scene",
    [
        *_in_each_phase(signal.SIGINT, fault("interruption", "SIGINT", case=CASE, seen=STOPPED, exit=130)),
        *_in_each_phase(signal.SIGTERM, fault("interruption", "SIGTERM", case=CASE, seen=STOPPED, exit=130)),
        *_in_each_phase(
            signal.SIGKILL,
            fault(
                "interruption",
                "SIGKILL of perfci itself",
                case="starting, seeding, turns, between blocks, load; then `perfci clean`",
                seen="stopped process group … (… processes)",
                exit=0,
            ),
            "starting",
            "seeding",
            "turns",
            "between blocks",
            "load",
        ),
        pytest.param(
            replace(PHASES["judging"], number=signal.SIGKILL),
            marks=fault(
                "interruption",
                "SIGKILL of perfci itself",
                case="judging; then `perfci clean`",
                seen="nothing was left running",
                exit=0,
            ),
            id="SIGKILL-judging",
        ),
        pytest.param(
            replace(
                PHASES["load"],
                number=signal.SIGKILL,
                after=("run", "toy", *BASELINE, "--census", "off", "--duration", "1s", "--output", "again"),
            ),
            marks=fault(
                "interruption",
                "what a killed perfci left",
                case="the next run",
                seen="stopped process group … (… processes), which an earlier, killed perfci left",
                exit=0,
            ),
            id="next-run",
        ),
        pytest.param(
            replace(
                PHASES["load"],
                toy=("--hang", "30", "--only", "/one", "--ignore-sigterm"),
                grace_s=30,
            ),
            marks=fault(
                "interruption",
                "the job's time-out",
                case="SIGINT, and seconds to live; the service hangs and ignores SIGTERM",
                seen=STOPPED,
                exit=130,
            ),
            id="time-out",
        ),
    ],
)
def test_must_17_an_interruption_leaves_nothing_behind(stage: Stage, expected: Fault, scene: Interrupted) -> None:
    """Within the seconds that a runner gives; the run on disk is whole, and tells whether all was measured."""
    played = stage.of(scene)
    played.check(expected)
    assert "Traceback" not in played.text
    assert store.load(played.folder).complete is scene.blocked
