"""A history in a folder: a mounted disk, or a place that something else synchronises."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from perfci.errors import ResultError
from perfci.store.files import LARGEST_BYTES, write_atomically
from perfci.store.history import MARKER_FILE, Change, check_marked

LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """The files below *root*."""

    root: Path

    def paths(self) -> Sequence[str]:
        """Every file that is not hidden, in the order of their names."""
        found = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts))

    def read(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """The content of those of *paths* that there are; ResultError for one that is too large or unreadable."""
        return {path: self._content(self.root / path) for path in paths if (self.root / path).is_file()}

    def _content(self, path: Path) -> bytes:
        try:
            if path.stat().st_size > LARGEST_BYTES:
                raise ResultError(f"{path} is larger than {LARGEST_BYTES // 2**20} MiB and so no part of a history")
            return path.read_bytes()
        except OSError as error:
            raise ResultError(f"{path} cannot be read: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class HistoryFolder:
    """The history in the folder *root*, which need not exist."""

    root: Path

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.root)

    def files(self) -> FolderFiles:
        """The files as they are now; ResultError where the folder holds something else."""
        files = FolderFiles(self.root)
        check_marked(files.paths(), files.read([MARKER_FILE]), where=self.name)
        return files

    def update(self, change: Change, *, message: str) -> bool:  # noqa: ARG002  # a folder keeps no messages
        """Write what *change* makes of the files, one writer at a time; the index follows the run that it lists."""
        with _lock(self.root):
            written = change(self.files())
            for path, text in written.items():
                write_atomically(self.root / path, text)
        return bool(written)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    try:
        import fcntl  # Windows has none, and judges stored runs all the same
    except ImportError:
        raise ResultError("this system cannot lock a history in a folder", hint="push to a branch") from None
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
