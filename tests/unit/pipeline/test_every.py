"""All scenarios in one command: which they are, what they come to, and that one failure does not end the others."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from perfci.config import read
from perfci.errors import ConfigError, ExitCode, LoadError, TargetError
from perfci.model import Level, LoadPlan, RoundKind, Side, Verdict
from perfci.pipeline.every import Choice, run_all
from perfci.pipeline.plan import Overrides
from perfci.pipeline.ports import Ports
from perfci.pipeline.request import Request
from perfci.rig.load.collection import Collection
from perfci.rig.load.generator import Place
from perfci.store import load
from tests.builders import some_rounds
from tests.fakes.replay import Recorded
from tests.fakes.replay import project as write_project

MORE = """
[profiles.tickets.scenarios.peak]
users = 20
[profiles.tickets.scenarios.peak-smoke]
against = "auto"
users = 2
[profiles.tickets.scenarios.soak]
duration = "4h"
[profiles.tickets.scenarios.soak-smoke]
duration = "20s"
[profiles.other]
locustfile = "tickets.py"
[profiles.other.scenarios.steady]
[[gate.slo]]
metric = "p95"
limit = 1000
"""


@pytest.fixture
def root(ports: Ports) -> Path:
    """A project with several scenarios."""
    write_project(ports.root)
    file = ports.root / "perfci.toml"
    file.write_text(file.read_text() + MORE)
    return ports.root


@pytest.mark.parametrize(
    ("profile", "smoke", "soak", "names"),
    [
        ("", False, False, ["tickets:peak", "other:steady"]),
        ("", False, True, ["tickets:peak", "tickets:soak", "other:steady"]),
        ("tickets", True, False, ["tickets:smoke", "tickets:peak-smoke", "tickets:soak-smoke"]),
        ("other", False, False, ["other:steady"]),
    ],
)
def test_scenarios_are_chosen_by_name_and_length(
    root: Path, profile: str, smoke: bool, soak: bool, names: list[str]
) -> None:
    """Small ones are asked for by their names, and soaks left out unless they are wanted."""
    choice = Choice(profile=profile, smoke=smoke, include_soak=soak)
    assert choice.names(read(root / "perfci.toml")) == names


@pytest.mark.parametrize("profile", ["tickets:peak", "absent", "other"])
def test_nothing_to_run_is_a_mistake(root: Path, profile: str) -> None:
    """A scenario that is named, a profile that is not there, and a profile without small scenarios."""
    with pytest.raises(ConfigError):
        Choice(profile=profile, smoke=True, include_soak=False).names(read(root / "perfci.toml"))


def test_all_scenarios_are_run_against_limits(root: Path, ports: Ports) -> None:
    """One side and one round each; all of it stands in one file."""
    rounds = some_rounds(kinds=(RoundKind.LOAD,), sides=(Side.CANDIDATE,), blocks=1)
    recorded = Recorded(rounds=rounds)
    asked = Request(profile="tickets")
    found = run_all(asked, replace(ports, rig=recorded.rig), smoke=True, include_soak=False)
    assert [outcome.verdict for outcome in found.outcomes.values()] == [Verdict.PASS] * 3
    assert found.exit_code is ExitCode.OK
    assert found.readiness["tickets"].level is Level.READY
    assert recorded.steps.count("load candidate 1") == 3
    document = json.loads(found.file.read_text())
    assert list(document["scenarios"]) == ["tickets:smoke", "tickets:peak-smoke", "tickets:soak-smoke"]
    assert document["left_out"] == found.left_out == {}


def test_the_worst_exit_code_is_that_of_all(root: Path, ports: Ports) -> None:
    """A target that does not start is the outcome of its scenario, and each of them has its folder."""
    recorded = Recorded(faults={"start candidate 1": TargetError("exited with 1")})
    there = replace(ports, rig=recorded.rig, output=root / "out")
    found = run_all(Request(profile="tickets"), there, smoke=False, include_soak=True)
    assert [outcome.verdict for outcome in found.outcomes.values()] == [Verdict.INVALID, Verdict.INVALID]
    assert (found.exit_code, found.readiness["tickets"].level) == (ExitCode.NOT_MEASURED, Level.NOT_READY)
    assert (root / "out/tickets-peak/result.json").exists()
    assert found.file == root / "out/overview.json"


def test_what_was_left_out_stands_in_the_file(root: Path, ports: Ports) -> None:
    """With the reason, so that nobody takes a list of passes for all that there is."""
    recorded = Recorded(rounds=some_rounds(kinds=(RoundKind.LOAD,), sides=(Side.CANDIDATE,), blocks=1))
    asked = Request(profile="tickets")
    found = run_all(asked, replace(ports, rig=recorded.rig), smoke=False, include_soak=False)
    document = json.loads(found.file.read_text())
    assert list(document["scenarios"]) == ["tickets:peak"]
    assert document["left_out"] == {"tickets:soak": "an hour of load or more: --include-soak runs it, too"}


def test_a_call_keeps_all_of_its_own_runs(root: Path, ports: Ports) -> None:
    """Where it makes more runs than are kept, only those of earlier calls are removed."""
    file = root / "perfci.toml"
    file.write_text(f"keep_runs = 2\n{file.read_text()}")
    for name in ("20200101-000000-aaaa", "20200102-000000-bbbb"):
        (ports.work / name).mkdir(parents=True)
    recorded = Recorded(rounds=some_rounds(kinds=(RoundKind.LOAD,), sides=(Side.CANDIDATE,), blocks=1))
    run_all(Request(profile="tickets"), replace(ports, rig=recorded.rig), smoke=True, include_soak=False)
    kept = [each for each in ports.work.iterdir() if each.is_dir()]
    assert len(kept) == 3
    assert not [each for each in kept if each.name.startswith("2020")]


STAGED = """
[profiles.tickets.scenarios.spike-smoke]
stages = [{ users = 2, hold = "5s" }, { users = 20, hold = "5s" }]
"""


def test_flags_fit_staged_scenarios_too(root: Path, ports: Ports) -> None:
    """So many users at most and so long for each scenario; the stages keep how fast users start."""
    file = root / "perfci.toml"
    file.write_text(file.read_text() + STAGED)
    recorded = Recorded(rounds=some_rounds(kinds=(RoundKind.LOAD,), sides=(Side.CANDIDATE,), blocks=1))
    asked = Request(profile="tickets", overrides=Overrides(users=4, duration=6, spawn_rate=2.0))
    found = run_all(asked, replace(ports, rig=recorded.rig), smoke=True, include_soak=False)
    assert [outcome.verdict for outcome in found.outcomes.values()] == [Verdict.PASS] * 4
    assert "tickets:spike-smoke" in found.outcomes


DISTRIBUTED = """
[profiles.tickets.scenarios.distributed]
workers = { count = 2 }
"""


def test_what_is_left_out_is_named_with_the_way_to_run_it(root: Path, ports: Ports) -> None:
    """Soaks that nobody asked for, and what waits for workers that nobody started; of the smokes there is neither."""
    file = root / "perfci.toml"
    file.write_text(file.read_text() + DISTRIBUTED)
    recorded = Recorded(rounds=some_rounds(kinds=(RoundKind.LOAD,), sides=(Side.CANDIDATE,), blocks=1))
    there = replace(ports, rig=recorded.rig)
    found = run_all(Request(profile="tickets"), there, smoke=False, include_soak=False)
    assert list(found.outcomes) == ["tickets:peak"]
    assert {name: why.rpartition(": ")[2] for name, why in found.left_out.items()} == {
        "tickets:soak": "--include-soak runs it, too",
        "tickets:distributed": "perfci run tickets:distributed, and perfci worker tickets:distributed",
    }
    config = read(file)
    soaking = Choice(profile="tickets", smoke=False, include_soak=True)
    assert list(soaking.left_out(config)) == ["tickets:distributed"]
    assert Choice(profile="", smoke=True, include_soak=False).left_out(config) == {}


PARTS = """
[profiles.tickets.scenarios.rush]
tags = ["rush", "evening"]
[profiles.tickets.scenarios.office]
user_classes = ["Clerk", "Manager"]
"""


@pytest.mark.parametrize(
    ("part", "names"),
    [
        (Overrides(tags=("rush",)), ["tickets:peak", "tickets:rush", "tickets:office"]),
        (Overrides(user_classes=("Manager", "Guest")), ["tickets:peak", "tickets:rush", "tickets:office"]),
        (Overrides(user_classes=("Guest",)), ["tickets:peak", "tickets:rush"]),
        (Overrides(tags=("night",)), ["tickets:peak", "tickets:office"]),
    ],
)
def test_a_part_of_the_load_leaves_out_scenarios_that_have_another(
    root: Path, part: Overrides, names: list[str]
) -> None:
    """A scenario without tags or classes of its own has all of them."""
    file = root / "perfci.toml"
    file.write_text(file.read_text() + PARTS)
    choice = Choice(profile="tickets", smoke=False, include_soak=False, part=part)
    assert choice.names(read(file)) == names


HELD = {
    "Clerk": frozenset({frozenset({"office"}), frozenset[str]()}),
    "Manager": frozenset({frozenset({"office"}), frozenset({"rush", "evening"})}),
    "Visitor": frozenset({frozenset({"rush"})}),
}
"""User classes of a Locust file, and the tags of their tasks."""

MORE_PARTS = """
[profiles.tickets.scenarios.clerks]
user_classes = ["Clerk"]
[profiles.tickets.scenarios.calm]
exclude_tags = ["rush"]
"""


@pytest.mark.parametrize(
    ("part", "names"),
    [
        (Overrides(tags=("rush",)), ["peak", "rush", "office"]),
        (Overrides(tags=("office",)), ["peak", "office", "clerks", "calm"]),
        (Overrides(tags=("evening", "night")), ["peak", "rush", "office"]),
        (Overrides(user_classes=("Clerk",)), ["peak", "office", "clerks", "calm"]),
        (Overrides(user_classes=("Manager",)), ["peak", "rush", "office", "calm"]),
        (Overrides(user_classes=("Visitor", "Guest")), ["peak", "rush"]),
        (Overrides(user_classes=("Clerk",), tags=("rush",)), []),
        (Overrides(user_classes=("Visitor",), tags=("rush",)), ["peak", "rush"]),
    ],
)
def test_the_tasks_of_the_locust_file_choose_scenarios(root: Path, part: Overrides, names: list[str]) -> None:
    """A scenario is run where one of its user classes has a task with one of the tags, whatever the scenario names."""
    file = root / "perfci.toml"
    file.write_text(file.read_text() + PARTS + MORE_PARTS)
    choice = Choice(profile="tickets", smoke=False, include_soak=False, part=part, files=lambda _: HELD)
    left_out = choice.left_out(read(file))
    every = ["peak", "soak", "rush", "office", "clerks", "calm"]
    assert [name for name in every if f"tickets:{name}" not in left_out] == names


def test_reasons_name_the_tag_and_the_classes(root: Path) -> None:
    """So that a reader sees whether the scenario or the Locust file lacks what was asked for."""
    file = root / "perfci.toml"
    file.write_text(file.read_text() + PARTS + MORE_PARTS)
    config = read(file)

    def left_out(part: Overrides) -> dict[str, str]:
        return Choice(profile="tickets", smoke=False, include_soak=True, part=part, files=lambda _: HELD).left_out(
            config
        )

    assert left_out(Overrides(tags=("rush", "night"))) == {
        "tickets:clerks": "no task of Clerk has the tag rush or night",
        "tickets:calm": "each task of Clerk, Manager, Visitor with the tag rush or night is excluded",
    }
    assert left_out(Overrides(user_classes=("Visitor",)))["tickets:calm"] == "each task of Visitor is excluded"
    assert (
        left_out(Overrides(user_classes=("Clerk",)))["tickets:rush"] == "no task of Clerk has the tag rush or evening"
    )
    assert left_out(Overrides(tags=("night",)))["tickets:rush"] == "its tags are rush, evening"
    guests = left_out(Overrides(user_classes=("Guest",)))
    assert guests["tickets:office"] == "its user classes are Clerk, Manager"
    assert guests["tickets:peak"] == "the user classes of its Locust file are Clerk, Manager, Visitor"


def test_a_file_is_listed_once_and_only_where_a_part_is_asked_for(root: Path, ports: Ports) -> None:
    """A run of everything pays nothing for it; scenarios with the same file and variables share the list."""
    recorded = Recorded(rounds=some_rounds(kinds=(RoundKind.LOAD,), sides=(Side.CANDIDATE,), blocks=1))
    listed: list[str] = []

    def collect(plan: LoadPlan, _: Place) -> Collection:
        listed.append(plan.locustfile)
        return HELD

    there = replace(ports, rig=recorded.rig, collect=collect)
    run_all(Request(profile="tickets"), there, smoke=True, include_soak=False)
    assert listed == []
    asked = Request(profile="tickets", overrides=Overrides(tags=("rush",)))
    found = run_all(asked, there, smoke=True, include_soak=False)
    assert listed == ["tickets.py"]
    assert len(found.outcomes) == 3


def test_a_file_that_cannot_be_listed_leaves_its_scenarios_to_their_runs(root: Path, ports: Ports) -> None:
    """Each of them then says what is wrong; what names other tags is left out all the same."""
    file = root / "perfci.toml"
    file.write_text(file.read_text() + PARTS)
    recorded = Recorded(rounds=some_rounds(kinds=(RoundKind.LOAD,), sides=(Side.CANDIDATE,), blocks=1))

    def collect(*_: object) -> Collection:
        raise LoadError("SyntaxError: invalid syntax")

    there = replace(ports, rig=recorded.rig, collect=collect)
    asked = Request(profile="tickets", overrides=Overrides(tags=("night",)))
    found = run_all(asked, there, smoke=False, include_soak=False)
    assert list(found.outcomes) == ["tickets:peak", "tickets:office"]
    assert set(found.left_out) == {"tickets:soak", "tickets:rush"}


def test_no_scenario_with_the_part_is_a_mistake_that_names_why(root: Path) -> None:
    """As a test runner that selects nothing: the reasons say what there is instead."""
    choice = Choice(
        profile="tickets", smoke=True, include_soak=False, part=Overrides(tags=("nigth",)), files=lambda _: HELD
    )
    with pytest.raises(ConfigError, match="no smoke scenario") as caught:
        choice.names(read(root / "perfci.toml"))
    assert "no task of Clerk, Manager, Visitor has the tag nigth" in caught.value.hint


def test_a_scenario_is_driven_by_those_of_its_own_that_were_asked_for(root: Path, ports: Ports) -> None:
    """Asked for two classes, it gets no third that it has, and none that it has not."""
    file = root / "perfci.toml"
    file.write_text(file.read_text() + PARTS)
    recorded = Recorded(rounds=some_rounds(kinds=(RoundKind.LOAD,), sides=(Side.CANDIDATE,), blocks=1))
    asked = Request(profile="tickets", overrides=Overrides(user_classes=("Manager", "Guest")))
    there = replace(ports, rig=recorded.rig, output=root / "out", collect=lambda *_: {**HELD, "Guest": frozenset()})
    run_all(asked, there, smoke=False, include_soak=False)
    plans = {name: load(root / "out" / f"tickets-{name}").fingerprint.plan for name in ("office", "peak")}
    classes = {name: plan.user_classes for name, plan in plans.items() if plan is not None}
    assert classes == {"office": ("Manager",), "peak": ("Manager", "Guest")}
