"""What a person sees while perfci measures, in a real pseudo-terminal; and what a log gets instead."""

import os
import pty
import re
import select
import subprocess
import sys
import termios

import pytest

from perfci.cli.progress import Remaining

COLUMNS = 60
SCENE = """
from perfci.cli.ports import _progress
from perfci.model import Side
from perfci.rig.load.generator import Live

def live(**changes):
    seen = dict(elapsed_s=2.0, planned_s=9.0, requests=90, failures=0, users=1, per_second=30.0, p95_ms={None: 7.25})
    return Live(**{**seen, **changes})

shown = _progress(quiet=False)
for text, one in [
    ("round 1 of 2: load", live(requests=0)),
    ("round 1 of 2: load", live()),
    ("block 1 of 2: [bold]load on both sides[/bold] in turn, which is a long line", live(users=2, failures=3)),
    ("block 1 of 2: turns", live(p95_ms={Side.BASE: 1.0, Side.CANDIDATE: 22.0})),
]:
    shown.phase(text)
    shown.live(one)
    if status := getattr(shown, "_status", None):
        status._live.refresh()  # not when its thread comes to it, which on a busy machine is after the next
shown.note("something [red]else[/red]")
shown.close()
"""


def in_a_terminal(**environ: str) -> str:
    """What the scene writes to standard error, a terminal of so many columns."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, COLUMNS))
    kept = {name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR", "COLUMNS", "LINES"}}
    with subprocess.Popen(
        [sys.executable, "-c", SCENE], stderr=theirs, env={**kept, "TERM": "xterm", **environ}
    ) as child:
        os.close(theirs)
        written = b""
        while select.select([ours], [], [], 30)[0]:
            try:
                written += os.read(ours, 65536)
            except OSError:  # the terminal was closed
                break
        assert child.wait(30) == 0
    os.close(ours)
    return written.decode()


def plain(written: str) -> list[str]:
    """The lines that were written, each as often as it was, without what moves the cursor or colours."""
    return [
        line.rstrip() for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", written)) if line.strip()
    ]


@pytest.fixture(scope="module")
def written() -> str:
    """In a terminal like any other."""
    return in_a_terminal()


def test_a_terminal_shows_the_phase_and_its_numbers(written: str) -> None:
    """On two lines, of which neither is ever wrapped; nothing that anybody else named is taken for mark-up."""
    lines = plain(written)
    assert max(map(len, lines)) <= COLUMNS
    text = "\n".join(lines)
    assert "starting the load" in text
    assert "  9 s left · 1 user · 30 requests/s · p95 7.2 ms" in lines
    assert "block 1 of 2: [bold]load on both sides[/bold]" in text
    assert "  9 s left · 2 users · 30 requests/s · 3 failed · p95 7.2 ms" in lines
    assert "9 s left · 1 user · 30 requests/s · p95 base 1.0 / cand" in text
    assert "note: something [red]else[/red]" in lines
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1  # the cursor is hidden, and given back


def test_colour_is_left_out_where_it_is_not_wanted(written: str) -> None:
    """See no-color.org; the cursor still moves."""
    assert re.search(r"\x1b\[[\d;]*3\dm", written)
    assert not re.search(r"\x1b\[[\d;]*3\dm", in_a_terminal(NO_COLOR="1"))


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"GITHUB_ACTIONS": "true"}, {"TERM": "dumb"}], ids=str)
def test_what_is_no_screen_gets_lines(environ: dict[str, str]) -> None:
    """One for each phase, and no live ones: some runners give their steps a terminal that nobody watches."""
    written = in_a_terminal(**environ)
    assert "\x1b" not in written
    lines = plain(written)
    assert len(lines) == 5
    assert re.fullmatch(r"\[ +\d+\.\d s\] round 1 of 2: load", lines[0])
    assert lines[-1] == "note: something [red]else[/red]"


def test_the_time_left_follows_what_the_parts_took() -> None:
    """Half of what was planned took twice as long, so the other half will; before that nobody knows."""
    clock = [0.0]
    left = Remaining(lambda: clock[0])
    left.learn(200.0)
    clock[0] = 100.0
    assert left.text() == ""
    clock[0] = 200.0
    left.learn(100.0)
    assert left.text() == "3 min left in all"
    clock[0] = 350.0
    assert left.text() == "50 s left in all"
    clock[0] = 500.0
    assert left.text() == ""
