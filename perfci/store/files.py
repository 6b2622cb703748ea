"""Writes files whole or not at all, and reads JSON without trusting who wrote it."""

import os
import tempfile
from pathlib import Path
from typing import Any

from perfci.errors import ResultError
from perfci.schema.stored import DAMAGED, parse_json

LARGEST_BYTES = 64 * 2**20


def write_atomically(path: Path, text: str) -> None:
    """Replace the content of *path* in one step; what UTF-8 has no form for, as in the name of a file, becomes "?"."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):  # the file that the reader knows, not the draft
            error.filename = str(path)
        raise


def read_json(path: Path, *, what: str, missing: ResultError, inside: Path | None = None) -> tuple[Path, Any]:
    """
    The file that should hold *what*, and its content; where *path* is a folder, that of the file *inside* it.

    ResultError says why it cannot be read, *missing* that it is not there.
    """
    file = path
    try:
        file = inside if inside and path.is_dir() else path
        if file.stat().st_size > LARGEST_BYTES:
            raise ResultError(f"{file} is larger than {LARGEST_BYTES // 2**20} MiB and so no {what} of perfci's")
        content = parse_json(file.read_bytes())
    except FileNotFoundError:
        raise missing from None
    except OSError as error:
        raise ResultError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{file} is not JSON: {error}", hint=DAMAGED) from None
    return file, content
