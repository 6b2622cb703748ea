"""Finds the settings files that Locust would read and perfci withholds, since the plan alone decides the load."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

FILES = ("locust.conf", "~/.locust.conf", "~/locust.conf")
PYPROJECT = "pyproject.toml"

_KEY = re.compile(r"^\s*(?:--)?([A-Za-z][\w-]{0,40})\s*(?:[=:\s]|$)", re.MULTILINE)
_MOST_BYTES = 100_000


def unread(folder: Path) -> dict[str, tuple[str, ...]]:
    """Each file that Locust would read, started in *folder*, with the names of its settings."""
    found = {name: _keys(text) for name in FILES for text in _text(folder / Path(name).expanduser())}
    for text in _text(folder / PYPROJECT):
        if keys := _table(text):
            found[f"[tool.locust] of {PYPROJECT}"] = keys
    return found


def _text(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            yield file.read(_MOST_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return


def _keys(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_KEY.findall(text)))


def _table(text: str) -> tuple[str, ...]:
    try:
        table = tomllib.loads(text).get("tool", {}).get("locust", {})
        return tuple(table) if isinstance(table, dict) else ()
    except (ValueError, AttributeError, RecursionError):  # Locust would say so, and nobody asks it
        return ()
