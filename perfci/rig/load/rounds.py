"""
Rounds: Locust, or the driver of turns, as a child process of bounded life, and what it recorded.

Nothing here judges: a round that went wrong comes back with `complete=False` and its evidence, or as a LoadError where
there is nothing to come back with.
"""

import json
import math
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from perfci.errors import LoadError
from perfci.model import GeneratorHealth, LoadPlan, Requests, Side
from perfci.rig.load.log import LogReader, requests_of
from perfci.rig.process import Child, child_environment, new_mark, start, stop_group, stop_marked, tail
from perfci.rig.target import leftovers

INSIDE = Path(__file__).parent / "inside"
POLL_S = 0.25
GUARD_S = 0.2  # the load goes on a little beyond the window, so that its last request is under load, too
STOP_TIMEOUT_S = 5  # requests in flight at the end may finish: cutting them would lose the slow ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one round recorded of one side."""

    requests: Requests
    start_s: float  # the measured window, seconds since the epoch
    end_s: float
    warmup_s: float
    users: int
    generator: GeneratorHealth
    errors: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The state of a running round, for a progress line."""

    elapsed_s: float
    planned_s: float
    requests: int
    failures: int
    users: int
    per_second: float  # requests of the last second
    p95_ms: float | None  # of the last second


Watch = Callable[[Live], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a round happens."""

    source: Path  # the project that the locustfile belongs to
    folder: Path  # for this round's logs
    environ: Mapping[str, str]  # perfci's own; secrets are dropped on the way to the generator
    state: Path  # for the note that lets a later perfci end what this one could not
    watch: Watch


def load_round(plan: LoadPlan, *, base_url: str, place: Place) -> Recording:
    """Drive one target with the whole load of *plan*."""
    folder = _fresh(place.folder)
    measured_s = plan.warmup_s + plan.duration_s + GUARD_S
    planned_s = plan.users / plan.spawn_rate + measured_s
    limit_s = math.ceil(planned_s) + 30
    files = f"{INSIDE / 'perfci_recorder.py'},{place.source / plan.locustfile}"
    command = [
        *(sys.executable, str(INSIDE / "perfci_locust.py"), "-f", files),
        *("--headless", "--only-summary", "--exit-code-on-error", "0", "--stop-timeout", str(STOP_TIMEOUT_S)),
        *("-H", base_url, "-u", str(plan.users), "-r", f"{plan.spawn_rate:g}", "-t", f"{limit_s}s"),
        *(("--tags", *plan.tags) if plan.tags else ()),
        *plan.user_classes,
    ]
    extra = {**plan.environment, "PERFCI_RECORD": str(folder), "PERFCI_STOP_AFTER": f"{measured_s:.3f}"}
    _run(command, place, extra=extra, times=(planned_s, limit_s + STOP_TIMEOUT_S + 5))
    readers = _readers(folder, ".log")
    spawned = _first(readers, "spawned", users=plan.users)
    if spawned is None:
        reached = max((e["users"] for r in readers for e in r.events if e["what"] == "health"), default=0)
        raise LoadError(
            f"Locust never had its {plan.users} users running (it reached {reached})\n{tail(folder / 'locust.out')}",
            hint="the end of its log is above; a lower spawn_rate or fewer users may help",
        )
    start_s = spawned + plan.warmup_s
    return _recording(readers, window=(start_s, start_s + plan.duration_s), plan=plan, warmup_s=plan.warmup_s)


def duet_round(
    plan: LoadPlan,
    *,
    base_urls: Mapping[Side, str],
    place: Place,
    times: tuple[float, float],
    rng_seed: int,
) -> dict[Side, Recording]:
    """Let both sides take turns for *times* = (warm-up, measured) seconds, one request in flight."""
    folder = _fresh(place.folder)
    warmup_s, duration_s = times
    spec = {
        "locustfile": str(place.source / plan.locustfile),
        "hosts": {side.value: base_urls[side] for side in Side},
        "record": str(folder),
        "user_classes": list(plan.user_classes),
        "tags": list(plan.tags),
        "warmup_s": warmup_s,
        "duration_s": duration_s,
        "rng_seed": rng_seed,
    }
    (folder / "spec.json").write_text(json.dumps(spec, indent=1))
    command = [sys.executable, str(INSIDE / "perfci_turns.py"), str(folder / "spec.json")]
    seconds = warmup_s + duration_s
    _run(command, place, extra=plan.environment, times=(seconds, 3 * seconds + 60))
    recordings = {}
    for side in Side:
        readers = _readers(folder, f"{side.value}.log")
        began, ended = _first(readers, "measuring"), _first(readers, "stopping")
        if began is None:
            raise LoadError(f"the turns never began\n{tail(folder / 'locust.out')}")
        window = (began, ended if ended is not None else began + duration_s)
        recordings[side] = _recording(readers, window=window, plan=None, warmup_s=warmup_s)
    return recordings


def _fresh(folder: Path) -> Path:
    """*folder*, without the logs of an earlier round: they would pass for this one's."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.log"):
        old.unlink()
    return folder


def _run(command: list[str], place: Place, *, extra: Mapping[str, str], times: tuple[float, float]) -> None:
    """Run the generator to its end or its limit; an exit code other than 0 is a LoadError with the end of its log."""
    planned_s, limit_s = times
    out = place.folder / "locust.out"
    inherited = {name: value for name, value in place.environ.items() if not name.startswith("LOCUST_")}
    environment = child_environment(inherited, extra)
    mark = new_mark()
    note = leftovers.note(place.state, mark=mark)
    child: Child | None = None
    began = time.monotonic()
    following: dict[Path, LogReader] = {}
    try:
        child = start(command, cwd=place.source, environment=environment, log_path=out, mark=mark)
        note.leader(child.process.pid)
        while True:
            try:
                code = child.process.wait(timeout=POLL_S)
                break
            except subprocess.TimeoutExpired:
                elapsed_s = time.monotonic() - began
                if elapsed_s > limit_s:
                    return  # its log has no end mark, which the judge calls a truncated round
                place.watch(_live(place.folder, following, elapsed_s=elapsed_s, planned_s=planned_s))
    finally:
        if stop_group(child, grace_s=STOP_TIMEOUT_S) if child is not None else stop_marked(mark):
            note.erase()
    if code != 0:
        raise LoadError(
            f"the load generator ended with exit code {code}; the end of its log:\n{tail(out)}",
            hint="run the locustfile by hand: locust -f FILE --headless -u 1 -t 5s -H URL",
        )


def _live(folder: Path, following: dict[Path, LogReader], *, elapsed_s: float, planned_s: float) -> Live:
    for path in folder.glob("*.log"):
        following.setdefault(path, LogReader(path)).poll()
    readers = following.values()
    last = max((r.columns[0][-1] for r in readers if r.columns[0]), default=0.0)
    recent = sorted(
        latency
        for r in readers
        for sent, latency in zip(r.columns[0][-2000:], r.columns[1][-2000:], strict=True)
        if sent > last - 1.0
    )
    return Live(
        elapsed_s=elapsed_s,
        planned_s=planned_s,
        requests=sum(len(r.columns[0]) for r in readers),
        failures=sum(sum(r.columns[3]) for r in readers),
        users=sum(next((e["users"] for e in reversed(r.events) if "users" in e), 0) for r in readers),
        per_second=float(len(recent)),
        p95_ms=recent[int(0.95 * len(recent))] if recent else None,
    )


def _readers(folder: Path, ending: str) -> list[LogReader]:
    readers = [LogReader(path) for path in sorted(folder.glob(f"*{ending}"))]
    for reader in readers:
        reader.poll()
    if not readers:
        raise LoadError(f"the load generator recorded nothing; the end of its log:\n{tail(folder / 'locust.out')}")
    return readers


def _first(readers: list[LogReader], what: str, **having: object) -> float | None:
    times = [
        e["at"]
        for r in readers
        for e in r.events
        if e["what"] == what and all(e.get(k) == v for k, v in having.items())
    ]
    return min(times, default=None)


def _recording(
    readers: list[LogReader], *, window: tuple[float, float], plan: LoadPlan | None, warmup_s: float
) -> Recording:
    start_s, end_s = window
    health = [
        e for r in readers for e in r.events if e["what"] == "health" and start_s < e["at"] and e["at"] - 1.5 < end_s
    ]
    exceptions = [e for r in readers for e in r.events if e["what"] == "exception"]
    errors: Counter[str] = Counter()
    for reader in readers:
        for event in reader.events:
            for endpoint, message, count in event["errors"] if event["what"] == "errors" else ():
                errors[f"{endpoint}: {message}"] += count
    errors.update(f"exception in {e['user']}: {e['message']}" for e in exceptions)
    reached = max((e["users"] for e in health), default=0)
    generator = GeneratorHealth(
        cpu_share=_high([e["cpu_share"] for e in health], 0.95),
        run_delay_share=_high([e["run_delay_share"] for e in health], 0.5),
        loop_lag_p99_ms=_high([lag for e in health for lag in e["lags_ms"]], 0.99),
        users_wanted=plan.users if plan else reached,
        users_reached=reached,
        exceptions=len(exceptions),
        complete=all(reader.complete for reader in readers),
    )
    return Recording(
        requests=requests_of(readers),
        start_s=start_s,
        end_s=end_s,
        warmup_s=warmup_s,
        users=reached,
        generator=generator,
        errors=dict(errors.most_common(20)),
    )


def _high(values: list[float], share: float) -> float:
    """The value that *share* of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
