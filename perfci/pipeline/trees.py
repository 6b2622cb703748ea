"""The files of each side: the working tree, another folder, or a commit that is checked out while the run lasts."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from perfci.errors import ConfigError
from perfci.pipeline.ports import Ports
from perfci.rig.host.checkout import work_tree
from perfci.rig.host.git import Git

WORKTREE = "."
"""The name of the working tree as a side; as both, the sides are the same, which must end in a pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The project's folder of one side."""

    path: Path
    name: str  # for the reader
    commit: str = ""  # full hash; "" where the files are of no commit


def is_folder(name: str) -> bool:
    """Whether the *name* of a side is a path: it begins with "." or "/", as no ref does."""
    return name.startswith((".", "/"))


def short(commit: str, name: str) -> str:
    """Describe a *commit* for the reader: the *name* that the user gave, unless it is the hash, and the short hash."""
    return commit[:7] if commit.startswith(name) else f"{name} ({commit[:7]})"


def working_tree(git: Git, ports: Ports) -> Tree:
    """The working tree as it is, whether or not its files are committed."""
    return Tree(path=ports.root, name="the working tree", commit=git.head())


def folder(name: str, ports: Ports, *, config_file: str) -> Tree:
    """Another folder with a project; ConfigError where it holds no *config_file*."""
    path = (ports.root / name).resolve()
    if not (path / config_file).is_file():
        raise ConfigError(
            f"{name} is no folder with a {config_file}",
            hint="name a folder that holds the project, or a commit, branch or tag (which begins with no dot or slash)",
        )
    return Tree(path=path, name=name)


def checked_out(commit: str, git: Git, ports: Ports, stack: contextlib.ExitStack, *, name: str) -> Tree:
    """The files of *commit*, which go when *stack* is closed; BaseUnavailableError where git cannot make them."""
    return Tree(path=stack.enter_context(work_tree(git, commit, state=ports.state)), name=name, commit=commit)
