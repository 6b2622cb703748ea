"""
The recorder: a second locustfile beside the user's own, which notes every request and stops the round in time.

Locust loads it with `-f perfci_recorder.py,USERFILE`. PERFCI_RECORD names the folder of the logs (one per process),
PERFCI_STOP_AFTER the seconds from the last user's start to the end of the round. Where the round is shared with
another side, PERFCI_TIMETABLE names the file that will say when the users of this one pause, and when they stop.
"""

import os
import time
from pathlib import Path
from typing import Any

import gevent
from locust import events
from locust.runners import WorkerRunner
from perfci_log import LogWriter, request_listener
from perfci_patience import Patience
from perfci_pauses import Pauses

LAG_STEP_S = 0.05
TIMETABLE = os.environ.get("PERFCI_TIMETABLE", "")

pauses = Pauses(gevent.sleep)
if TIMETABLE:  # now, because the next file to be loaded is the user's
    Patience(pauses).install()


@events.init.add_listener
def _record(environment: Any, runner: Any, **_: Any) -> None:
    # `init` fires after Locust's fork, so each process opens a log of its own.
    log = LogWriter(Path(os.environ["PERFCI_RECORD"]) / f"{os.getpid()}.log")
    environment.events.request.add_listener(request_listener(log))
    environment.events.user_error.add_listener(
        lambda exception, user_instance, **_: log.event(
            "exception", user=type(user_instance).__name__, message=f"{type(exception).__name__}: {exception}"[:300]
        )
    )
    leads = not isinstance(runner, WorkerRunner)

    def spawned(user_count: int, **_: Any) -> None:
        log.event("spawned", users=user_count)
        if leads and not TIMETABLE:
            gevent.spawn_later(float(os.environ["PERFCI_STOP_AFTER"]), _stop, log, runner)

    environment.events.spawning_complete.add_listener(spawned)
    if TIMETABLE:
        gevent.spawn(_take_turns, log, runner, leads)
    environment.events.quit.add_listener(lambda **_: log.close())
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


def _flush_every_second(log: LogWriter, runner: Any) -> None:
    while True:
        lags_ms = []
        end = time.perf_counter() + 1.0
        while (before := time.perf_counter()) < end:
            gevent.sleep(LAG_STEP_S)
            lags_ms.append((time.perf_counter() - before - LAG_STEP_S) * 1e3)
        log.flush()
        log.health(users=runner.user_count, lags_ms=lags_ms)
