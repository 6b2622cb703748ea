"""A target that is one command: started on a free port of this machine, ended with all that it started."""

import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from socket import create_connection
from typing import Literal, Self

import psutil
from pydantic import Field, field_validator, model_validator

from perfci.errors import TargetError
from perfci.model import TargetHealth
from perfci.rig.host import hosts, leftovers, process
from perfci.rig.host.environment import child_environment
from perfci.rig.host.free_port import free_port
from perfci.rig.host.placeholders import fill, used
from perfci.rig.host.tls import Tls
from perfci.rig.target import readiness
from perfci.rig.target.prepare import Preparation
from perfci.rig.target.running import Launch, RunningTarget
from perfci.schema import Table

_PORT_TAKEN = re.compile(r"address (already )?in use|EADDRINUSE|Errno 98|Errno 48|port .{0,20}already", re.IGNORECASE)


_GIVEN: set[int] = set()
"""Ports of targets that this process has started: until a target listens, its port would look free."""


class Options(Table):
    """
    `[target]` with `kind = "command"`.

    `{python}`, `{side}`, `{port}` and `{dir}` are filled in, in `command` and `env`; the first two also in `build`,
    which is run once for a side and has neither a port nor a folder of a block.
    """

    kind: Literal["command"] = "command"
    command: tuple[str, ...] = Field(min_length=1)
    prepare: Preparation = Preparation()
    build: tuple[str, ...] = ()  # once per side, before anything is measured
    build_timeout_s: float = Field(default=900.0, gt=0)
    env: dict[str, str] = {}
    url: str = "http://127.0.0.1:{port}"
    tls: Tls = Tls()
    ready: readiness.Ready = readiness.Ready()
    stop_grace_s: float = Field(default=5.0, ge=0, le=600)

    @property
    def fixed_address(self) -> str:
        """The fixed address, with which two starts cannot be up at once; "" where perfci chooses the port."""
        return "" if used("port", [self.url]) else self.url

    @model_validator(mode="after")
    def _filled_in(self) -> Self:
        if not self.fixed_address and not used("port", [*self.command, *self.env.values()]):
            raise ValueError(
                "command and env say nothing of the port that perfci chooses: put {port} into one of them,"
                " or name the fixed address of the service in url"
            )
        if names := [name for name in ("port", "dir") if used(name, self.build)]:
            raise ValueError(f"build is run once for a side, before any start, and knows no {{{names[0]}}}")
        return self

    @field_validator("url")
    @classmethod
    def _here(cls, url: str) -> str:
        if not hosts.is_loopback(fill(url, {"port": 1})):
            raise ValueError('must be on this machine; a service elsewhere is kind = "external"')
        return url


def prepare(options: Options, launch: Launch) -> None:
    """Run the build command, if there is one."""
    if not options.build:
        return
    command = [fill(part, _of_side(launch)) for part in options.build]
    log = launch.workspace / f"{launch.label}-build.log"
    try:
        done = leftovers.run(
            command,
            state=launch.state,
            cwd=launch.source,
            environment=_environment(options, launch, {**_of_side(launch), "port": 0}),
            timeout_s=options.build_timeout_s,
        )
    except OSError as error:
        raise _cannot_run(command, launch.source, error) from None
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(done.out + done.err)
    if not done.ok:
        how = f"did not end within {options.build_timeout_s:g} s" if done.code is None else f"ended with {done.code}"
        raise TargetError(
            f"the build command of {launch.side} {how}: {' '.join(command)}{readiness.evidence(process.tail(log))}",
            hint=f"run it by hand in a checkout of {launch.side}",
        )


@contextmanager
def start(options: Options, launch: Launch) -> Iterator[Callable[[], RunningTarget]]:
    """Start the command on a free port, and again on another one where the port was taken meanwhile."""
    log = launch.workspace / f"{launch.label}.log"
    mark = process.new_mark()
    note = leftovers.note(launch.state, mark=mark)
    child: process.Child | None = None
    ports: list[int] = []

    def begin() -> tuple[process.Child, RunningTarget]:
        nonlocal child
        ports.append(port := _port_for(options))
        _GIVEN.add(port)
        values = {**_of_side(launch), "port": port, "dir": directory}
        child = _start(options, launch, values, log=log, mark=mark)
        note.leader(child.process.pid)
        return child, _running(options, launch, child, port, directory)

    def ready() -> RunningTarget:
        try:
            return _answering(options, *first)
        except TargetError:
            lost_the_race = first[0].exit_code is not None and _PORT_TAKEN.search(first[0].tail())
            process.stop_group(first[0], grace_s=options.stop_grace_s)
            if not lost_the_race or options.fixed_address:
                raise
        return _answering(options, *begin())

    with leftovers.private_folder(launch.source, state=launch.state, environ=launch.environ) as directory:
        try:
            if launch.data is not None:
                _copy(launch.data, directory)
            first = begin()
            yield ready
        finally:
            _GIVEN.difference_update(ports)
            stopped = (
                process.stop_group(child, grace_s=options.stop_grace_s)
                if child is not None
                else process.stop_marked(mark)  # interrupted before we held it
            )
            if stopped:
                note.erase()


def _answering(options: Options, child: process.Child, target: RunningTarget) -> RunningTarget:
    """Wait until *target* answers."""
    readiness.wait(
        options.ready, target.base_url, died=partial(_why_dead, child), logs_tail=child.tail, verify=target.verify
    )
    return target


def _start(options: Options, launch: Launch, values: Mapping[str, object], *, log: Path, mark: str) -> process.Child:
    command = [fill(part, values) for part in options.command]
    try:
        return process.start(
            command,
            cwd=launch.source,
            environment=_environment(options, launch, values),
            log_path=log,
            mark=mark,
        )
    except OSError as error:
        raise _cannot_run(command, launch.source, error) from None


def _save(options: Options, child: process.Child, directory: Path, folder: Path) -> None:
    process.stop_group(child, grace_s=options.stop_grace_s)
    _copy(directory, folder)


def _copy(data: Path, folder: Path) -> None:
    try:
        shutil.copytree(data, folder, symlinks=True, dirs_exist_ok=True)
    except OSError as error:  # shutil.Error is one
        raise TargetError(f"the data in {data} cannot be copied: {error}") from None


def _running(options: Options, launch: Launch, child: process.Child, port: int, directory: Path) -> RunningTarget:
    def health() -> TargetHealth:
        reason = _why_dead(child)
        return TargetHealth(
            alive=not reason,
            restarts=0,
            note=f"{reason}{readiness.evidence(child.tail())}" if reason else "",
        )

    return RunningTarget(
        kind=options.kind,
        base_url=fill(options.url, {"port": port}).rstrip("/"),
        description=" ".join(options.command),
        log_path=child.log_path,
        health=health,
        logs_tail=child.tail,
        pid=child.process.pid,
        apart=partial(_apart, options, launch, child),
        directory=directory,
        save=partial(_save, options, child, directory)
        if used("dir", [*options.command, *options.env.values()])
        else None,
        verify=options.tls.of(launch.source),
    )


def _why_dead(child: process.Child) -> str:
    """How the child process ended; empty while it runs."""
    code = child.exit_code
    if code is None:
        return ""
    if code >= 0:
        return f"it exited with code {code}"
    by = signal.strsignal(-code) or "unknown"
    memory = ", which the system sends where memory runs out" if -code == signal.SIGKILL else ""
    return f"it was ended by signal {-code} ({by}){memory}"


def _apart(options: Options, launch: Launch, child: process.Child) -> bool:
    """
    Whether the next block may start while this one stops.

    Two of them run side by side anyway. What the blocks of one side could share is an address, something that is named
    by its side (a database), and files of its tree, of which none may be open for writing.
    """
    if options.fixed_address or not launch.side_by_side or used("side", [*options.command, *options.env.values()]):
        return False
    tree = launch.source.resolve()
    try:
        files = [file for each in process.process_tree(psutil.Process(child.process.pid)) for file in each.open_files()]
    except psutil.Error:
        return False
    written = [Path(file.path) for file in files if file.mode != "r" and Path(file.path) != child.log_path.resolve()]
    return not any(path.is_relative_to(tree) for path in written)


def _of_side(launch: Launch) -> dict[str, object]:
    return {"python": sys.executable, "side": launch.side.value}


def _environment(options: Options, launch: Launch, values: Mapping[str, object]) -> dict[str, str]:
    own = {name: fill(value, values) for name, value in options.env.items()}
    return child_environment(launch.environ, {**own, **launch.extra_env})


def _port_for(options: Options) -> int:
    """Choose a free port; for a fixed address, check that nothing else answers there."""
    if not options.fixed_address:
        return free_port(given=_GIVEN)
    host, port = hosts.origin(options.url)
    try:
        create_connection((host, port), timeout=1.0).close()
    except OSError:
        if port not in _GIVEN:
            return port
    raise TargetError(
        f"port {port} is taken: something answers at {options.url} before the target was started",
        hint="stop it, or let perfci choose: put {port} into the command and leave url out",
    )


def _cannot_run(command: list[str], source: Path, error: OSError) -> TargetError:
    if not source.is_dir():
        return TargetError(f"the target's checkout does not exist: {source}")
    return TargetError(
        f"the command {command[0]!r} cannot be run in {source}: {error.strerror or error}",
        hint="install it in a step before perfci, or give its path; a script needs to be executable",
    )
