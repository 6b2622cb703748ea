"""Locust files that end the run themselves, and users that end, run for real: each is told apart from a crash."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from perfci.errors import LoadError
from perfci.model import Side
from perfci.rig.load import rounds
from perfci.rig.load.generator import Live, Place
from perfci.rig.load.recording import Recording
from perfci.rig.load.rounds import duet_round, shared_round
from tests.builders import a_plan
from tests.fakes.driven import PROFILE, drive, plan_of
from tests.fakes.driven import serving as remembering
from tests.fakes.toy_service import serving

pytestmark = pytest.mark.kind("A")

HEAD = """
import sys
import gevent
from locust import FastHttpUser, constant, events, task
from locust.exception import StopTest, StopUser
"""
LISTENS = (
    HEAD
    + """
@events.quitting.add_listener
def own_mark(environment, **_):
    environment.process_exit_code = 1 if environment.stats.total.fail_ratio > 0.01 else 0
"""
    + PROFILE
)
CHECKS = (
    HEAD
    + """
@events.init.add_listener
def watches(environment, **_):
    def check():
        while environment.stats.total.num_requests < 5:
            gevent.sleep(0.05)
        environment.runner.quit()

    gevent.spawn(check)
"""
    + PROFILE
)
LOGS_IN = (
    HEAD
    + """
class Visitor(FastHttpUser):
    wait_time = constant(0.02)

    def on_start(self):
        if self.client.get("/login").status_code != 200:
            {refused}

    @task
    def look(self):
        self.client.get("/look")
        {then}
"""
)
QUITS = LOGS_IN.format(refused="self.environment.runner.quit()", then="pass")
ONCE = LOGS_IN.format(refused="pass", then="raise StopUser")


def test_an_exit_code_of_the_files_own_loses_no_round(tmp_path: Path) -> None:
    """A listener that makes failures the exit code: everything is measured, and the reader is told."""
    recording = drive(tmp_path, profile=LISTENS, duration_s=0.5).recording
    assert recording.generator.complete
    assert recording.generator.ended_early == ""
    assert any("exit code of its own" in note for note in recording.notes)


@pytest.mark.parametrize(
    ("profile", "by"),
    [
        (CHECKS, "runner.quit() in profile.py, line "),
        (CHECKS.replace("runner.quit()", "runner.stop()"), "runner.stop() in profile.py, line "),
        (
            LOGS_IN.format(refused="pass", then="pass")
            + "    def __init__(self, _):\n        raise StopTest('enough')\n",
            "StopTest in profile.py, line ",
        ),
        (LOGS_IN.format(refused="pass", then="sys.exit(3)"), "sys.exit(3) in profile.py, line "),
    ],
    ids=["quit", "stop", "StopTest", "exit"],
)
def test_a_file_that_ends_the_run_is_told_by_its_line(tmp_path: Path, profile: str, by: str) -> None:
    """No crash, and no slow machine: there is nothing to measure, and why."""
    recording = drive(tmp_path, profile=profile, duration_s=5.0).recording
    assert recording.generator.ended_early.startswith(by)
    assert " s" in recording.generator.ended_early.rpartition("after")[2]
    assert len(recording.requests) == 0


@pytest.mark.parametrize(
    ("way", "by"),
    [("raise SystemExit(3)", "SystemExit in profile.py, line "), ("os._exit(0)", "os._exit(0) in profile.py, line ")],
)
def test_an_exit_within_a_task_is_told_by_its_line(tmp_path: Path, way: str, by: str) -> None:
    """Both end the process where it stands, so that Locust has no word to say: under load and in turns."""
    exits = HEAD + "import os\n" + PROFILE.replace('self.client.get("/broken")', way)
    recording = drive(tmp_path, profile=exits, duration_s=5.0).recording
    assert recording.generator.ended_early.startswith(by)
    endings = [recording.generator.ended_early for recording in _turns(tmp_path / "turns", exits).values()]
    assert any(text.startswith(by) for text in endings)


def test_a_child_that_the_file_forks_may_exit(tmp_path: Path) -> None:
    """It is not the load that ends."""
    forks = "if (child := os.fork()) == 0:\n            os._exit(0)\n        os.waitpid(child, 0)"
    profile = HEAD + "import os\n" + PROFILE.replace('self.client.get("/broken")', forks)
    recording = drive(tmp_path, profile=profile, duration_s=1.0).recording
    assert recording.generator.ended_early == ""
    assert len(recording.requests) > 0


def test_a_file_that_exits_at_import_is_told_by_its_line(tmp_path: Path) -> None:
    """Before there is a round to speak of."""
    with pytest.raises(
        LoadError, match=r"the Locust file itself ended the run .*: sys.exit\('no'\) in profile.py, line"
    ):
        drive(tmp_path, profile=HEAD + "sys.exit('no')\n" + PROFILE)
    (tmp_path / "raised").mkdir()
    with pytest.raises(
        LoadError, match=r"the Locust file itself ended the run: SystemExit\('no'\) in profile.py, line"
    ):
        drive(tmp_path / "raised", profile=HEAD + "raise SystemExit('no')\n" + PROFILE)


def _turns(
    folder: Path, profile: str, *faults: str, watch: Callable[[Live], None] = lambda _: None, seconds: float = 0.3
) -> dict[Side, Recording]:
    """A short duet, the candidate with these faults."""
    folder.mkdir(exist_ok=True)
    (folder / "profile.py").write_text(profile)
    place = Place(source=folder, folder=folder / "logs", environ=os.environ, state=folder / "state", watch=watch)
    with (
        serving() as base,
        serving(*faults) as candidate,
        duet_round(a_plan(locustfile="profile.py", user_classes=()), place) as take,
    ):
        return take({Side.BASE: base.url, Side.CANDIDATE: candidate.url}, times=(0.1, seconds), rng_seed=1)


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        ("self.environment.runner.quit()", "runner.quit() in profile.py, line "),
        ("sys.exit(2)", "sys.exit(2) in profile.py, line "),
        ("raise StopTest('no login')", "no user could start: Visitor: StopTest: no login"),
        ("raise PermissionError('no login')", "no user could start: Visitor: PermissionError: no login"),
    ],
    ids=["quit", "exit", "StopTest", "raises"],
)
def test_a_login_that_one_side_refuses_is_told_of_that_side(tmp_path: Path, refused: str, message: str) -> None:
    """In turns: the side whose user cannot start, however the file takes it, and not the other."""
    recordings = _turns(tmp_path, LOGS_IN.format(refused=refused, then="pass"), "--status", "500", "--only", "/login")
    assert recordings[Side.CANDIDATE].generator.ended_early.startswith(message)
    assert recordings[Side.BASE].generator.ended_early == ""
    assert [len(recording.requests) for recording in recordings.values()] == [0, 0]


HALF_START = """
from locust import FastHttpUser, task

started = 0


class Visitor(FastHttpUser):
    def on_start(self):
        global started
        started += 1
        if started % 2:
            raise RuntimeError("no account for this user")

    @task
    def look(self):
        self.client.get("/good")
"""
LATER = """
import os
import signal
import sys
from itertools import count

from locust import FastHttpUser, task

visits = count()


class Visitor(FastHttpUser):
    @task
    def looks(self):
        if self.client.get("/look").status_code != 200 and next(visits) > 50:
            {way}
"""


@pytest.mark.parametrize(
    ("way", "by"),
    [
        ("self.environment.runner.quit()", "runner.quit() in profile.py, line "),
        ("sys.exit(3)", "sys.exit(3) in profile.py, line "),
        ("os._exit(0)", "os._exit(0) in profile.py, line "),
    ],
    ids=["quit", "exit", "_exit"],
)
def test_a_side_that_ends_the_run_between_turns_ends_the_round(tmp_path: Path, way: str, by: str) -> None:
    """The other side, whose next turn it would be, takes it, and waits for nobody."""
    began = time.monotonic()
    recordings = _turns(tmp_path, LATER.format(way=way), "--status", "500", seconds=120.0)
    assert recordings[Side.CANDIDATE].generator.ended_early.startswith(by)
    assert recordings[Side.BASE].generator.ended_early == ""
    assert time.monotonic() - began < 90


def test_a_side_that_is_killed_between_turns_ends_the_round(tmp_path: Path) -> None:
    """As any generator that is killed."""
    began = time.monotonic()
    with pytest.raises(LoadError, match="ended by SIGKILL"):
        _turns(tmp_path, LATER.format(way="os.kill(os.getpid(), signal.SIGKILL)"), "--status", "500", seconds=120.0)
    assert time.monotonic() - began < 90


def test_a_start_that_fails_for_some_users_ends_no_turns(tmp_path: Path) -> None:
    """Under load the others go on; in turns the next user of the class stands for it, on both sides."""
    recordings = _turns(tmp_path, HALF_START, seconds=1.0)
    for recording in recordings.values():
        assert recording.generator.ended_early == ""
        assert recording.generator.exceptions == 1
        assert len(recording.requests) > 4


def test_turns_of_users_that_stop_go_on(tmp_path: Path) -> None:
    """A journey that ends its user is taken again and again."""
    recordings = _turns(tmp_path, ONCE, seconds=1.0)
    assert all(recording.generator.complete and len(recording.requests) > 4 for recording in recordings.values())


def test_under_load_the_other_side_does_not_wait(tmp_path: Path) -> None:
    """One side's file ends the run: the round is over soon, and both are without a measurement."""
    (tmp_path / "profile.py").write_text(
        CHECKS.replace("def check():", "def check():\n        if 'base' in environment.host: return").replace(
            "'base' in environment.host", "'base' in __import__('os').environ['PERFCI_TIMETABLE']"
        )
    )
    with remembering() as base, remembering() as candidate:
        recordings = shared_round(
            plan_of(duration_s=90.0),
            base_urls={Side.BASE: base.url, Side.CANDIDATE: candidate.url},
            places={
                side: Place(
                    source=tmp_path,
                    folder=tmp_path / side.value,
                    environ=os.environ,
                    state=tmp_path / "state",
                    watch=lambda _: None,
                )
                for side in Side
            },
            slice_s=1.0,
        )
    assert recordings[Side.CANDIDATE].generator.ended_early.startswith("runner.quit() in profile.py")
    assert recordings[Side.BASE].generator.ended_early == ""
    assert recordings[Side.BASE].measured_s < 60.0


def test_users_that_cannot_start_are_told_with_what_they_raised(tmp_path: Path) -> None:
    """Accounts that are used up: fewer users than planned, by class and exception."""
    profile = HEAD + "ACCOUNTS = ['a', 'b']\n" + LOGS_IN.format(refused="pass", then="pass")
    profile = profile.replace("def on_start(self):", "def on_start(self):\n        ACCOUNTS.pop()")
    recording = drive(tmp_path, profile=profile, users=5, spawn_rate=5.0).recording
    assert recording.generator.ended_early.startswith("3 of 5 users could not start: ")
    assert "of Visitor ended with IndexError: pop from empty list" in recording.generator.ended_early


@pytest.mark.kind("F")
def test_users_that_stop_themselves_are_no_load(tmp_path: Path) -> None:
    """Each goes once and stops, as the file says: Locust starts no further ones."""
    with pytest.raises(
        LoadError, match=r"there was no load to measure: 2 of Visitor stopped themselves \(StopUser, StopTest\)"
    ):
        drive(tmp_path, profile=ONCE)


SWITCHED_OFF = """
from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def look(self):
        self.client.get("/look")


class CleansUp(FastHttpUser):
    weight = 0

    @task
    def wipe(self):
        self.client.get("/wipe")


class Machine(FastHttpUser):
    weight = 0
    fixed_count = 1
    wait_time = constant(0.02)

    @task
    def report(self):
        self.client.get("/report")
"""


@pytest.mark.kind("F")
def test_a_class_that_is_switched_off_is_not_driven(tmp_path: Path) -> None:
    """`weight = 0` without a fixed number of users: Locust starts none, and neither do turns."""
    recordings = _turns(tmp_path / "turns", SWITCHED_OFF)
    (tmp_path / "load").mkdir()
    driven = drive(tmp_path / "load", profile=SWITCHED_OFF, user_classes=(), duration_s=0.5)
    assert {path for _, path in driven.asked} == {"/look", "/report"}
    assert all(set(recording.requests.names) == {"GET /look", "GET /report"} for recording in recordings.values())


@pytest.mark.kind("F")
def test_a_file_with_nobody_to_drive_is_told(tmp_path: Path) -> None:
    """All classes are switched off."""
    with pytest.raises(LoadError, match="There are no users with weight > 0"):
        _turns(
            tmp_path,
            SWITCHED_OFF.replace(
                "class Visitor(FastHttpUser):", "class Visitor(FastHttpUser):\n    weight = 0"
            ).replace("fixed_count = 1", ""),
        )


@pytest.mark.kind("E")
@pytest.mark.parametrize(
    ("task", "wait_s", "reason"),
    [
        ("self.client.get('/look')", 0, ""),
        ("pass", 0.1, "2 of its users wait between two tasks, for up to 0.1 s"),
        ("self.client.get('/late/9')", 0, "2 of its users got no answer"),
        ("gevent.sleep(9)", 0, "2 of its users are busy in a task that asks nothing"),
    ],
    ids=["asks", "waits", "hangs", "sleeps"],
)
def test_what_users_did_where_nothing_came_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, wait_s: float, reason: str
) -> None:
    """A request that hangs is told apart from users that never ask."""
    monkeypatch.setattr(rounds, "STOP_TIMEOUT_S", 1)  # nothing that is still to come is wanted
    profile = f"""{HEAD}
class Visitor(FastHttpUser):
    wait_time = constant({wait_s})

    @task
    def look(self):
        {task}
"""
    assert drive(tmp_path, profile=profile).recording.generator.silent_because == reason


def test_endpoints_that_do_not_get_their_turns_are_named(tmp_path: Path) -> None:
    """With how long one takes and what would do, since more blocks would not."""
    profile = SWITCHED_OFF.replace('self.client.get("/look")', 'time.sleep(0.2); self.client.get("/look")')
    profile = profile.replace("    @task\n    def look", '    @tag("keep-sleeps")\n    @task\n    def look')
    lives: list[Live] = []
    recordings = _turns(tmp_path, "import time\nfrom locust import tag\n" + profile, watch=lives.append, seconds=1.0)
    assert any(live.note.startswith("too little time for 12 turns of GET /look") for live in lives)  # while it runs
    (note,) = recordings[Side.BASE].notes
    assert note.startswith("too little time for 12 turns of GET /look")
    assert (longest := re.search(r"one takes up to ([\d.]+) s", note))
    assert 0.2 <= float(longest[1]) < 5
