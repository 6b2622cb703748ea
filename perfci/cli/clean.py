"""`perfci clean`."""

import os

import click

from perfci.cli.ports import state_folder


@click.command("clean")
def command() -> None:
    """Remove what earlier runs left on this machine: processes of a killed perfci, images, environments of the load."""
    from perfci.pipeline.clean import clean

    lines = clean(state_folder(), environ=dict(os.environ))
    click.echo("\n".join(lines) or "nothing was left running")
