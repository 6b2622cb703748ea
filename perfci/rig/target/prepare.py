"""
What a side needs before it is built: files that git does not have, and a command.

Steps of a job make files that are not in git: settings, a built program, node_modules. They lie in the working tree,
and the work tree of the base has none of them. `prepare` names those that a side is to have.
"""

import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import Field, field_validator

from perfci.errors import TargetError
from perfci.rig.host import leftovers, process
from perfci.rig.host.environment import child_environment
from perfci.rig.host.git import Git
from perfci.rig.target.readiness import evidence
from perfci.schema import Table

SHOWN = 5
"""The most names in a message."""

_MISSING = re.compile(
    r"no such file|not found|cannot (find|open)|could not (find|open|read)|unable to (find|open|load)|does not exist"
    r"|ENOENT|is missing|no module named",
    re.IGNORECASE,
)
_NODE_MODULE = re.compile(r"cannot find (module|package)|ERR_MODULE_NOT_FOUND", re.IGNORECASE)


class Preparation(Table):
    """The table `prepare` of `[target]`, for the side whose configuration has it."""

    paths: tuple[str, ...] = Field(default=(), alias="copy")  # files and folders of the working tree
    command: tuple[str, ...] = ()
    timeout_s: float = Field(default=600.0, gt=0)  # of copying, and of the command

    @field_validator("paths")
    @classmethod
    def _inside(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for path in paths:
            parts = PurePosixPath(path).parts
            if not parts or path.startswith("/") or "\0" in path or {"..", ".git"} & set(parts):
                raise ValueError(f"{path!r} is no file or folder inside the project")
        return paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The trees and the environment in which a side is prepared."""

    tree: Path  # the side's project folder
    working_tree: Path  # the project's folder in which the earlier steps of the job ran
    side: str  # for the reader
    log: Path
    state: Path
    environ: Mapping[str, str]


def prepare(options: Preparation, place: Place) -> tuple[str, ...]:
    """
    Copy the named files into the side's tree, then run the command there; TargetError says which of them failed.

    The working tree itself needs no copy. The result has a sentence for the reader where files of the commit were
    replaced.
    """
    replaced: list[str] = []
    if options.paths and place.tree.resolve() != place.working_tree.resolve():
        deadline = time.monotonic() + options.timeout_s
        for path in options.paths:
            replaced += _copied(path, place, options.timeout_s, deadline)
    if options.command:
        _run(options, place)
    if not replaced:
        return ()
    more = f" and {len(replaced) - SHOWN} more" if len(replaced) > SHOWN else ""
    names = ", ".join(replaced[:SHOWN]) + more
    return (f"prepare.copy replaced files that the commit of the {place.side} has: {names}",)


def missing(failure: str, words: str, *, tree: Path, working_tree: Path, environ: Mapping[str, str]) -> list[str]:
    """
    Files that the working tree has, neither git nor *tree* has, and that may be why a side in *tree* does not start.

    *failure* is what it said, *words* are the command or compose file that starts it: one of them names the file.
    """
    listed = Git(root=working_tree, environ=environ).run(
        "ls-files", "-z", "--others", "--directory", "--no-empty-directory"
    )
    names = [path.rstrip("/") for path in listed.out.split("\0") if path and not path.startswith(".perfci")]
    text = f"{words}\n{failure}" if _MISSING.search(failure) else words
    return [
        name
        for name in names
        if not (tree / name).exists()
        and (
            re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text)
            or (PurePosixPath(name).name == "node_modules" and _NODE_MODULE.search(failure))
        )
    ]


def _copied(path: str, place: Place, timeout_s: float, deadline: float) -> list[str]:
    """Copy *path* into the side's tree, and return the files of the commit that were replaced."""
    replaced = []
    try:
        for source, target in _pairs(path, place):
            if time.monotonic() > deadline:
                raise TargetError(
                    f"prepare.copy: {path!r} was not copied to the {place.side} within {timeout_s:g} s",
                    hint="name fewer files, make them with prepare.command, or raise prepare.timeout_s",
                )
            if target.is_symlink() or target.is_file():
                replaced.append(target.relative_to(place.tree).as_posix())
                target.unlink()  # a link is replaced, and not followed
            _copy(source, target, place)
    except OSError as error:
        raise TargetError(
            f"prepare.copy: {path!r} cannot be copied to the {place.side}: {error.strerror or error}",
            hint="check the file in the working tree, and the space on the disk",
        ) from None
    _log(place, f"copied {path}" + (f", replacing {', '.join(replaced)}" if replaced else ""))
    return replaced


def _pairs(path: str, place: Place) -> Iterator[tuple[Path, Path]]:
    """Yield each file and link of *path* with its destination, and create the folders on the way."""
    source, target = place.working_tree / path, place.tree / path
    if not source.exists():
        raise TargetError(
            f"prepare.copy: there is no {path!r} in the working tree", hint="make it in a step before perfci"
        )
    if not (found := source.resolve()).is_relative_to(place.working_tree.resolve()):
        raise TargetError(
            f"prepare.copy: {path!r} leads out of the project, to {found}",
            hint="copy what it leads to into the project in a step before perfci",
        )
    _make_folder(target.parent, path, place)
    if not found.is_dir():
        yield found, target
        return
    for folder, folders, files in os.walk(found):
        here = target / Path(folder).relative_to(found)
        _make_folder(here, path, place)
        links = [name for name in folders if Path(folder, name).is_symlink()]
        yield from ((Path(folder, name), here / name) for name in [*files, *links])


def _make_folder(folder: Path, path: str, place: Place) -> None:
    if not folder.resolve().is_relative_to(place.tree.resolve()):
        raise TargetError(
            f"prepare.copy: {path!r} would leave the tree of the {place.side}: a link of its commit leads to"
            f" {folder.resolve()}",
            hint="name a file or folder that is not below a link",
        )
    folder.mkdir(parents=True, exist_ok=True)


def _copy(source: Path, target: Path, place: Place) -> None:
    """Copy a link as a link; one to a file of the working tree leads to that file in the side's own tree."""
    if source.is_symlink():
        there = source.readlink()
        root = place.working_tree.resolve()
        target.symlink_to(place.tree / there.relative_to(root) if there.is_relative_to(root) else there)
    elif source.is_file():  # a socket or pipe is no file to copy
        shutil.copyfile(source, target)
        shutil.copystat(source, target)


def _run(options: Preparation, place: Place) -> None:
    command = [part.replace("{python}", sys.executable) for part in options.command]
    try:
        done = leftovers.run(
            command,
            state=place.state,
            cwd=place.tree,
            environment=child_environment(place.environ),
            timeout_s=options.timeout_s,
        )
    except OSError as error:
        raise TargetError(
            f"prepare.command: {command[0]!r} cannot be run in {place.tree}: {error.strerror or error}",
            hint="install it in a step before perfci, or give its path; a script needs to be executable",
        ) from None
    _log(place, f"{done.out}{done.err}")
    if not done.ok:
        how = f"did not end within {options.timeout_s:g} s" if done.code is None else f"ended with {done.code}"
        raise TargetError(
            f"prepare.command of the {place.side} {how}: {' '.join(command)}{evidence(process.tail(place.log))}",
            hint=f"run it by hand in a checkout of the {place.side}",
        )


def _log(place: Place, text: str) -> None:
    place.log.parent.mkdir(parents=True, exist_ok=True)
    with place.log.open("a") as file:
        file.write(text.rstrip("\n") + "\n")
