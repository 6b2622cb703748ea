"""
Logs when tasks were due and when they began, and, on request, replaces the users' own waits by arrivals.

A user with `constant_pacing` or `constant_throughput` is to begin a task every so many seconds. While it waits for a
slow response it begins none, and no latency shows that (G. Tene, "How NOT to Measure Latency", 2013: coordinated
omission). So each start is logged with the time at which it was due, and each request of a task whose user was still
busy then with how late the task began.

With arrivals the users' waits do not count. Tasks are due at the times of one stream for the whole process, drawn from
a seed; the next one takes the user that has been idle for longest, or waits for the first to come back.

Times are those of a clock that stands still in the pauses of this side (`perfci_pauses.py`).
"""

import heapq
import json
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, count
from math import inf
from typing import Any

import gevent
from gevent.event import AsyncResult
from locust import TaskSet, constant, constant_pacing
from locust.user.task import DefaultTaskSet
from perfci_log import Lateness, LogWriter
from perfci_pauses import Pauses

SHORTEST_PACE_S = 0.001  # below it a pace is a way to say "as fast as you can"
STEP_S = 0.1  # between two looks whether the stream has to restart
BINS = 10  # of one wait: in so many parts users would be spread if they did not act in step

KINDS = {constant(1).__code__: "constant", constant_pacing(1).__code__: "constant_pacing"}


@dataclass(frozen=True, slots=True)
class Fixed:
    """A wait that is always the same, or makes tasks begin at a fixed pace."""

    kind: str
    seconds: float


def fixed(wait_time: Any) -> Fixed | None:
    """The wait that `constant`, `constant_pacing` or `constant_throughput` made; None for any other function."""
    kind = KINDS.get(getattr(wait_time, "__code__", None))
    if kind is None:
        return None
    seconds = wait_time.__closure__[0].cell_contents
    usable = isinstance(seconds, int | float) and seconds >= SHORTEST_PACE_S
    return Fixed(kind, float(seconds)) if usable else None


def holders(user_classes: Any) -> Iterator[Any]:
    """The user classes and all of their nested task sets."""
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
        """Count a start at *clock_s*, in seconds of the clock that stands still in pauses."""
        number = int(clock_s * BINS / self._wait.seconds)
        if number != self._bin:
            self._squares += self._count**2
            self._starts += self._count
            self._bin, self._count = number, 0
            self._began = number if self._began < 0 else self._began
        self._count += 1

    def write(self, log: LogWriter) -> None:
        """Write the counts as an event."""
        log.event(
            "bursts",
            wait_s=self._wait.seconds,
            bins=self._bin - self._began + 1,
            starts=self._starts + self._count,
            squares=self._squares + self._count**2,
        )


class Arrivals:
    """
    The arrivals of one process: its share of the whole stream, which no other process has.

    The stream restarts when all users have started, and when the sides begin to take turns: so the measured part is the
    same on both sides.
    """

    def __init__(self, spec: str, environment: Any, pauses: Pauses) -> None:
        """*spec* is JSON: `rate` (tasks a second, of all processes), `pattern`, `rng_seed`, `processes`."""
        self._spec = json.loads(spec)
        self._environment = environment
        self._pauses = pauses
        self._idle: deque[AsyncResult[float]] = deque()  # users, the longest waiting one first
        self._queue: deque[float] = deque()  # due times that found no idle user
        self._is_running = self._has_to_restart = False
        self._starting = True
        environment.events.spawning_complete.add_listener(self._on_spawning_complete)

    def take(self) -> float:
        """Wait until a task is due, and return when it was due."""
        if not self._is_running:
            self._is_running = True
            gevent.spawn(self._run)
        if self._queue:
            return self._queue.popleft()
        arrival: AsyncResult[float] = AsyncResult()
        self._idle.append(arrival)
        try:
            return arrival.get()
        except BaseException:  # the user is stopped
            if arrival.ready():
                self._assign(arrival.value)
            else:
                self._idle.remove(arrival)
            raise

    def unassigned(self) -> Iterable[float]:
        """The due times that found no user."""
        return tuple(self._queue)

    def _assign(self, due: float) -> None:
        if self._idle:
            self._idle.popleft().set(due)
        else:
            self._queue.append(due)

    def _run(self) -> None:
        while True:
            self._has_to_restart = False
            began = self._pauses.clock(time.time())
            stream = self._stream(began)
            due = next(stream)
            while not self._has_to_restart:
                if began < self._pauses.begin_s <= due:
                    began = self._pauses.begin_s
                    stream = self._stream(began)
                    due = next(stream)
                elif (left := due - self._pauses.clock(time.time())) > 0:
                    self._pauses.sleep(min(left, STEP_S))
                else:
                    self._assign(due)
                    due = next(stream)

    def _on_spawning_complete(self, **_: Any) -> None:
        """Drop what was due while users were still being started: it would queue up for the measured part."""
        if self._starting:
            self._starting = False  # a shape may start more later: then the queue is real
            self._queue.clear()
            self._has_to_restart = True

    def _stream(self, began_s: float) -> Iterator[float]:
        index, apart = self._environment.runner.worker_index, self._spec["processes"] / self._spec["rate"]
        if self._spec["pattern"] == "constant":  # the processes take turns
            offset = apart * index / self._spec["processes"]
            return (number * apart + offset for number in count(int((began_s - offset) / apart) + 1))
        # A Poisson process shared out is several of them (J. F. C. Kingman, "Poisson Processes", 1993, section 2.2).
        seed = f"{self._spec['rng_seed']}/{index}"
        if began_s != self._pauses.begin_s:
            return distribute(poisson(apart, seed), [(began_s, inf)])
        # The sides change places differently, but as much is measured of each: that much is the same for both.
        measured = distribute(poisson(apart, seed), self._pauses.parts(measured=True))
        return heapq.merge(measured, distribute(poisson(apart, f"{seed}/ramp"), self._pauses.parts(measured=False)))


def poisson(apart_s: float, seed: str) -> Iterator[float]:
    """The times of independent events, on average so many seconds apart, from 0 on."""
    rng = random.Random(seed)  # noqa: S311  # no secret
    return accumulate(rng.expovariate(1 / apart_s) for _ in count())


def distribute(times: Iterable[float], parts: Iterable[tuple[float, float]]) -> Iterator[float]:
    """Distribute times from 0 on over the *parts* of a clock, each given as its begin and length in seconds."""
    left = iter(parts)
    (at, length), passed = next(left), 0.0
    for each in times:
        while each - passed >= length:
            passed += length
            try:
                at, length = next(left)
            except StopIteration:
                return
        yield at + each - passed


class Pace:
    """Logs, or sets, the pace of the users of one process."""

    def __init__(self, environment: Any, log: LogWriter, pauses: Pauses, *, arrivals: str = "") -> None:
        """*arrivals* describes the stream that replaces the users' waits; empty: they keep their own."""
        self._log = log
        self._pauses = pauses
        self._arrivals = Arrivals(arrivals, environment, pauses) if arrivals else None
        self._fixed = {
            holder: wait for holder in holders(environment.user_classes) if (wait := fixed(holder.wait_time))
        }
        self._bursts: dict[Fixed, Bursts] = {}
        if self._arrivals or self._fixed:
            self._install()
            environment.events.quit.add_listener(self._end)

    def lateness(self) -> Lateness | None:
        """A function that says how late the current task began; None where no task is ever due."""
        if not self._arrivals and not any(wait.kind == "constant_pacing" for wait in self._fixed.values()):
            return None
        return lambda: getattr(gevent.getcurrent(), "perfci_late", None)

    def _install(self) -> None:
        wait = TaskSet.wait

        def paced(tasks: TaskSet) -> None:
            if self._arrivals:
                self._wait_for_arrival(self._arrivals, tasks, wait)
                return
            own = type(tasks).wait_time is not TaskSet.wait_time
            pace = self._fixed.get(type(tasks) if own else type(tasks.user))
            if pace is not None and pace.kind == "constant_pacing":
                self._wait_for_pace(pace, tasks if own else tasks.user, lambda: wait(tasks))
                return
            wait(tasks)
            gevent.getcurrent().perfci_late = None  # that of an outer task set, which has a pace
            if pace is not None:
                self._burst(pace, self._now())

        TaskSet.wait = paced
        if self._arrivals:  # else each user would begin its first task as soon as it is there
            DefaultTaskSet.on_start = TaskSet.wait

    def _wait_for_arrival(self, arrivals: Arrivals, tasks: TaskSet, wait: Callable[[TaskSet], None]) -> None:
        idle, taken = self._now(), []
        # `wait` keeps the user's state, by which Locust knows whom it may stop; what it asks and does is ours.
        vars(tasks).update(wait_time=lambda: 0.0, _sleep=lambda _: taken.append(arrivals.take()))
        wait(tasks)
        self._begin(taken[0], busy=idle > taken[0], every_s=0.0, lost=0.0)

    def _wait_for_pace(self, pace: Fixed, owner: Any, wait: Callable[[], None]) -> None:
        """Wait as `constant_pacing` does, and log the start: due a pace after the last one was due, or began late."""
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

    def _end(self, **_: Any) -> None:
        if self._arrivals:
            for due in self._arrivals.unassigned():
                self._log.start(self._pauses.when(due), -1.0, 1.0, True)
        for bursts in self._bursts.values():
            bursts.write(self._log)

    def _now(self) -> float:
        return self._pauses.clock(time.time())
