"""What commands print, and where: on a runner, without anything that its log would obey."""

import os
import sys

import click


def width() -> int:
    """Columns of the terminal, or a fixed number where there is none, so that logs read the same everywhere."""
    return os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else 120


def colour() -> bool:
    """Whether standard output is a terminal that wants colour (see no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def say(text: str, *, err: bool = False) -> None:
    """Print *text*; on a runner, whose log is a control channel, without anything that it would obey."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from perfci.publish.actions import clean

        text = clean(text)
    click.echo(text, err=err)
