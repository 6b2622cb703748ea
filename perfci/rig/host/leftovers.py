"""
Notes what runs, so that the next perfci can stop what a killed one left behind.

One small JSON file for each started thing, erased when it was stopped. A note names its owner (the perfci that wrote
it) and what was started: a process by its number *and* its start time, and by its mark; a stack by its exact name;
images by what their names begin with; a work tree by its folder. A number alone is never believed: it may belong to
somebody else by now.
"""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import psutil
from pydantic import Field, ValidationError

from perfci.rig.host import docker, process, trees
from perfci.schema import Table

SAME_START_S = 2.0  # the clock of process starts may be stepped by as much
GRACE_S = 2.0


class Life(Table):
    """A process, with its start time to distinguish it from a later one with the same number."""

    pid: int = Field(gt=1)
    started_at: float

    def lives(self) -> bool:
        """Whether exactly this process still runs."""
        with contextlib.suppress(psutil.Error):
            found = psutil.Process(self.pid)
            running = found.status() != psutil.STATUS_ZOMBIE
            return running and abs(found.create_time() - self.started_at) < SAME_START_S
        return False


class Note(Table):
    """A note of what a perfci process has started."""

    owner: Life
    mark: str = Field(default="", pattern="^([0-9a-f]{32})?$")
    leader: Life | None = None
    project: str = Field(default="", pattern=f"^({docker.PROJECT_PATTERN})?$")
    images: str = Field(default="", pattern=f"^({docker.IMAGES_PATTERN})?$")
    tree: str = Field(default="", pattern=f"^({trees.FOLDER_PATTERN})?$")  # quoted, as a path in a URL is
    git_dirs: tuple[str, ...] = ()  # of the repositories that know the tree; quoted, too


@dataclass(frozen=True, slots=True)
class Written:
    """A note that is stored on disk."""

    path: Path
    note: Note

    def leader(self, pid: int) -> None:
        """Add the process that leads what was started."""
        with contextlib.suppress(psutil.Error):
            _write(self.path, self.note.model_copy(update={"leader": life(pid)}))

    def erase(self) -> None:
        """Delete the note, after what it names was stopped."""
        self.path.unlink(missing_ok=True)


def life(pid: int) -> Life:
    """The running process with this number."""
    return Life(pid=pid, started_at=psutil.Process(pid).create_time())


def note(
    state: Path, *, mark: str = "", project: str = "", tree: Path | None = None, git_dirs: Sequence[Path] = ()
) -> Written:
    """Store a note of what is about to be started."""
    state.mkdir(parents=True, exist_ok=True)
    content = Note(
        owner=life(os.getpid()),
        mark=mark,
        project=project,
        tree=_quoted(tree) if tree else "",
        git_dirs=tuple(map(_quoted, git_dirs)),
    )
    written = Written(state / f"{secrets.token_hex(8)}.json", content)
    _write(written.path, written.note)
    return written


def note_images(state: Path, prefix: str) -> None:
    """Store a note of images that are about to be built, by the prefix of their names, for `release` to remove."""
    if not any(found and found.images == prefix and found.owner.lives() for _, found in _read(state)):
        content = Note(owner=life(os.getpid()), images=prefix)
        state.mkdir(parents=True, exist_ok=True)
        _write(state / f"{secrets.token_hex(8)}.json", content)


def release(state: Path, *, environ: Mapping[str, str]) -> None:
    """
    Remove the images that this very process has had built.

    Where the engine does not do it, their note stays, for a later sweep.
    """
    for path, found in list(_read(state)):
        own = found is not None and found.owner.pid == os.getpid() and found.owner.lives()
        if found and own and found.images and docker.remove_images(found.images, environ=environ) is not None:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def private_folder(project: Path, *, state: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """An empty folder outside of *project* that no other user can read; it is deleted when the context is left."""
    folder = trees.new_folder(project, state=state, environ=environ)
    written = note(state, tree=folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        if trees.remove(folder, (), environ=environ):
            written.erase()


@contextlib.contextmanager
def running(
    command: Sequence[str], *, state: Path | None, cwd: Path, environment: Mapping[str, str], timeout_s: float
) -> Iterator[Callable[[], process.Completed]]:
    """Run *command* as `process.running` does, with a note in *state*, by which a later perfci ends the command."""
    mark = process.new_mark()
    written = note(state, mark=mark) if state is not None else None
    try:
        with process.running(command, cwd=cwd, environment=environment, timeout_s=timeout_s, mark=mark) as ended:
            yield ended
    finally:
        if written is not None:
            written.erase()


def run(
    command: Sequence[str], *, state: Path | None, cwd: Path, environment: Mapping[str, str], timeout_s: float
) -> process.Completed:
    """Run *command* to its end as `running` does, with a note in *state*."""
    with running(command, state=state, cwd=cwd, environment=environment, timeout_s=timeout_s) as ended:
        return ended()


def own_projects(state: Path) -> list[str]:
    """The compose projects that this process has running."""
    notes = [found for _, found in _read(state) if found is not None]
    return sorted(
        found.project for found in notes if found.project and found.owner.pid == os.getpid() and found.owner.lives()
    )


def end_own(state: Path, *, environ: Mapping[str, str]) -> None:
    """End by force, within seconds, the processes and stacks that this very process has running; notes stay."""

    def end(found: Note) -> None:
        group = found.leader.pid if found.leader and found.leader.lives() else None
        process.stop_marked(found.mark, group=group, grace_s=process.HURRY_S)

    own = [found for _, found in _read(state) if found and found.owner.pid == os.getpid() and found.owner.lives()]
    with ThreadPoolExecutor() as pool:
        list(pool.map(end, [found for found in own if found.mark]))
    if projects := [found.project for found in own if found.project]:
        docker.remove(projects, environ=environ)


def are_in_use(state: Path) -> bool:
    """Whether a perfci that runs now has notes in *state*."""
    return any(found is not None and found.owner.lives() for _, found in _read(state))


def sweep(state: Path, *, environ: Mapping[str, str]) -> list[str]:
    """
    Stop what dead owners left, and return one line for each thing. Calling it twice is harmless.

    A stack whose removal fails (the engine is down) keeps its note, for the next time.
    """
    ended: list[str] = []
    for path, found in sorted(_read(state), key=_last):
        if found is None:
            path.unlink(missing_ok=True)  # cut short while it was written: nothing had been started yet
        elif not found.owner.lives() and _end(found, environ, ended):
            path.unlink(missing_ok=True)
    return ended


def _last(read: tuple[Path, Note | None]) -> int:
    """The order of notes in a sweep: running things first, then their images, then the trees they ran in."""
    found = read[1]
    return 0 if found is None else 2 if found.tree else 1 if found.images else 0


def _end(found: Note, environ: Mapping[str, str], ended: list[str]) -> bool:
    if found.project:
        things = docker.remove([found.project], environ=environ)
        if things:
            ended.append(f"stopped compose project {found.project} ({things} containers, networks and volumes)")
        return things is not None
    if found.images:
        gone = docker.remove_images(found.images, environ=environ)
        if gone:
            ended.append(f"removed images {found.images}-* ({gone})")
        return gone is not None
    if found.tree:
        tree = _path(found.tree)
        there = tree.exists()
        removed = trees.remove(tree, [_path(git_dir) for git_dir in found.git_dirs], environ=environ)
        if there and removed:
            ended.append(f"removed work tree {os.fsencode(tree).decode(errors='backslashreplace')}")
        return removed
    if not found.mark:
        return True
    group = found.leader.pid if found.leader and found.leader.lives() else None
    left = process.members(group, found.mark)
    if left:
        ended.append(f"stopped process group {found.leader.pid if found.leader else '?'} ({len(left)} processes)")
    return process.stop_marked(found.mark, group=group, grace_s=GRACE_S)


def _quoted(path: Path) -> str:
    """*path* as text that JSON can hold: a path need not be UTF-8."""
    return quote(os.fsencode(path))


def _path(quoted: str) -> Path:
    return Path(os.fsdecode(unquote_to_bytes(quoted)))


def _read(state: Path) -> Iterator[tuple[Path, Note | None]]:
    for path in sorted(state.glob("*.json")):
        try:
            yield path, Note.model_validate_json(path.read_bytes())
        except ValidationError:
            yield path, None
        except OSError:
            continue  # erased by another perfci meanwhile


def _write(path: Path, content: Note) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(content.model_dump_json())
    draft.replace(path)
