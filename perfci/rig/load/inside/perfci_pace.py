"""
Pace: when the tasks of users were due, when they began, and, on request, arrivals instead of the users' own waits.

A user with `constant_pacing` or `constant_throughput` means to begin a task every so many seconds. While it waits for a
slow answer it begins none, and no latency tells of that (G. Tene, "How NOT to Measure Latency", 2013: coordinated
omission). So each start is noted with the time at which it was due, and each request of a task whose user was still
busy then with how late the task began.

With arrivals the users' waits do not count. Tasks are due at the times of one stream for the whole process, drawn from
a seed; the next one takes the user that has been idle for longest, or waits for the first to come back.

Times are those of a clock that stands still in the pauses of this side (`perfci_pauses.py`).
"""

import heapq
import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gevent
from locust import TaskSet, constant, constant_pacing
from locust.user.task import DefaultTaskSet
from perfci_log import LogWriter
from perfci_pauses import Pauses

SHORTEST_PACE_S = 0.001  # below it a pace is a way to say "as fast as you can"
BINS = 10  # of one wait: in so many parts users would be spread if they did not act in step

KINDS = {constant(1).__code__: "constant", constant_pacing(1).__code__: "constant_pacing"}


@dataclass(frozen=True, slots=True)
class Fixed:
    """A wait that is always the same, or makes tasks begin at a fixed pace."""

    kind: str
    seconds: float


def fixed(wait_time: Any) -> Fixed | None:
    """What `constant`, `constant_pacing` or `constant_throughput` returned, read again; None for any other function."""
    kind = KINDS.get(getattr(wait_time, "__code__", None))
    if kind is None:
        return None
    seconds = wait_time.__closure__[0].cell_contents
    usable = isinstance(seconds, int | float) and seconds >= SHORTEST_PACE_S
    return Fixed(kind, float(seconds)) if usable else None


def holders(user_classes: Any) -> Iterator[Any]:
    """The user classes and every task set below them."""
    seen, left = set(), list(user_classes)
    while left:
        holder = left.pop()
        if holder not in seen:
            seen.add(holder)
            yield holder
            left += [task for task in holder.tasks if isinstance(task, type) and issubclass(task, TaskSet)]


class Bursts:
    """
    Counts the starts after one fixed wait in bins of a tenth of it.

    Users that act independently give counts whose variance is their mean; users in step give a multiple of it.
    """

    def __init__(self, wait: Fixed) -> None:
        self._wait = wait
        self._bin = self._began = -1
        self._count = self._starts = self._squares = 0

    def start(self, clock_s: float) -> None:
        """One more."""
        number = int(clock_s * BINS / self._wait.seconds)
        if number != self._bin:
            self._squares += self._count**2
            self._starts += self._count
            self._bin, self._count = number, 0
            self._began = number if self._began < 0 else self._began
        self._count += 1

    def tell(self, log: LogWriter) -> None:
        """Write what was counted."""
        log.event(
            "bursts",
            wait_s=self._wait.seconds,
            bins=self._bin - self._began + 1,
            starts=self._starts + self._count,
            squares=self._squares + self._count**2,
        )


class Arrivals:
    """The stream of one process: its share of the whole, never the same as another's."""

    def __init__(self, spec: str, index: Callable[[], int]) -> None:
        """*spec* is JSON: `rate` (tasks a second, of all processes), `pattern`, `rng_seed`, `processes`."""
        self._spec = json.loads(spec)
        self._index = index  # of this process among them, known once users run
        self._returned: list[float] = []  # taken by users that were stopped before it was time
        self._next: Iterator[float] | None = None
        self._due = 0.0

    def take(self, clock_s: float) -> float:
        """When the next task is due; the stream begins with the first call."""
        if self._returned:
            return heapq.heappop(self._returned)
        if self._next is None:
            self._next = self._stream(clock_s)
            self._due = next(self._next)
        due, self._due = self._due, next(self._next)
        return due

    def give_back(self, due: float) -> None:
        """Nobody came for it."""
        heapq.heappush(self._returned, due)

    def overdue(self, clock_s: float) -> list[float]:
        """Those that found no user up to now; they are forgotten here."""
        if self._next is None:
            return []
        found = []
        while (due := self.take(clock_s)) <= clock_s:
            found.append(due)
        self.give_back(due)
        return found

    def _stream(self, began_s: float) -> Iterator[float]:
        index, apart = self._index(), self._spec["processes"] / self._spec["rate"]
        if self._spec["pattern"] == "constant":  # the processes take turns
            offset = apart * index / self._spec["processes"]
            number = int((began_s - offset) / apart) + 1
            while True:
                yield number * apart + offset
                number += 1
        # A Poisson process shared out is several of them (J. F. C. Kingman, "Poisson Processes", 1993, section 2.2).
        rng = random.Random(f"{self._spec['rng_seed']}/{index}")  # noqa: S311  # no secret
        due = began_s
        while True:
            due += rng.expovariate(1 / apart)
            yield due


class Pace:
    """Watches, or sets, the pace of the users of one process."""

    def __init__(self, environment: Any, log: LogWriter, pauses: Pauses, *, arrivals: str = "") -> None:
        """*arrivals* describes the stream that replaces the users' waits; empty: their own waits count."""
        self._log = log
        self._pauses = pauses
        self._arrivals = Arrivals(arrivals, lambda: environment.runner.worker_index) if arrivals else None
        self._fixed = {
            holder: wait for holder in holders(environment.user_classes) if (wait := fixed(holder.wait_time))
        }
        self._bursts: dict[Fixed, Bursts] = {}
        self._starting = True
        if self._arrivals or self._fixed:
            self._install()
            environment.events.quit.add_listener(self._end)
        if self._arrivals:
            environment.events.spawning_complete.add_listener(self._all_are_there)

    def listener(self, told: Callable[..., None]) -> Callable[..., None]:
        """*told*, a listener for `request` that writes a row, with the lateness of the task beside the row."""
        if not self._arrivals and not any(wait.kind == "constant_pacing" for wait in self._fixed.values()):
            return told

        def listener(**request: Any) -> None:
            late = getattr(gevent.getcurrent(), "perfci_late", None)
            if late is not None:
                self._log.late(*late)
            told(**request)

        return listener

    def _install(self) -> None:
        wait = TaskSet.wait

        def paced(tasks: TaskSet) -> None:
            if self._arrivals:
                self._arrive(self._arrivals, tasks, wait)
                return
            own = type(tasks).wait_time is not TaskSet.wait_time
            pace = self._fixed.get(type(tasks) if own else type(tasks.user))
            if pace is None:
                wait(tasks)
            elif pace.kind == "constant":
                wait(tasks)
                self._burst(pace, self._now())
            else:
                self._keep(pace, tasks if own else tasks.user, lambda: wait(tasks))

        TaskSet.wait = paced
        if self._arrivals:  # else each user would begin its first task as soon as it is there
            DefaultTaskSet.on_start = TaskSet.wait

    def _arrive(self, arrivals: Arrivals, tasks: TaskSet, wait: Callable[[TaskSet], None]) -> None:
        idle = self._now()
        due = arrivals.take(idle)
        vars(tasks)["wait_time"] = lambda: max(0.0, due - idle)  # `wait` itself asks the class and the user otherwise
        try:
            wait(tasks)
        except BaseException:
            arrivals.give_back(due)
            raise
        self._begin(due, busy=idle > due, every_s=0.0, lost=0.0)

    def _keep(self, pace: Fixed, owner: Any, wait: Callable[[], None]) -> None:
        """Locust's own rule: due a pace after the last was, or after it began where that was late."""
        idle = self._now()
        began = getattr(owner, "perfci_began", None)
        if began is None:
            began = idle - (time.perf_counter() - owner._cp_last_run)  # noqa: SLF001  # Locust has no public way
        due = began + pace.seconds
        owner.perfci_began = max(due, idle)
        wait()
        self._begin(due, busy=idle > due, every_s=pace.seconds, lost=max(0.0, idle - due) / pace.seconds)
        self._burst(pace, self._now())

    def _begin(self, due: float, *, busy: bool, every_s: float, lost: float) -> None:
        late_s = max(0.0, self._now() - due)
        self._log.start(self._pauses.when(due), 1e3 * late_s, lost, busy)
        # What a user that was free slept too long is the generator's fault, and no part of the service's response.
        gevent.getcurrent().perfci_late = (1e3 * late_s, 1e3 * every_s) if busy else None

    def _burst(self, wait: Fixed, clock_s: float) -> None:
        self._bursts.setdefault(wait, Bursts(wait)).start(clock_s)

    def _all_are_there(self, **_: Any) -> None:
        """What came while users were still being started, and found none, does not queue up for the measured part."""
        if self._arrivals and self._starting:
            self._arrivals.overdue(self._now())
        self._starting = False  # a shape may start more later: then the queue is real

    def _end(self, **_: Any) -> None:
        if self._arrivals:
            for due in self._arrivals.overdue(self._now()):
                self._log.start(self._pauses.when(due), -1.0, 1.0, True)
        for bursts in self._bursts.values():
            bursts.tell(self._log)

    def _now(self) -> float:
        return self._pauses.clock(time.time())
