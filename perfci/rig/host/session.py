"""
A client that stays connected: one program in a container, asked again and again over its standard input.

Starting a client for every read would take a hundred times as long as the answer, and would be work of its own.
"""

import contextlib
import os
import re
import secrets
import select
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from perfci.errors import CensusError
from perfci.rig.host import docker, process

ANSWER_S = 5.0  # a snapshot takes milliseconds
START_S = 20.0  # on a busy machine, entering a container can take seconds
UP_S = 30.0  # for a database that comes up later than the service, which can answer without it
AGAIN_S = 0.5
COMING_UP = "it is still coming up"
OURS = "exec 2>&1; : perfci"  # how every script of ours begins, by which it is told from a health check
MOST_BYTES = 32_000_000  # the texts of the 5000 statements that PostgreSQL keeps are far below that

_COMING = re.compile(rf"{COMING_UP}|is the server running|starting up|shutting down|can't connect", re.IGNORECASE)
_Opened = TypeVar("_Opened")


class Session:
    """
    A program that answers each question with lines, and repeats a sentinel on demand.

    *sentinel* is the program's own way of writing `{}`; no answer of it may hold a random text.
    """

    def __init__(
        self, command: Sequence[str], *, what: str, sentinel: str, environment: Mapping[str, str], prelude: str = ""
    ) -> None:
        self.what = what
        self._sentinel = sentinel
        self._rest = b""
        self._token = ""  # that ends the answer to what was put
        try:
            self._child = process.talk(command, cwd=Path("/"), environment=environment)
        except OSError as error:
            raise CensusError(f"{what} cannot be asked: {command[0]}: {error.strerror or error}") from None
        try:
            self.greeting = self.ask(prelude, within_s=START_S)
        except BaseException:
            self.close()
            raise

    def put(self, question: str) -> None:
        """Send the question of the next `ask` ahead, and do not wait for the answer."""
        self._token = secrets.token_hex(12)
        text = f"{question}\n" if question else ""
        self._write(f"{text}{self._sentinel.format(self._token)}\n".encode())

    def ask(self, question: str, *, within_s: float = ANSWER_S) -> list[str]:
        """The lines of the answer; CensusError where none comes in time, or the program has ended."""
        if not self._token:
            self.put(question)
        token, self._token = self._token, ""
        answer = self._until(token.encode(), time.monotonic() + within_s, within_s)
        return answer.decode("utf-8", errors="replace").splitlines()

    def send(self, line: str) -> None:
        """Send *line*, which has no answer."""
        self._write(f"{line}\n".encode())

    def until(self, token: str) -> list[str]:
        """Read the lines before the next one that holds *token*, from a program that writes without being asked."""
        before = self._until(token.encode(), time.monotonic() + ANSWER_S, ANSWER_S)
        return before.decode("utf-8", errors="replace").splitlines()

    def close(self) -> None:
        """End the program: it sees the end of its input, and is killed where that does not move it."""
        for pipe in (self._child.process.stdin, self._child.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.process.wait(0.5)
            return
        process.stop_group(self._child, grace_s=0.5)

    def _write(self, data: bytes) -> None:
        pipe = self._child.process.stdin
        try:
            if pipe is None or pipe.closed:
                raise BrokenPipeError
            pipe.write(data)
            pipe.flush()
        except OSError:
            raise self._ended(self._read_all()) from None

    def _until(self, token: bytes, deadline: float, within_s: float) -> bytes:
        """Read the lines before the one that holds *token*."""
        pipe = self._child.process.stdout
        answer, self._rest = self._rest, b""
        while True:
            before, found, after = answer.partition(token)
            if found and b"\n" in after:
                self._rest = after.partition(b"\n")[2]
                return before[: before.rfind(b"\n") + 1]
            left = deadline - time.monotonic()
            if left <= 0 or pipe is None or not select.select([pipe], [], [], left)[0]:
                raise CensusError(f"{self.what} did not answer within {within_s:g} s{_said(answer)}")
            piece = os.read(pipe.fileno(), 1 << 20)
            answer += piece
            if not piece or len(answer) > MOST_BYTES:
                raise self._ended(answer)

    def _read_all(self) -> bytes:
        pipe = self._child.process.stdout
        if pipe is None or pipe.closed or not select.select([pipe], [], [], 1.0)[0]:
            return b""
        return os.read(pipe.fileno(), 1 << 16)

    def _ended(self, answer: bytes) -> CensusError:
        return CensusError(f"{self.what} does not answer any more{_said(answer)}")


def once_up(opening: Callable[[], _Opened]) -> _Opened:
    """Return what *opening* returns; retry for a while where its CensusError says that the server is starting."""
    deadline = time.monotonic() + UP_S
    while True:
        try:
            return opening()
        except CensusError as error:
            if time.monotonic() > deadline or not _COMING.search(str(error)):
                raise
        time.sleep(AGAIN_S)


@contextlib.contextmanager
def kept(session: Session) -> Iterator[Session]:
    """Leave the session open when the context ends, except after an error."""
    try:
        yield session
    except BaseException:
        session.close()
        raise


def inside(
    container: str,
    script: str,
    *,
    what: str,
    sentinel: str,
    environ: Mapping[str, str],
    prelude: str = "",
    secret: Mapping[str, str] | None = None,
) -> Session:
    """A session with a shell *script* in a container; *secret* variables reach it without being on a command line."""
    names = [part for name in secret or {} for part in ("-e", name)]
    return Session(
        ["docker", "exec", "-i", *names, container, "sh", "-c", f"{OURS}; {script}"],
        what=what,
        sentinel=sentinel,
        environment=docker.environment(environ, secret),
        prelude=prelude,
    )


def _said(answer: bytes) -> str:
    """The last line of an answer, for an error message."""
    lines = answer.decode("utf-8", errors="replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return f": {said[-1][:300]}" if said else ""
