"""Fills in the Git LFS files of a work tree from the local store, since git's own filter would use the network."""

import hashlib
import re
import shutil
from pathlib import Path

from perfci.errors import BaseUnavailableError
from perfci.rig.host.git import Git

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-.*\n)*"
    rb"oid sha256:(?P<oid>[0-9a-f]{64})\nsize (?P<size>\d+)\n"
)
_MOST = 1024  # bytes of a pointer


def fill(git: Git, tree: Path, *, store: Path, change: Path) -> None:
    """
    Replace the pointers in *tree* by the files that they stand for: out of *store*, or the same file of the *change*.

    A pointer stays where the working tree of the change has one at the same place, too: both sides are alike then.
    BaseUnavailableError names a file that only the change has.
    """
    listed = Git(root=tree, environ=git.environ).run("ls-files", "-z", "--", ":(top,attr:filter=lfs)")
    for path in filter(None, listed.names.split("\0")):
        if (pointer := _pointer(tree / path)) is None:
            continue
        oid, size = pointer["oid"].decode(), int(pointer["size"])
        stored, own = store / oid[:2] / oid[2:4] / oid, change / path
        if _has_size(stored, size):
            shutil.copyfile(stored, tree / path)
        elif _has_size(own, size) and _digest(own) == oid:
            shutil.copyfile(own, tree / path)
        elif (store.is_dir() or own.is_file()) and _pointer(own) is None:
            raise BaseUnavailableError(
                f"the base needs the file {path} of Git LFS, which the local git does not have",
                absent=False,
                hint="fetch it in a step before perfci: git lfs fetch origin COMMIT, with the base's commit",
            )


def _has_size(file: Path, size: int) -> bool:
    return not file.is_symlink() and file.is_file() and file.stat().st_size == size


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _pointer(file: Path) -> re.Match[bytes] | None:
    if file.is_symlink() or not file.is_file() or file.stat().st_size > _MOST:
        return None
    return _POINTER.fullmatch(file.read_bytes())
