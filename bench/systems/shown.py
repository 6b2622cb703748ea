"""What became of a promise, and the file that keeps it, so that a later call goes on where this one ended."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self


class State(StrEnum):
    """What became of a promise."""

    SHOWN = "shown"
    BREACHED = "breached"
    NOT_SHOWN = "**not shown**"
    NOT_RUN = "not run"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Shown:
    """What was found."""

    state: State
    command: str
    printed: str


class Evidence:
    """The evidence for each promise by its number, in a file that is written after each of them."""

    def __init__(self, file: Path, found: Mapping[str, Shown]) -> None:
        """*found* is what the file holds."""
        self._file = file
        self._found = dict(found)

    @classmethod
    def read(cls, file: Path) -> Self:
        """What an earlier call left in *file*; nothing where there is no such file."""
        if not file.is_file():
            return cls(file, {})
        content = json.loads(file.read_text(encoding="utf-8"))
        return cls(
            file,
            {number: Shown(State(row["state"]), row["command"], row["printed"]) for number, row in content.items()},
        )

    def get(self, number: str) -> Shown | None:
        """The evidence for the promise *number*, if it was produced; what was left out is none."""
        shown = self._found.get(number)
        return None if shown is not None and shown.state is State.NOT_RUN else shown

    def keep(self, number: str, shown: Shown) -> None:
        """Add the evidence for a promise, in the place of what there was."""
        self._found[number] = shown
        content = {number: asdict(each) for number, each in sorted(self._found.items())}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
