"""Whole runs on sides of which the truth is known."""

import io
import tomllib
from typing import Any

import pytest
from rich.console import Console

from bench.live import KNOWN, ROOT, Job, Setting, job_of, profiles, table
from demo.common.faults import parse_faults


def said(endpoint: str, verdict: str = "regression") -> dict[str, Any]:
    change = {"low": 0.02, "estimate": 0.03, "high": 0.04}
    decision = {"endpoint": endpoint, "metric": "service_time", "verdict": verdict, "change": change}
    return {"verdict": verdict, "reason": "because", "decisions": [decision]}


def a_job(name: str, result: dict[str, Any]) -> Job:
    return job_of(name, result, setting=Setting(), wall_s=80.04, code=0)


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_to_be_run_is_there(name: str) -> None:
    """Profile, scenario, environment and fault are those of this repository."""
    config = tomllib.loads((ROOT / "perfci.toml").read_text() + profiles())
    known = KNOWN[name]
    profile, _, scenario = known.profile.partition(":")
    assert scenario in config["profiles"][profile]["scenarios"]
    assert not known.waiting or {"waiting", "compose-waiting"} <= set(config["environments"])
    parse_faults(known.environ.get("DEMO_FAULTS", ""))


def test_found_is_what_is_red_where_it_should_be() -> None:
    """A regression of another endpoint is red, and yet not found."""
    right, wrong = (a_job("duet, +3 %", said(endpoint)) for endpoint in ("GET /tickets/", "GET /auth/profile"))
    assert (right.verdict, right.found, right.seen, right.wall_s) == ("regression", True, "+3.0 % [+2.0, +4.0]", 80.0)
    assert (wrong.verdict, wrong.found) == ("regression", False)
    anywhere = a_job("load, half-workers", said("GET /auth/profile"))
    assert (anywhere.found, anywhere.seen) == (True, "because")


def test_a_run_without_a_result_says_why() -> None:
    """It counts as nothing, not as a pass."""
    job = a_job("duet, +3 %", {"reason": "no engine"})
    assert (job.verdict, job.found, job.seen) == ("nothing", False, "no engine")


def test_the_seconds_of_each_step_and_the_blocks_are_noted() -> None:
    """A census is no block; the turns and the load of one block are in the same."""
    steps = [("census", "start", 1.0), ("census", "census", 6.0), ("1", "start", 1.5), ("1", "turns", 6.0)]
    steps += [("1", "load", 9.0), ("2", "start", 1.5), ("2", "turns", 6.04)]
    timings = [{"block": block, "step": step, "seconds": seconds} for block, step, seconds in steps]
    job = job_of("all, identical", {}, setting=Setting(), wall_s=31.0, code=0, timings=timings)
    assert job.blocks == 2
    assert job.steps == {"start": 4.0, "census": 6.0, "turns": 12.0, "load": 9.0}


def test_the_table_counts() -> None:
    """Of each side the verdicts, and how often it was found; identical sides cannot be found."""
    jobs = [a_job("duet, +3 %", said("GET /tickets/")), a_job("duet, +3 %", said("GET /tickets/", "pass"))]
    jobs.append(a_job("duet, identical", said("GET /tickets/", "inconclusive")))
    console = Console(file=io.StringIO(), width=140)
    console.print(table(jobs))
    assert isinstance(console.file, io.StringIO)
    text = [line.split("│") for line in console.file.getvalue().splitlines() if "duet" in line]
    rows = [[part.strip() for part in line[1:-1]] for line in text]
    assert rows[0] == ["duet, +3 %", "embedded", "0", "2", "1", "1", "1", "0", "0", "1.3 %..98.7 %", "80", "80"]
    assert rows[1][:9] == ["duet, identical", "embedded", "0", "1", "", "0", "0", "1", "0"]
