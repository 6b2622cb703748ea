"""The promises of the five systems: every row can be shown, and evidence that is missing is said."""

import csv
import json
from pathlib import Path

import pytest

from bench.systems import performance
from bench.systems.evidence import KINDS
from bench.systems.machine import Allowed, Machine, Ran
from bench.systems.measuring import FAULTS, Measuring
from bench.systems.page import write
from bench.systems.rows import PLANS, Row, read
from bench.systems.shown import Evidence, Shown, State

ROOT = Path(__file__).parents[3]
MEASURED = {"endpoint", "output", "gauge"}
CONFIGURED = Machine(ROOT, ROOT)
ROWS = [(system, row) for system in PLANS for row in read(system)]


class Fake(Machine):
    """Measures nothing: a run is a folder that the test has filled."""

    def __init__(self, folder: Path, printed: str = "") -> None:
        super().__init__(ROOT, folder, Allowed(compose=True))
        self._folder = folder
        self._text = printed

    def measure(self, _name: str) -> Ran | None:
        return Ran(self._folder)

    def run(self, _command: str) -> str:
        return self._text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a run left: two endpoints, one of which failed, a limit and a gauge."""
    with (tmp_path / "report.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["Type", "Name", "Request Count", "Failure Count"])
        lines.writerows([["GET", "/a", "5", "0"], ["GET", "/b", "5", "1"]])
    slo = {"endpoint": "(all endpoints)", "metric": "p95", "limit": 500.0, "worst": 12.345, "rounds": 1, "held": True}
    gauge = {"name": "process/cpu", "unit": "cores", "base": None, "candidate": {"mean": 0.5}}
    result = {"verdict": "pass", "slos": [slo], "gauges": [gauge]}
    (tmp_path / "result.json").write_text(json.dumps(result))
    return tmp_path


def show(machine: Machine, kind: str, argument: str) -> Shown:
    """The evidence for a promise of the CRM."""
    return KINDS[kind](machine, PLANS["crm"], argument)


def test_there_are_403_promises_numbered_through() -> None:
    """None is left out, and none is there twice."""
    counts = {system: len(read(system)) for system in PLANS}
    assert counts == {"tickets": 82, "platform": 77, "saas": 85, "crm": 71, "contact_center": 88}
    for system in PLANS:
        numbers = [row.number for row in read(system)]
        assert numbers == [f"{numbers[0][0]}{number:02}" for number in range(1, len(numbers) + 1)]


@pytest.mark.parametrize(("system", "row"), ROWS, ids=[row.number for _, row in ROWS])
def test_a_row_names_evidence_that_there_is(system: str, row: Row) -> None:
    """Its kind is known, and the scenario, the page's folder or the test that it names exists."""
    assert row.kind in KINDS
    known = CONFIGURED.scenarios(PLANS[system].profile)
    if row.kind in MEASURED:
        wanted = Measuring.of(row.argument.split()[0])
        assert wanted.scenario in known
        assert wanted.fault in {"", *FAULTS}
    if row.kind == "limit":
        assert {row.argument.split()[0], f"{row.argument.split()[0]}-smoke"} <= set(known)
    if row.kind == "scenario" and ":" not in row.argument:
        assert {row.argument, f"{row.argument}-smoke"} <= set(known)
    if row.kind == "test":
        file, _, name = row.argument.partition("::")
        assert f"def {name}" in (ROOT / file).read_text()


@pytest.mark.parametrize(
    ("kind", "argument", "state"),
    [
        ("endpoint", "stress-smoke GET /a", State.SHOWN),
        ("endpoint", "stress-smoke GET /b", State.NOT_SHOWN),
        ("endpoint", "stress-smoke GET /c", State.NOT_SHOWN),
        ("output", "stress-smoke report.csv # GET,/a", State.SHOWN),
        ("output", "stress-smoke report.csv # GET,/c", State.NOT_SHOWN),
        ("output", "stress-smoke report.html #", State.NOT_SHOWN),
        ("output", "stress-smoke report.csv #", State.SHOWN),
        ("gauge", "stress-smoke process/cpu", State.SHOWN),
        ("gauge", "stress-smoke process/memory", State.NOT_SHOWN),
        ("endpoint", "stress-smoke GET /a, GET /b", State.NOT_SHOWN),
        ("endpoint", "stress-smoke GET /a, GET /c", State.NOT_SHOWN),
        ("scenario", "stress", State.SHOWN),
        ("scenario", "no-such", State.NOT_SHOWN),
        ("prints", "some command # 3 pas+ed", State.SHOWN),
        ("prints", "some command # nothing", State.NOT_SHOWN),
        ("test", "tests/x.py", State.SHOWN),
        ("page", "docs/operations.md # before", State.SHOWN),
        ("page", "docs/operations.md # no such section", State.NOT_SHOWN),
        ("page", "no-such.md # perfci", State.NOT_SHOWN),
        ("later", "Reports # grade", State.OPEN),
        ("never", "# why", State.NOT_SHOWN),
    ],
)
def test_evidence_is_found_or_missed(folder: Path, kind: str, argument: str, state: State) -> None:
    """What is there shows a promise, what is not there or has failed does not."""
    assert show(Fake(folder, "3 passed in 1 s"), kind, argument).state is state


def test_failing_tests_show_nothing(folder: Path) -> None:
    """Even if most of them pass."""
    assert show(Fake(folder, "1 failed, 3 passed in 1 s"), "test", "tests/x.py").state is State.NOT_SHOWN


@pytest.mark.parametrize(("share", "state"), [(0.348, State.SHOWN), (0.3, State.NOT_SHOWN)])
def test_a_share_of_users_has_to_be_the_promised_one(folder: Path, share: float, state: State) -> None:
    """To within a percent, as people cannot be split."""
    ratios = {"per_class": {name: {"ratio": of, "tasks": {}} for name, of in (("A", share), ("B", 0.25))}}
    machine = Fake(folder, f"a warning\n{json.dumps(ratios)}\n")
    assert show(machine, "class", "A 34.8").state is state
    assert show(machine, "class", "B 25, A 34.8").state is state


@pytest.mark.parametrize(
    ("argument", "state"),
    [
        ("A list 50", State.SHOWN),
        ("A list + read 70, change 30", State.SHOWN),
        ("A list + read 75, change 30", State.NOT_SHOWN),
        ("A list 50, change 20", State.NOT_SHOWN),
        ("A list 50, gone 10", State.NOT_SHOWN),
    ],
)
def test_each_share_of_the_actions_has_to_be_the_promised_one(folder: Path, argument: str, state: State) -> None:
    """Tasks that a document names together count together."""
    tasks = {"list": {"ratio": 0.5}, "read": {"ratio": 0.2}, "change": {"ratio": 0.3}}
    machine = Fake(folder, json.dumps({"per_class": {"A": {"ratio": 1.0, "tasks": tasks}}}))
    assert show(machine, "share", argument).state is state


def test_documented_stages_are_measured_instead_of_their_smoke(folder: Path) -> None:
    """Where they may be; the smoke alone does not show the promise."""
    shown = show(Fake(folder), "scenario", "stress")
    assert (shown.state, shown.printed) == (State.SHOWN, "pass; up to 250 users in 5 stages")
    assert shown.command == "perfci run crm:stress --against limits --duration 75s"
    (folder / "runs/crm-stress-smoke").mkdir(parents=True)
    (folder / "runs/crm-stress-smoke/result.json").write_text((folder / "result.json").read_text())
    assert show(Machine(ROOT, folder, Allowed(full=False)), "scenario", "stress").state is State.NOT_RUN
    assert show(Fake(folder), "scenario", "baseline").printed == "pass; documented size: 100 users for 300 s"


def test_what_was_not_measured_is_not_shown() -> None:
    """Left out is neither shown nor refuted."""
    machine = Machine(ROOT, ROOT, Allowed(scenarios=frozenset({"crm:no-such"}), tests=False))
    for kind, argument in (("endpoint", "stress-smoke GET /a"), ("scenario", "stress"), ("test", "tests/x.py")):
        assert show(machine, kind, argument).state is State.NOT_RUN
    assert show(machine, "compose", "db/connections").state is State.NOT_RUN


def test_the_page_has_every_row_and_counts_them(folder: Path) -> None:
    """What a cell holds cannot end it."""
    row = Row("C01", "prints", "a", "One | two")
    page = write({"crm": [(row, Shown(State.SHOWN, "a | b", "<p>"))]})
    assert "| CRM | 1 | 1 | 0 | 0 | 0 |" in page
    assert "| C01 | One \\| two | shown | `a \\| b` | &lt;p> |" in page


def test_times_of_endpoints_are_those_of_the_runs(tmp_path: Path) -> None:
    """A run that failed is left out; what was not measured is a dash."""
    run = tmp_path / "run"
    run.mkdir()
    analysis = {"metric": "breaking_point", "evidence": "p95 left 500 ms with 60 users"}
    capacity = {"users": 40, "per_second": 81.04, "cores": 2}
    assessed = {"analyses": [analysis], "capacity": capacity}
    result = {"subject": {"machine": "A machine"}, "perfci": "1", "gauges": [], "assessment": assessed}
    (run / "result.json").write_text(json.dumps(result))
    names = ["Type", "Name", "Request Count", "Failure Count", "Average Response Time", "p50", "p95", "Requests/s"]
    with (run / "report.csv").open("w", newline="") as file:
        csv.writer(file).writerows([names, ["GET", "/a", "5", "1", "12.345", "10", "", "2.5"]])
    page = performance.write({"crm:stress-smoke": run, "crm:gone": tmp_path / "gone"})
    assert "## `crm:stress-smoke`\n\nA machine; perfci 1." in page
    assert "| `GET /a` | 5 | 1 | 12.3 ms | 10 ms | - | 2.5 |" in page
    assert "crm:gone" not in page
    assert "| `crm:stress-smoke` | 40 | 81.0 | 40.5 | p95 left 500 ms with 60 users |" in page


def test_times_beside_other_work_are_left_out(tmp_path: Path) -> None:
    """They are those of the other work."""
    busy = {"machine/cpu": 1.9, "process/cpu": 0.4, "generator/cpu": 0.1}
    gauges = [{"name": name, "unit": "cores", "candidate": {"mean": mean}} for name, mean in busy.items()]
    (tmp_path / "result.json").write_text(json.dumps({"subject": {"machine": ""}, "perfci": "1", "gauges": gauges}))
    (tmp_path / "report.csv").write_text("Type,Name\n")
    assert "crm:stress" not in performance.write({"crm:stress": tmp_path})
    gauges[0]["candidate"] = {"mean": 0.6}
    (tmp_path / "result.json").write_text(json.dumps({"subject": {"machine": ""}, "perfci": "1", "gauges": gauges}))
    assert "## `crm:stress`" in performance.write({"crm:stress": tmp_path})


def test_a_limit_of_a_phase_is_that_of_no_other(tmp_path: Path) -> None:
    """Both phases of a group have one."""
    slo = {"endpoint": "(auth)", "metric": "p95", "limit": 300.0, "rounds": 1, "worst": 350.0, "held": False}
    slos = [{**slo, "phase": "steady"}, {**slo, "phase": "peak", "worst": 60.0, "held": True}]
    (tmp_path / "result.json").write_text(json.dumps({"verdict": "slo breach", "slos": slos}))
    shown = KINDS["limit"](Fake(tmp_path), PLANS["platform"], "peak p95 300 auth peak")
    assert (shown.state, shown.printed) == (State.SHOWN, "p95 300 auth peak: (auth) in peak: 60, held")


@pytest.mark.parametrize(
    ("worst", "rounds", "held", "state"),
    [(12.3, 1, True, State.SHOWN), (700.0, 1, False, State.NOT_SHOWN), (None, 0, False, State.NOT_SHOWN)],
)
def test_a_limit_is_shown_only_where_it_is_held(
    tmp_path: Path, worst: float | None, rounds: int, held: bool, state: State
) -> None:
    """One that is broken, or not settled, is not."""
    slo = {
        "endpoint": "(all endpoints)",
        "metric": "p95",
        "limit": 500.0,
        "worst": worst,
        "rounds": rounds,
        "held": held,
    }
    (tmp_path / "result.json").write_text(json.dumps({"verdict": "pass", "slos": [slo]}))
    assert show(Fake(tmp_path), "limit", "baseline p95 500").state is state


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("crm:stress-smoke", "perfci run crm:stress-smoke --against limits"),
        ("crm:stress", "perfci run crm:stress --against limits --duration 75s"),
        ("crm:baseline", "perfci run crm:baseline --against limits --duration 20s"),
        ("crm:baseline+errors", "... --duration 20s --candidate-env DEMO_FAULTS=errors=0.08"),
        ("crm:stress-smoke@compose", "perfci run crm:stress-smoke --against limits --environment compose"),
    ],
)
def test_a_scenario_is_measured_by_one_command(name: str, command: str) -> None:
    """Full size is shortened in time alone; of stages, in the time for which they are held."""
    assert CONFIGURED.measuring(name) == command.replace("...", "perfci run crm:baseline --against limits")


@pytest.mark.parametrize("worst", [90.0, None])
def test_a_limit_that_the_machine_does_not_keep_at_full_size_is_an_answer(tmp_path: Path, worst: float | None) -> None:
    """Also where no value is known, as of a service that broke at its first level. At smoke size it shows nothing."""
    slo = {
        "endpoint": "(all endpoints)",
        "metric": "throughput",
        "limit": 500.0,
        "worst": worst,
        "rounds": 1,
        "held": False,
    }
    (tmp_path / "result.json").write_text(json.dumps({"verdict": "slo breach", "slos": [slo]}))
    assert show(Fake(tmp_path), "limit", "baseline throughput 500").state is State.BREACHED


def test_what_was_produced_is_taken_again(tmp_path: Path) -> None:
    """But for what was left out, and for what a row has asked for since then: the next call produces that."""
    file = tmp_path / "evidence.json"
    first = Evidence.read(file)
    first.keep("C01", "page a", Shown(State.SHOWN, "a", "b"))
    first.keep("C02", "page a", Shown(State.NOT_RUN, "a", ""))
    second = Evidence.read(file)
    assert second.get("C01", "page a") == Shown(State.SHOWN, "a", "b")
    assert second.get("C01", "page b") is None
    assert second.get("C02", "page a") is None


def test_a_command_is_run_once_and_shows_nothing_of_its_machine(tmp_path: Path) -> None:
    """Its output is kept in the folder of the evidence; folders of one call have no place in the page."""
    command = f"sh -c 'echo {tmp_path}/x; echo run >> {tmp_path}/runs'"
    for _ in range(2):
        assert (Machine(ROOT, tmp_path).run(command) or "").strip() == "FOLDER/x"
    assert (tmp_path / "runs").read_text() == "run\n"
    assert (Machine(ROOT, tmp_path, anew=True).run(command) or "").strip() == "FOLDER/x"
    assert (tmp_path / "runs").read_text() == "run\nrun\n"


def test_a_command_about_a_run_that_is_not_allowed_is_not_run(tmp_path: Path) -> None:
    """It is neither shown nor refuted."""
    machine = Machine(ROOT, tmp_path, Allowed(scenarios=frozenset({"crm:no-such"})))
    assert show(machine, "prints", "cat {run crm:stress-smoke} # x").state is State.NOT_RUN


def test_runs_of_an_earlier_call_are_there_again(tmp_path: Path) -> None:
    """Those without a fault and with a result."""
    for name in ("crm-stress-smoke", "crm-stress", "crm-stress-smoke-errors", "crm-baseline-smoke"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    for name in ("crm-stress-smoke", "crm-stress", "crm-stress-smoke-errors"):
        (tmp_path / "runs" / name / "result.json").write_text("{}")
    folders = Machine(ROOT, tmp_path).folders
    assert folders == {f"crm:{name}": tmp_path / f"runs/crm-{name}" for name in ("stress", "stress-smoke")}
