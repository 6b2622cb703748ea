"""`perfci clean`."""

import os

import click

from perfci.cli.ports import state_folder


@click.command("clean")
def command() -> None:
    """Stop and remove what an earlier, killed perfci left on this machine. Twice is harmless."""
    from perfci.rig.target import sweep

    ended = sweep(state_folder(), environ=dict(os.environ))
    click.echo("\n".join(ended) or "nothing was left running")
