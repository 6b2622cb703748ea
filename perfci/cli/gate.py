"""`perfci gate`."""

from pathlib import Path

import click


@click.command("gate")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path), envvar="PERFCI_OUTPUT")
@click.pass_context
def command(ctx: click.Context, folder: Path) -> None:
    """
    Fail, or not, as the run in the folder RUN was judged.

    The last step of a CI job: by now the report, the comment and the artifact exist.
    """
    from perfci.pipeline.documents import RESULT, read_exit
    from perfci.report import json_v1

    code = read_exit(folder)
    result = folder / RESULT
    if result.exists():
        outcome = json_v1.read(result.read_bytes())
        click.echo(f"perfci: {outcome.verdict}: {outcome.reason}")
    else:
        click.echo((folder / "error.txt").read_text() if (folder / "error.txt").exists() else "perfci: no result")
    ctx.exit(code)
