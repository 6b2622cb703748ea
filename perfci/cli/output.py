"""What commands print: on a runner, workflow commands and escape sequences are removed from it."""

import os
import sys
from collections.abc import Sequence

import click


def width() -> int:
    """Columns of the terminal, or a fixed number without a terminal, so that logs have the same layout everywhere."""
    return os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else 120


def colour() -> bool:
    """Whether standard output is a terminal that takes colour (see no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def hide(values: Sequence[str]) -> None:
    """Let the runner mask *values* in the log, whatever prints them; nothing is printed where there is no runner."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from perfci.publish.actions import masking

        for value in values:
            click.echo(masking(value))


def say(text: str, *, err: bool = False) -> None:
    """Print *text*; on a runner, without workflow commands and escape sequences, since its log is a control channel."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from perfci.publish.actions import clean

        text = clean(text)
    click.echo(text, err=err)
