"""`perfci gate`."""

from pathlib import Path

import click

from perfci.cli.output import say


@click.command("gate")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path), envvar="PERFCI_OUTPUT")
@click.pass_context
def command(ctx: click.Context, folder: Path) -> None:
    """
    Exit with the code of the run in the folder RUN: 0 for a pass.

    The last step of a CI job: by now the report, the comment and the artifact exist.
    """
    from perfci.pipeline.documents import read, read_exit

    outcome = read(folder)
    say(f"perfci: {outcome.verdict}: {outcome.reason}")
    ctx.exit(read_exit(folder))
