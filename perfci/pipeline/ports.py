"""What the use cases need from the outside, as arguments: the CLI builds the real ones, once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from perfci.rig.load.generator import Live


class Progress(Protocol):
    """Where a person, or a CI log, sees what is going on."""

    def phase(self, text: str) -> None:
        """A step begins."""

    def step(self, text: str) -> None:
        """How far a step has come."""

    def ahead(self, seconds: float) -> None:
        """So many seconds of measuring are planned from here on, without what lies between."""

    def live(self, live: Live) -> None:
        """A round is running."""

    def note(self, text: str) -> None:
        """Something worth a line of its own."""

    def close(self) -> None:
        """Nothing more will come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Environment, clock, folders and progress."""

    environ: Mapping[str, str]
    now: Callable[[], datetime]
    root: Path  # the project's folder, where perfci.toml is
    work: Path  # where runs get their folders
    output: Path | None = None  # the folder of this run, where the caller named one
    state: Path  # what was started and must be stopped, for the next perfci to find
    progress: Progress
