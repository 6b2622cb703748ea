"""Where people watch a run: what the use cases say while they work."""

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
