"""Locust files that cannot be driven, run for real: each is told by its cause, with the next step."""

import os
from pathlib import Path

import pytest

from perfci.errors import LoadError
from perfci.model import Side
from perfci.rig.load.generator import Place
from perfci.rig.load.rounds import duet_round
from tests.builders import a_plan
from tests.fakes.driven import PROFILE, drive
from tests.fakes.toy_service import serving as toy

pytestmark = pytest.mark.kind("B")

HIDES_START = """
from locust import FastHttpUser, TaskSet, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def {name}(self):
        self.client.get("/")
"""
HIDES_WAIT = """
from locust import FastHttpUser, TaskSet, task


class Visitor(FastHttpUser):
    @task
    class Shop(TaskSet):
        @task
        def wait(self):
            self.client.get("/")
"""
HELPER = """
from locust import FastHttpUser, task


class Visitor(FastHttpUser):
    def stop(self):
        self.client.get("/bye")

    @task
    def look(self):
        self.client.get("/")
"""
OVERRIDES = """
from locust import FastHttpUser, task


class Visitor(FastHttpUser):
    def start(self, group):
        return super().start(group)

    def context(self):
        return {"shop": 1}

    def wait_time(self):
        return 0.02

    def wait(self):
        raise AssertionError("Locust waits by the task set")

    @task
    def good(self):
        self.client.get("/good")
"""


def _turns(folder: Path, profile: str) -> None:
    """A short duet with *profile*, for what it raises."""
    folder.mkdir(exist_ok=True)
    (folder / "profile.py").write_text(profile)
    place = Place(
        source=folder, folder=folder / "logs", environ=os.environ, state=folder / "state", watch=lambda _: None
    )
    plan = a_plan(locustfile="profile.py", user_classes=())
    with toy() as base, toy() as candidate, duet_round(plan, place) as take:
        take({Side.BASE: base.url, Side.CANDIDATE: candidate.url}, times=(0.1, 0.2), rng_seed=1)


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (HIDES_START.format(name="start"), "the task start of Visitor hides User.start, which Locust calls itself"),
        (HIDES_START.format(name="stop"), "the task stop of Visitor hides User.stop, which Locust calls itself"),
        (HIDES_WAIT, "the task wait of Shop hides TaskSet.wait, which Locust calls itself"),
        (HELPER, "the method stop of Visitor hides User.stop, which Locust calls itself"),
    ],
    ids=["start", "stop", "nested", "helper"],
)
def test_a_task_that_hides_a_method_of_locusts_is_refused(tmp_path: Path, profile: str, message: str) -> None:
    """Before anything is asked, in turns as under load, by its name."""
    with pytest.raises(LoadError) as loaded:
        drive(tmp_path, profile=profile)
    with pytest.raises(LoadError) as turned:
        _turns(tmp_path / "turns", profile)
    for caught in (loaded, turned):
        assert str(caught.value) == message
        assert caught.value.hint.startswith("rename it")


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("async def look(self):\n        self.client.get('/')", "the task look of Visitor is an `async def`"),
        ("def look(self):\n        yield self.client.get('/')", "the task look of Visitor has a `yield`"),
        (
            "def look(self):\n        self.client.get('/')\n\n    async def on_start(self):\n        pass",
            "the method on_start of Visitor is an `async def`",
        ),
    ],
    ids=["coroutine", "generator", "on-start"],
)
def test_a_function_that_locust_calls_without_effect_is_refused(tmp_path: Path, task: str, message: str) -> None:
    """By hand nothing would be sent, and nothing be said."""
    profile = f"from locust import FastHttpUser, task\n\n\nclass Visitor(FastHttpUser):\n    @task\n    {task}\n"
    with pytest.raises(LoadError) as loaded:
        drive(tmp_path, profile=profile)
    with pytest.raises(LoadError) as turned:
        _turns(tmp_path / "turns", profile)
    for caught in (loaded, turned):
        assert str(caught.value).startswith(message)
        assert caught.value.hint.startswith("make it a plain function")


def test_a_task_that_never_ends_is_told_what_turns_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under load it runs until the end of the test; in turns nobody else would ever have one."""
    monkeypatch.setattr("perfci.rig.load.rounds.SPARE_TURNS_S", 4.0)
    monkeypatch.setattr("perfci.rig.load.generator.STOP_TIMEOUT_S", 0.5)
    task = "def look(self):\n        while True:\n            self.client.get('/')"
    profile = f"from locust import FastHttpUser, task\n\n\nclass Visitor(FastHttpUser):\n    @task\n    {task}\n"
    with pytest.raises(LoadError, match="the turns never began") as caught:
        _turns(tmp_path, profile)
    assert caught.value.hint.startswith("let each task return")


def test_a_method_that_takes_what_locust_gives_hides_nothing(tmp_path: Path) -> None:
    """Users may refine what Locust calls."""
    driven = drive(tmp_path, profile=OVERRIDES, duration_s=0.3, warmup_s=0.0)
    assert {path for _, path in driven.asked} == {"/good"}


def test_a_module_that_is_missing_is_named(tmp_path: Path) -> None:
    """With the environment that lacks it."""
    with pytest.raises(LoadError, match="does not hold the module no_such_module, which the Locust file") as caught:
        drive(tmp_path, profile="import no_such_module\n")
    assert 'requirements = ["PACKAGE"]' in caught.value.hint
    with pytest.raises(LoadError, match="does not hold the module no_such_module, which the Locust file"):
        _turns(tmp_path / "turns", "import no_such_module\n")


def test_a_path_with_a_comma_is_one_file(tmp_path: Path) -> None:
    """Locust's own option would take it for two."""
    driven = drive(
        tmp_path, files={"a, b/visit,or.py": PROFILE}, locustfile="a, b/visit,or.py", duration_s=0.3, warmup_s=0.0
    )
    assert {path for _, path in driven.asked} <= {"/good", "/broken"}
    assert driven.asked


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    """As editors on Windows save a file."""
    driven = drive(tmp_path, files={"marked.py": "\ufeff" + PROFILE}, locustfile="marked.py", duration_s=0.3)
    assert driven.asked


def test_what_perfci_withholds_is_named_with_the_hint(tmp_path: Path) -> None:
    """A secret of the caller that the file asks for: by hand it would be there."""
    profile = "import os\nos.environ['SHOP_TOKEN']\n" + PROFILE
    with pytest.raises(LoadError, match="KeyError: 'SHOP_TOKEN'") as caught:
        drive(tmp_path, profile=profile, environ={"SHOP_TOKEN": "x"})
    assert caught.value.hint.startswith("perfci does not pass SHOP_TOKEN on")
    (tmp_path / "again").mkdir()
    with pytest.raises(LoadError, match="no luck") as caught:
        drive(
            tmp_path / "again",
            profile="raise OSError('no luck')",
            files={"locust.conf": "users = 3\n"},
            environ={"LOCUST_USERS": "7"},
        )
    assert "LOCUST_USERS and locust.conf" in caught.value.hint.replace(", ", " and ")
