"""
Detects that a Locust file ends the run (`runner.quit()`, `sys.exit()`, `os._exit()`, `StopTest`), or that users end.

Locust ends in the same way whoever asked for it. The line of the user's own code is found on the stack at that moment.
Raised in a task, `StopTest` ends a single user, as `StopUser` does.
"""

import os
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import gevent
import locust
from locust import User, argument_parser
from locust.exception import StopTest

LOCUST, GEVENT, INSIDE, LIBRARY = (
    str(Path(path).parent) + os.sep for path in (locust.__file__, gevent.__file__, __file__, os.__file__)
)
PARSER = argument_parser.configargparse.__file__
NOT_THE_USERS = (LOCUST, GEVENT, INSIDE, LIBRARY, PARSER, "<", "src/gevent")  # how such files' names begin
STANDARD = sysconfig.get_path("stdlib") + os.sep  # with what is installed below it
LONGEST = 200  # characters of a reason
ENDINGS: list[str] = []  # how the file ended the run, where it is known


def users_line(frame: FrameType | None) -> str:
    """The innermost line on the stack that is the user's, not Locust's, perfci's or Python's; empty where none is."""
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(NOT_THE_USERS):
            return f"{Path(file).name}, line {frame.f_lineno}"
        frame = frame.f_back
    return ""


def raised_at(error: BaseException) -> str:
    """The innermost line of the user's own code that *error* passed; empty where there is none."""
    trace, found = error.__traceback__, ""
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(NOT_THE_USERS):
            found = f"{Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return found


def watch_os_exit(note: Callable[[str], None]) -> None:
    """
    Call *note* with each `os._exit` of the user's own code from now on, which leaves no other trace.

    A call in a child that the file forks is ignored, since it ends that child only; so is a call by a library.
    """
    leave, process = os._exit, os.getpid()

    def recording(status: int) -> NoReturn:
        frame = sys._getframe(1)  # noqa: SLF001
        if os.getpid() == process and not frame.f_code.co_filename.startswith((STANDARD, LOCUST, GEVENT, INSIDE)):
            note(describe_ending(f"os._exit({status!r})", users_line(frame)))
        leave(status)

    os._exit = recording  # type: ignore[assignment]


def describe_ending(what: str, where: str, error: object = "") -> str:
    """A description such as "sys.exit(3) in profile.py, line 7: no login"."""
    return f"{what} in {where or 'the Locust file'}{f': {error}' if str(error) else ''}"[:LONGEST]


class Endings:
    """Reports, once, that the Locust file ended the run."""

    def __init__(self) -> None:
        self._on_ending: Callable[[str, float], None] | None = None
        self._began = time.monotonic()
        self._is_recorded = False

    def watch_exit(self) -> None:
        """Record `sys.exit()` and `os._exit()` from now on. Call it before the Locust file is loaded."""
        leave = sys.exit
        watch_os_exit(self.record)

        def recording(status: Any = None, /) -> NoReturn:
            if where := users_line(sys._getframe(1)):  # noqa: SLF001  # the only way to a stack without its lines
                self.record(describe_ending(f"sys.exit({status!r})", where))
            leave(status)

        sys.exit = recording

    def watch_runner(self, runner: Any, on_ending: Callable[[str, float], None]) -> None:
        """Call *on_ending* with the cause, and the seconds until then, where the Locust file ends the run."""
        self._on_ending = on_ending

        def recording(name: str, method: Callable[..., None]) -> Callable[..., None]:
            def wrapper(*args: Any, **named: Any) -> None:  # Locust's master gives itself some
                frame = sys._getframe(1)  # noqa: SLF001
                if where := users_line(frame):
                    self.record(describe_ending(f"runner.{name}()", where))
                elif (error := _stop_test(frame)) is not None:
                    self.record(describe_ending("StopTest", raised_at(error), error))
                method(*args, **named)

            return wrapper

        runner.quit, runner.stop = recording("quit", runner.quit), recording("stop", runner.stop)

    def record(self, by: str) -> None:
        """Report that the Locust file ends the run *by* this; later endings follow from it and are ignored."""
        if self._is_recorded:
            return
        self._is_recorded = True
        ENDINGS.append(by)
        after_s = time.monotonic() - self._began
        if self._on_ending is not None:
            self._on_ending(by, after_s)
        else:
            sys.stderr.write(f"perfci: the Locust file itself ended the run after {after_s:.1f} s: {by}\n")


def _stop_test(frame: FrameType | None) -> StopTest | None:
    """The StopTest for which Locust's own handler, if *frame* is in it, ends the run."""
    while frame is not None:
        greenlet = frame.f_locals.get("greenlet") if frame.f_code.co_name == "handler" else None
        if isinstance(error := getattr(greenlet, "exception", None), StopTest):
            return error
        frame = frame.f_back
    return None


CLIENTS = frozenset(str(Path(LOCUST, *parts)) for parts in (("clients.py",), ("contrib", "fasthttp.py")))


def is_requesting(greenlet: Any) -> bool:
    """Whether this greenlet waits for the response to a request."""
    return any(frame.f_code.co_filename in CLIENTS for frame in _stack(greenlet.gr_frame))


def user_activity(runner: Any) -> dict[str, float]:
    """How many users are asking, waiting between two tasks (and how long at most), or busy otherwise in a task."""
    found: dict[str, float] = {"asking": 0, "waiting": 0, "busy": 0, "wait_s": 0.0}
    for greenlet in runner.user_greenlets:
        if not greenlet.args:  # dead meanwhile
            continue
        frames = list(_stack(greenlet.gr_frame))
        if any(frame.f_code.co_filename in CLIENTS for frame in frames):
            found["asking"] += 1
        elif getattr(greenlet.args[0], "_state", "") == "waiting":
            found["waiting"] += 1
            seconds = [frame.f_locals.get("seconds") for frame in frames]  # Locust's own name for it
            found["wait_s"] = max(found["wait_s"], *(s for s in seconds if isinstance(s, int | float)), 0.0)
        else:
            found["busy"] += 1
    return found


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


class EndedUsers:
    """Counts users that ended by themselves while the load went on, by class and reason."""

    def __init__(self) -> None:
        self.count: Counter[tuple[str, str]] = Counter()
        self._written: Counter[tuple[str, str]] = Counter()

    def watch(self, on_exit: Callable[[str], None]) -> None:
        """Patch the method that a user's greenlet runs; *on_exit* is called where a `SystemExit` ends the process."""
        run = User.run

        def counting_run(user: User) -> None:
            try:
                run(user)
            except SystemExit as error:
                on_exit(describe_ending("SystemExit", raised_at(error), error))
                raise
            except Exception as error:
                self._add(user, f"{type(error).__name__}: {error}"[:LONGEST])
                raise
            runner = user.environment.runner
            under_load = runner is not None and runner.state in {"spawning", "running"}
            if under_load and user.environment.shape_class is None and user._state != "stopping":  # noqa: SLF001
                self._add(user, "StopUser")

        User.run = counting_run

    def _add(self, user: User, why: str) -> None:
        self.count[type(user).__name__, why] += 1

    def write(self, event: Callable[..., None]) -> None:
        """Write the users that ended since the last call as events."""
        for (name, why), count in (self.count - self._written).items():
            event("left", user=name, why=why, count=count)
        self._written = self.count.copy()
