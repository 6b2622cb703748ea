"""Writes docs/faults.md from the marks of the tests: `python -m tests.faults.table`."""

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import tests
from tests.faults import FAULTS, Fault

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
HEAD = """\
# Faults

What can go wrong, and what is seen then. Every row is a test that makes the fault happen (`pytest tests/faults`, and
the tests elsewhere with the mark `fault`) and asserts what the row says: the message, the next step, the exit code and
the verdict. Whatever happens, perfci leaves nothing running and keeps what was measured. An ellipsis stands for
anything, a dash for nothing (where nothing was judged, there is no verdict).

This page is written by `python -m tests.faults.table`."""


def rows() -> list[Fault]:
    """Every row that a test stands for, in the order of the list."""
    found = {row for module in _modules() for row in _marked(module)}
    return sorted(
        found, key=lambda row: (list(FAULTS).index(row.where), FAULTS[row.where].index(row.what), row.case, row.seen)
    )


def _modules() -> Iterator[ModuleType]:
    for info in pkgutil.walk_packages(tests.__path__, "tests."):
        name = info.name.rpartition(".")[2]
        if name.startswith("test_"):
            path = Path(*info.name.split(".")).with_suffix(".py")
            if "from tests.faults import" in (PAGE.parents[1] / path).read_text():
                yield importlib.import_module(info.name)


def _marked(module: ModuleType) -> Iterator[Fault]:
    for thing in vars(module).values():
        if isinstance(thing, FunctionType):
            yield from _of(getattr(thing, "pytestmark", []))


def _of(marks: Any) -> Iterator[Fault]:
    for mark in marks:
        if mark.name == "fault":
            yield mark.args[0]
        elif mark.name == "parametrize":
            for case in mark.args[1]:
                yield from _of(getattr(case, "marks", ()))


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    known = rows()
    for where in FAULTS:
        parts += [f"\n## {where.capitalize()}\n", "| Fault | What is seen | Next step | Exit code | Verdict |"]
        parts += ["| :--- | :--- | :--- | ---: | :--- |"]
        parts += [_line(row) for row in known if row.where == where]
    return "\n".join(parts) + "\n"


def _line(row: Fault) -> str:
    cells = [
        row.what + (f": {row.case}" if row.case else ""),
        _quoted(row.seen),
        _quoted(row.then),
        str(int(row.exit)),
        row.verdict.value if row.verdict else "-",
    ]
    return "| " + " | ".join(cells) + " |"


def _quoted(text: str) -> str:
    if not text:
        return "-"
    fence = "``" if "`" in text else "`"
    gap = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{gap}{text}{gap}{fence}".replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{len(rows())} rows in {PAGE.name}\n")
