"""Nothing is lost: what the service answered was recorded once, by however many processes, however they ended."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from perfci import config
from perfci.errors import ExitCode, LoadError
from perfci.model import LoadPlan, Requests, Side, Verdict
from perfci.pipeline.plan import Overrides, plan_of
from perfci.rig.host.free_port import free_port
from perfci.rig.load import rounds
from perfci.rig.load.generator import Live, Place, Watch
from perfci.rig.load.rounds import load_round, shared_round
from perfci.rig.load.workers import Workers, invitation
from tests.fakes import driven as fakes
from tests.fakes.driven import PROFILE, Driven, drive, serving
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
        self.client.get("/late/5.6", name="/late")
"""


SHOP = """
[target]
kind = "external"
url = "http://127.0.0.1:9"

[profiles.shop]
locustfile = "profile.py"

[profiles.shop.scenarios.smoke]
users = 4
spawn_rate = 50
duration = "1s"
warmup = "0.5s"
workers.count = 2
"""


def _recorded(requests: Requests) -> Counter[str]:
    return Counter(requests.names[number].removeprefix("GET ") for number in requests.endpoint)


def _served(asked: list[tuple[float, str]]) -> Counter[str]:
    return Counter("/late" if path.startswith("/late/") else path for _, path in asked)


@pytest.mark.parametrize("processes", [1, 2])
def test_slow_requests_at_the_end_are_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    """Requests in flight at the end are waited for: in several processes Locust's master alone would cut them off."""
    monkeypatch.setattr(rounds, "STOP_TIMEOUT_S", 60)  # which no request of this test is meant to reach
    # They end 3.9 s after the load, and Locust's master alone would kill its workers after 3.5 s.
    driven = drive(tmp_path, profile=LATE, users=4, spawn_rate=50.0, user_classes=(), processes=processes)
    assert _recorded(driven.recording.requests) == _served(driven.asked)
    assert _served(driven.asked)["/late"] >= 2
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
            fakes.plan_of(users=4, spawn_rate=50.0, processes=2),
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
    [(signal.SIGKILL, 2), (signal.SIGTERM, 2), (signal.SIGTERM, 1)],
    ids=["worker-killed", "worker-terminated", "terminated"],
)
def test_a_generator_that_loses_a_process_is_told(tmp_path: Path, number: signal.Signals, processes: int) -> None:
    """Locust ends with exit code 0 all the same. Whatever reached the logs counts, and the record is not complete."""
    struck: list[int] = []

    def strike(live: Live) -> None:
        if live.requests and not struck:
            (leader,) = psutil.Process().children()
            victims = [leader] if processes == 1 else leader.children()[:1]
            for victim in victims:
                victim.send_signal(number)
                struck.append(victim.pid)

    changes: dict[str, Any] = {
        "users": 4,
        "spawn_rate": 50.0,
        "processes": processes,
        "duration_s": 4.0 if processes > 1 else 5.0,
    }
    driven = drive(tmp_path, watch=strike, **changes)
    assert struck
    assert not driven.recording.generator.complete
    assert len(driven.recording.requests) > 0
    if number is signal.SIGTERM:
        assert _recorded(driven.recording.requests) == _served(driven.asked)
    assert psutil.Process().children(recursive=True) == []


@fault(
    "load",
    "a worker never connects",
    seen="the load generator ended with exit code 1; …Gave up waiting for workers to connect",
    then="something ended them as they started, or keeps them from connecting to a port of this machine",
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


@contextlib.contextmanager
def _workers(project: Path, command: str, number: int) -> Iterator[list[subprocess.Popen[str]]]:
    """So many workers in *project*, by the command that perfci prints."""
    arguments = [sys.executable, "-m", *shlex.split(command), "--wait", "60s"]
    environ = {**os.environ, "XDG_STATE_HOME": str(project)}
    started = [
        subprocess.Popen(arguments, cwd=project, env=environ, stderr=subprocess.PIPE, text=True) for _ in range(number)
    ]
    try:
        yield started
    finally:
        for worker in started:
            worker.terminate()
        for worker in started:
            worker.communicate(timeout=90)


def _remote(count: int, wait_s: float) -> Workers:
    port = free_port()
    command = invitation("shop", bind="127.0.0.1", port=port)
    return Workers(count=count, bind="127.0.0.1", port=port, wait_s=wait_s, command=command)


def _project(folder: Path, profile: str) -> tuple[Path, LoadPlan]:
    """A project with this profile, and the plan that its workers will make of it."""
    folder.mkdir()
    (folder / "profile.py").write_text(profile)
    (folder / "perfci.toml").write_text(SHOP)
    plan = plan_of(config.read(folder / "perfci.toml"), "shop", Overrides(), root=folder)
    return folder, plan.load


def _round(plan: LoadPlan, project: Path, workers: Workers, *, watch: Watch = lambda _: None) -> Driven:
    with serving() as server:
        place = Place(source=project, folder=project / "logs", environ=os.environ, state=project / "state", watch=watch)
        recording = load_round(plan, base_url=server.url, place=place, workers=workers)
        return Driven(recording=recording, asked=list(server.asked))


def test_remote_workers_send_home_every_request(tmp_path: Path) -> None:
    """Two workers serve one round, slow requests at its end included, and the next; who is terminated is missed."""
    project, plan = _project(tmp_path / "project", LATE.replace("/late/5.6", "/late/1.6"))
    workers = _remote(count=2, wait_s=60)
    with _workers(project, workers.command, 2) as started:
        driven = _round(plan, project, workers)
        assert _recorded(driven.recording.requests) == _served(driven.asked)
        assert _served(driven.asked)["/late"] >= 2
        assert len(list((project / "logs").glob("worker-*.log"))) == 2
        health = driven.recording.generator
        assert (health.complete, health.users_wanted, health.users_reached) == (True, 4, 4)

        def strike(live: Live) -> None:
            if live.requests > 20:
                started[0].terminate()

        driven = _round(replace(plan, user_classes=("Patient",), duration_s=4.0), project, workers, watch=strike)
        assert _recorded(driven.recording.requests) == _served(driven.asked)
        assert not driven.recording.generator.complete
    assert started[0].returncode == ExitCode.INTERRUPTED
    assert psutil.Process().children(recursive=True) == []


@fault(
    "load",
    "a worker never connects",
    case="on another machine, or it brings another locustfile",
    seen="0 of 1 workers connected to 127.0.0.1:… within 6 s …was refused: its locustfile is …, the one here is …",
    then="start the others: perfci worker shop --master 127.0.0.1:…",
    exit=ExitCode.NOT_MEASURED,
    verdict=Verdict.INVALID,
)
def test_a_worker_with_another_locustfile_is_refused(tmp_path: Path) -> None:
    """It ends and says why; the round waits for a better one, in bounds, and says how to start it."""
    project, plan = _project(tmp_path / "project", LATE)
    stranger, _ = _project(tmp_path / "stranger", PROFILE)
    workers = _remote(count=1, wait_s=6)
    with _workers(stranger, workers.command, 1) as (worker,):
        with socket.create_server((workers.bind, workers.port)) as door:
            door.settimeout(90)
            door.accept()[0].close()  # it has started: from now on it knocks twice a second
        with pytest.raises(LoadError, match="0 of 1 workers connected to") as caught:
            _round(plan, project, workers)
        _, output = worker.communicate(timeout=90)
    assert "was refused: its locustfile is" in str(caught.value)
    assert workers.command in caught.value.hint
    assert worker.returncode == ExitCode.USAGE
    assert "the master refused this worker: its locustfile is" in output
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
    recorded, served = _recorded(recording.requests), _served(driven.asked)
    assert recorded["/raises"] + recorded["/fails"] == served["/good"]
    assert recorded["/plain"] == served["/plain"] > 0
    assert any("GET /raises: " in error for error in recording.errors)
    assert recording.errors["GET /fails: CatchResponseError: not good enough"] == recorded["/fails"] > 0
    assert sum(recording.requests.failed) == served["/good"]
    (note,) = recording.notes
    assert note.startswith(f"{served['/forgotten']} requests with catch_response=True never came")
