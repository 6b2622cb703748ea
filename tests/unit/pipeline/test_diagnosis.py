"""What `perfci doctor` says of a target that it has started once."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfci.config import from_bytes
from perfci.judge.policy import DEFAULT
from perfci.model import Census, CounterSource
from perfci.pipeline import diagnosis
from perfci.pipeline.diagnosis import Line, Weight, diagnose, seconds_of
from perfci.pipeline.plan import Overrides, Plan, plan_of
from perfci.pipeline.ports import Ports
from perfci.pipeline.trial import Trial
from perfci.rig.load.tried import Tried
from tests.unit.pipeline.conftest import CONFIG

TIMES_MS = [5.0, 5.1, 4.9, 5.0, 5.2, 4.8, 5.0, 5.1, 5.0]


@pytest.fixture
def plan(ports: Ports) -> Plan:
    """The default schedule."""
    return plan_of(from_bytes(CONFIG.encode(), where=""), "tickets", Overrides(), root=ports.root)


def _tried(**more: Any) -> Tried:
    defaults: dict[str, Any] = {
        "latencies_ms": list(TIMES_MS),
        "sizes": [100] * len(TIMES_MS),
        "statuses": Counter({200: len(TIMES_MS)}),
        "names": {"GET /"},
    }
    return Tried(**{**defaults, **more})


def _trial(plan: Plan, **more: Any) -> Trial:
    sources = (CounterSource(name="response", kind="response", found=True),)
    defaults: dict[str, Any] = {
        "plan": plan,
        "seed_kind": "http",
        "target_kind": "command",
        "tried": {"GET /": _tried()},
        "census": Census(endpoints={}, sources=sources),
        "notes": (),
        "outliving": (),
        **dict.fromkeys(("prepare_s", "start_s", "seed_s", "stop_s"), 1.0),
    }
    return Trial(**{**defaults, **more})


def _said(trial: Trial) -> list[Line]:
    return diagnose(trial, DEFAULT)


def _of(trial: Trial, what: str) -> Line:
    (line,) = [line for line in _said(trial) if line.what == what]
    return line


def test_a_healthy_target(plan: Plan) -> None:
    """How fast it answers, that its turns fit, how long a run takes, what it costs and what it will see."""
    lines = {line.what: line for line in _said(_trial(plan))}
    assert lines["requests"].text == "1 endpoint answered every request, in 5 to 5 ms"
    assert {"turns", "time", "cost", "will see"} <= set(lines)
    assert lines["nothing of"].text == "names that vary, sleeps in tasks, missing data, answers that grow"
    assert "outlives a start" in _of(_trial(plan, target_kind="compose"), "nothing of").text
    assert all(line.weight is not Weight.BAD for line in lines.values())


def test_an_endpoint_that_never_succeeds_is_bad(plan: Plan) -> None:
    """Some failures are worth a look; without a seed, what is not found may be its missing data."""
    failing = _tried(failures=9, statuses=Counter({404: 9}), sizes=[])
    trial = _trial(plan, tried={"GET /a": failing, "GET /b": _tried(failures=1)})
    assert _of(trial, "GET /a").weight is Weight.BAD
    assert "seed" not in _of(trial, "GET /a").text
    assert "[seed] puts none in" in _of(replace(trial, seed_kind="none"), "GET /a").text
    assert _of(trial, "GET /b").weight is Weight.LOOK


def test_no_request_at_all_is_bad(plan: Plan) -> None:
    """Such a run would be invalid."""
    assert _of(_trial(plan, tried={}), "requests").weight is Weight.BAD


def test_slow_endpoints_do_not_get_their_turns(plan: Plan) -> None:
    """With the slowest by name, and the time of a duet that would do."""
    trial = _trial(plan, tried={"GET /": _tried(), "GET /slow": _tried(latencies_ms=[2000.0] * 9)})
    line = _of(trial, "turns")
    assert line.weight is Weight.LOOK
    assert "Slowest: GET /slow" in line.text
    assert 'paired.duet = "25s"' in line.text
    assert _of(_trial(plan), "turns").weight is Weight.OK


def test_names_that_vary_are_told(plan: Plan) -> None:
    """Those that were taken together, and those that nothing brings together."""
    once = _tried(latencies_ms=[5.0], sizes=[100])
    trial = _trial(plan, tried={f"GET /{letter}": once for letter in "abcdefg"})
    assert "7 endpoints were asked once only" in _of(trial, "names").text
    together = _trial(plan, tried={"GET /items/{}": _tried(names={"GET /items/1", "GET /items/2"})})
    assert "2 names" in _of(together, "GET /items/{}").text


@pytest.mark.parametrize(
    ("sizes", "grows"), [([10, 20, 30, 40], True), ([10, 30, 20, 40], False), ([10, 10, 20], False)]
)
def test_data_that_grows_is_told(plan: Plan, sizes: list[int], *, grows: bool) -> None:
    """Answers that become larger with each request; a change up and down is none of that."""
    said = [line for line in _said(_trial(plan, tried={"GET /": _tried(sizes=sizes)})) if line.what == "GET /"]
    assert bool(said) is grows


def test_what_was_found_is_not_said_to_be_missing(plan: Plan) -> None:
    """A line that says so is in the place of the words that nothing of it was found."""
    growing = _trial(plan, tried={"GET /": _tried(sizes=[100, 120, 140, 160, 180, 200])})
    kept = _trial(plan, target_kind="compose", outliving=("data",))
    assert "answers that grow" not in _of(growing, "nothing of").text
    assert "outlives a start" not in _of(kept, "nothing of").text
    assert "sleeps in tasks" not in _of(_trial(plan, notes=("sleeps of 1 s in tasks",)), "nothing of").text


def test_a_missing_seed_is_told(plan: Plan) -> None:
    """Where lists are empty, or a database is there that nothing is put into."""
    empty = {"GET /items": _tried(sizes=[2] * 9)}
    assert "GET /items" in _of(_trial(plan, tried=empty, seed_kind="none"), "seed").text
    census = Census(endpoints={}, sources=(CounterSource(name="db", kind="postgresql", found=True),))
    assert "db is there" in _of(_trial(plan, census=census, seed_kind="none"), "seed").text
    assert not [line for line in _said(_trial(plan, census=census)) if line.what == "seed"]


def test_what_is_not_thrown_away_is_told(plan: Plan) -> None:
    """Data that outlives a start, and writes to a service that somebody else runs."""
    trial = _trial(plan, outliving=("volume pg",), target_kind="external", tried={"POST /items": _tried()})
    assert "volume pg" in _of(trial, "data").text
    assert "POST /items" in _of(trial, "unsafe").text


def test_sleeps_and_counters_are_told(plan: Plan) -> None:
    """As the load generator and the sources say."""
    missing = CounterSource(name="metrics", kind="prometheus", found=False, note="status 404")
    trial = _trial(
        plan, notes=("census: sleeps of browse were left out",), census=Census(endpoints={}, sources=(missing,))
    )
    assert _of(trial, "sleeps").text == "sleeps of browse were left out"
    assert [line.text for line in _said(trial) if line.what == "counters"][
        1
    ] == "not found: metrics (prometheus): status 404"


def test_a_task_without_a_request_is_told(plan: Plan) -> None:
    """It is not known whether it waits for something."""
    assert (
        "Shopper.idle"
        in _of(_trial(plan, census=Census(endpoints={}, unreached=("Shopper.idle",))), "silent tasks").text
    )


def test_more_blocks_and_slower_starts_take_longer(plan: Plan) -> None:
    """In seconds: each block starts both sides anew."""
    trial = _trial(plan)
    assert seconds_of(trial, 12, 4) > seconds_of(trial, 3, 2)
    longer_starts, longer_turns = (1 + 3) * 5, 3 * 2  # of the census and three blocks; 7 s instead of 5
    assert seconds_of(replace(trial, start_s=6.0), 3, 2) == seconds_of(trial, 3, 2) + longer_starts + longer_turns


def test_what_scatters_more_is_seen_later(plan: Plan) -> None:
    """The endpoint that is named is the least certain one, and never below the budget."""
    wild = _tried(latencies_ms=[1.0, 9.0, 2.0, 30.0, 1.0, 12.0, 3.0, 25.0, 2.0])
    text = _of(_trial(plan, tried={"GET /a": _tried(), "GET /b": wild}), "will see").text
    assert "of GET /b" in text


def test_the_turns_of_a_duet_are_those_that_its_driver_takes() -> None:
    """The driver runs in Locust's process, and is imported by nobody: its numbers are read from its file."""
    text = (Path(__file__).parents[3] / "perfci/rig/load/inside/perfci_turns.py").read_text()
    numbers = dict(re.findall(r"^(ENOUGH|MOST_TIMES) = (\d+)", text, re.MULTILINE))
    assert numbers == {"ENOUGH": str(diagnosis.TURNS), "MOST_TIMES": str(diagnosis.LONGER)}
