"""
Measures what the gate says of the demo service, by whole runs: `python -m bench.live`.

Recorded rounds tell what the judge is worth; this tells what a job is worth, with every start, seed, turn and slice in
it. Of each cell there is a side that is known: the same as the other, or slower by so much, or with a fault that only
many requests at once can show. The cells take turns, so that an hour of a restless machine is shared by all of them.

Every run is a line of the file that `--json` names. What is there already counts, so hours can be spent in pieces.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from string import Template
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from bench.cells import Cell
from bench.hogs import hogs as cpu_hogs
from bench.tables import percent
from perfci.judge.budgets import by_metric
from perfci.judge.policy import DEFAULT
from perfci.model import Reference, RoundKind, Step

ROOT = Path(__file__).parents[1]
LONGEST_S = 900.0
SLOW = "GET /tickets/"
# Two endpoints take all the turns; all else of the duet is as it comes, the budget too, which the demo has widened. And
# the whole gate as it comes, with every endpoint of the profile.
_DEFAULT = by_metric(DEFAULT.budgets, Reference.REF, RoundKind.DUET)["service_time"]
PROFILES = Template("""
[[gate.override]]
profile = "readers"
metric = "service_time"
change = $change
margin = $margin

[profiles.readers]
locustfile = "load_tests/readers.py"

[profiles.readers.scenarios.duet]
user_classes = ["Reader"]
users = 1
environment = { TICKETS_THINK_SCALE = "0.005" }
paired = { load_blocks = 0$schedule }

[profiles.whole]
locustfile = "load_tests/tickets.py"

[profiles.whole.scenarios.default]
environment = { TICKETS_THINK_SCALE = "0.05" }
""")
READERS_FILE = """
from tickets import Person


class Reader(Person):
    abstract = False
    tasks = [Person.list_tickets, Person.profile]
"""


@dataclass(frozen=True, kw_only=True)
class Known:
    """A candidate for which the right verdict is known."""

    profile: str
    environ: Mapping[str, str] = field(default_factory=dict)
    waiting: bool = False  # requests wait for somebody else meanwhile: an environment of its own
    where: str = ""  # how the name of an endpoint begins that must be red; "": any of them will do


def profiles(schedule: str = "") -> str:
    """The profiles, as they are appended to perfci.toml."""
    return PROFILES.substitute(
        change=_DEFAULT.change, margin=_DEFAULT.margin, schedule=f", {schedule}" if schedule else ""
    )


def _slower(change: float) -> Known:
    return Known(profile="readers:duet", environ={"DEMO_SLOW": f"{SLOW}={1 + change:g}"}, where=SLOW)


def _fault(name: str, where: str = "") -> Known:
    return Known(profile="crowd:contention", environ={"DEMO_FAULTS": name}, waiting=True, where=where)


KNOWN: Mapping[str, Known] = {
    "duet, identical": Known(profile="readers:duet"),
    "duet, +3 %": _slower(0.03),
    "duet, +5 %": _slower(0.05),
    "load, identical": Known(profile="crowd:contention", waiting=True),
    "load, lock": _fault("lock", "GET /tickets/"),
    "load, half-workers": _fault("half-workers"),
    "load, small-pool": _fault("small-pool"),
    "all, identical": Known(profile="whole:default"),
    "all, +60 %": Known(profile="whole:default", environ={"DEMO_SLOW": f"{SLOW}=1.6"}, where=SLOW),
}


@dataclass(frozen=True, kw_only=True)
class Job:
    """The result of one run."""

    name: str
    where: str
    hogs: int
    verdict: str
    found: bool  # red, and where it should be
    seen: str  # the change of the endpoint that is known to be slower, or the reason of the verdict
    wall_s: float
    code: int
    blocks: int = 0
    steps: Mapping[str, float] = field(default_factory=dict)  # seconds by step, all blocks together


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Environment and schedule of the runs."""

    environment: str = ""
    hogs: int = 0
    schedule: str = ""

    @property
    def where(self) -> str:
        """The environment, and the schedule where it is not perfci's default."""
        return ", ".join(part for part in (self.environment or "embedded", self.schedule) if part)


@click.command()
@click.option("--only", "names", multiple=True, type=click.Choice(list(KNOWN)), help="These cells; all without it.")
@click.option("--times", default=1, show_default=True, help="Runs of each.")
@click.option("--environment", default="", help="As `perfci run` has it: compose; without it a process.")
@click.option("--hogs", default=0, show_default=True, help="Processes that use a core each meanwhile.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Where each run is noted; what is there counts.")
@click.option("--schedule", default="", help="Of the duet alone, as in perfci.toml: 'blocks = 6, duet = \"3s\"'.")
def main(names: Sequence[str], times: int, file: Path | None, **setting: Any) -> None:
    """Run perfci on sides whose difference is known, and show how often it found it."""
    for number in (signal.SIGINT, signal.SIGTERM):  # also in the background: what runs shall be stopped
        signal.signal(number, signal.default_int_handler)
    console = Console(width=160)
    chosen = Setting(**setting)
    jobs = [Job(**json.loads(line)) for line in file.read_text().splitlines()] if file and file.exists() else []
    with ExitStack() as stack:
        project = _project(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="perfci-live-"))), chosen)
        stack.enter_context(cpu_hogs(chosen.hogs))
        for name in [*(names or KNOWN)] * times:
            jobs.append(job := _run(name, project, chosen))
            size = f"{job.wall_s:.0f} s, {job.blocks} blocks"
            console.print(f"{name}: {job.verdict}, {job.seen} ({size})", markup=False, highlight=False)
            if file:
                with file.open("a") as notes:
                    notes.write(json.dumps(asdict(job)) + "\n")
    console.print(table(jobs))


def _project(folder: Path, setting: Setting) -> Path:
    """A copy of this repository's HEAD, with an additional profile."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "project")], check=True)
    project = folder / "project"
    (project / "load_tests" / "readers.py").write_text(READERS_FILE)
    with (project / "perfci.toml").open("a") as file:
        file.write(profiles(setting.schedule))
    return project


def _run(name: str, project: Path, setting: Setting) -> Job:
    known = KNOWN[name]
    output = project / "run"
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "perfci", "run", known.profile, "--against", "ref", "--base", "."]
    command += ["--output", str(output), "--quiet"]
    named = "-".join([*([setting.environment] if setting.environment else []), *(["waiting"] if known.waiting else [])])
    command += ["--environment", named] if named else []
    command += [] if known.profile == "whole:default" else ["--census", "off"]
    command += [part for key, value in known.environ.items() for part in ("--candidate-env", f"{key}={value}")]
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=project, env=os.environ, check=False, capture_output=True, text=True, timeout=LONGEST_S
    )
    wall_s = time.monotonic() - started
    result = output / "result.json"
    said: Mapping[str, Any] = json.loads(result.read_text()) if result.exists() else {"reason": done.stderr[-300:]}
    file = output / "run.json"
    timings = json.loads(file.read_text())["timings"] if file.exists() else ()
    return job_of(name, said, setting=setting, wall_s=wall_s, code=done.returncode, timings=timings)


def job_of(
    name: str,
    said: Mapping[str, Any],
    *,
    setting: Setting,
    wall_s: float,
    code: int,
    timings: Sequence[Mapping[str, Any]] = (),
) -> Job:
    """Compare a run's `result.json` with the known difference."""
    steps = dict.fromkeys((timing["step"] for timing in timings), 0.0)
    for timing in timings:
        steps[timing["step"]] = round(steps[timing["step"]] + timing["seconds"], 1)
    known = KNOWN[name]
    red = [decision["endpoint"] for decision in said.get("decisions", ()) if decision["verdict"] == "regression"]
    return Job(
        name=name,
        where=setting.where,
        hogs=setting.hogs,
        verdict=said.get("verdict", "nothing"),
        found=any(endpoint.startswith(known.where) for endpoint in red),
        seen=_change_or_reason(said, known),
        wall_s=round(wall_s, 1),
        code=code,
        blocks=len({timing["block"] for timing in timings if timing["step"] in (Step.TURNS, Step.LOAD)}),
        steps=steps,
    )


def _change_or_reason(said: Mapping[str, Any], known: Known) -> str:
    for decision in said.get("decisions", ()):
        if known.profile == "readers:duet" and (decision["endpoint"], decision["metric"]) == (SLOW, "service_time"):
            low, estimate, high = (100 * decision["change"][key] for key in ("low", "estimate", "high"))
            return f"{estimate:+.1f} % [{low:+.1f}, {high:+.1f}]"
    return str(said.get("reason", ""))


def table(jobs: Sequence[Job]) -> Table:
    """One line for each side, environment and number of hogs."""
    lines = Table(title="whole runs on the demo service", title_justify="left")
    for column in (
        "side",
        "where",
        "hogs",
        "runs",
        "found",
        "red",
        "pass",
        "cannot tell",
        "invalid",
        "95 % of red",
        "s",
        "longest",
    ):
        lines.add_column(column, justify="left" if column in ("side", "where") else "right", no_wrap=True)
    for name, where, count in dict.fromkeys((job.name, job.where, job.hogs) for job in jobs):
        group = [job for job in jobs if (job.name, job.where, job.hogs) == (name, where, count)]
        verdicts = [job.verdict for job in group]
        counts = {verdict: verdicts.count(verdict) for verdict in verdicts}
        cell = Cell(corpus=where, mode="live", rule="perfci", effect=name, replicates=1, seconds=0.0, counts=counts)
        low, high = cell.interval("regression")
        lines.add_row(
            name,
            where,
            str(count),
            str(len(group)),
            "" if name.endswith("identical") else str(sum(job.found for job in group)),
            *(str(counts.get(verdict, 0)) for verdict in ("regression", "pass", "inconclusive", "invalid")),
            f"{percent(low)}..{percent(high)}",
            f"{median(job.wall_s for job in group):.0f}",
            f"{max(job.wall_s for job in group):.0f}",
        )
    return lines


if __name__ == "__main__":
    main()
