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


@dataclass(frozen=True, slots=True)
class Kept:
    """What was found, and for which evidence: a row that asks for another has to be shown anew."""

    asked: str
    shown: Shown


class Evidence:
    """The evidence for each promise by its number, in a file that is written after each of them."""

    def __init__(self, file: Path, found: Mapping[str, Kept]) -> None:
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
            {
                number: Kept(row["asked"], Shown(State(row["state"]), row["command"], row["printed"]))
                for number, row in content.items()
            },
        )

    def get(self, number: str, asked: str) -> Shown | None:
        """What shows the promise *number* by what is *asked* for, if it was produced; what was left out is none."""
        kept = self._found.get(number)
        return None if kept is None or kept.asked != asked or kept.shown.state is State.NOT_RUN else kept.shown

    def keep(self, number: str, asked: str, shown: Shown) -> None:
        """Add the evidence for a promise, in the place of what there was."""
        self._found[number] = Kept(asked, shown)
        content = {number: {"asked": each.asked, **asdict(each.shown)} for number, each in sorted(self._found.items())}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
