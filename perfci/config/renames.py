"""
Keys and words of `perfci.toml` that were renamed: a warning for one release, then an error that names the new one.

A path is written with dots; `*` stands for a name that the user chose: `profiles.*.scenarios.*.users`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perfci.errors import ConfigError
from perfci.model import FORMER_METRICS


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """One key that has another name, or none any more."""

    old: str
    new: str = ""  # "" where nothing took its place; the same number of `*` as in the old path
    advice: str = ""  # what to do instead, where nothing took its place
    error: bool = False  # from the release after the one that renamed it


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewording:
    """Words that are values of a key, and are called otherwise now."""

    key: str  # its path; `*` also stands for each table of a list
    words: Mapping[str, str]


RENAMES: Sequence[Rename] = tuple(
    Rename(old=f"gate.budget.*.*.{former}", new=f"gate.budget.*.*.{name}") for former, name in FORMER_METRICS.items()
)
"""Every rename of a key since the first release."""

_ROLES = {"decides": "required", "guards": "guarding", "informs": "advisory"}

REWORDINGS: Sequence[Rewording] = (
    Rewording(key="gate.budget.*.*.*.role", words=_ROLES),
    Rewording(key="gate.override.*.role", words=_ROLES),
    Rewording(key="gate.override.*.metric", words=FORMER_METRICS),
    Rewording(key="gate.slo.*.metric", words=FORMER_METRICS),
)
"""The same for words."""

_NOT_MUCH_LONGER = "the old name is an error from the next release on"


def apply_renames(
    document: dict[str, Any], renames: Sequence[Rename] = RENAMES, *, where: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """
    Return the *document* with today's keys, and one warning for each key that was renamed or removed.

    ConfigError where a key is an error by now, or stands there under both names.
    """
    warnings = []
    for rename in renames:
        for names in list(_matches(document, rename.old.split("."), ())):
            old = _filled(rename.old, names)
            new = _filled(rename.new, names)
            message = (
                f"{where}: {old} is now called {new}" if new else f"{where}: {old} is gone. {rename.advice}".strip()
            )
            if rename.error:
                raise ConfigError(message, hint=f"rename {old} to {new}" if new else f"remove {old}")
            value = _take(document, old.split("."))
            if new and not _put(document, new.split("."), value):
                raise ConfigError(f"{where} has both {old} and {new}, its new name", hint=f"remove {old}")
            warnings.append(f"{message}: {_NOT_MUCH_LONGER}" if new else message)
    return document, tuple(warnings)


def apply_rewordings(
    document: dict[str, Any], rewordings: Sequence[Rewording] = REWORDINGS, *, where: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the *document* with today's values, and one warning for each value that was renamed."""
    warnings = []
    for rewording in rewordings:
        for table, key, place in _values(document, rewording.key.split("."), ""):
            if isinstance(old := table[key], str) and old in rewording.words:
                table[key] = new = rewording.words[old]
                warnings.append(f'{where}: {place} = "{old}" is now called "{new}": {_NOT_MUCH_LONGER}')
    return document, tuple(warnings)


def _values(table: Any, path: Sequence[str], above: str) -> Iterator[tuple[Any, Any, str]]:
    """Each place in *table* that has the path: what holds the value, under which key or number, and its full path."""
    first, rest = path[0], path[1:]
    keys: list[Any] = []
    if isinstance(table, dict):
        keys = list(table) if first == "*" else [key for key in (first,) if key in table]
    elif isinstance(table, list) and first == "*":
        keys = list(range(len(table)))
    for key in keys:
        place = f"{above}.{key}" if above else str(key)
        if rest:
            yield from _values(table[key], rest, place)
        else:
            yield table, key, place


def _matches(table: object, path: Sequence[str], names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The names that `*` stands for, once for each place in *table* that has the path."""
    if not path:
        yield names
        return
    first, rest = path[0], path[1:]
    if not isinstance(table, dict):
        return
    for key in list(table) if first == "*" else [first] if first in table else []:
        yield from _matches(table[key], rest, (*names, key) if first == "*" else names)


def _filled(path: str, names: Sequence[str]) -> str:
    for name in names:
        path = path.replace("*", name, 1)
    return path


def _take(document: dict[str, Any], path: Sequence[str]) -> object:
    for name in path[:-1]:
        document = document[name]
    return document.pop(path[-1])


def _put(document: dict[str, Any], path: Sequence[str], value: object) -> bool:
    """Set *path* to *value*, unless something stands there."""
    for name in path[:-1]:
        document = document.setdefault(name, {})
    if path[-1] in document:
        return False
    document[path[-1]] = value
    return True
