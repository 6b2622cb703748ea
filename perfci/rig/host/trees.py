"""Names the folders of work trees, and removes them from the disk and from their repositories."""

import contextlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from perfci.errors import BaseUnavailableError
from perfci.rig.host.git import Git

FOLDER_PATTERN = r"/(?:.*/)?perfci-tree-[0-9a-f]{32}"


def new_folder(project: Path, *, state: Path, environ: Mapping[str, str]) -> Path:
    """
    A name for a folder outside of *project*: what looks for files in the folders above finds nothing of the project.

    Below the runner's temporary folder, which the runner empties before each job, else below *state*.
    """
    parents = [state, Path(tempfile.gettempdir())]
    if environ.get("GITHUB_ACTIONS") == "true" and environ.get("RUNNER_TEMP"):
        parents.insert(0, Path(environ["RUNNER_TEMP"]))
    outside = [parent for parent in parents if not parent.resolve().is_relative_to(project.resolve())]
    return (outside or parents)[0].resolve() / f"perfci-tree-{secrets.token_hex(16)}"


def is_own(path: Path) -> bool:
    """Whether *path* lies in a work tree that perfci made; no other folder may be removed."""
    return re.search(f"^{FOLDER_PATTERN}(/|$)", str(path.resolve())) is not None


def remove(folder: Path, git_dirs: Sequence[Path], *, environ: Mapping[str, str]) -> bool:
    """Remove a *folder* of work trees, and its entries in the repositories *git_dirs*; True where nothing is left."""
    for git_dir in git_dirs:
        git = Git(root=git_dir, environ=environ)
        with contextlib.suppress(BaseUnavailableError):  # the repository is gone, or git is
            for tree in _known(git_dir, folder):
                git.run("worktree", "remove", "--force", "--force", str(tree), git_dir=git_dir)
    _delete(folder)
    for git_dir in git_dirs:
        with contextlib.suppress(BaseUnavailableError):
            Git(root=git_dir, environ=environ).run("worktree", "prune", git_dir=git_dir)
    return not folder.exists()


def _known(git_dir: Path, folder: Path) -> list[Path]:
    """The work trees below *folder* that the repository has entries of."""
    found = []
    for file in git_dir.glob("worktrees/*/gitdir"):
        with contextlib.suppress(OSError):
            tree = Path(os.fsdecode(file.read_bytes()).strip()).parent
            found += [tree] if tree.is_relative_to(folder) else []
    return found


def _delete(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():  # a build has left folders that nobody may write to, as caches of modules are
        for path, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):
                Path(path).chmod(stat.S_IRWXU)
        shutil.rmtree(folder, ignore_errors=True)
