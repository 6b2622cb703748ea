"""Checks out the project at another commit, into a private work tree, from the local git alone."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from perfci.errors import BaseUnavailableError
from perfci.rig.host import leftovers, lfs, trees
from perfci.rig.host.git import Git, refusal

_SUBMODULE = "160000"  # the mode of a submodule in a tree of git


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A repository and the commit that is checked out of it: the project's own, or a submodule's."""

    git_dir: Path
    commit: str
    path: PurePosixPath  # in the work tree


@contextlib.contextmanager
def work_tree(git: Git, commit: str, *, state: Path) -> Iterator[Path]:
    """
    The project's folder as it is at *commit*, with its submodules, until the context is left.

    The work tree is private to the user and lies outside of the project. What a killed perfci leaves of it is removed
    by the next one, which finds it noted in *state*. No filter, hook or other command of the configuration is run, and
    nothing is fetched; files of Git LFS come from the local store. BaseUnavailableError says what is missing.
    """
    prefix = _output(git, "rev-parse", "--show-prefix")
    top = Path(_output(git, "rev-parse", "--show-toplevel"))
    git_dir = Path(_output(git, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    parts = list(_parts(git, _Part(git_dir=git_dir, commit=commit, path=PurePosixPath()), top))
    folder = trees.new_folder(top, state=state, environ=git.environ)
    git_dirs = [part.git_dir for part in parts]
    note = leftovers.note(state, tree=folder, git_dirs=git_dirs)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        tree = folder / (top.name or "project")
        for part in parts:
            _check_out(git, part, tree, top)
        yield tree / prefix
    finally:
        if trees.remove(folder, git_dirs, environ=git.environ):
            note.erase()


def _check_out(git: Git, part: _Part, tree: Path, top: Path) -> None:
    place = tree / part.path
    added = git.run(
        *("worktree", "add", "--detach", "--force", str(place), part.commit),
        git_dir=part.git_dir,
        config=[*_commands(git, part.git_dir)],
    )
    if not added.ok:
        error = refusal(added, absent=False)
        what = f" of the submodule {part.path}" if part.path.parts else ""
        raise BaseUnavailableError(
            f"git cannot check out {part.commit[:12]}{what}: {error}", absent=False, hint=error.hint
        )
    lfs.fill(git, place, store=part.git_dir / "lfs" / "objects", change=top / part.path)


def _commands(git: Git, git_dir: Path) -> Iterator[str]:
    """
    The settings by which git would run a command while it checks files out: filters, and hooks of the configuration.

    Git 2.54 and newer has such hooks; `core.hooksPath` does not concern them. An empty `enabled` is false.
    """
    pattern = r"^(filter\..*\.(smudge|process)|hook\..*\.command)$"
    configured = git.run("config", "-z", "--name-only", "--get-regexp", pattern, git_dir=git_dir)
    for name in filter(None, configured.out.split("\0")):
        owner = name.rpartition(".")[0]
        if name.startswith("hook."):
            yield f"{owner}.enabled"
        else:
            yield from (name, f"{owner}.required")


def _parts(git: Git, part: _Part, working: Path) -> Iterator[_Part]:
    """Yield *part* and the submodules below it that the project, in the folder *working*, has checked out."""
    yield part
    modules = git.run(
        *("config", "--blob", f"{part.commit}:.gitmodules", "-z", "--get-regexp", r"^submodule\..*\.path$"),
        git_dir=part.git_dir,
    )
    for line in filter(None, modules.names.split("\0")):
        key, _, path = line.partition("\n")
        name = key.removeprefix("submodule.").removesuffix(".path")
        listed = git.run("ls-tree", "-z", "--full-tree", part.commit, "--", path, git_dir=part.git_dir).out
        mode, _, rest = listed.partition(" ")
        if mode != _SUBMODULE or ".." in PurePosixPath(name).parts:
            continue
        commit = rest.split()[1]
        found = _repository(part.git_dir, working / path, name)
        place = part.path / path
        if found is None and not (part.git_dir / "modules").is_dir():
            continue  # checked out without submodules, as the change is
        if found is None or not git.run("cat-file", "-e", f"{commit}^{{commit}}", git_dir=found).ok:
            raise BaseUnavailableError(
                f"the base needs the submodule {place} at {commit[:12]}, which the local git does not have",
                absent=False,
                hint="check out with `submodules: true` and `fetch-depth: 0`, or fetch it in a step before perfci:"
                f" git -C {place} fetch origin {commit}",
            )
        yield from _parts(git, _Part(git_dir=found, commit=commit, path=place), working / path)


def _repository(parent: Path, working: Path, name: str) -> Path | None:
    """The git directory of the submodule *name*: within its *parent*'s, or where its own folder says."""
    candidates = [parent / "modules" / name]
    own = working / ".git"
    if own.is_file() and not working.is_symlink():
        candidates.append(working / os.fsdecode(own.read_bytes()).removeprefix("gitdir:").strip())
    elif not working.is_symlink():
        candidates.append(own)
    return next((path.resolve() for path in candidates if (path / "HEAD").is_file()), None)


def _output(git: Git, *arguments: str) -> str:
    answer = git.run(*arguments)
    if not answer.ok:
        raise refusal(answer, absent=True)
    return answer.names.removesuffix("\n")
