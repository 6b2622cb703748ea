"""What a person sees while perfci measures: a live line in a terminal, plain lines in a log."""

import time
from collections.abc import Callable

from perfci.cli.common import say
from perfci.rig.load.generator import Live


class Silent:
    """Says nothing."""

    def close(self) -> None:
        """Nothing."""

    def phase(self, text: str) -> None:
        """Nothing."""

    def step(self, text: str) -> None:
        """Nothing."""

    def live(self, live: Live) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


class Plain(Silent):
    """One line for each phase, with the seconds since the start: for CI logs, which are no screen."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began = now()

    def phase(self, text: str) -> None:
        """A line."""
        say(f"[{self._now() - self._began:6.1f} s] {text}", err=True)

    def note(self, text: str) -> None:
        """A line that is not a step."""
        say(f"note: {text}", err=True)


class Terminal(Silent):
    """The current phase and its numbers on one line that is rewritten."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("")
        self._text = ""
        self._running = False

    def phase(self, text: str) -> None:
        """Show the phase beside a spinner."""
        from rich.markup import escape

        self._text = escape(text)
        if not self._running:
            self._status.start()
            self._running = True
        self._status.update(self._text)

    def step(self, text: str) -> None:
        """Instead of the phase."""
        self.phase(text)

    def live(self, live: Live) -> None:
        """Users, rate, failures, p95 and the time left."""
        left = max(0.0, live.planned_s - live.elapsed_s)
        p95s = [f"{side} {ms:.1f}" if side else f"{ms:.1f}" for side, ms in live.p95_ms.items()]
        p95 = f" · p95 {' / '.join(p95s)} ms" if p95s else ""
        failures = f" · [red]{live.failures} failed[/]" if live.failures else ""
        users = f"{live.users} users · " if live.users > 1 else ""
        self._status.update(
            f"{self._text} · {users}{live.per_second:.0f} requests/s{p95}{failures} · {left:.0f} s left"
        )

    def note(self, text: str) -> None:
        """A line above the live one."""
        self._console.print(f"note: {text}", markup=False)

    def close(self) -> None:
        """Leave the terminal clean."""
        if self._running:
            self._status.stop()
            self._running = False
