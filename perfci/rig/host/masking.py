"""Masks the secrets that a job gives to its service or load in everything that perfci prints or stores."""

import base64
import contextlib
import json
import mmap
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from perfci.errors import PerfciError

SHORT = 6
"""A value with fewer characters is masked as a whole word only, since it may be a part of any word."""

HIDDEN = "***"


class Mask:
    """Masks values in texts and files, in all forms in which programs write them."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self.values = tuple(dict.fromkeys(line for value in values for line in _lines(value)))
        forms = sorted({form for value in self.values for form in _forms(value)}, key=len, reverse=True)
        pattern = "|".join(_pattern(form) for form in forms)
        self._text = re.compile(pattern) if pattern else None
        self._bytes = re.compile(pattern.encode()) if pattern else None
        self._swept: dict[Path, tuple[int, int]] = {}

    def __bool__(self) -> bool:
        """Whether there is any value to mask."""
        return self._text is not None

    def __call__(self, text: str) -> str:
        """Mask the values in *text*."""
        return self._text.sub(HIDDEN, text) if self._text is not None else text

    def inside(self, value: Any) -> Any:
        """Mask the values in every text within lists and the values of mappings."""
        if self._text is None:
            return value
        if isinstance(value, dict):
            return {key: self.inside(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.inside(item) for item in value]
        return self(value) if isinstance(value, str) else value

    def error(self, error: PerfciError) -> None:
        """Mask the values in the message of *error*."""
        error.args = tuple(self.inside(list(error.args)))
        error.hint = self(error.hint)

    def sweep(self, folder: Path) -> None:
        """Overwrite the values in all files below *folder* that changed since the last call, byte by byte with `*`."""
        if self._bytes is None:
            return
        for path in folder.rglob("*"):
            if path.is_symlink() or not path.is_file():
                continue
            if (before := _state(path)) != self._swept.get(path):
                _overwrite(path, self._bytes)
                if (after := _state(path))[1] == before[1]:  # else somebody still writes to it: once more
                    self._swept[path] = after


@contextlib.contextmanager
def masking(mask: Mask) -> Iterator[None]:
    """Mask the values in a PerfciError that passes."""
    try:
        yield
    except PerfciError as error:
        mask.error(error)
        raise


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _overwrite(path: Path, pattern: re.Pattern[bytes]) -> None:
    """Mask a file in place: lengths that a binary format holds stay valid, and a large file is never in memory."""
    if not path.stat().st_size:
        return
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        for found in [match.span() for match in pattern.finditer(content)]:
            content[slice(*found)] = b"*" * (found[1] - found[0])


def _lines(value: str) -> list[str]:
    """The parts of a value to mask: each of its lines, since a log is searched line by line."""
    return [line for line in (part.strip() for part in value.splitlines()) if line]


def _forms(value: str) -> set[str]:
    """The forms of a value: plain, in JSON, in an address, and in base64."""
    encoded = base64.b64encode(value.encode()).decode()
    transforms: tuple[Callable[[str], str], ...] = (str, _in_json, lambda text: quote(text, safe=""), quote_plus)
    return {transform(value) for transform in transforms} | ({encoded} if len(value) >= SHORT else set())


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _pattern(form: str) -> str:
    escaped = re.escape(form)
    return escaped if len(form) >= SHORT else rf"(?<!\w){escaped}(?!\w)"
