"""Shows progress while perfci measures: a live line in a terminal, plain lines in a log."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from perfci.cli.output import hide, say
from perfci.rig.load.generator import Live

if TYPE_CHECKING:
    from rich.console import Console


class Silent:
    """Progress that shows nothing (`--quiet`)."""

    def hide(self, values: Sequence[str]) -> None:
        """Leave masking to the runner, where there is one."""
        hide(values)

    def close(self) -> None:
        """Does nothing."""

    def phase(self, text: str) -> None:
        """Shows nothing."""

    def step(self, text: str) -> None:
        """Shows nothing."""

    def ahead(self, seconds: float) -> None:
        """Show nothing."""

    def live(self, live: Live) -> None:
        """Shows nothing."""

    def note(self, text: str) -> None:
        """Shows nothing."""


class Plain(Silent):
    """Progress for CI logs: one line for each phase, with the seconds since the start."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began = now()
        self._noted: set[str] = set()

    def live(self, live: Live) -> None:
        """Print what cannot wait until the round ends, once."""
        if live.note and live.note not in self._noted:
            self._noted.add(live.note)
            self.note(live.note)

    def phase(self, text: str) -> None:
        """Print the phase on a line of its own."""
        say(f"[{self._now() - self._began:6.1f} s] {text}", err=True)

    def note(self, text: str) -> None:
        """Print a note on a line of its own."""
        say(f"note: {text}", err=True)


class Terminal(Silent):
    """Progress in a terminal: the current phase and the numbers of the running round, rewritten in place."""

    def __init__(self, console: "Console | None" = None, now: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console

        self._console = console or Console(stderr=True, highlight=False)
        self._status = self._console.status("")
        self._now = now
        self._text = ""
        self._left = Remaining(now)
        self._first_s: float | None = None  # of the round, when its first request was seen
        self._running = False
        self._noted: set[str] = set()

    def phase(self, text: str) -> None:
        """Show the phase with a spinner."""
        self._text, self._first_s = text, None
        if not self._running:
            self._status.start()
            self._running = True
        self._show()

    def step(self, text: str) -> None:
        """Show the step in place of the phase."""
        self.phase(text)

    def ahead(self, seconds: float) -> None:
        """Update the time that the whole job has left."""
        self._left.learn(seconds)

    def live(self, live: Live) -> None:
        """Show users, rate, p95, failures and the time left; before the first request, that the round begins."""
        if live.note and live.note not in self._noted:
            self._noted.add(live.note)
            self.note(live.note)
        if not live.requests:
            self._show("starting the load")
            return
        if self._first_s is None:
            self._first_s = live.elapsed_s
        left_s = live.planned_s - (live.elapsed_s - self._first_s)
        p95s = [f"{side} {ms:.1f}" if side else f"{ms:.1f}" for side, ms in live.p95_ms.items()]
        parts = [  # the last of it is what a narrow terminal cuts off
            f"{left_s:.0f} s left" if left_s >= 1 else "ending",
            f"{live.users} user{'s' if live.users != 1 else ''}",
            f"{live.per_second:.0f} requests/s",
            *([f"{live.failures} failed"] if live.failures else []),
            *([f"p95 {' / '.join(p95s)} ms"] if p95s else []),
        ]
        self._show(" · ".join(parts), alarm=live.failures > 0)

    def note(self, text: str) -> None:
        """Print a note above the live lines."""
        self._console.print(f"note: {text}", markup=False)

    def close(self) -> None:
        """Remove the live lines."""
        if self._running:
            self._status.stop()
            self._running = False

    def _show(self, numbers: str = "", *, alarm: bool = False) -> None:
        from rich.console import Group
        from rich.text import Text

        rest = self._left.text()
        lines = [Text(f"{self._text} · {rest}" if rest else self._text, no_wrap=True, overflow="ellipsis")]
        if numbers:
            lines.append(Text(numbers, style="red" if alarm else "dim", no_wrap=True, overflow="ellipsis"))
        self._status.update(Group(*lines))


class Remaining:
    """Estimates how long the whole job will still take, from how long its finished parts took."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began: tuple[float, float] | None = None  # when, and what was planned from then on
        self._end: float | None = None

    def learn(self, planned_s: float) -> None:
        """Plan *planned_s* further seconds; finished work shows by what factor plans are exceeded."""
        now = self._now()
        if self._began is None:
            self._began = now, planned_s
            return
        since, whole_s = self._began
        if whole_s > planned_s:
            self._end = now + planned_s * max(1.0, (now - since) / (whole_s - planned_s))

    def text(self) -> str:
        """The time left as text; empty before the first part is over, and when the job takes longer than expected."""
        left_s = 0.0 if self._end is None else self._end - self._now()
        if left_s < 1:
            return ""
        return f"{left_s / 60:.0f} min left in all" if left_s >= 90 else f"{left_s:.0f} s left in all"
