"""Anybody's Locust files run under load as they are: what people really write, in the shapes that they write it."""

import os
from pathlib import Path

import pytest

from perfci.errors import LoadError
from perfci.metrics import registry
from perfci.model import Side
from perfci.rig.load.generator import Place
from perfci.rig.load.rounds import shared_round
from tests.fakes.driven import drive, plan_of, serving

pytestmark = pytest.mark.kind("D")

SHOP = {
    "loads/words.txt": "badge\nbrowser\n",
    "loads/shop/__init__.py": "",
    "loads/shop/tasks.py": """
from pathlib import Path

from locust import SequentialTaskSet, TaskSet, tag, task

WORDS = Path(__file__).parents[1].joinpath("words.txt").read_text().split()


class Checkout(SequentialTaskSet):
    @task
    def first(self):
        self.client.get("/cart")

    @task
    def second(self):
        self.client.get("/pay")
        self.interrupt()


class Browse(TaskSet):
    tasks = {Checkout: 1}

    @task(3)
    def look(self):
        for word in WORDS:
            self.client.get(f"/search/{word}", name="/search/[word]")
            self.wait()
        self.interrupt(reschedule=False)
""",
    "loads/profile.py": """
import logging
import os

import time

import gevent
import websocket
from locust import FastHttpUser, HttpUser, User, between, constant, constant_throughput, events, tag, task
from shop.tasks import Browse


@events.init_command_line_parser.add_listener
def _(parser):
    parser.add_argument("--greeting", env_var="SHOP_GREETING", default="none")


@events.test_start.add_listener
def opens(environment, **_):
    environment.greeting = environment.parsed_options.greeting


@events.test_start.add_listener
def watches(environment, **_):
    def beats():
        environment.beats = "heard"

    gevent.spawn_later(0.1, beats)


@events.test_stop.add_listener
def closes(environment, **_):
    logging.getLogger(__name__).warning("a background task was %s", environment.beats)
    logging.getLogger(__name__).warning("closed after saying %s", environment.greeting)


class Visitor(HttpUser):
    host = "http://192.0.2.1"
    wait_time = between(0.01, 0.03)
    tasks = [Browse]

    def on_start(self):
        self.client.get("/login")


class Machine(FastHttpUser):
    fixed_count = 1
    wait_time = constant_throughput(20)

    @task
    def report(self):
        with self.client.get("/report", catch_response=True) as response:
            response.success()
        with self.client.rename_request("/greeting"):
            self.client.get(f"/say/{self.environment.greeting}")

    @tag("slow")
    @task
    def never(self):
        self.client.get("/never")


class Talker(User):
    fixed_count = 1
    wait_time = constant(0.05)

    def on_start(self):
        self.socket = websocket.create_connection(self.host.replace("http", "ws") + "/talk")
        self.tell("GET", "/token", 1.0, None, url="https://Login.example/token")

    @task
    def says(self):
        began = time.perf_counter()
        self.socket.send("hello")
        heard = self.socket.recv()
        self.tell("WS", "says", time.perf_counter() - began, None if heard == "hello" else ValueError(heard))

    def tell(self, kind, name, seconds, exception, **more):
        self.environment.events.request.fire(
            request_type=kind, name=name, response_time=1000 * seconds, response_length=5, exception=exception, **more
        )


class Abstract(HttpUser):
    abstract = True
""",
}


def test_a_project_of_several_files_runs_as_it_is(tmp_path: Path) -> None:
    """A package, data, nested and sequential tasks, WebSockets, pacing, listeners, own arguments, a host of its own."""
    driven = drive(
        tmp_path,
        profile="",
        files=SHOP,
        locustfile="loads/profile.py",
        environment={"SHOP_GREETING": "hello"},
        user_classes=(),
        users=4,
        spawn_rate=50.0,
        processes=2,
    )
    recording = driven.recording
    seen = registry.measure(recording.requests, windows=recording.windows)
    names = [recording.requests.names[number] for number in recording.requests.endpoint]
    assert set(seen) - {"(all endpoints)"} >= {"GET /cart", "GET /pay", "GET /search/[word]", "GET /greeting"}
    assert {path for _, path in driven.asked} >= {"/login", "/search/badge", "/search/browser", "/say/hello"}
    assert 5 <= seen["GET /greeting"].requests + seen["GET /never"].requests <= 32  # one machine, 20 a second
    assert 3 <= seen["WS says"].requests <= 22
    assert len(names) - names.count("WS says") - names.count("GET /token") == len(driven.asked)
    assert (recording.errors, recording.generator.complete, recording.generator.users_kept) == ({}, True, 4)
    (note,) = recording.notes
    assert note.startswith("another host than the target answers at GET /token (login.example:443): ")
    said = (tmp_path / "logs" / "locust.out").read_text()
    assert "closed after saying hello" in said
    assert "a background task was heard" in said


SHAPED = """
from locust import FastHttpUser, LoadTestShape, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def look(self):
        self.client.get("/look")


class Stairs(LoadTestShape):
    def tick(self):
        seconds = self.get_run_time()
        return (1 + int(seconds), 10) if seconds < LAST else None
"""


def test_a_shape_decides_about_users_and_about_the_end(tmp_path: Path) -> None:
    """The plan's users do not count; where the shape ends before the plan, so does what is measured."""
    driven = drive(tmp_path, profile=SHAPED.replace("LAST", "2.5"), users=50, duration_s=20.0, warmup_s=0.2)
    recording = driven.recording
    assert len(recording.requests) == len(driven.asked)
    assert 1.0 < recording.measured_s < 5.0
    assert recording.generator.complete
    assert 2 <= recording.users == recording.generator.users_wanted <= 3
    (note,) = recording.notes
    assert note.startswith(f"the LoadTestShape ended the load after {recording.measured_s:.1f} of 20 s")


def test_a_shape_that_ends_within_the_warmup_is_told(tmp_path: Path) -> None:
    """Nothing was measured: that is an error with a next step, and no empty round."""
    with pytest.raises(LoadError, match="LoadTestShape ended before anything was measured") as caught:
        drive(tmp_path, profile=SHAPED.replace("LAST", "0.5"), warmup_s=5.0)
    assert "warmup" in caught.value.hint


def test_a_shape_stands_still_while_its_side_pauses(tmp_path: Path) -> None:
    """Both sides climb the same stairs in their own time, as high as one alone would in that time."""
    (tmp_path / "profile.py").write_text(SHAPED.replace("LAST", "60"))
    with serving() as base, serving() as candidate:
        services = {Side.BASE: base, Side.CANDIDATE: candidate}
        recordings = shared_round(
            plan_of(users=50, spawn_rate=50.0, duration_s=2.0),
            base_urls={side: service.url for side, service in services.items()},
            places={
                side: Place(
                    source=tmp_path,
                    folder=tmp_path / side,
                    environ=os.environ,
                    state=tmp_path / "state",
                    watch=lambda _: None,
                )
                for side in services
            },
            slice_s=1.0,
        )
    for side, recording in recordings.items():
        assert len(recording.requests) == len(services[side].asked)
        assert recording.generator.complete
        assert 2 <= recording.users <= 5  # by the clock on the wall there would be time for six
