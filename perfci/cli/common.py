"""What several commands share: options, and the real ports, built in one place."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from perfci.pipeline.ports import Ports
    from perfci.pipeline.progress import Progress

config_option = click.option(
    "--config",
    "config",
    type=click.Path(dir_okay=False, path_type=Path),
    default="perfci.toml",
    show_default=True,
    envvar="PERFCI_CONFIG",
    help="The configuration file; its folder is the project.",
)
environment_option = click.option(
    "--environment", envvar="PERFCI_ENVIRONMENT", metavar="NAME", help="A named environment of the configuration."
)
quiet_option = click.option("--quiet", is_flag=True, envvar="PERFCI_QUIET", help="Say nothing but the verdict.")


class Pairs(click.ParamType[tuple[str, str]]):
    """KEY=VALUE."""

    name = "KEY=VALUE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split at the first equals sign."""
        key, equals, text = str(value).partition("=")
        if not equals or not key.isidentifier():
            self.fail(f"{value!r} is not of the form KEY=VALUE", param, ctx)
        return key, text


class Seconds(click.ParamType[float]):
    """A duration such as 90s, 2m or 1h."""

    name = "DURATION"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """In seconds."""
        from perfci.config import seconds

        try:
            return seconds(value)
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


def state_folder() -> Path:
    """Where perfci notes what it started, so that the next one can stop what a killed one left."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "perfci"


def real_ports(config: Path, *, quiet: bool = False) -> "Ports":
    """The outside world as it is."""
    from perfci.pipeline.ports import Ports

    root = config.parent.resolve()
    return Ports(
        environ=dict(os.environ),
        now=lambda: datetime.now(UTC),
        root=root,
        work=root / ".perfci" / "runs",
        state=state_folder(),
        progress=_progress(quiet=quiet),
    )


def _progress(*, quiet: bool) -> "Progress":
    from perfci.cli import progress

    if quiet:
        return progress.Silent()
    # Some runners give their steps a terminal that nobody watches.
    ours = not os.environ.get("CI") and os.environ.get("GITHUB_ACTIONS") != "true"
    watched = ours and sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in {"dumb", "unknown"}
    return progress.Terminal() if watched else progress.Plain()


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
