"""
Reads a run from the archive of an artifact, which the code of a pull request may have written.

Nothing is extracted: one entry is read, in memory, within bounds. An archive that no upload makes (links, names that
lead elsewhere, a second run, a comment) is refused as a whole.
"""

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from perfci.errors import ArtifactError
from perfci.store.files import LARGEST_BYTES
from perfci.store.run_folder import RunFolder

MAX_ENTRIES = 20_000
MAX_DIRECTORY_BYTES = 8 * 2**20
"""Of the list of entries, which is read whole."""

_END = b"PK\x05\x06"
_END_BYTES = 22
_LOCATOR_64 = b"PK\x06\x07"
_LOCATOR_64_BYTES = 20


def run_in(archive: Path) -> bytes:
    """Return the content of `run.json` in *archive*; ArtifactError says what is wrong with it."""
    _check_end(archive)
    name = RunFolder(Path()).run.name
    try:
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                _check_entry(entry)
            found = [entry for entry in opened.infolist() if entry.filename == name]
            if len(found) != 1:
                raise _refused(f"it holds {len(found) or 'no'} {name}")
            return _content(opened, found[0])
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as problem:
        raise _refused(f"it cannot be read: {str(problem)[:200]!r}") from None


def _check_end(archive: Path) -> None:
    """The last record says how large the list of entries is; it is read before the list, which is read whole."""
    with archive.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_BYTES - _LOCATOR_64_BYTES))
        end = file.read()
    record = end[-_END_BYTES:]
    if len(record) < _END_BYTES or not record.startswith(_END):
        raise _refused("it is no zip archive, or ends in a comment")
    if end[:-_END_BYTES].startswith(_LOCATOR_64):
        raise _refused("it is a zip archive of more than 4 GiB or 65,535 entries")
    entries, directory = int.from_bytes(record[10:12], "little"), int.from_bytes(record[12:16], "little")
    if entries > MAX_ENTRIES or directory > MAX_DIRECTORY_BYTES:
        raise _refused(f"it lists {entries} entries in {directory} bytes")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    path = PurePosixPath(entry.filename)
    # zipfile cuts names at a zero byte and turns backslashes into slashes only where those are separators
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or entry.filename != entry.orig_filename:
        raise _refused(f"the entry {entry.orig_filename[:60]!r} leads elsewhere")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise _refused(f"the entry {entry.filename[:60]!r} is a link or a device")


def _content(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.flag_bits & 0x1 or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise _refused(f"{entry.filename} is encrypted, or compressed in another way than by deflate")
    if entry.file_size > LARGEST_BYTES:
        raise _refused(f"{entry.filename} would have {entry.file_size} bytes")
    with opened.open(entry) as file:
        content = file.read(LARGEST_BYTES + 1)  # what the list says of its size need not be true
    if len(content) > LARGEST_BYTES:
        raise _refused(f"{entry.filename} has more than {LARGEST_BYTES} bytes")
    return content


def _refused(why: str) -> ArtifactError:
    return ArtifactError(
        f"the artifact is not one that a measuring job uploads: {why}",
        hint="nothing of it was used, and nothing was published; run the measuring job again",
    )
