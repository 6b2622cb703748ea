"""`perfci compare`."""

from functools import partial
from pathlib import Path

import click

from perfci.cli.options import config_option, format_option
from perfci.cli.output import colour, say, width


@click.command("compare")
@click.argument("paths", nargs=-1, required=True, metavar="[BASE] CANDIDATE", type=click.Path(path_type=Path))
@config_option
@click.option("--explain", metavar="SERIES", help='Explain one decision, e.g. "GET /tickets/ service_time".')
@format_option("Default: text for the terminal.")
@click.option("--timings", "with_timings", is_flag=True, help="Show how long each step of the candidate's run took.")
@click.option("--json", "as_json", is_flag=True, help="The result, or the explanation, as JSON.")
@click.option("--markdown", is_flag=True, help="The comment as it would be posted: --format markdown.")
@click.option("--verbose", is_flag=True, help="Show the advisory series, too.")
@click.option(
    "--fail-on",
    type=click.Choice(["never", "regression", "no-baseline", "inconclusive"]),
    help="Which verdicts fail, each with those before it; invalid always does.  [default: as configured]",
)
@click.pass_context
def command(  # noqa: PLR0917  # click passes by name
    ctx: click.Context,
    paths: tuple[Path, ...],
    config: Path,
    explain: str | None,
    with_timings: bool,
    fmt: str | None,
    as_json: bool,
    markdown: bool,
    verbose: bool,
    fail_on: str | None,
) -> None:
    """
    Judge stored runs: CANDIDATE against BASE (a run, or a folder of runs).

    A run is its file, its folder, or its id; BASE may be a census.json, too. One path alone: a run that measured both
    sides is judged again, any other against its stored baseline.
    """
    from perfci.config import FailOn
    from perfci.pipeline.compare import compare, configured_fail_on
    from perfci.pipeline.documents import exit_code
    from perfci.report import FORMATS, terminal, timings
    from perfci.report import explain as explained

    if len(paths) > 2:
        raise click.UsageError("compare takes one or two paths")
    view = compare(paths[0] if len(paths) == 2 else None, paths[-1], config_file=config)
    if explain is not None:
        explained_as = explained.explain_json if as_json else partial(explained.explain, width=width())
        text = explained_as(view.outcome, explain)
    elif chosen := fmt or ("json" if as_json else "markdown" if markdown else None):
        text = FORMATS[chosen].render(view)
    else:
        text = terminal.render(view.outcome, width=width(), colour=colour(), verbose=verbose)
    say(text)
    if with_timings and view.run is not None:
        say(timings.table(view.run.timings))
    ctx.exit(exit_code(view.outcome.verdict, FailOn(fail_on) if fail_on else configured_fail_on(config)))
