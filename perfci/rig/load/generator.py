"""
Runs load generators: child processes with a limit in time, watched while they record, and always ended.

A generator is Locust, or the driver of turns. Two of them run side by side where both sides share a round.
"""

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perfci.errors import LoadError
from perfci.model import LoadPlan, Side
from perfci.quantile import quantile
from perfci.rig.host import leftovers
from perfci.rig.host.environment import child_environment, of_job
from perfci.rig.host.masking import Mask
from perfci.rig.host.process import Child, new_mark, start, stop_group, stop_marked, tail
from perfci.rig.load import settings
from perfci.rig.load.causes import Removed, cause_of, evidence_in
from perfci.rig.load.log import LogReader
from perfci.rig.load.runtime import Runtime

INSIDE = Path(__file__).parent / "inside"
OUT = "locust.out"  # in a round's folder: what the generator printed
LOG_LEVEL = "PERFCI_LOG_LEVEL"  # the level of Locust's log, in any case
POLL_S = 0.25
MOST_PER_SECOND = 20_000  # requests that a process may finish in the second that the progress line shows
LONGEST_OUTPUT = 1_000_000  # bytes of what a generator printed that are searched for the cause of its end
SETTLE_S = 2.0  # for the other side, to end as the first has
STOP_TIMEOUT_S = 5  # requests in flight at the end may finish: cutting them would lose the slow ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The state of a running round, for the progress line."""

    elapsed_s: float
    planned_s: float
    requests: int
    failures: int
    users: int
    per_second: float  # requests of the last second
    note: str = ""  # what the reader should know before the round ends
    p95_ms: Mapping[Side | None, float]  # of the last second in which a side was asked; None: there is one side only


Watch = Callable[[Live], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The folders, the environment and the interpreter of a round."""

    source: Path  # the project that the locustfile belongs to
    folder: Path  # for this round's logs
    environ: Mapping[str, str]  # perfci's own; secrets are dropped on the way to the generator
    state: Path  # for the note that lets a later perfci end what this one could not
    watch: Watch
    runtime: Runtime = field(default_factory=Runtime)
    mask: Mask = field(default_factory=Mask)
    trust: Callable[[], Mapping[str, str]] = dict  # variables that let it trust the certificates of the sides

    @property
    def directory(self) -> Path:
        """Where the generator is started."""
        return self.source / self.runtime.directory


@dataclass(slots=True, kw_only=True)
class Generator:
    """One running generator, and what it has recorded so far."""

    place: Place
    child: Child
    side: Side | None
    readers: dict[Path, LogReader] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where it writes its logs."""
        return self.place.folder

    def poll(self) -> None:
        """Read what was recorded since the last call."""
        for path in sorted(self.folder.glob("*.log")):
            self.readers.setdefault(path, LogReader(path, mask=self.place.mask)).poll()

    def ended(self) -> bool:
        """
        Whether the generator has ended; LoadError where it failed.

        An exit code is no failure where the record says that it came from the locustfile, or after the planned end.
        """
        code = self.child.exit_code
        if code and not self._in_order(code):
            cause = cause_of(self.output(), code, removed(self.place))
            raise LoadError(str(cause), hint=cause.hint)
        return code is not None

    def _in_order(self, code: int) -> bool:
        self.poll()
        happened = [event for reader in self.readers.values() for event in reader.events]
        planned = any(event["what"] == "stopping" for event in happened)
        exits = [event for event in happened if event["what"] == "exit" and event["code"] == code]
        return self.ended_itself or any(event["own"] or planned for event in exits)

    @property
    def ended_itself(self) -> bool:
        """Whether the Locust file has ended the run."""
        return any(event["what"] == "ended" for reader in self.readers.values() for event in reader.events)

    @property
    def lived(self) -> tuple[float, float]:
        """The time from the start of the generator until now, in seconds since the epoch."""
        return self.child.born_at, max(time.time(), self.child.born_at + POLL_S)

    def output(self) -> str:
        """The end of what the generator has printed, up to LONGEST_OUTPUT bytes."""
        return self.place.mask(tail(self.folder / OUT, lines=LONGEST_OUTPUT, max_bytes=LONGEST_OUTPUT))

    def logs(self, ending: str = ".log") -> list[LogReader]:
        """The logs whose names have this *ending*, read to their end; LoadError where there are none."""
        self.poll()
        if found := [reader for path, reader in self.readers.items() if path.name.endswith(ending)]:
            return found
        raise LoadError(f"the load generator recorded nothing; its log says:\n{evidence_in(self.output())}")


def passed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of *environ* that a generator gets: no secrets, and of Locust's settings the level of its log."""
    job = of_job(environ)
    passed = child_environment(job.without(lambda name: name.startswith("LOCUST_") and name not in job.given))
    level = job.get(LOG_LEVEL, "")
    return {**passed, "LOCUST_LOGLEVEL": level.upper()} if level else passed


def removed(place: Place) -> Removed:
    """What perfci withholds from the generator, and the same command run by hand would have."""
    return Removed(
        variables=tuple(set(place.environ) - set(passed_on(place.environ))),
        settings=tuple(settings.unread(place.directory)),
        folder=str(place.directory),
    )


def locust(plan: LoadPlan, place: Place, *, base_url: str = "") -> tuple[list[str], dict[str, str]]:
    """The begin of Locust's command line, with the files of the place, and the variables that it needs."""
    command = [place.runtime.interpreter, str(INSIDE / "perfci_locust.py"), *options(plan, place, base_url=base_url)]
    return command, {
        "PERFCI_LOCUSTFILES": json.dumps(place.runtime.paths(plan, place.source)),
        "PERFCI_LIMITED_CLASSES": json.dumps(place.runtime.limited_classes),
    }


def options(plan: LoadPlan, place: Place, *, base_url: str = "") -> list[str]:
    """The first options of Locust's command line: the files of the place, tags, arguments. More have to follow."""
    return ["-f", place.runtime.paths(plan, place.source)[0], *place.runtime.options(plan, base_url)]


@contextlib.contextmanager
def generating(
    command: Sequence[str],
    place: Place,
    *,
    extra: Mapping[str, str],
    side: Side | None = None,
    pass_fds: Sequence[int] = (),
) -> Iterator[Generator]:
    """
    A started generator that writes into the place's folder; nothing of it is left when the block is.

    It inherits the open files *pass_fds*.
    """
    environment = {**passed_on(place.environ), **place.trust(), **extra}
    mark = new_mark()
    note = leftovers.note(place.state, mark=mark)
    child: Child | None = None
    try:
        child = start(
            command,
            cwd=place.directory,
            environment=environment,
            log_path=place.folder / OUT,
            mark=mark,
            pass_fds=pass_fds,
        )
        note.leader(child.process.pid)
        yield Generator(place=place, child=child, side=side)
    finally:
        if stop_group(child, grace_s=STOP_TIMEOUT_S) if child is not None else stop_marked(mark):
            note.erase()


def attend(
    generators: Sequence[Generator],
    watch: Watch,
    *,
    planned_s: float,
    limit_s: float,
    meanwhile: Callable[[], None] = lambda: None,
) -> float:
    """
    Wait until all generators have ended, and return the seconds; LoadError as soon as one fails.

    It returns at the limit, too: a log without an end mark is a truncated round for the judge. Where the Locust file
    has ended the run of one generator, the others get SETTLE_S to end as well. *meanwhile* is called repeatedly.
    """
    began, one_sided_since = time.monotonic(), 0.0
    while running := [generator for generator in generators if not generator.ended()]:
        with contextlib.suppress(subprocess.TimeoutExpired):
            running[0].child.process.wait(timeout=POLL_S)
            continue
        elapsed_s = time.monotonic() - began
        if elapsed_s > limit_s:
            return elapsed_s
        for generator in running:
            generator.poll()
        if (
            any(generator.ended_itself for generator in generators)
            and (one_sided_since := one_sided_since or elapsed_s) + SETTLE_S < elapsed_s
        ):
            break
        meanwhile()
        watch(_live(generators, elapsed_s=elapsed_s, planned_s=planned_s))
    return time.monotonic() - began


def _live(generators: Sequence[Generator], *, elapsed_s: float, planned_s: float) -> Live:
    logs = [reader for generator in generators for reader in generator.readers.values()]
    now = max((reader.columns[0][-1] for reader in logs if reader.columns[0]), default=0.0)
    return Live(
        elapsed_s=elapsed_s,
        planned_s=planned_s,
        requests=sum(len(reader.columns[0]) for reader in logs),
        failures=sum(reader.failures for reader in logs),
        users=max((next((e["users"] for e in reversed(r.events) if "users" in e), 0) for r in logs), default=0),
        per_second=float(sum(len(_last_second(reader, now)) for reader in logs)),
        p95_ms={generator.side: latency for generator in generators if (latency := _p95(generator)) is not None},
    )


def _p95(generator: Generator) -> float | None:
    logs = generator.readers.values()
    last = max((reader.columns[0][-1] for reader in logs if reader.columns[0]), default=0.0)
    recent = sorted(latency for reader in logs for latency in _last_second(reader, last))
    return quantile(recent, 0.95) if recent else None


def _last_second(reader: LogReader, last: float) -> list[float]:
    """The latencies of the requests that were sent in the second before *last*."""
    starts, latencies = (column[-MOST_PER_SECOND:] for column in reader.columns[:2])
    return [latency for sent, latency in zip(starts, latencies, strict=True) if sent > last - 1.0]
