"""Builds the recording of one side of a round from the logs of its processes."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from perfci.errors import LoadError
from perfci.model import GeneratorHealth, LoadPlan, Requests
from perfci.quantile import quantile
from perfci.rig.load.causes import of_failures
from perfci.rig.load.log import LogReader, requests_of
from perfci.rig.load.schedule import in_step_of, schedule_of

NAMED = 3
"""So many endpoints are listed in one note."""

STOPPED = "StopUser"
"""Why a user ended that stopped itself."""

SHORT = 0.95
"""Of the time that was to be measured: with less, it is said that a shape ended the load."""

Window = tuple[float, float]
"""Start and end of measured time, in seconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one round recorded of one side."""

    requests: Requests
    windows: tuple[Window, ...]  # what is measured: one for a whole round, several where the sides took turns
    warmup_s: float
    phases: Mapping[str, tuple[Window, ...]] = field(default_factory=dict)  # by name; empty: the load has no stages
    users: int
    generator: GeneratorHealth
    errors: Mapping[str, int]
    slices: int = 0  # 0: the side had the round to itself
    notes: tuple[str, ...] = ()  # what the reader must know, in sentences without a full stop
    unpaired: tuple[Window, ...] = ()  # turns of which only one side's failed: they are compared with nothing
    users_at: tuple[tuple[float, int], ...] = ()  # as the leading process counted them: seconds since the epoch, users
    cpu: tuple[tuple[float, float, float], ...] = ()  # the generator's: since, until (seconds since the epoch), cores
    logs: tuple[Callable[[], LogReader], ...] = ()  # open what its requests can be read from again

    @property
    def start_s(self) -> float:
        """Where the measured part begins, seconds since the epoch."""
        return self.windows[0][0]

    @property
    def end_s(self) -> float:
        """Where it ends."""
        return self.windows[-1][1]

    @property
    def measured_s(self) -> float:
        """How long was measured, without the pauses."""
        return sum(end_s - start_s for start_s, end_s in self.windows)


def without_requests(recording: Recording) -> Recording:
    """The recording without its requests, to save memory; `read_again` reads them again."""
    return replace(recording, requests=requests_of([]))


def read_again(recording: Recording) -> Recording:
    """The recording with its requests, read from its logs."""
    readers = [opened() for opened in recording.logs]
    for reader in readers:
        reader.poll()
    return replace(recording, requests=requests_of(readers))


def first(readers: Iterable[LogReader], what: str) -> float | None:
    """When the event *what* happened first in any process, in seconds since the epoch; None where it did not."""
    return min((e["at"] for e in events(readers, what)), default=None)


def events(readers: Iterable[LogReader], what: str) -> list[dict[str, Any]]:
    """The events of one kind, process by process."""
    return [event for reader in readers for event in reader.events if event["what"] == what]


def spawned(readers: Iterable[LogReader], users: int) -> float | None:
    """When all *users* were running, in seconds since the epoch; of a shape, when its first users were."""
    leader = [reader for reader in readers if events([reader], "leads")]
    shape = any(e["shape"] for e in events(leader, "leads"))
    times = [e["at"] for e in events(leader, "spawned") if shape or e["users"] == users]
    return min(times, default=None)


def cut_off(recording: Recording, *, lasted_s: float, limit_s: float) -> Recording:
    """The recording of a round that *lasted_s*, marked as cut off where perfci's own limit ended it."""
    if recording.generator.complete or lasted_s < limit_s:
        return recording
    return replace(recording, generator=replace(recording.generator, cut_off_s=limit_s))


def record(
    readers: Sequence[LogReader], *, windows: Sequence[Window], plan: LoadPlan | None, warmup_s: float
) -> Recording:
    """Build the recording of the *windows*; a *plan* says how many users and processes there should have been."""
    wanted, windows = windows, _before(first(readers, "stopped"), windows) if _shaped(readers) else windows
    health = [e for e in events(readers, "health") if _within(e, windows)]
    raised = events(readers, "exception")
    counted = _counted(readers, windows) or [e["users"] for e in health]
    planned = plan is not None and not _shaped(readers)
    reached = max(counted, default=0)
    generator = GeneratorHealth(
        cpu_share=_high([e["cpu_share"] for e in health], 0.95),
        run_delay_share=_high([e["run_delay_share"] for e in health], 0.5),
        loop_lag_p99_ms=_high([lag for e in health for lag in e["lags_ms"]], 0.99),
        loop_lag_max_ms=max((lag for e in health for lag in e["lags_ms"]), default=0.0),
        users_wanted=plan.users if plan and (planned or plan.stages) else reached,
        users_reached=reached,
        users_kept=min(counted, default=None) if planned else None,
        exceptions=len(raised),
        complete=_complete(readers, plan),
        clock_step_s=max((e.get("clock_step_s", 0.0) for e in events(readers, "health")), key=abs, default=0.0),
        schedule=schedule_of(readers, windows),
        in_step=in_step_of(readers),
        silent_because=silent_because(readers),
    )
    return Recording(
        requests=requests_of(readers),
        windows=tuple(windows),
        warmup_s=warmup_s,
        users=reached,
        generator=generator,
        errors=_errors(readers),
        users_at=tuple((e["at"], e["users"]) for e in events(_leading(readers), "health")),
        cpu=tuple((e["at"] - e["seconds"], e["at"], e["cpu_share"] * len(readers)) for e in health),
        notes=(*notes(readers), *_shortened(wanted, windows)),
        unpaired=tuple((e["since"], e["until"]) for e in events(readers, "unpaired")),
        logs=tuple(partial(LogReader, reader.path, reader.mask) for reader in readers),
    )


def ended_early(readers: Iterable[LogReader], plan: LoadPlan | None = None) -> str:
    """
    How the Locust file ended the load before anything was measured, as a sentence; empty where it did not.

    Either it ended the run (`runner.quit()`, say), or most users of the *plan* raised as they started.
    """
    readers = list(readers)
    if ended := events(readers, "ended"):
        return f"{ended[0]['by']}, after {ended[0]['after_s']:.1f} s"
    raised = [text for text, why in _ended_users(readers) if why != STOPPED]
    count = sum(e["count"] for e in events(readers, "left") if e["why"] != STOPPED)
    if plan is None or 2 * count <= plan.users:  # fewer are missing users of a measurement
        return ""
    return f"{count} of {plan.users} users could not start: {'; '.join(raised[:NAMED])}"


def all_stopped(readers: Iterable[LogReader], users: int) -> str:
    """A sentence that all *users* stopped themselves, by class; empty where some did not."""
    readers = list(readers)
    stopped = sum(e["count"] for e in events(readers, "left") if e["why"] == STOPPED)
    return "; ".join(text for text, why in _ended_users(readers) if why == STOPPED) if stopped >= users else ""


def _ended_users(readers: Sequence[LogReader]) -> list[tuple[str, str]]:
    """How many users of which class ended during the load, as a sentence, and why; most first."""
    left: Counter[tuple[str, str]] = Counter()
    for event in events(readers, "left"):
        left[event["user"], event["why"]] += event["count"]
    return [
        (
            f"{count} of {name} {'stopped themselves (StopUser, StopTest)' if why == STOPPED else f'ended with {why}'}",
            why,
        )
        for (name, why), count in left.most_common()
    ]


def unmeasured(readers: Iterable[LogReader], *, window: Window, why: str) -> Recording:
    """
    Build the recording of a round that ended before anything was measured.

    *why* is empty where the other side ended it. Its requests are left out, since they belong to no defined load.
    """
    readers = list(readers)
    users = max((e["users"] for e in events(readers, "health")), default=0)
    generator = GeneratorHealth(
        cpu_share=0.0,
        run_delay_share=0.0,
        loop_lag_p99_ms=0.0,
        users_wanted=users,
        users_reached=users,
        exceptions=len(events(readers, "exception")),
        complete=False,
        ended_early=why,
    )
    return Recording(
        requests=requests_of([]),
        windows=(window,),
        warmup_s=0.0,
        users=users,
        generator=generator,
        errors=_errors(readers),
        notes=notes(readers),
    )


def silent_because(readers: Iterable[LogReader]) -> str:
    """What the users did, as a sentence, where no request of the round came to its end; empty where one did."""
    readers = list(readers)
    if any(reader.columns[0] for reader in readers):
        return ""
    doing: Counter[str] = Counter()
    for event in events(readers, "silent"):
        doing.update({what: event[what] for what in ("asking", "waiting", "busy")})
    left = sum(e["count"] for e in events(readers, "left"))
    wait_s = max((e["wait_s"] for e in events(readers, "silent")), default=0.0)
    sentences = {
        "asking": "{} of its users got no answer",
        "waiting": "{} of its users wait between two tasks" + (f", for up to {wait_s:.3g} s" if wait_s else ""),
        "busy": "{} of its users are busy in a task that asks nothing",
    }
    found = [text.format(doing[what]) for what, text in sentences.items() if doing[what]]
    return "; ".join([*found, *([f"{left} of its users ended"] if left else [])])


def _shaped(readers: Iterable[LogReader]) -> bool:
    """Whether a LoadTestShape decides the number of users and the end of the load."""
    return any(e["shape"] for e in events(readers, "leads"))


def _before(stopped_s: float | None, windows: Sequence[Window]) -> list[Window]:
    """The parts of *windows* before a shape stopped; LoadError where there are none."""
    end_s = math.inf if stopped_s is None else stopped_s
    left = [(since, min(until, end_s)) for since, until in windows if since < end_s]
    if not left:
        raise LoadError(
            "the LoadTestShape ended before anything was measured",
            hint="the warm-up begins with the first users: make the load longer, or `warmup` shorter",
        )
    return left


def _shortened(wanted: Sequence[Window], measured: Sequence[Window]) -> Iterator[str]:
    """A sentence where a shape left less to measure than was *wanted*."""
    wanted_s, left_s = (sum(until - since for since, until in windows) for windows in (wanted, measured))
    if left_s < SHORT * wanted_s:
        yield (
            f"the LoadTestShape ended the load after {left_s:.1f} of {wanted_s:.3g} s: let it last longer, or choose a"
            " shorter `duration`"
        )


def _complete(readers: Sequence[LogReader], plan: LoadPlan | None) -> bool:
    """
    Whether every process closed its log, and the round ended as planned: by perfci, or by its LoadTestShape.

    A Locust that is terminated, or stopped by the Locust file, closes its log as well, and so does each of its workers:
    where the event "stopping" is missing, the process ended too early.
    """
    workers = 0 if plan is None else plan.workers or (plan.processes if plan.processes > 1 else 0)
    wanted = workers + 1 if workers else len(readers)  # a master beside the workers
    ended = all(events([reader], "stopping") or _shaped([reader]) for reader in readers)
    return ended and len(readers) >= wanted and all(reader.complete for reader in readers)


def _counted(readers: Sequence[LogReader], windows: Sequence[Window]) -> list[int]:
    """Users by second of the measured time, as the leading process counted; in a short round, the last count."""
    since, until = windows[0][0], windows[-1][1]
    counted = [e for e in events(_leading(readers), "health") if e["at"] < until]
    return [e["users"] for e in counted if since <= e["at"]] or [e["users"] for e in counted[-1:]]


def _leading(readers: Sequence[LogReader]) -> list[LogReader]:
    """The log of the process that knows how many users there are."""
    return [reader for reader in readers if events([reader], "leads")]


def _errors(readers: Sequence[LogReader]) -> dict[str, int]:
    errors: Counter[str] = Counter()
    for event in events(readers, "errors"):
        for endpoint, message, count in event["errors"]:
            errors[f"{endpoint}: {message}"] += count
    errors.update(f"exception in {e['user']}: {e['message']}" for e in events(readers, "exception"))
    return dict(errors.most_common(20))


def notes(readers: Sequence[LogReader]) -> tuple[str, ...]:
    """What the reader of a report must know: requests that are missing, left out, or not the target's."""
    return (
        *_unjudged(readers),
        *_elsewhere(readers),
        *_unpaired(readers),
        *_leaving(readers),
        *_short(readers),
        *_left_out(readers),
        *_moved(readers),
        *of_failures(list(_errors(readers))),
    )


def _unjudged(readers: Sequence[LogReader]) -> Iterator[str]:
    if unjudged := sum(e["requests"] for e in events(readers, "unjudged")):
        missing = "never came to the end of a `with` block: Locust does not tell of them, so they are missing"
        yield f"{unjudged} requests with catch_response=True {missing}"


def _elsewhere(readers: Sequence[LogReader]) -> Iterator[str]:
    found = sorted({(str(e["endpoint"]), str(e["host"])) for e in events(readers, "elsewhere")})
    if found:
        named = ", ".join(f"{endpoint} ({host})" for endpoint, host in found[:NAMED])
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        yield f"another host than the target answers at {named}{more}: what is measured there is not the target's"


def _unpaired(readers: Sequence[LogReader]) -> Iterator[str]:
    tasks = sorted({str(e["task"]) for e in events(readers, "unpaired")})
    if tasks:
        more = f" and {len(tasks) - NAMED} more" if len(tasks) > NAMED else ""
        named = f"{', '.join(tasks[:NAMED])}{more}"
        yield f"failed on one side only, and left out of the times of the turns: {named}"


def _short(readers: Sequence[LogReader]) -> Iterator[str]:
    """The endpoints that had too few turns, and what to change, in the same words for each block."""
    for event in events(readers, "short"):
        yield too_little_time(event)


def expected_short(readers: Iterable[LogReader]) -> str:
    """The endpoints that will have too few turns, while the turns go on; empty where the time may be enough."""
    return next((too_little_time(event) for event in events(readers, "expected short")), "")


def too_little_time(event: Mapping[str, Any]) -> str:
    """The endpoints that have too few turns, and what to change."""
    slowest = max(seconds for *_, seconds in event["endpoints"])
    # Each visit takes four turns and asks each side twice.
    needed_s = sum({task: 2 * event["wanted"] * each for _, task, each in event["endpoints"]}.values())
    named = ", ".join(endpoint for endpoint, *_ in event["endpoints"][:NAMED])
    more = f" and {len(event['endpoints']) - NAMED} more" if len(event["endpoints"]) > NAMED else ""
    return (
        f"too little time for {event['wanted']} turns of {named}{more}, where one takes up to {slowest:.1g} s: let "
        f"`duet` be about {_rounded(needed_s)} s longer, or choose fewer tasks by `tags` or `user_classes`; "
        "more blocks change nothing"
    )


def _left_out(readers: Sequence[LogReader]) -> Iterator[str]:
    """The tasks whose sleeps were left out, without their seconds, which differ from block to block."""
    tasks = sorted({task for event in events(readers, "left out") for task in event["seconds"]})
    if tasks:
        more = f" and {len(tasks) - NAMED} more" if len(tasks) > NAMED else ""
        named = f"{', '.join(tasks[:NAMED])}{more}"
        yield f'sleeps of {named} were left out of the turns: @tag("keep-sleeps") keeps those of a task that needs them'


def _moved(readers: Sequence[LogReader]) -> Iterator[str]:
    ports = sorted({port for event in events(readers, "moved") for port in event["ports"]})
    if ports:
        named = ", ".join(map(str, ports))
        yield f"the Locust file listens on port {named}, which one side alone can have: the other listens elsewhere"


def _rounded(seconds: float) -> int:
    """Round up to one significant digit, so that blocks give the same text."""
    step = int(10 ** math.floor(math.log10(max(seconds, 1.0))))
    return math.ceil(seconds / step) * step


def _leaving(readers: Sequence[LogReader]) -> Iterator[str]:
    for text, _ in _ended_users(readers)[:NAMED]:
        yield f"users ended before the load did: {text}"
    codes = [e for e in events(readers, "exit") if e["code"]]
    if any(e["own"] for e in codes):
        yield "the Locust file sets an exit code of its own (process_exit_code): it decides nothing here, the gate does"
    elif codes:
        yield "something in the Locust file raised outside of the tasks: locust.out has the traceback"


def _within(health: Mapping[str, Any], windows: Sequence[Window]) -> bool:
    """Whether a health event covers measured time for the most part: a paused generator is idle."""
    end, seconds = float(health["at"]), float(health["seconds"])
    shared = sum(max(0.0, min(end, until) - max(end - seconds, since)) for since, until in windows)
    return 2 * shared >= min(seconds, max(until - since for since, until in windows))


def _high(values: list[float], share: float) -> float:
    """The quantile *share* of the values; 0 where there are none."""
    return quantile(sorted(values), share) if values else 0.0
