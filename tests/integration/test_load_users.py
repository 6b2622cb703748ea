"""Which class of users sent a request, with the real Locust."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from perfci.errors import LoadError
from perfci.metrics.user_classes import by_user_class
from perfci.rig.load.runtime import Runtime
from tests.fakes.driven import drive
from tests.fakes.tagged import SHAPED, TAGGED

CLASSES = """
import gevent
from locust import FastHttpUser, HttpUser, constant, events, task


@events.test_start.add_listener
def ask_for_no_user(environment, **_):
    environment.events.request.fire(
        request_type="GET", name="/nobody", response_time=1.0, response_length=1, exception=None, context={}
    )


class Viewer(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def view(self):
        self.client.get("/view")


class Buyer(HttpUser):
    wait_time = constant(0.02)

    @task
    def buy(self):
        with self.client.get("/buy", catch_response=True) as response:
            response.success()
        gevent.spawn(self.client.get, "/beside").join()
"""


@pytest.mark.parametrize("processes", [1, 2])
def test_each_request_is_that_of_a_class(tmp_path: Path, processes: int) -> None:
    """With both clients of Locust, in greenlets that a user spawns, over processes; what no user sent is nobody's."""
    load: dict[str, Any] = {"users": 4, "user_classes": (), "warmup_s": 0.0, "duration_s": 1.5, "processes": processes}
    requests = drive(tmp_path, profile=CLASSES, **load).recording.requests
    users = ["", *requests.users]
    pairs = zip(requests.endpoint, requests.user, strict=True)
    senders = Counter((requests.names[name], users[user]) for name, user in pairs)
    assert {pair for pair in senders if pair[0] != "GET /nobody"} == {
        ("GET /view", "Viewer"),
        ("GET /buy", "Buyer"),
        ("GET /beside", "Buyer"),
    }
    assert {user for name, user in senders if name == "GET /nobody"} == {""}
    found = by_user_class(requests, windows=[(0.0, 1e12)])
    assert {user: sorted(own) for user, own in found.items()} == {
        "Viewer": ["GET /view"],
        "Buyer": ["GET /beside", "GET /buy"],
    }


def test_a_limit_on_a_class_that_the_file_does_not_have_ends_the_load(tmp_path: Path) -> None:
    """Before its first request, with those that there are; one that is not driven here is no mistake."""
    with pytest.raises(LoadError, match="user class Viewr, which the Locust file does not have") as caught:
        drive(tmp_path, runtime=Runtime(limited_classes=("Viewr", "Visitor")))
    assert caught.value.hint == "its user classes are: Another, Visitor"
    driven = drive(tmp_path / "again", runtime=Runtime(limited_classes=("Another", "Visitor")))
    assert set(driven.recording.requests.users) == {"Visitor"}


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("profile", [TAGGED, SHAPED], ids=["plain", "a shape names both classes"])
def test_all_users_are_of_classes_that_have_a_task_with_the_tag(tmp_path: Path, profile: str, processes: int) -> None:
    """By hand Locust starts users of the other classes, too, and each of them raises."""
    load: dict[str, Any] = {"users": 4, "spawn_rate": 50.0, "user_classes": (), "processes": processes}
    recording = drive(tmp_path, profile=profile, tags=("rush",), **load).recording
    assert recording.generator.users_reached == 4
    assert not recording.generator.exceptions
    assert set(recording.requests.names) == {"GET /view"}
    assert set(recording.requests.users) == {"Viewer"}
