"""`perfci report`."""

from pathlib import Path

import click

from perfci.cli.options import config_option, format_option
from perfci.cli.output import say


@click.command("report")
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path), envvar="PERFCI_OUTPUT")
@config_option
@format_option("Print it, and write nothing.")
@click.option("--open", "opened", is_flag=True, help="Show the HTML report in the browser.")
def command(run: Path, config: Path, fmt: str | None, opened: bool) -> None:
    """
    Write the HTML report of the run RUN again, or print its report in another format.

    RUN is the folder of a run, or its id. The verdict stays as it was; `perfci compare RUN` judges anew.
    """
    from perfci.pipeline.report import view_of, write
    from perfci.report import FORMATS

    if fmt and opened:
        raise click.UsageError("--open shows the HTML report, --format prints one: take one of them")
    view = view_of(run, config_file=config)
    if fmt:
        say(FORMATS[fmt].render(view))
        return
    file = write(view, run, fmt="html", config_file=config)
    say(f"the report is {file}")
    if opened:
        click.launch(file.as_uri())
