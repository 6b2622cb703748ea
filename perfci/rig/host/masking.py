"""Values that nobody may read in what perfci prints or stores: the secrets that a job gives to its service or load."""

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
"""Characters below which a value is looked for as a whole word only, since it may be a part of any word."""

HIDDEN = "***"


class Mask:
    """Takes values out of texts and files, in the forms in which programs write them."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self.values = tuple(dict.fromkeys(line for value in values for line in _lines(value)))
        forms = sorted({form for value in self.values for form in _forms(value)}, key=len, reverse=True)
        pattern = "|".join(_pattern(form) for form in forms)
        self._text = re.compile(pattern) if pattern else None
        self._bytes = re.compile(pattern.encode()) if pattern else None
        self._swept: dict[Path, tuple[int, int]] = {}

    def __bool__(self) -> bool:
        """Whether there is anything to hide."""
        return self._text is not None

    def __call__(self, text: str) -> str:
        """*text* with each value replaced."""
        return self._text.sub(HIDDEN, text) if self._text is not None else text

    def inside(self, value: Any) -> Any:
        """The same of every text in lists and in the values of mappings."""
        if self._text is None:
            return value
        if isinstance(value, dict):
            return {key: self.inside(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.inside(item) for item in value]
        return self(value) if isinstance(value, str) else value

    def error(self, error: PerfciError) -> None:
        """Replace the values in what *error* says."""
        error.args = tuple(self.inside(list(error.args)))
        error.hint = self(error.hint)

    def sweep(self, folder: Path) -> None:
        """Overwrite the values in all files below *folder* that changed since the last time, each by as many `*`."""
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
    """Take the values out of an error on its way out."""
    try:
        yield
    except PerfciError as error:
        mask.error(error)
        raise


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _overwrite(path: Path, pattern: re.Pattern[bytes]) -> None:
    """In place, so that lengths which a binary format holds stay true, and a large file is never in memory."""
    if not path.stat().st_size:
        return
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        for found in [match.span() for match in pattern.finditer(content)]:
            content[slice(*found)] = b"*" * (found[1] - found[0])


def _lines(value: str) -> list[str]:
    """What is secret of a value: each of its lines, as a log is searched line by line."""
    return [line for line in (part.strip() for part in value.splitlines()) if line]


def _forms(value: str) -> set[str]:
    """The value as it is, in JSON, in an address, and in base64."""
    encoded = base64.b64encode(value.encode()).decode()
    transforms: tuple[Callable[[str], str], ...] = (str, _in_json, lambda text: quote(text, safe=""), quote_plus)
    return {transform(value) for transform in transforms} | ({encoded} if len(value) >= SHORT else set())


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _pattern(form: str) -> str:
    escaped = re.escape(form)
    return escaped if len(form) >= SHORT else rf"(?<!\w){escaped}(?!\w)"
