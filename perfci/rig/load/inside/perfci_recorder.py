"""
The recorder: a second locustfile beside the user's own, which notes every request and stops the round in time.

Locust loads it with `-f perfci_recorder.py,USERFILE`. PERFCI_RECORD names the folder of the logs (one per process),
PERFCI_STOP_AFTER the seconds from the last user's start to the end of the round. Where the round is shared with
another side, PERFCI_TIMETABLE names the file that will say when the users of this one pause, and when they stop.

One process leads: Locust's only one, or the master of several. It knows how many users there are, and stops the round.
"""

import os
import time
from pathlib import Path
from typing import Any

import gevent
from locust import events
from locust.runners import WorkerRunner
from perfci_log import LogWriter, request_listener
from perfci_lost import Caught
from perfci_patience import Patience
from perfci_pauses import Pauses

LAG_STEP_S = 0.05
LATE_S = 6.0  # for workers whose last requests are in flight: Locust's master would interrupt them after half of it
CLOSED = b"Z\0\0\0\0"  # how a log ends
TIMETABLE = os.environ.get("PERFCI_TIMETABLE", "")

pauses = Pauses(gevent.sleep)
caught = Caught()
caught.install()
if TIMETABLE:  # now, because the next file to be loaded is the user's
    Patience(pauses).install()


@events.init.add_listener
def _record(environment: Any, runner: Any, **_: Any) -> None:
    # `init` fires after Locust's fork, so each process opens a log of its own.
    folder = Path(os.environ["PERFCI_RECORD"])
    log = LogWriter(folder / f"{os.getpid()}.log")
    leads = not isinstance(runner, WorkerRunner)
    if leads:
        log.event("leads", shape=environment.shape_class is not None)
    listener = caught.tell = request_listener(log)
    environment.events.request.add_listener(listener)
    environment.events.user_error.add_listener(
        lambda exception, user_instance, **_: log.event(
            "exception", user=type(user_instance).__name__, message=f"{type(exception).__name__}: {exception}"[:300]
        )
    )
    environment.events.test_stop.add_listener(lambda **_: log.event("stopped"))

    @environment.events.spawning_complete.add_listener
    def spawned(user_count: int, **_: Any) -> None:
        log.event("spawned", users=user_count)
        if leads and not TIMETABLE:  # a shape may spawn again and again: the first time counts, the others come later
            gevent.spawn_later(float(os.environ["PERFCI_STOP_AFTER"]), _stop, log, runner)

    @environment.events.quit.add_listener
    def end(**_: Any) -> None:
        if caught.unjudged:
            log.event("unjudged", requests=caught.unjudged)
        log.close()
        if leads:
            _wait_for_workers(folder)

    if TIMETABLE:
        gevent.spawn(_take_turns, log, runner, leads)
    gevent.spawn(_flush_every_second, log, runner)


def _take_turns(log: LogWriter, runner: Any, leads: bool) -> None:
    stop_s = pauses.wait_for(Path(TIMETABLE))
    log.event("agreed")
    if leads:
        gevent.sleep(max(0.0, stop_s - time.time()))
        _stop(log, runner)


def _stop(log: LogWriter, runner: Any) -> None:
    log.event("stopping")
    runner.quit()


def _wait_for_workers(folder: Path) -> None:
    """Until all logs are closed or their processes dead, or for as long as a request in flight may take."""
    end = time.monotonic() + LATE_S
    while time.monotonic() < end and not all(_closed(log) or _dead(log.stem) for log in folder.glob("*.log")):
        gevent.sleep(0.1)


def _closed(log: Path) -> bool:
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - len(CLOSED)))
        return file.read() == CLOSED


def _dead(number: str) -> bool:
    """Whether the process has ended and nobody asked it why yet (Linux; elsewhere it counts as alive)."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def _flush_every_second(log: LogWriter, runner: Any) -> None:
    while True:
        lags_ms = []
        end = time.perf_counter() + 1.0
        while (before := time.perf_counter()) < end:
            gevent.sleep(LAG_STEP_S)
            lags_ms.append((time.perf_counter() - before - LAG_STEP_S) * 1e3)
        log.flush()
        log.health(users=runner.user_count, lags_ms=lags_ms)
