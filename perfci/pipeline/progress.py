"""The progress display, as use cases see it."""

from collections.abc import Sequence
from typing import Protocol

from perfci.rig.load.generator import Live


class Progress(Protocol):
    """Shows a person, or a CI log, what perfci is doing."""

    def phase(self, text: str) -> None:
        """A step of the run begins."""

    def step(self, text: str) -> None:
        """A part of the current step is done."""

    def ahead(self, seconds: float) -> None:
        """*seconds* of measuring are planned from here on, not counting what happens in between."""

    def live(self, live: Live) -> None:
        """A round is running."""

    def note(self, text: str) -> None:
        """Show a notice on a line of its own."""

    def hide(self, values: Sequence[str]) -> None:
        """Mask these *values* in all output from now on."""

    def close(self) -> None:
        """Nothing more will be shown."""
