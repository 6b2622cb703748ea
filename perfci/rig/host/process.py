"""
Children of perfci: each in its own process group, without secrets, and ended as a whole.

A child also carries a random mark in its environment. What slips out of the group (a daemon that starts its own
session) is still found by it, and so is what an earlier perfci left behind when it was killed.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

MARK = "PERFCI_CHILD_OF"
KILL_S = 5.0  # a killed process is gone at once, unless the kernel itself is stuck
POLL_S = 0.02
HURRY_S = 1.0  # of grace after an interruption: a runner that cancels a job kills what takes longer than seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A started process group: its leader, the mark that all its descendants inherit, and where it writes."""

    process: subprocess.Popen[bytes]
    mark: str
    log_path: Path
    born_at: float  # as the kernel tells it: whatever is older does not belong to the group

    @property
    def exit_code(self) -> int | None:
        """The exit code of the leader; None while it runs."""
        return self.process.poll()

    def tail(self, lines: int = 40) -> str:
        """The last lines of the group's output."""
        return tail(self.log_path, lines=lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The result of a command; the code is None where it was stopped at its time limit."""

    code: int | None
    out: str
    err: str
    raw: bytes = b""  # the output as it was written

    @property
    def names(self) -> str:
        """The output as names of files and folders, which need not be UTF-8: their other bytes are kept."""
        return os.fsdecode(self.raw)

    @property
    def ok(self) -> bool:
        return self.code == 0


def new_mark() -> str:
    """A new, unique mark for a process and its descendants."""
    return secrets.token_hex(16)


def start(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    log_path: Path,
    mark: str = "",
    pass_fds: Sequence[int] = (),
) -> Child:
    """
    Start *command* as the leader of a new group; both its streams are appended to *log_path*.

    *environment* is all it gets: pass it through `child_environment`; of perfci's open files it gets *pass_fds*, under
    the same numbers. Raises OSError where there is no such command.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        mark = mark or new_mark()
        process = _popen(
            command, cwd=cwd, environment=environment, mark=mark, out=log, err=subprocess.STDOUT, pass_fds=pass_fds
        )
    return _child(process, mark, log_path)


def talk(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Child:
    """Start *command* as `start` does, with a pipe to write to it and one that both its streams are read from."""
    mark, pipe = new_mark(), subprocess.PIPE
    process = _popen(command, cwd=cwd, environment=environment, mark=mark, out=pipe, err=subprocess.STDOUT, into=pipe)
    return _child(process, mark)


def _child(process: subprocess.Popen[bytes], mark: str, log_path: Path = Path(os.devnull)) -> Child:
    return Child(process=process, mark=mark, log_path=log_path, born_at=_birth(process.pid))


def _popen(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    mark: str,
    out: IO[bytes] | int,
    err: IO[bytes] | int,
    into: int = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    began = time.time()
    try:
        return subprocess.Popen(
            list(command),
            cwd=cwd,
            env={**environment, MARK: mark},
            stdin=into,
            stdout=out,
            stderr=err,
            start_new_session=True,
            pass_fds=pass_fds,
        )
    except BaseException:  # an interruption between fork and return: nobody holds the child but its mark
        stop_marked(mark, born_after=began)
        raise


def run(
    command: Sequence[str], *, cwd: Path, environment: Mapping[str, str], timeout_s: float, mark: str = ""
) -> Completed:
    """Run *command* to its end, or to its time limit, and stop everything that it started."""
    with running(command, cwd=cwd, environment=environment, timeout_s=timeout_s, mark=mark) as ended:
        return ended()


@contextlib.contextmanager
def running(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout_s: float,
    mark: str = "",
    into: IO[bytes] | None = None,
    out: IO[bytes] | None = None,
) -> Iterator[Callable[[], Completed]]:
    """
    *command* while others run beside it; what is yielded waits for its end, or the end of its time, which runs already.

    It reads the file *into*, if any, and writes to *out*, which is else a part of the result. Nothing that it started
    survives its end, nor the context.
    """
    deadline, began, mark = time.monotonic() + timeout_s, time.time(), mark or new_mark()
    child: Child | None = None

    def stop() -> None:
        if child is None:  # interrupted before we held it
            stop_marked(mark, born_after=began)
        else:
            stop_group(child, grace_s=1.0)

    with tempfile.TemporaryFile() as kept, tempfile.TemporaryFile() as err, contextlib.ExitStack() as alive:
        alive.callback(stop)  # once: its number may be another one's by the next time
        read = subprocess.DEVNULL if into is None else into.fileno()
        process = _popen(command, cwd=cwd, environment=environment, mark=mark, into=read, out=out or kept, err=err)
        child = _child(process, mark)

        def ended() -> Completed:
            code: int | None = None
            with alive, contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(max(0.0, deadline - time.monotonic()))
            written = _end_of(kept, 4_000_000)
            return Completed(code=code, out=_text(written), err=_text(_end_of(err, 1_000_000)), raw=written)

        yield ended


def stop_group(child: Child, *, grace_s: float) -> bool:
    """
    End the whole group, first by SIGTERM, then by SIGKILL, within *grace_s* and `KILL_S`. True where nothing is left.

    Where perfci itself is being interrupted, the grace is `HURRY_S` at most.
    The leader may be dead already: children that outlived it are ended all the same. Calling it twice is harmless.
    """
    if isinstance(sys.exception(), KeyboardInterrupt):
        grace_s = min(grace_s, HURRY_S)
    return _end(child.process.pid, child.mark, born_after=child.born_at, grace_s=grace_s, process=child.process)


def stop_marked(mark: str, *, group: int | None = None, born_after: float = 0.0, grace_s: float = 0.0) -> bool:
    """End every process with *mark*, and the process group *group*; True where nothing is left."""
    return _end(group, mark, born_after=born_after, grace_s=grace_s)


def _end(
    group: int | None,
    mark: str,
    *,
    born_after: float,
    grace_s: float,
    process: subprocess.Popen[bytes] | None = None,
) -> bool:
    for number, patience in ((signal.SIGTERM, grace_s), (signal.SIGKILL, KILL_S)):
        if number is signal.SIGTERM and not grace_s:
            continue
        for member in members(group, mark, born_after=born_after):
            with contextlib.suppress(psutil.Error):
                member.send_signal(number)
        deadline = time.monotonic() + patience
        while True:
            if not members(group, mark, born_after=born_after):
                if process is not None:
                    process.wait()  # a zombie at most: reap it
                return True
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_S)
    return False


def end_descendants() -> None:
    """
    Kill all that descends from this process: after an interruption, what had been started and was not held yet.

    Whatever perfci holds is stopped before, with its grace.
    """
    left = psutil.Process().children(recursive=True)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=KILL_S)


def members(group: int | None, mark: str, *, born_after: float = 0.0) -> list[psutil.Process]:
    """The living processes of the group, and those with the mark in any other group."""
    return [process for process in psutil.process_iter() if _belongs(process, group, mark, born_after)]


def _belongs(process: psutil.Process, group: int | None, mark: str, born_after: float) -> bool:
    if process.pid == os.getpid():
        return False
    try:
        if process.create_time() < born_after - 2.0 or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return (group is not None and os.getpgid(process.pid) == group) or process.environ().get(MARK) == mark
    except (psutil.Error, OSError):
        return False  # gone meanwhile, or somebody else's


def _birth(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def tail(path: Path, *, lines: int = 40, max_bytes: int = 16_000) -> str:
    """The end of a text file, whatever its encoding or size; empty where there is no file."""
    try:
        with path.open("rb") as file:
            text = _text(_end_of(file, max_bytes))
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _end_of(file: IO[bytes], max_bytes: int) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - max_bytes))
    return file.read()


def _text(written: bytes) -> str:
    return written.decode("utf-8", errors="replace")


def process_tree(root: psutil.Process) -> list[psutil.Process]:
    """
    *root* and all that descends from it.

    Linux tells the children of each thread; psutil has to look through every process of the machine, for milliseconds.
    """
    threads = Path(f"/proc/{root.pid}/task")
    if not any(threads.glob("*/children")):
        return [root, *root.children(recursive=True)]
    found = [root]
    for file in threads.glob("*/children"):
        with contextlib.suppress(OSError, psutil.NoSuchProcess):  # it has ended meanwhile
            found += [each for child in file.read_text().split() for each in process_tree(psutil.Process(int(child)))]
    return found
