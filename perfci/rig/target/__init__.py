"""Starts the system under test, one module per kind, and stops it whatever happens."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from perfci import schema
from perfci.errors import ConfigError
from perfci.model import Side
from perfci.rig.host.leftovers import release, sweep
from perfci.rig.target import command, compose, external, project
from perfci.rig.target import prepare as preparation
from perfci.rig.target.running import Container, Launch, RunningTarget, Target

__all__ = [
    "TARGETS",
    "Container",
    "Launch",
    "Options",
    "RunningTarget",
    "Target",
    "absent",
    "files",
    "parse",
    "prepare",
    "release",
    "start",
    "starting",
    "sweep",
]

Options = command.Options | compose.Options | external.Options

TARGETS: Mapping[str, Target] = {"command": command, "compose": compose, "external": external}


def parse(table: Mapping[str, object], *, where: str) -> Options:
    """The options of the kind that *table* names."""
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in TARGETS:
        problem = "is required" if kind is None else f"unknown kind (got {str(kind)[:60]!r})"
        raise ConfigError(f"{where} cannot be used:\n  kind: {problem}; known: {', '.join(TARGETS)}")
    options: Any = schema.parse(TARGETS[kind].Options, dict(table), where=where)
    parsed: Options = options
    return parsed


def prepare(
    options: Options,
    *,
    source: Path,
    workspace: Path,
    state: Path,
    side: Side,
    label: str,
    environ: Mapping[str, str],
    working_tree: Path | None = None,
    extra_env: Mapping[str, str] | None = None,
    side_by_side: bool = False,
) -> tuple[str, ...]:
    """
    Do the slow part (copy from the *working_tree*, build, pull) once per side, before anything is measured.

    Without a *working_tree*, *source* is it. The result is what the reader has to know about it, in sentences.
    """
    notes: tuple[str, ...] = ()
    if not isinstance(options, external.Options):
        place = preparation.Place(
            tree=source,
            working_tree=working_tree or source,
            side=side.value,
            log=workspace / "prepare.log",
            state=state,
            environ=environ,
        )
        notes = preparation.prepare(options.prepare, place)
    launch = Launch(
        source=source,
        workspace=workspace,
        state=state,
        side=side,
        label=label,
        environ=environ,
        extra_env=extra_env or {},
        side_by_side=side_by_side,
        working_tree=working_tree,
    )
    return (*notes, *(TARGETS[options.kind].prepare(options, launch) or ()))


def files(options: Options, *, source: Path) -> list[Path]:
    """The files that decide how the target is started: compose files, and files of *source* that its commands name."""
    match options:
        case command.Options():
            return [source / word for word in (*options.command, *options.build) if word and (source / word).is_file()]
        case compose.Options():
            return project.compose_files(source, options.compose_files())
        case external.Options():
            return []


def absent(
    options: Options, failure: str, *, source: Path, working_tree: Path, environ: Mapping[str, str]
) -> list[str]:
    """Files of *working_tree* that git and *source* do not have, and that *failure* or *options* name."""
    match options:
        case command.Options():
            words = " ".join([*options.command, *options.build])
        case compose.Options():
            words = project.text(source, options.compose_files())
        case external.Options():
            return []
    return preparation.missing(failure, words, tree=source, working_tree=working_tree, environ=environ)


@contextlib.contextmanager
def start(options: Options, **where: Any) -> Iterator[RunningTarget]:
    """Start the target as `starting` does, and wait until it answers."""
    with starting(options, **where) as ready:
        yield ready()


def starting(
    options: Options,
    *,
    source: Path,
    workspace: Path,
    state: Path,
    side: Side,
    label: str,
    environ: Mapping[str, str],
    extra_env: Mapping[str, str] | None = None,
    counted: bool = True,
    side_by_side: bool = False,
    working_tree: Path | None = None,
    data: Path | None = None,
) -> AbstractContextManager[Callable[[], RunningTarget]]:
    """
    Start the target; what is yielded waits until it answers. It is stopped when the context is left, however that is.

    *counted* services are given what a census needs: the same for every start of a run, whatever is measured on it.
    With *data* it begins with what an earlier start has saved there (`RunningTarget.save`).
    """
    launch = Launch(
        source=source,
        workspace=workspace,
        state=state,
        side=side,
        label=label,
        environ=environ,
        extra_env=extra_env or {},
        counted=counted,
        side_by_side=side_by_side,
        working_tree=working_tree,
        data=data,
    )
    return TARGETS[options.kind].start(options, launch)
