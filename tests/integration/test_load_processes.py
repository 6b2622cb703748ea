"""Nothing is lost: what the service answered was recorded once, by however many processes, however they ended."""

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from perfci.errors import LoadError
from perfci.model import Requests, Side, Verdict
from perfci.rig.load import rounds
from perfci.rig.load.generator import Live, Place
from perfci.rig.load.rounds import shared_round
from tests.fakes.driven import PROFILE, Driven, drive, plan_of, serving
from tests.faults import fault

LATE = """
from locust import FastHttpUser, HttpUser, constant, task


class Patient(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def quick(self):
        self.client.get("/quick")


class Late(HttpUser):
    wait_time = constant(0.05)

    @task
    def late(self):
        self.client.get("/late/3.6", name="/late")
"""


def _recorded(requests: Requests) -> Counter[str]:
    return Counter(requests.names[number].removeprefix("GET ") for number in requests.endpoint)


def _served(driven: Driven) -> Counter[str]:
    return Counter("/late" if path.startswith("/late/") else path for _, path in driven.asked)


@pytest.mark.parametrize("processes", [1, 2])
def test_slow_requests_at_the_end_are_recorded(tmp_path: Path, processes: int) -> None:
    """Requests in flight at the end are waited for: in several processes Locust's master alone would cut them off."""
    driven = drive(tmp_path, profile=LATE, users=4, spawn_rate=50.0, user_classes=(), processes=processes)
    assert _recorded(driven.recording.requests) == _served(driven)
    assert _served(driven)["/late"] >= 2
    assert sum(driven.recording.requests.failed) == 0
    health = driven.recording.generator
    assert (health.complete, health.users_wanted, health.users_reached, health.users_kept) == (True, 4, 4, 4)
    assert len(list((tmp_path / "logs").glob("*.log"))) == (1 if processes == 1 else 3)
    assert max(live.users for live in driven.lives) == 4
    assert psutil.Process().children(recursive=True) == []


def test_sides_take_turns_with_several_processes_each(tmp_path: Path) -> None:
    """Every worker keeps to the pauses of its side."""
    (tmp_path / "profile.py").write_text(PROFILE)
    with serving() as base, serving() as candidate:
        services = {Side.BASE: base, Side.CANDIDATE: candidate}
        recordings = shared_round(
            plan_of(users=4, spawn_rate=50.0, processes=2),
            base_urls={side: service.url for side, service in services.items()},
            places={side: _place(tmp_path, side) for side in services},
            slice_s=0.5,
        )
    for side, other in ((Side.BASE, Side.CANDIDATE), (Side.CANDIDATE, Side.BASE)):
        mine = recordings[side]
        assert sum(_recorded(mine.requests).values()) == len(services[side].asked)
        paused = recordings[other].windows
        assert [at for at in mine.requests.start_s if any(since <= at < until for since, until in paused)] == []
        assert mine.generator.complete


def _place(folder: Path, side: Side) -> Place:
    return Place(source=folder, folder=folder / side, environ=os.environ, state=folder / "state", watch=lambda _: None)


@pytest.mark.parametrize(
    ("number", "processes"),
    [(signal.SIGKILL, 2), (signal.SIGTERM, 1)],
    ids=["worker-killed", "terminated"],
)
def test_a_generator_that_loses_a_process_is_told(tmp_path: Path, number: signal.Signals, processes: int) -> None:
    """Locust ends with exit code 0 all the same. Whatever reached the logs counts, and the record is not complete."""
    struck: list[int] = []

    def strike(live: Live) -> None:
        if live.requests and not struck:
            (leader,) = psutil.Process().children()
            victims = [leader] if number is signal.SIGTERM else leader.children()[:1]
            for victim in victims:
                victim.send_signal(number)
                struck.append(victim.pid)

    changes: dict[str, Any] = {
        "users": 4,
        "spawn_rate": 50.0,
        "processes": processes,
        "duration_s": 2.0 if number is signal.SIGKILL else 5.0,
    }
    driven = drive(tmp_path, watch=strike, **changes)
    assert struck
    assert not driven.recording.generator.complete
    assert len(driven.recording.requests) > 0
    assert psutil.Process().children(recursive=True) == []


@fault(
    "load",
    "a worker never connects",
    seen="the load generator ended with exit code 1; …Gave up waiting for workers to connect",
    then="run the locustfile by hand: locust -f FILE --headless -u 1 -t 5s -H URL",
    exit=3,
    verdict=Verdict.INVALID,
)
def test_workers_that_never_come_are_waited_for_in_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies before it says a word: the round ends with the reason, and nothing is left running."""
    monkeypatch.setattr(rounds, "WORKERS_S", 2)
    profile = "import os\nos.register_at_fork(after_in_child=lambda: os._exit(3))\n" + PROFILE
    with pytest.raises(LoadError, match="Gave up waiting for workers to connect"):
        drive(tmp_path, profile=profile, processes=2)
    assert psutil.Process().children(recursive=True) == []


LOST = """
from locust import FastHttpUser, HttpUser, constant


def raises(user):
    with user.client.get("/good", name="/raises", catch_response=True) as response:
        response.json()["no such thing"]


def fails(user):
    with user.client.get("/good", name="/fails", catch_response=True) as response:
        response.failure("not good enough")


def forgets(user):
    user.client.get("/forgotten", catch_response=True)


def plain(user):
    user.client.get("/plain")


class Fast(FastHttpUser):
    wait_time = constant(0.02)
    tasks = [raises, fails, forgets, plain]


class Slow(HttpUser):
    wait_time = constant(0.02)
    tasks = [raises, fails, forgets, plain]
"""


def test_requests_that_locust_forgets_are_told(tmp_path: Path) -> None:
    """An exception within the block of `catch_response` costs no request; one without a block is missed aloud."""
    driven = drive(tmp_path, profile=LOST, users=4, spawn_rate=50.0, user_classes=())
    recording = driven.recording
    recorded, served = _recorded(recording.requests), _served(driven)
    assert recorded["/raises"] + recorded["/fails"] == served["/good"]
    assert recorded["/plain"] == served["/plain"] > 0
    assert any("GET /raises: " in error for error in recording.errors)
    assert recording.errors["GET /fails: CatchResponseError: not good enough"] == recorded["/fails"] > 0
    assert sum(recording.requests.failed) == served["/good"]
    (note,) = recording.notes
    assert note.startswith(f"{served['/forgotten']} requests with catch_response=True never came")
