"""The progress display, as use cases see it."""

from collections.abc import Sequence
from typing import Protocol

from perfci.rig.load.generator import Live


class Progress(Protocol):
    """Shows a person, or a CI log, what perfci is doing."""

    def phase(self, text: str) -> None:
        """A step begins."""

    def step(self, text: str) -> None:
        """How far a step has come."""

    def ahead(self, seconds: float) -> None:
        """*seconds* of measuring are planned from here on, not counting what happens in between."""

    def live(self, live: Live) -> None:
        """A round is running."""

    def note(self, text: str) -> None:
        """Show a notice on a line of its own."""

    def hide(self, values: Sequence[str]) -> None:
        """Nobody who watches may see one of these *values*, whoever prints it."""

    def close(self) -> None:
        """Nothing more will be shown."""
