"""
Runs rounds: Locust, or the driver of turns, as a child process with a limit in time, and reads what it recorded.

Nothing here judges: a round that went wrong is returned with `complete=False` and its evidence, or is a LoadError where
nothing was recorded.
"""

import contextlib
import json
import math
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from perfci.errors import LoadError
from perfci.model import LoadPlan, Side
from perfci.rig.host.free_port import free_port
from perfci.rig.load import slices
from perfci.rig.load.causes import ENDLESS_TASK, evidence_in
from perfci.rig.load.generator import (
    INSIDE,
    STOP_TIMEOUT_S,
    Generator,
    Live,
    Place,
    Watch,
    attend,
    generating,
    locust,
    options,
)
from perfci.rig.load.log import LogReader
from perfci.rig.load.recording import (
    Recording,
    all_stopped,
    cut_off,
    ended_early,
    events,
    expected_short,
    first,
    record,
    spawned,
    unmeasured,
)
from perfci.rig.load.runtime import constant, variables_of
from perfci.rig.load.schedule import phases_of
from perfci.rig.load.workers import Workers, shared_identity, variables

GUARD_S = 0.2  # the load goes on a little beyond the window, so that its last request is under load, too
SPARE_S = 30.0  # beyond the planned time, before a generator that does not end is ended
SPARE_TURNS_S = 60.0  # the same beyond three times the planned time: services may be slow while nothing else waits
TIMETABLE = "timetable.json"
WORKERS_S = 30  # for all workers to connect
SHORTEST_WARMUP_S = 1.5  # both generators have read the timetable before it begins


def load_round(plan: LoadPlan, *, base_url: str, place: Place, workers: Workers | None = None) -> Recording:
    """Drive one target with the whole load of *plan*, from this machine or, where given, from *workers* elsewhere."""
    fresh(place.folder)
    measured_s = plan.warmup_s + plan.duration_s + GUARD_S
    planned_s = plan.users / plan.spawn_rate + measured_s
    limit_s = math.ceil(planned_s) + SPARE_S
    extra = {"PERFCI_STOP_AFTER": f"{measured_s:.3f}", **_staged(plan)}
    with _locust(plan, place, base_url=base_url, limit_s=limit_s, extra=extra, workers=workers) as generator:
        lasted_s = attend(
            [generator],
            place.watch,
            planned_s=planned_s,
            limit_s=limit_s + STOP_TIMEOUT_S + 5 + (workers.wait_s if workers else 0),
            meanwhile=_deadline(workers, generator) if workers else lambda: None,
        )
        if why := ended_early(generator.logs(), plan):
            return unmeasured(generator.logs(), window=generator.lived, why=why)
        start_s = _spawned(generator, plan) + plan.warmup_s
        windows = [(start_s, start_s + plan.duration_s)]
        recorded = record(generator.logs(), windows=windows, plan=plan, warmup_s=plan.warmup_s)
        recorded = replace(recorded, phases=phases_of(plan, start_s))
        return cut_off(recorded, lasted_s=lasted_s, limit_s=limit_s)


def _staged(plan: LoadPlan) -> dict[str, str]:
    """The stages of the load, for the generator; nothing where there are none."""
    if not plan.stages:
        return {}
    spec = {"warmup_s": plan.warmup_s, "stages": [asdict(stage) for stage in plan.stages]}
    return {"PERFCI_STAGES": json.dumps(spec)}


def _deadline(workers: Workers, generator: Generator) -> Callable[[], None]:
    """A function to call repeatedly, which raises LoadError as soon as *workers* are later than they may be."""

    def check() -> None:
        logs = generator.readers.values()
        listening_s = first(logs, "leads")
        late = listening_s is not None and time.time() > listening_s + workers.wait_s
        if late and workers.awaited(logs):
            raise workers.missing(logs)

    return check


def shared_round(
    plan: LoadPlan,
    *,
    base_urls: Mapping[Side, str],
    places: Mapping[Side, Place],
    slice_s: float,
) -> dict[Side, Recording]:
    """
    Drive both sides with the whole load of *plan*, in turn for about *slice_s* seconds each, the first place's first.

    Each side has a Locust and users of its own, which warm up at the same time and then take turns: those of the other
    side are paused meanwhile (`inside/perfci_pause_hooks.py`).
    """
    first_side = next(iter(places))
    warmup_s = max(plan.warmup_s, SHORTEST_WARMUP_S)
    sharing_s = slices.length_of(plan.duration_s, slice_s)
    planned_s = plan.users / plan.spawn_rate + warmup_s + sharing_s + GUARD_S
    limit_s = math.ceil(planned_s) + SPARE_S
    with contextlib.ExitStack() as stack:
        generators = {}
        for side, place in places.items():
            extra = {"PERFCI_TIMETABLE": str(fresh(place.folder) / TIMETABLE)}
            if side is not first_side:
                extra["PERFCI_MOVE_PORTS"] = "1"
            started = _locust(plan, place, base_url=base_urls[side], limit_s=limit_s, extra=extra, side=side)
            generators[side] = stack.enter_context(started)
        timetable = _SharedTimetable(generators, plan, warmup_s=warmup_s, slice_s=slice_s, first_side=first_side)
        lasted_s = attend(
            list(generators.values()),
            places[first_side].watch,
            planned_s=planned_s,
            limit_s=limit_s + STOP_TIMEOUT_S + 5,
            meanwhile=timetable.write_if_ready,
        )
        recorded = timetable.recordings()
        return {side: cut_off(recording, lasted_s=lasted_s, limit_s=limit_s) for side, recording in recorded.items()}


class _SharedTimetable:
    """Gives two generators a timetable as soon as both have all their users."""

    def __init__(
        self,
        generators: Mapping[Side, Generator],
        plan: LoadPlan,
        *,
        warmup_s: float,
        slice_s: float,
        first_side: Side,
    ) -> None:
        self._generators = generators
        self._plan = plan
        self._warmup_s = warmup_s
        self._slice_s = slice_s
        self._first_side = first_side
        self._table: slices.Timetable | None = None

    def write_if_ready(self) -> None:
        """Write the timetable once both generators have all their users; call it repeatedly."""
        times = [spawned(generator.readers.values(), self._plan.users) for generator in self._generators.values()]
        known = [at for at in times if at is not None]
        if self._table is not None or len(known) < len(times):
            return
        self._table = slices.timetable(
            first=self._first_side,
            duration_s=self._plan.duration_s,
            slice_s=self._slice_s,
            begin_s=max(max(known) + self._warmup_s, time.time() + SHORTEST_WARMUP_S),
        )
        for side, generator in self._generators.items():
            spec = {
                "open": self._table.open[side],
                "ramp_s": slices.RAMP_S,
                "begin_s": self._table.begin_s,
                "stop_s": self._table.end_s + GUARD_S,
            }
            _write(generator.folder / TIMETABLE, json.dumps(spec))

    def recordings(self) -> dict[Side, Recording]:
        """What was recorded of each side; LoadError where a side never had its users."""
        early = {
            side: ended_early(generator.readers.values(), self._plan) for side, generator in self._generators.items()
        }
        if any(early.values()):
            return {
                side: unmeasured(generator.readers.values(), window=generator.lived, why=early[side])
                for side, generator in self._generators.items()
            }
        for generator in self._generators.values():
            _spawned(generator, self._plan)
        logs = {side: generator.logs() for side, generator in self._generators.items()}
        if self._table is None or any(_late(found, self._table.begin_s) for found in logs.values()):
            raise LoadError(
                "the load generators could not agree on their turns: they were too slow to read the timetable",
                hint="something else uses the machine, or it has too few cores",
            )
        table = self._table
        recorded = {
            side: record(found, windows=table.windows[side], plan=self._plan, warmup_s=self._warmup_s)
            for side, found in logs.items()
        }
        others = {side: recorded[other].requests for side in recorded for other in recorded if other is not side}
        return {
            side: replace(
                recording,
                slices=table.slices,
                notes=(*recording.notes, *slices.notes(slices.disturbed(recording.windows, others[side]))),
            )
            for side, recording in recorded.items()
        }


def _late(logs: Sequence[LogReader], begin_s: float) -> bool:
    """Whether a process read the timetable only after the unmeasured part at its begin."""
    latest = begin_s + slices.RAMP_S
    return any((at := first([log], "agreed")) is None or at > latest for log in logs)


def _locust(
    plan: LoadPlan,
    place: Place,
    *,
    base_url: str,
    limit_s: float,
    extra: Mapping[str, str],
    side: Side | None = None,
    workers: Workers | None = None,
) -> contextlib.AbstractContextManager[Generator]:
    """A started Locust with the users of *plan*, which records into the place's folder."""
    begin, files = locust(plan, place, base_url=base_url)
    processes = workers.options() if workers else _forks(plan.processes) if plan.processes > 1 else ()
    command = [*begin, *_load(plan, base_url=base_url, limit_s=limit_s, processes=processes)]
    own = variables_of(variables(plan), base_url)
    environment = {**own, **files, "PERFCI_RECORD": str(place.folder), **extra}
    if workers:
        environment["PERFCI_WORKERS"] = json.dumps({"count": workers.count, "same": shared_identity(plan)})
    return generating(command, place, extra=environment, side=side)


def _load(plan: LoadPlan, *, base_url: str, limit_s: float, processes: Sequence[str] = ()) -> list[str]:
    """Options of Locust itself, which are the same under load, in turns and in a census."""
    return [
        *("--headless", "--only-summary", "--exit-code-on-error", "0", "--stop-timeout", str(STOP_TIMEOUT_S)),
        *("-H", base_url, "-u", str(plan.users), "-r", f"{plan.spawn_rate:g}", "-t", f"{limit_s:.0f}s"),
        *processes,
        *plan.user_classes,
    ]


def sides_spec(plan: LoadPlan, place: Place, *, base_urls: Mapping[Side, str], limit_s: float) -> dict[str, Any]:
    """The content of `inside/perfci_sides.py: Spec`, but for the seed."""
    common, files = constant(plan.environment), locust(plan, place)[1]
    differing = {name: value for name, value in plan.environment.items() if name not in common}
    return {
        "arguments": {
            side.value: [*options(plan, place, base_url=url), *_load(plan, base_url=url, limit_s=limit_s)]
            for side, url in base_urls.items()
        },
        "environment": {side.value: {**variables_of(differing, url), **files} for side, url in base_urls.items()},
        "user_classes": list(plan.user_classes),
        "record": str(place.folder),
    }


def _forks(processes: int) -> list[str]:
    """Options for a master and so many workers on this machine, on a free port."""
    port = str(free_port())
    return [
        *("--processes", str(processes), "--expect-workers-max-wait", str(WORKERS_S)),
        *("--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port),
    ]


def _spawned(generator: Generator, plan: LoadPlan) -> float:
    """When the last user was started; LoadError where that never happened."""
    logs = generator.logs()
    at = spawned(logs, plan.users)
    if stopped := all_stopped(logs, plan.users):
        raise LoadError(
            f"there was no load to measure: {stopped}",
            hint="Locust does not start such users anew: let their tasks go on, or take turns alone (load_blocks = 0)",
        )
    if at is None:
        reached = max((e["users"] for e in events(logs, "health")), default=0)
        raise LoadError(
            f"Locust never had its {plan.users} user{'s' if plan.users != 1 else ''} running (it reached {reached})\n"
            f"{evidence_in(generator.output())}",
            hint="what its log says is above; a lower spawn_rate or fewer users may help",
        )
    return at


class TakeTurns(Protocol):
    """A waiting driver of turns, which begins when it is called."""

    def __call__(
        self, base_urls: Mapping[Side, str], *, times: tuple[float, float], rng_seed: int, settled: Collection[str] = ()
    ) -> dict[Side, Recording]:
        """
        Let both sides take turns for *times* = (warm-up, measured) seconds.

        The *settled* endpoints get fewer of them than the others.
        """


@contextlib.contextmanager
def duet_round(plan: LoadPlan, place: Place) -> Iterator[TakeTurns]:
    """
    Start a driver of turns, which imports what it needs while the sides start; call what is yielded once to begin.

    The driver waits for the end of a pipe, so that it ends where perfci was killed.
    """
    spec = fresh(place.folder) / "spec.json"
    spec.unlink(missing_ok=True)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as held, os.fdopen(writing, "wb") as waiting:
        command = [place.runtime.interpreter, str(INSIDE / "perfci_turns.py"), str(spec), str(reading)]
        with generating(command, place, extra=constant(plan.environment), pass_fds=(reading,)) as generator:
            held.close()

            def take(
                base_urls: Mapping[Side, str],
                *,
                times: tuple[float, float],
                rng_seed: int,
                settled: Collection[str] = (),
            ) -> dict[Side, Recording]:
                document = _spec_document(plan, place, base_urls=base_urls, times=times, rng_seed=rng_seed)
                document["settled"] = sorted(settled)
                spec.write_text(json.dumps(document, indent=1))
                waiting.close()
                seconds = sum(times)
                limit_s = _longest(times)
                on_progress = partial(_show_progress, generator, place.watch)
                lasted_s = attend([generator], on_progress, planned_s=seconds, limit_s=limit_s)
                recorded = {side: _turns(generator, side, times) for side in Side}
                return {side: cut_off(each, lasted_s=lasted_s, limit_s=limit_s) for side, each in recorded.items()}

            yield take


def _show_progress(generator: Generator, watch: Watch, live: Live) -> None:
    """Pass on the state of the turns, with the endpoints that their time will not be enough for."""
    watch(replace(live, note=expected_short(generator.readers.values())))


def _longest(times: tuple[float, float]) -> float:
    """The limit, in seconds, of turns that are planned to take *times*."""
    return 3 * sum(times) + SPARE_TURNS_S


def _spec_document(
    plan: LoadPlan, place: Place, *, base_urls: Mapping[Side, str], times: tuple[float, float], rng_seed: int
) -> dict[str, object]:
    """The content of `inside/perfci_turns.py: Duet`."""
    warmup_s, duration_s = times
    in_order = {side: base_urls[side] for side in Side}
    return {
        **sides_spec(plan, place, base_urls=in_order, limit_s=_longest(times)),
        "warmup_s": warmup_s,
        "duration_s": duration_s,
        "rng_seed": rng_seed,
        "endpoints": [asdict(each) for each in plan.endpoints],
    }


def _turns(generator: Generator, side: Side, times: tuple[float, float]) -> Recording:
    warmup_s, duration_s = times
    logs = generator.logs(f"{side.value}.log")
    if ended_early(generator.readers.values()):
        return unmeasured(logs, window=generator.lived, why=ended_early(logs))
    began, ended = first(logs, "measuring"), first(logs, "stopping")
    if began is None:
        raised = [f"exception in {event['user']}: {event['message']}" for event in events(logs, "exception")]
        text = "\n".join(["the turns never began", *raised[:1], evidence_in(generator.output())]).rstrip()
        raise LoadError(text, hint="" if raised else ENDLESS_TASK)
    windows = [(began, ended if ended is not None else began + duration_s)]
    return record(logs, windows=windows, plan=None, warmup_s=warmup_s)


def fresh(folder: Path) -> Path:
    """Create *folder*, and delete the logs of an earlier round in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.log"), folder / TIMETABLE):
        old.unlink(missing_ok=True)
    return folder


def _write(path: Path, text: str) -> None:
    """Write a file atomically, since the generator polls for it."""
    whole = path.with_suffix(".new")
    whole.write_text(text)
    whole.replace(path)
