"""
Who ended a run: the locustfile, by `runner.quit()`, `sys.exit()`, `os._exit()`, `StopTest`; and users that ended.

Locust ends alike whoever asked for it. Here the place in the user's own code is found on the stack at that moment. In a
task `StopTest` ends a user alone, as `StopUser` does.
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
OTHERS = (LOCUST, GEVENT, INSIDE, LIBRARY, PARSER, "<", "src/gevent")  # how files are named that are not the user's
STANDARD = sysconfig.get_path("stdlib") + os.sep  # with what is installed below it
LONGEST = 200  # characters of a reason
NOTED: list[str] = []  # how the file ended the run, where it is known


def place(frame: FrameType | None) -> str:
    """The innermost line on the stack that is the user's, not Locust's, perfci's or Python's; empty where none is."""
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(OTHERS):
            return f"{Path(file).name}, line {frame.f_lineno}"
        frame = frame.f_back
    return ""


def raised_at(error: BaseException) -> str:
    """The same of an exception: the innermost line of the user's own."""
    trace, found = error.__traceback__, ""
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(OTHERS):
            found = f"{Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return found


def watch_os_exit(note: Callable[[str], None]) -> None:
    """
    *note* an `os._exit` that the user's own code calls from now on: nothing else would tell of it.

    One in a child that the file forks ends that child alone, and one of a library's is the library's own affair.
    """
    leave, process = os._exit, os.getpid()

    def noting(status: int) -> NoReturn:
        frame = sys._getframe(1)  # noqa: SLF001
        if os.getpid() == process and not frame.f_code.co_filename.startswith((STANDARD, LOCUST, GEVENT, INSIDE)):
            note(said(f"os._exit({status!r})", place(frame)))
        leave(status)

    os._exit = noting  # type: ignore[assignment]


def said(what: str, where: str, error: object = "") -> str:
    """*what* ended it, *where*, and with which words."""
    return f"{what} in {where or 'the Locust file'}{f': {error}' if str(error) else ''}"[:LONGEST]


class Endings:
    """Tells, once, that the locustfile ended the run."""

    def __init__(self) -> None:
        self._tell: Callable[[str, float], None] | None = None
        self._began = time.monotonic()
        self._known = False

    def watch_exit(self) -> None:
        """Note `sys.exit()` and `os._exit()` from now on; call it before the user's file is loaded."""
        leave = sys.exit
        watch_os_exit(self.note)

        def noting(status: Any = None, /) -> NoReturn:
            if where := place(sys._getframe(1)):  # noqa: SLF001  # the only way to a stack without its lines
                self.note(said(f"sys.exit({status!r})", where))
            leave(status)

        sys.exit = noting

    def watch_runner(self, runner: Any, tell: Callable[[str, float], None]) -> None:
        """Note `quit` and `stop` of *runner* by anybody but Locust and perfci, and *tell* what, and after how long."""
        self._tell = tell

        def noting(name: str, method: Callable[..., None]) -> Callable[..., None]:
            def noted(*args: Any, **named: Any) -> None:  # Locust's master gives itself some
                frame = sys._getframe(1)  # noqa: SLF001
                if where := place(frame):
                    self.note(said(f"runner.{name}()", where))
                elif (error := _stop_test(frame)) is not None:
                    self.note(said("StopTest", raised_at(error), error))
                method(*args, **named)

            return noted

        runner.quit, runner.stop = noting("quit", runner.quit), noting("stop", runner.stop)

    def note(self, by: str) -> None:
        """The run is ended *by* the locustfile; what follows from it is not noted."""
        if self._known:
            return
        self._known = True
        NOTED.append(by)
        after_s = time.monotonic() - self._began
        if self._tell is not None:
            self._tell(by, after_s)
        else:
            sys.stderr.write(f"perfci: the Locust file itself ended the run after {after_s:.1f} s: {by}\n")


def _stop_test(frame: FrameType | None) -> StopTest | None:
    """The exception that made Locust's own handler end the run, where that is what *frame* is in."""
    while frame is not None:
        greenlet = frame.f_locals.get("greenlet") if frame.f_code.co_name == "handler" else None
        if isinstance(error := getattr(greenlet, "exception", None), StopTest):
            return error
        frame = frame.f_back
    return None


CLIENTS = frozenset(str(Path(LOCUST, *parts)) for parts in (("clients.py",), ("contrib", "fasthttp.py")))


def asks(greenlet: Any) -> bool:
    """Whether this greenlet waits for the answer to a request."""
    return any(frame.f_code.co_filename in CLIENTS for frame in _stack(greenlet.gr_frame))


def doings(runner: Any) -> dict[str, float]:
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


class Leavers:
    """Counts users that ended by themselves while the load went on, by class and reason."""

    def __init__(self) -> None:
        self.count: Counter[tuple[str, str]] = Counter()
        self._told: Counter[tuple[str, str]] = Counter()

    def watch(self, on_exit: Callable[[str], None]) -> None:
        """Patch the method that a user's greenlet runs; *on_exit* is told of a `SystemExit`, which ends the process."""
        run = User.run

        def counted(user: User) -> None:
            try:
                run(user)
            except SystemExit as error:
                on_exit(said("SystemExit", raised_at(error), error))
                raise
            except Exception as error:
                self._left(user, f"{type(error).__name__}: {error}"[:LONGEST])
                raise
            runner = user.environment.runner
            under_load = runner is not None and runner.state in {"spawning", "running"}
            if under_load and user.environment.shape_class is None and user._state != "stopping":  # noqa: SLF001
                self._left(user, "StopUser")

        User.run = counted

    def _left(self, user: User, why: str) -> None:
        self.count[type(user).__name__, why] += 1

    def tell(self, event: Callable[..., None]) -> None:
        """Write those that came since the last call as events."""
        for (name, why), count in (self.count - self._told).items():
            event("left", user=name, why=why, count=count)
        self._told = self.count.copy()
