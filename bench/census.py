"""
Measures how reliable the census is: `python -m bench.census`, or with `--environment compose` on PostgreSQL and Redis.

Identical sides are counted again and again, with processes beside them that keep every core busy: any red is a false
one. Then each fault of the demo service is given to the candidate, and must be found where it is, and named. All
judging goes through perfci's own door with the configuration of this repository.

Many censuses are taken on one start of the two sides; before each, both are emptied and seeded anew. A start for each
would take hours, and what is restarted changes nothing that is counted but the first visits, which are kept apart.
"""

import contextlib
import json
import os
import signal
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from bench.hogs import hogs
from perfci.config import read
from perfci.judge import judge
from perfci.model import Decision, Fingerprint, GatePolicy, Reference, Run, SeriesVerdict, Side, Subject
from perfci.pipeline.plan import Overrides, Plan, SideSource, plan_of, source_of
from perfci.pipeline.policy import policy_of
from perfci.pipeline.subject import subject_of
from perfci.rig import seed, target
from perfci.rig.census import Settings, Source, open_sources
from perfci.rig.census.take import Extent, Seen, take
from perfci.rig.host.fingerprint import machine
from perfci.rig.load.generator import Place

ROOT = Path(__file__).parents[1]
ON_POSTGRESQL: Mapping[str, tuple[str, str, str]] = {
    "n-plus-one": ("GET /tickets/", "db/statements", "n+1: SELECT … FROM users"),
    "extra-query": ("GET /tickets/[id]", "db/statements", "new: SELECT count(*) AS count_1 FROM comments"),
    "dropped-index": ("GET /comments/ticket/[id]", "db/blocks", "plan: SELECT … FROM comments"),
    "no-cache": ("GET /auth/profile", "db/statements", "new: SELECT … FROM sessions"),
    "double-payload": ("GET /tickets/", "response/bytes", "payload: response/bytes"),
    "chatty-upstream": ("GET /reports/dashboard", "cache/commands", "more calls: GET"),
}
EMBEDDED: Mapping[str, tuple[str, str, str]] = {
    "n-plus-one": ("GET /tickets/", 'metrics/demo_db_statements_total{verb="select"}', ""),
    "extra-query": ("GET /tickets/[id]", 'metrics/demo_db_statements_total{verb="select"}', ""),
    "no-cache": ("GET /auth/profile", 'metrics/demo_cache_lookups_total{result="miss"}', ""),
    "double-payload": ("GET /tickets/", "response/bytes", "payload: response/bytes"),
}
"""
Fault -> the endpoint that has it, a counter that must be red there, and the culprit's kind and beginning.

A database within the process shows no statements: its only witness is what the service counts of itself, which has a
name but no text. A lost index and a chatty cache within the process are counted by nobody.
"""


@dataclass(frozen=True, kw_only=True)
class Stand:
    """What is counted, and how."""

    environment: str | None
    plan: Plan
    source: SideSource
    policy: GatePolicy
    extent: Extent
    folder: Path


@dataclass(kw_only=True)
class Sides:
    """Both running sides."""

    stand: Stand
    seen: Mapping[Side, Seen]
    reads: Mapping[str, list[float]]  # seconds of every read, by source
    taken: int = 0

    def decisions(self) -> list[Decision]:
        """Seed both sides, take a census and judge it."""
        stand = self.stand
        for running in self.seen.values():
            again = self.taken > 0
            seed.seed(stand.source.seed, running.base_url, clear_first=again, source=ROOT, environ=os.environ, own=True)
        self.taken += 1
        place = Place(
            source=ROOT,
            folder=stand.folder / "census",
            environ=os.environ,
            state=stand.folder / "state",
            watch=lambda _: None,
        )
        found = take(
            stand.plan.load,
            sides=self.seen,
            place=place,
            extent=stand.extent,
            rng_seed=stand.plan.rng_seed + self.taken,
            watch=lambda _done, _known: None,
        )
        run = replace(_empty(stand), census=found.census, incidents=found.incidents)
        return list(judge(run, baseline=None, policy=stand.policy, subject=_subject(run)).decisions)


@dataclass(kw_only=True)
class Findings:
    """The results of all measurements."""

    environment: str
    hogs: int
    same: int = 0
    false_reds: list[str] = field(default_factory=list)
    equivalent: list[float] = field(default_factory=list)  # share of what was compared, by census
    faults: dict[str, dict[str, int]] = field(default_factory=dict)
    start_s: float = 0.0  # both sides, started, seeded, sources opened
    census_s: list[float] = field(default_factory=list)
    snapshot_ms: dict[str, float] = field(default_factory=dict)  # median, by source


def _empty(stand: Stand) -> Run:
    return Run(
        id="bench",
        created_at=datetime.now(UTC).isoformat(),
        profile=stand.plan.profile,
        scenario=stand.plan.scenario,
        commits={side: side.value for side in Side},
        fingerprint=Fingerprint(
            machine=machine(),
            plan=stand.plan.load,
            seed_digest="the same",
            target_kind=stand.source.target.kind,
            target={},
            versions={},
        ),
        rounds=(),
        complete=True,
    )


def _subject(run: Run) -> Subject:
    return subject_of(run, reference=Reference.REF, name="the same service", base_commit="")


@contextlib.contextmanager
def started(stand: Stand, fault: str = "") -> Iterator[Sides]:
    """Start both sides, the candidate with *fault*."""
    reads: defaultdict[str, list[float]] = defaultdict(list)
    with contextlib.ExitStack() as stack:
        seen = {}
        for side in Side:
            running = stack.enter_context(
                target.start(
                    stand.source.target,
                    source=ROOT,
                    workspace=stand.folder / side.value,
                    state=stand.folder / "state",
                    side=side,
                    label=f"bench{os.getpid()}-{side.value}",
                    environ=os.environ,
                    extra_env={"DEMO_FAULTS": fault} if side is Side.CANDIDATE else {},
                )
            )
            opened = open_sources(running, Settings(), environ=os.environ)
            sources, reports = stack.enter_context(opened)
            for source in sources:
                _time(source, reads[f"{source.kind} {source.name}"])
            seen[side] = Seen(base_url=running.base_url, sources=sources, reports=reports)
        yield Sides(stand=stand, seen=seen, reads=reads)


def _time(source: Source, into: list[float]) -> None:
    """Record how long each read of *source* takes."""
    untimed = source.read

    def timed() -> object:
        began = time.perf_counter()
        try:
            return untimed()
        finally:
            into.append(time.perf_counter() - began)

    vars(source)["read"] = timed


def measure_same(stand: Stand, findings: Findings, times: int, say: Callable[[str], None]) -> None:
    """Count identical sides repeatedly."""
    began = time.monotonic()
    with started(stand) as sides:
        findings.start_s = time.monotonic() - began
        for number in range(1, times + 1):
            began = time.monotonic()
            decisions = sides.decisions()
            findings.census_s.append(time.monotonic() - began)
            compared = [decision for decision in decisions if decision.verdict is not SeriesVerdict.NOT_COMPARED]
            red = [decision.reason for decision in decisions if decision.verdict is SeriesVerdict.REGRESSION]
            findings.same += 1
            findings.false_reds += red
            same = sum(decision.verdict is SeriesVerdict.EQUIVALENT for decision in compared)
            findings.equivalent.append(same / max(1, len(compared)))
            say(f"same {number}: {len(red)} false reds, {same} of {len(compared)} equivalent {red[:1]}")
        findings.snapshot_ms = {name: 1e3 * statistics.median(values) for name, values in sides.reads.items() if values}


def measure_faults(
    stand: Stand, findings: Findings, faults: Sequence[str], times: int, say: Callable[[str], None]
) -> None:
    """Count a candidate with each of *faults* repeatedly; each must be found at its endpoint, with its culprit."""
    with started(stand, ",".join(faults)) as sides:
        for number in range(1, times + 1):
            red = [decision for decision in sides.decisions() if decision.verdict is SeriesVerdict.REGRESSION]
            for fault in faults:
                say(f"{number}: {fault} {_looked_for(fault, red, stand, findings)}")


def _looked_for(fault: str, red: Sequence[Decision], stand: Stand, findings: Findings) -> str:
    """Whether *fault* is red at its endpoint, and its culprit named."""
    endpoint, counter, culprit = (ON_POSTGRESQL if stand.environment else EMBEDDED)[fault]
    there = [decision for decision in red if decision.comparison.series.endpoint == endpoint]
    found = any(decision.comparison.series.metric.name == counter for decision in there)
    culprits = [f"{each.kind}: {each.what}" for decision in there for each in decision.comparison.culprits]
    named = found and (not culprit or any(text.startswith(culprit) for text in culprits))
    counts = findings.faults.setdefault(fault, {"censuses": 0, "found": 0, "named": 0})
    for name, holds in (("censuses", True), ("found", found), ("named", named)):
        counts[name] += holds
    return "found and named" if named else f"{'found' if found else 'MISSED'}; {culprits}"


def tables(findings: Findings) -> Sequence[Table]:
    """The results as tables."""
    same = Table("", "", title=f"census, {findings.environment}, {findings.hogs} CPU hogs", title_justify="left")
    same.add_row("identical censuses", str(findings.same))
    same.add_row("false reds", str(len(findings.false_reds)))
    if findings.same:
        same.add_row("equivalent, of what was compared", f"{100 * statistics.fmean(findings.equivalent):.1f} %")
        same.add_row("start of both sides, s", f"{findings.start_s:.1f}")
        same.add_row("seeding and counting both sides, s (median)", f"{statistics.median(findings.census_s):.1f}")
    for name, cost in findings.snapshot_ms.items():
        same.add_row(f"one read of {name}, ms (median)", f"{cost:.2f}")
    faults = Table("fault", "censuses", "found", "named", title="faults", title_justify="left")
    for name, counts in findings.faults.items():
        faults.add_row(name, *(str(counts[key]) for key in ("censuses", "found", "named")))
    return same, faults


@click.command()
@click.option("--environment", help="Of perfci.toml: compose; without it the service with SQLite, as one process.")
@click.option("--same", default=200, show_default=True, help="Censuses of identical sides.")
@click.option("--each", default=20, show_default=True, help="Censuses of each fault.")
@click.option("--only", multiple=True, help="These faults; more than once for several.")
@click.option("--together", is_flag=True, help="One candidate with all faults: a start for all, but harder to name.")
@click.option("--requests", default=20, show_default=True, help="Of each endpoint.")
@click.option("--seconds", default=15.0, show_default=True, help="After which a census ends.")
@click.option("--hogs", "count", default=2, show_default=True, help="Processes that use a core each meanwhile.")
@click.option("--user-class", "classes", multiple=True, help="Of the profile; all without it.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Where everything goes, for programs.")
def main(**options: Any) -> None:
    """Count identical sides, then sides with a fault, and print the results."""
    for number in (signal.SIGINT, signal.SIGTERM):  # also in the background: what runs shall be stopped
        signal.signal(number, signal.default_int_handler)
    environment, count, classes = options["environment"], options["count"], options["classes"]
    config = read(ROOT / "perfci.toml").within(environment)
    plan = plan_of(config, "tickets:smoke", Overrides(), root=ROOT)
    findings = Findings(environment=environment or "embedded", hogs=count)
    console = Console(stderr=True, highlight=False)

    def say(text: str) -> None:
        console.print(text, markup=False)
        if file := options["file"]:  # after each, because whole benches take hours
            file.write_text(json.dumps(asdict(findings), indent=1))

    with tempfile.TemporaryDirectory() as folder, hogs(count):
        stand = Stand(
            environment=environment,
            plan=replace(plan, load=replace(plan.load, user_classes=classes or plan.load.user_classes)),
            source=source_of(config, tree=ROOT, file="perfci.toml"),
            policy=policy_of(config.gate, plan.profile),
            extent=Extent(requests=options["requests"], limit_s=options["seconds"]),
            folder=Path(folder),
        )
        _prepare(stand)
        if options["same"]:
            measure_same(stand, findings, options["same"], say)
        known = ON_POSTGRESQL if environment else EMBEDDED
        chosen = [fault for fault in known if fault in (options["only"] or known)]
        for faults in [chosen] if options["together"] else [[fault] for fault in chosen]:
            if options["each"]:
                measure_faults(stand, findings, faults, options["each"], say)
    for table in tables(findings):
        Console().print(table)
    say("")


def _prepare(stand: Stand) -> None:
    for side in Side:
        target.prepare(
            stand.source.target,
            source=ROOT,
            workspace=stand.folder / "prepared",
            state=stand.folder / "state",
            side=side,
            label=f"bench{os.getpid()}-{side.value}",
            environ=os.environ,
        )


if __name__ == "__main__":
    main()
