"""What Locust files hold, listed by Locust itself: their user classes and the tags of the tasks."""

import os
from pathlib import Path

import pytest

from perfci.config import read
from perfci.errors import LoadError
from perfci.model import LoadPlan
from perfci.pipeline.every import Choice
from perfci.pipeline.plan import Overrides, plan_of
from perfci.rig.load.collection import Collection, collect
from perfci.rig.load.generator import Place
from perfci.rig.load.runtime import Runtime

ROOT = Path(__file__).parents[2]

SHOP = """
from locust import HttpUser, TaskSet, events, tag, task


class Cart(TaskSet):
    @tag("buy")
    @task
    def put(self): raise AssertionError

    @task
    def look(self): raise AssertionError


class Visitor(HttpUser):
    abstract = True

    @tag("read", "quick")
    @task
    def home(self): raise AssertionError


class Buyer(Visitor):
    tasks = [Cart]


@tag("rush")
class Crowd(HttpUser):
    @tag("buy")
    @task
    def buy(self): raise AssertionError


@events.init_command_line_parser.add_listener
def options(parser):
    parser.add_argument("--shop", required=True)


@events.test_start.add_listener
def never(**_): raise AssertionError
"""


def listed(folder: Path, text: str, *arguments: str) -> Collection:
    """What Locust lists of a Locust file with this *text*."""
    (folder / "shop.py").write_text(text)
    place = Place(
        source=folder,
        folder=folder / "tasks",
        environ=os.environ,
        state=folder / "state",
        watch=lambda _: None,
        runtime=Runtime(files=("shop.py",), arguments=arguments),
    )
    plan = LoadPlan(
        locustfile="shop.py",
        user_classes=(),
        tags=(),
        users=1,
        spawn_rate=1.0,
        duration_s=1.0,
        warmup_s=0.0,
        environment={},
        digest="",
    )
    return collect(plan, place)


def test_tags_are_those_that_locust_gives_each_task(tmp_path: Path) -> None:
    """Inherited tasks, those of nested sets, and a tag of a whole class; nothing is executed."""
    assert listed(tmp_path, SHOP, "--shop", "{url}") == {
        "Buyer": frozenset({frozenset({"read", "quick"}), frozenset({"buy"}), frozenset()}),
        "Crowd": frozenset({frozenset({"buy", "rush"})}),
    }


@pytest.mark.parametrize(
    ("text", "message"), [("import none_such\n", "none_such"), ("import sys\nsys.exit(0)\n", "ended the run")]
)
def test_a_file_that_does_not_load_is_told_with_its_cause(tmp_path: Path, text: str, message: str) -> None:
    """Also one that ends Locust with success, so that there is no list."""
    with pytest.raises(LoadError, match=message):
        listed(tmp_path, text)


def test_the_saas_scenarios_are_chosen_by_the_tag_of_their_user_class(tmp_path: Path) -> None:
    """`perfci run saas --all --smoke --tags spike` runs the spike alone; the baseline names a class, and no tag."""
    config = read(ROOT / "perfci.toml")
    plan = plan_of(config, "saas:baseline-smoke", Overrides(), root=ROOT)
    place = Place(
        source=ROOT,
        folder=tmp_path / "tasks",
        environ=os.environ,
        state=tmp_path / "state",
        watch=lambda _: None,
        runtime=plan.runtime,
    )
    files = collect(plan.load, place)

    def names(tag: str) -> list[str]:
        choice = Choice(
            profile="saas", smoke=True, include_soak=False, part=Overrides(tags=(tag,)), files=lambda _: files
        )
        return choice.names(config)

    assert names("spike") == ["saas:spike-smoke"]
    assert names("baseline") == ["saas:baseline-smoke"]
    assert {name: set().union(*tasks) for name, tasks in files.items()} == {
        "BaselineTest": {"baseline"},
        "StressTest": {"stress"},
        "SpikeTest": {"spike"},
        "SoakTest": {"soak"},
        "MixedWorkloadTest": {"mixed"},
    }
