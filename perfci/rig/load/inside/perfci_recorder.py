"""
The recorder: a Locust file that is loaded before the user's own, logs every request, and stops the round in time.

`perfci_locust.py` lets Locust load it. PERFCI_RECORD names the folder of the logs (one per process),
PERFCI_STOP_AFTER the seconds from the last user's start to the end of the round. Where the round is shared with
another side, PERFCI_TIMETABLE names the file that will say when the users of this one pause, and when they stop;
with PERFCI_MOVE_PORTS what the Locust file listens on is another port than the other side's.
PERFCI_ARRIVALS describes the arrivals that replace the users' own waits, if any (`perfci_pace.py`), PERFCI_ENDPOINTS
the project's own names for endpoints (`perfci_endpoints.py`), PERFCI_STAGES the stages of the scenario, if it has any
(`perfci_stages.py`).

One process leads: Locust's only one, or the master of several. It knows how many users there are, and stops the round.
PERFCI_WORKERS tells a master about workers on other machines, PERFCI_WORKER tells such a worker about itself; it has no
folder and sends its log to the master.
"""

import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gevent
from locust import events
from locust.runners import MasterRunner, WorkerRunner
from perfci_chosen import leave_out_unchosen
from perfci_endings import EndedUsers, Endings, user_activity
from perfci_endpoints import Endpoints
from perfci_log import CLOSED, LogWriter, request_listener
from perfci_names import refuse_unrunnable
from perfci_pace import Pace
from perfci_pause_hooks import PauseHooks
from perfci_pauses import Pauses
from perfci_ports import Ports
from perfci_remote import END, Admission, LogUpload, MasterLink
from perfci_unreported import UnreportedRequests
from perfci_users import Senders, refuse_unknown

if os.environ.get("PERFCI_STAGES"):
    from perfci_stages import Stages  # noqa: F401  # Locust finds it here

LAG_STEP_S = 0.05
LATE_S = 20.0  # for workers that have requests in flight, or thousands of users to stop: Locust's master would not wait
REPORT_S = 5.0  # for workers that start thousands of users to say so
TIMETABLE = os.environ.get("PERFCI_TIMETABLE", "")
WORKERS = json.loads(os.environ.get("PERFCI_WORKERS", "null"))
WORKER = json.loads(os.environ.get("PERFCI_WORKER", "null"))

pauses = Pauses(gevent.sleep)
unreported = UnreportedRequests()
unreported.install()
endings = Endings()
endings.watch_exit()
ended_users = EndedUsers()
ended_users.watch(endings.record)
if TIMETABLE:  # now, because the next file to be loaded is the user's
    PauseHooks(pauses).install()
ports = Ports()
if os.environ.get("PERFCI_MOVE_PORTS"):
    ports.install()
admission = None if WORKERS is None else Admission(Path(os.environ["PERFCI_RECORD"]), **WORKERS)
if admission is not None:
    admission.install()
master_link = None if WORKER is None else MasterLink(**WORKER)
if master_link is not None:
    master_link.install()


@events.init.add_listener
def _record(environment: Any, runner: Any, **_: Any) -> None:
    leads = not isinstance(runner, WorkerRunner)
    _prepare(environment, leads=leads)
    # `init` fires after Locust's fork, so each process opens a log of its own.
    log, settle = _opened(runner)
    log.sender = Senders(log.user).current
    if leads:
        log.event("leads", shape=environment.shape_class is not None)
    endings.watch_runner(runner, lambda by, after_s: log.event("ended", by=by, after_s=after_s))
    _announce_the_end(log, environment, runner)
    pace = Pace(environment, log, pauses, arrivals=os.environ.get("PERFCI_ARRIVALS", ""))
    target = master_link.host if master_link is not None else environment.host or ""
    endpoints = Endpoints(target, json.loads(os.environ.get("PERFCI_ENDPOINTS", "[]")))
    listener = request_listener(log, endpoints, home=target, late_now=pace.lateness())
    environment.events.request.add_listener(listener)
    unreported.add_listener(environment.events.request, listener)
    environment.events.user_error.add_listener(
        lambda exception, user_instance, **_: log.event(
            "exception", user=type(user_instance).__name__, message=f"{type(exception).__name__}: {exception}"[:300]
        )
    )
    environment.events.test_stop.add_listener(lambda **_: log.event("stopped"))

    @environment.events.spawning_complete.add_listener
    def spawned(user_count: int, **_: Any) -> None:
        gevent.spawn(begin, user_count)  # Locust's master may be in the middle of a worker's message

    def begin(user_count: int) -> None:
        if isinstance(runner, MasterRunner):
            _wait_for_reports(runner, user_count)
        ended_users.write(log.event)
        log.event("spawned", users=user_count)
        if leads and not TIMETABLE:  # a shape may spawn again and again: the first time counts, the others come later
            gevent.spawn_later(float(os.environ["PERFCI_STOP_AFTER"]), _stop, log, runner)

    @environment.events.quit.add_listener
    def end(exit_code: int, **_: Any) -> None:
        ended_users.write(log.event)
        if ports.moved:
            log.event("moved", ports=sorted(ports.moved))
        log.event("exit", code=exit_code, own=environment.process_exit_code is not None)
        if unjudged := unreported.unjudged[environment.events.request]:
            log.event("unjudged", requests=unjudged)
        log.close()
        settle()

    if TIMETABLE:
        gevent.spawn(_take_turns, log, runner, leads)
    gevent.spawn(_flush_every_second, log, runner)


def _prepare(environment: Any, *, leads: bool) -> None:
    """
    End the process where its user classes cannot run, or lack one that a limit is for.

    Let the environment name the user's files alone, of which this one was loaded as the first.
    """
    refuse_unrunnable(environment.user_classes)
    refuse_unknown(environment.available_user_classes or environment.user_classes)
    if leads:
        leave_out_unchosen(environment)
    own = environment.parsed_locustfiles[1:]
    environment.parsed_locustfiles, environment.locustfile = own, Path(own[0]).name


def _opened(runner: Any) -> tuple[LogWriter, Callable[[], None]]:
    """The log of this process, and a function that waits for the logs of the workers once it is closed."""
    if master_link is not None:
        upload = LogUpload(runner)
        log = LogWriter(upload)
        log.event("clock", **master_link.clock())
        return log, upload.wait
    folder = Path(os.environ["PERFCI_RECORD"])
    log = LogWriter(folder / f"{os.getpid()}.log")
    if isinstance(runner, WorkerRunner):
        return log, lambda: None
    if admission is not None:
        admission.write_event = log.event
        return log, partial(admission.wait, runner, LATE_S)
    return log, partial(_wait_for_workers, folder)


def _wait_for_reports(runner: MasterRunner, users: int) -> None:
    """Wait until the workers have reported all users; Locust's master waits for a second only."""
    with gevent.Timeout(REPORT_S, False):
        while runner.user_count < users:
            gevent.sleep(LAG_STEP_S)


def _announce_the_end(log: LogWriter, environment: Any, runner: Any) -> None:
    """Let each worker log that the round is over: a worker whose log lacks it ended too early."""
    if isinstance(runner, MasterRunner):
        environment.events.test_stopping.add_listener(lambda **_: runner.send_message(END))
    if isinstance(runner, WorkerRunner):
        runner.register_message(END, lambda **_: _log_the_end(log, runner))


def _take_turns(log: LogWriter, runner: Any, leads: bool) -> None:
    stop_s = pauses.wait_for(Path(TIMETABLE))
    log.event("agreed")
    if leads:
        gevent.sleep(max(0.0, stop_s - time.time()))
        _stop(log, runner)


def _stop(log: LogWriter, runner: Any) -> None:
    _log_the_end(log, runner)
    runner.quit()


def _log_the_end(log: LogWriter, runner: Any) -> None:
    log.event("stopping")
    if not runner.stats.total.num_requests:
        log.event("silent", **user_activity(runner))


def _wait_for_workers(folder: Path) -> None:
    """Wait until all logs are closed or their processes dead, or for as long as a request in flight may take."""
    end = time.monotonic() + LATE_S
    while time.monotonic() < end and not all(_closed(log) or _dead(log.stem) for log in folder.glob("*.log")):
        gevent.sleep(0.1)


def _closed(log: Path) -> bool:
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - len(CLOSED)))
        return file.read() == CLOSED


def _dead(number: str) -> bool:
    """Whether the process has ended; on Linux also where its parent has not waited for it yet."""
    try:
        os.kill(int(number), 0)
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except ProcessLookupError:
        return True
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
        ended_users.write(log.event)
