"""
A history: every run of the main branch, kept where it outlives the artifacts of its job.

It is a set of files, in a folder or on a branch of its own in the repository:

    history.json                             marks the rest as a history
    PROFILE/SCENARIO/2026-11.jsonl           the index: a row for each run of that month, in the order of arrival
    PROFILE/SCENARIO/changes.json            what was found along these rows when the last one was added
    PROFILE/SCENARIO/runs/TIME-ID.json       the run without what is known by the second

A run that is there is never changed. An index has a file for each month, so that adding a run writes little.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from perfci.errors import ResultError
from perfci.model import Changes, HistoryRow
from perfci.schema.stored import DAMAGED, parse_json
from perfci.store.history_json import CHANGES, MARKER, ROW, ChangesDocument, MarkerDocument, RowDocument

MARKER_FILE = "history.json"
ABOUT = "Runs of the main branch by profile and scenario, written by `perfci history push`."

_INDEX = re.compile(r"([^/]+/[^/]+)/(\d{4}-\d{2})\.jsonl")


class Files(Protocol):
    """The files of a history as they were at one moment; paths are relative, with slashes."""

    def paths(self) -> Sequence[str]:
        """Every file, in the order of their names."""

    def read(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """The content of those of *paths* that there are."""


Change = Callable[[Files], Mapping[str, str]]
"""Files of a history -> the files to write; empty where nothing is added."""


class Archive(Protocol):
    """A place that keeps a history."""

    @property
    def name(self) -> str:
        """What people know the place by."""

    def files(self) -> Files:
        """Its files as they are now."""

    def update(self, change: Change, *, message: str) -> bool:
        """
        Write what *change* makes of the files; return whether anything was written.

        Two writers at once lose nothing: *change* is called again for the files that the other one has left.
        """


def scenarios(files: Files) -> list[tuple[str, str]]:
    """Every profile and scenario with a run."""
    found = {match[1] for path in files.paths() if (match := _INDEX.fullmatch(path))}
    return [(profile, scenario) for profile, _, scenario in (each.partition("/") for each in sorted(found))]


def rows(files: Files, profile: str, scenario: str) -> list[HistoryRow]:
    """The index of one scenario, oldest first; ResultError names the line that cannot be read."""
    prefix = f"{profile}/{scenario}/"
    indexes = [path for path in files.paths() if path.startswith(prefix) and _INDEX.fullmatch(path)]
    content = files.read(indexes)
    found = [
        _row(line, where=f"{path}:{number}")
        for path in indexes
        for number, line in enumerate(content[path].splitlines(), start=1)
    ]
    return in_order(found)


def added(files: Files, profile: str, scenario: str, new: Sequence[tuple[HistoryRow, str]]) -> dict[str, str]:
    """The files that change where *new* rows join the index, each with its run as JSON."""
    folder = f"{profile}/{scenario}"
    indexes = sorted({_index(folder, row) for row, _ in new})
    before = files.read(indexes)
    written = {MARKER_FILE: json.dumps(MARKER.fields(MarkerDocument(about=ABOUT)), indent=1) + "\n"}
    for row, run in new:
        stamp = row.created_at[:19].replace(":", "").replace("-", "")
        written[f"{folder}/runs/{stamp}-{row.run}.json"] = run
    for index in indexes:
        lines = [_line(row) for row, _ in new if _index(folder, row) == index]
        written[index] = before.get(index, b"").decode() + "".join(lines)
    return written


def in_order(rows: Iterable[HistoryRow]) -> list[HistoryRow]:
    """Rows by the time when they were measured, oldest first, whatever the order of their arrival."""
    return sorted(rows, key=lambda row: (row.created_at, row.run))


def changes(files: Files, profile: str, scenario: str) -> Changes | None:
    """What was found along the rows of a scenario when the last one was added; None where nobody looked yet."""
    path = _changes_file(profile, scenario)
    content = files.read([path]).get(path)
    if content is None:
        return None
    try:
        return CHANGES.read(parse_json(content), where=path).to_model()
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{path} is not JSON: {error}", hint=DAMAGED) from None


def changed(profile: str, scenario: str, found: Changes) -> dict[str, str]:
    """The file that keeps what was *found*."""
    fields = CHANGES.fields(ChangesDocument.from_model(found))
    return {_changes_file(profile, scenario): json.dumps(fields, indent=1, ensure_ascii=False) + "\n"}


def _changes_file(profile: str, scenario: str) -> str:
    return f"{profile}/{scenario}/changes.json"


def check_marked(paths: Iterable[str], content: Mapping[str, bytes], *, where: str) -> None:
    """ResultError where there are files, and none of them says that they are a history of perfci's."""
    if not any(True for _ in paths):
        return
    if MARKER_FILE not in content:
        raise ResultError(
            f"{where} has files and no {MARKER_FILE}: it is no history of perfci's", hint="name another place"
        )
    try:
        MARKER.read(parse_json(content[MARKER_FILE]), where=f"{where}: {MARKER_FILE}")
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{where}: {MARKER_FILE} is not JSON: {error}", hint=DAMAGED) from None


def _index(folder: str, row: HistoryRow) -> str:
    return f"{folder}/{row.created_at[:7]}.jsonl"


def _line(row: HistoryRow) -> str:
    fields = ROW.fields(RowDocument.from_model(row))
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")) + "\n"


def _row(line: bytes, *, where: str) -> HistoryRow:
    try:
        content = parse_json(line)
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{where} is not JSON: {error}", hint=DAMAGED) from None
    return ROW.read(content, where=where).to_model()
