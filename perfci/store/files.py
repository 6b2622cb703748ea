"""Files that are whole or not there, and JSON that is read as if anybody had written it."""

import json
import math
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from perfci.errors import ResultError

LARGEST_BYTES = 64 * 2**20
DAMAGED = "the file is damaged or truncated: measure again, or restore it"


def write_atomically(path: Path, text: str) -> None:
    """Replace the content of *path* in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):  # the file that the reader knows, not the draft
            error.filename = str(path)
        raise


def read_json(path: Path, *, what: str, missing: ResultError, inside: str = "") -> tuple[Path, Any]:
    """
    The file that should hold *what*, and its content; a folder stands for the file *inside* it.

    ResultError says why it cannot be read, *missing* that it is not there.
    """
    file = path
    try:
        file = path / inside if inside and path.is_dir() else path
        if file.stat().st_size > LARGEST_BYTES:
            raise ResultError(f"{file} is larger than {LARGEST_BYTES // 2**20} MiB and so no {what} of perfci's")
        content = json.loads(
            file.read_bytes(), parse_float=_finite, parse_constant=_finite, object_pairs_hook=_each_once
        )
    except FileNotFoundError:
        raise missing from None
    except OSError as error:
        raise ResultError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{file} is not JSON: {error}", hint=DAMAGED) from None
    return file, content


def take_schema(content: Any, file: Path, *, what: str, schema: int) -> dict[str, Any]:
    """The fields of a versioned document, without its version, which must be *schema*."""
    if not isinstance(content, dict) or "schema" not in content:
        raise ResultError(f"{file} is JSON, but not a {what} of perfci's: it has no schema number")
    found = content.pop("schema")
    if found != schema:
        raise ResultError(
            f"{file} has schema {found!r}, this perfci reads {schema}",
            hint="use the perfci that wrote it, or record anew",
        )
    return content


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no measured number")
    return number


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of an endpoint that came twice, one would be lost in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"{twice[:60]!r} is there twice")
    return found
