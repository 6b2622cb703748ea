"""`perfci baseline`."""

from pathlib import Path

import click

from perfci.cli.common import config_option


@click.group("baseline")
def command() -> None:
    """The accepted runs that later ones are compared with."""


@command.command("record")
@click.argument("run", type=click.Path(path_type=Path))
@config_option
def record(run: Path, config: Path) -> None:
    """
    Accept the run in the folder RUN into the baseline of its scenario.

    Writes one new file below `baselines/`; commit it. A run that is not complete, or not valid, is refused.
    """
    from perfci.pipeline.baseline import record as accept

    path = accept(run, config_file=config)
    click.echo(f"recorded {path}; commit it to make it count")
