"""`perfci history`."""

from collections.abc import Callable
from pathlib import Path

import click

from perfci.cli.options import config_option
from perfci.cli.output import say


def place_options(command: click.decorators.FC) -> click.decorators.FC:
    """The options that say where a history is kept."""
    options: list[Callable[[click.decorators.FC], click.decorators.FC]] = [
        click.option(
            "--folder",
            type=click.Path(file_okay=False, path_type=Path),
            envvar="PERFCI_HISTORY_FOLDER",
            help="The folder of the history, instead of a branch.",
        ),
        click.option(
            "--bucket",
            metavar="s3://BUCKET/PREFIX",
            envvar="PERFCI_HISTORY_BUCKET",
            help="A bucket that keeps it, instead of a branch; needs perfci[object-storage].",
        ),
        click.option(
            "--branch",
            default="perfci-history",
            show_default=True,
            envvar="PERFCI_HISTORY_BRANCH",
            help="The branch of the history, which shares no commit with the code.",
        ),
        click.option(
            "--remote", default="origin", show_default=True, help="The remote of the branch: its name or its address."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group("history")
def command() -> None:
    """The runs of the main branch, kept for years: `push` adds some, `perfci trend` shows what changed."""


@command.command("push")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@config_option
@place_options
def push(  # noqa: PLR0917  # click passes by name
    runs: tuple[Path, ...], config: Path, folder: Path | None, bucket: str | None, branch: str, remote: str
) -> None:
    """
    Add runs to the history: one commit on its branch, or new files in a folder or bucket.

    A run is its folder, its file, or its id. Several jobs may push at once: what is there is never overwritten, and a
    run that is there already stays as it is. Exit code 4 where the branch or bucket cannot be written.
    """
    from perfci.cli.ports import real_ports
    from perfci.pipeline.history import archive
    from perfci.pipeline.history import push as add

    ports = real_ports(config, quiet=True)
    place = archive(ports, folder=folder, bucket=bucket, remote=remote, branch=branch)
    done = add(runs, place, config_file=config, ports=ports)
    for row in done.added:
        note = f"; no part of any trend: {row.excluded}" if row.excluded else ""
        say(f"added run {row.run} to {done.place}{note}")
    if done.known:
        say(f"{done.known} of {len(runs)} runs were there already")
    for note in done.notes:
        say(note)
