"""
Derives from a trial what is missing, slow, unmeasurable or unsafe, what a run costs and which changes it can detect.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from perfci.judge.budgets import by_metric
from perfci.model import GatePolicy, Reference, RoundKind
from perfci.pipeline.plan import Plan
from perfci.pipeline.trial import Trial
from perfci.rig.load.tried import Tried

TURNS = 12
"""Pairs of requests of an endpoint after which a duet stops asking for more (`rig/load/inside/perfci_turns.py`)."""

LONGER = 2
"""Largest factor by which a duet exceeds its planned seconds for endpoints that lack turns."""

STARTS_SCATTER = 0.01
"""Standard deviation of a service time between two starts of the same code: 0.4 to 1.4 % in bench/README.md."""

DETECTABLE_SE = 3.6
"""Standard errors of a change that 8 of 10 runs find: 2.8 for a corrected test, 0.84 for the power of 80 %."""

FEW_BYTES = 2  # of a body such as [] or {}
SET_UP_S = 30.0
"""Seconds to set up the Action's own environment, where no earlier job has cached it."""

_OF_KIND = {
    "compose": {"data": "data that outlives a start"},
    "external": {"unsafe": "writes to a service that perfci has not started"},
}
"""What only some kinds of target can show: the word of the line that tells it, and what was looked for."""

WRITES = ("POST ", "PUT ", "PATCH ", "DELETE ")
MOST = 5


class Weight(StrEnum):
    """How much a line of the diagnosis matters."""

    OK = "ok"
    LOOK = "look"  # somebody should look at it: the run says less than it could
    BAD = "BAD"  # nothing is measured there


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the diagnosis."""

    weight: Weight
    what: str
    text: str


def diagnose(trial: Trial, policy: GatePolicy) -> list[Line]:
    """Every line: endpoints first, then data and counters, then what a run costs and can detect."""
    found = [*_names(trial), *_data(trial), *_notes(trial)]
    return [
        *_requests(trial),
        *_turns(trial),
        *found,
        *_unremarkable(trial, found),
        *_counters(trial),
        *_cost(trial),
        *_sight(trial, policy),
    ]


def _requests(trial: Trial) -> Iterator[Line]:
    """Which endpoints answer and which fail, and which tasks send nothing."""
    good = {name: tried for name, tried in trial.tried.items() if not tried.failures}
    if not trial.tried:
        yield Line(Weight.BAD, "requests", "no task sent a request: a run would be invalid")
        return
    if good:
        times = sorted(median(tried.latencies_ms) for tried in good.values())
        text = f"{_count(good, 'endpoint')} answered every request, in {times[0]:.3g} to {times[-1]:.3g} ms"
        yield Line(Weight.OK, "requests", text)
    for name, tried in _bounded(trial.tried, lambda tried: bool(tried.failures)):
        statuses = ", ".join(str(status) if status else "no answer" for status in sorted(tried.statuses))
        hint = ""
        if trial.seed_kind == "none" and 404 in tried.statuses:
            hint = ": is its data there? [seed] puts none in"
        elif {401, 403} & set(tried.statuses):
            hint = ": it needs a login, in on_start of the user"
        all_of_them = tried.failures == tried.requests
        text = f"{tried.failures} of {tried.requests} requests failed ({statuses}){hint}"
        yield Line(Weight.BAD if all_of_them else Weight.LOOK, name, text)
    silent = [task for task in trial.census.unreached if task not in trial.tried]
    if silent:
        yield Line(Weight.LOOK, "silent tasks", f"{', '.join(silent[:MOST])} sent no request")


def _turns(trial: Trial) -> Iterator[Line]:
    """Whether every endpoint gets its turns within a duet."""
    duet_s = trial.plan.paired.duet
    if not duet_s or not trial.tried:
        return
    needed = {name: 2 * TURNS * median(tried.latencies_ms) / 1000 for name, tried in trial.tried.items()}
    total_s, most_s = sum(needed.values()), LONGER * duet_s
    if total_s <= most_s:
        text = f"{TURNS} turns of every endpoint take about {total_s:.2g} s of the {most_s:g} s that a block may spend"
        yield Line(Weight.OK, "turns", text)
        return
    slowest = sorted(needed, key=lambda name: -needed[name])[:3]
    text = (
        f"{TURNS} turns of every endpoint take about {total_s:.0f} s, and a block may spend {most_s:g} s: some"
        f" will not be compared. Slowest: {', '.join(slowest)};"
        f' next: paired.duet = "{math.ceil(total_s / LONGER)}s", or fewer tasks'
    )
    yield Line(Weight.LOOK, "turns", text)


def _unremarkable(trial: Trial, found: list[Line]) -> Iterator[Line]:
    """What was looked for and not *found*, so that nobody takes silence for not looking."""
    if not trial.tried:
        return
    remarked = {line.what for line in found if line.weight is not Weight.OK}
    grown = any(line.what in trial.tried for line in found if line.weight is not Weight.OK)
    subjects = {
        "names": "names that vary",
        "sleeps": "sleeps in tasks",
        "seed": "missing data",
    } | _OF_KIND.get(trial.target_kind, {})
    quiet = [text for what, text in subjects.items() if what not in remarked]
    quiet += [] if grown else ["answers that grow"]
    if quiet:
        yield Line(Weight.OK, "nothing of", ", ".join(quiet))


def _names(trial: Trial) -> Iterator[Line]:
    """Names that vary: those that perfci folded into a template, and those that it could not fold."""
    for name, tried in _bounded(trial.tried, lambda tried: len(tried.names) > 1):
        yield Line(Weight.OK, name, f"{len(tried.names)} names are taken for this one endpoint")
    once = [name for name, tried in trial.tried.items() if tried.requests == 1]
    if len(once) > MOST:
        text = (
            f"{len(once)} endpoints were asked once only, such as {', '.join(once[:3])}: their names vary."
            " next: give each request a name=, or match them in [[endpoints]]"
        )
        yield Line(Weight.LOOK, "names", text)


def _data(trial: Trial) -> Iterator[Line]:
    """What the answers reveal about the data: empty, or growing with each request; and what outlives a start."""
    empty = [name for name, tried in trial.tried.items() if tried.sizes and max(tried.sizes) <= FEW_BYTES]
    if trial.seed_kind == "none" and empty:
        text = f"{', '.join(sorted(empty)[:3])} answered with an empty list or nothing, and [seed] puts no data in"
        yield Line(Weight.LOOK, "seed", text)
    elif trial.seed_kind == "none" and _database(trial):
        yield Line(
            Weight.LOOK, "seed", f"{_database(trial)} is there, and [seed] puts no data in: an empty one answers fast"
        )
    for name, tried in _bounded(trial.tried, lambda tried: _grows(tried.sizes)):
        text = f"its answers grow, from {tried.sizes[0]} to {tried.sizes[-1]} bytes in {len(tried.sizes)} requests"
        yield Line(Weight.LOOK, name, f"{text}: a longer run measures other work than a short one")
    if trial.outliving:
        text = f"{', '.join(trial.outliving[:MOST])} outlives a start: the next block finds what this one wrote"
        yield Line(Weight.LOOK, "data", text)
    writes = [name for name in trial.tried if name.startswith(WRITES)]
    if trial.target_kind == "external" and writes:
        text = f"{', '.join(writes[:3])} write to a service that perfci has not started, and cannot throw away"
        yield Line(Weight.LOOK, "unsafe", text)


def _database(trial: Trial) -> str:
    kinds = {"postgresql", "mysql", "redis"}
    return ", ".join(source.name for source in trial.sources if source.found and source.kind in kinds)


def _grows(sizes: list[int]) -> bool:
    """Whether the sizes rise steadily; two or three different sizes may be chance."""
    return len(set(sizes)) > 3 and sizes == sorted(sizes)


def _notes(trial: Trial) -> Iterator[Line]:
    for note in trial.notes[: 2 * MOST]:
        text = note.removeprefix("census: ")
        yield Line(Weight.LOOK, "sleeps" if text.startswith("sleeps of") else "note", text)


def _counters(trial: Trial) -> Iterator[Line]:
    found = [f"{source.name} ({source.kind})" for source in trial.sources if source.found]
    yield Line(Weight.OK if len(found) > 1 else Weight.LOOK, "counters", f"found: {', '.join(found) or 'none'}")
    for source in trial.sources:
        if not source.found:
            yield Line(Weight.OK, "counters", f"not found: {source.name} ({source.kind}): {source.note}")
        elif source.note:
            yield Line(Weight.LOOK, "counters", f"{source.name} ({source.kind}): {source.note}")


def seconds_of(trial: Trial, blocks: int, loads: int) -> float:
    """Seconds that a run of both sides takes, with this many blocks, of which so many have load rounds."""
    plan = trial.plan.for_both_sides()
    around_s = trial.start_s + trial.seed_s + trial.stop_s
    census_s = around_s + 15.0
    turns_s = plan.paired.duet_warmup + plan.paired.turns_s(trial.start_s + trial.seed_s) if plan.paired.duet else 0.0
    return 2 * trial.prepare_s + census_s + blocks * (around_s + turns_s) + loads * 2 * plan.load_s


def _cost(trial: Trial) -> Iterator[Line]:
    schedule = trial.plan.paired
    least, most = schedule.blocks.least, schedule.blocks.most
    shortest = seconds_of(trial, least, min(2, schedule.load_blocks, least))
    longest = seconds_of(trial, most, min(schedule.load_blocks, most))
    text = (
        f"side by side about {_range(_minutes(shortest), _minutes(longest))} min, {_range(least, most)} blocks (here:"
        f" building {trial.prepare_s:.1f} s a side, starting {trial.start_s:.1f} s, seeding {trial.seed_s:.1f} s)"
    )
    yield Line(Weight.OK, "time", text)
    jobs = [math.ceil((seconds + SET_UP_S) / 60) for seconds in (shortest, longest)]
    text = f"{_range(*jobs)} runner minutes for each push to a pull request, and 1 for the job that judges"
    yield Line(Weight.OK, "cost", text)


def _range(least: object, most: object) -> str:
    return f"{least} to {most}" if least != most else str(least)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f}" if seconds < 600 else f"{seconds / 60:.0f}"


def _sight(trial: Trial, policy: GatePolicy) -> Iterator[Line]:
    """Estimate the smallest change in service time that 8 of 10 runs would detect."""
    blocks = trial.plan.paired.blocks.most
    found = {
        name: _detectable(tried, trial.plan, blocks) for name, tried in trial.tried.items() if len(tried.sizes) > 3
    }
    if not found or not trial.plan.paired.duet:
        return
    budget = by_metric(policy.budgets, Reference.REF, RoundKind.DUET)["service_time"].change
    worst = max(found, key=lambda name: found[name])
    least, most = (max(budget, value) for value in (median(found.values()), found[worst]))
    text = (
        f"a change of about {100 * least:.2g} % in the service time of a typical endpoint, {100 * most:.2g} % of"
        f" {worst}, after {blocks} blocks; counts: any. A first estimate, and too large where requests of an endpoint"
        " differ, since both sides are asked the same; the report of a run says what that run could have seen"
    )
    yield Line(Weight.OK, "will see", text)


def _detectable(tried: Tried, plan: Plan, blocks: int) -> float:
    """
    The relative change that a test over *blocks* detects in 8 of 10 runs, from the scatter of this endpoint's requests.

    The standard error of a block is made of the scatter between starts and that of the pairs of requests within it.
    """
    logs = sorted(math.log(max(value, 1e-3)) for value in tried.latencies_ms[1:])
    centre = median(logs)
    spread = 1.4826 * median(abs(value - centre) for value in logs)
    pairs = max(TURNS, min(200.0, plan.paired.duet * 1000 / (24 * median(tried.latencies_ms))))
    block = math.sqrt(STARTS_SCATTER**2 + 2 * spread**2 / pairs)
    return math.expm1(DETECTABLE_SE * block / math.sqrt(blocks))


def _bounded(tried: Mapping[str, Tried], wanted: Callable[[Tried], bool]) -> list[tuple[str, Tried]]:
    """The names of the first few *wanted* endpoints."""
    return [(name, each) for name, each in sorted(tried.items()) if wanted(each)][: 2 * MOST]


def _count(things: Mapping[str, object], word: str) -> str:
    return f"{len(things)} {word}{'s' * (len(things) != 1)}"
