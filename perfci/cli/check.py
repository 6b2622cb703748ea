"""`perfci check`."""

from pathlib import Path

import click

from perfci.cli.options import config_option, format_option
from perfci.cli.output import colour, say, width


@click.command("check")
@click.argument("path", metavar="RUN", type=click.Path(path_type=Path))
@config_option
@click.option("--profile", metavar="PROFILE", help="The profile whose SLOs apply. [default: the profile of RUN]")
@format_option("Default: text for the terminal.")
@click.pass_context
def command(ctx: click.Context, path: Path, config: Path, profile: str | None, fmt: str | None) -> None:
    """
    Judge RUN against the SLOs only; RUN is a run, or a result file of another tool.

    A limit that is breached ends with exit code 10, one that nothing could be held against with 11.
    """
    from perfci.config import FailOn
    from perfci.pipeline.check import check
    from perfci.pipeline.documents import exit_code
    from perfci.report import FORMATS, terminal

    view = check(path, config_file=config, profile=profile)
    if fmt is not None:
        say(FORMATS[fmt].render(view))
    else:
        say(terminal.render(view.outcome, width=width(), colour=colour()))
    ctx.exit(exit_code(view.outcome.verdict, FailOn.INCONCLUSIVE))
