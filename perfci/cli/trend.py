"""`perfci trend`."""

import os
from pathlib import Path

import click

from perfci.cli.history import place_options
from perfci.cli.options import config_option
from perfci.cli.output import say, width


@click.command("trend")
@click.argument("profile", metavar="[PROFILE[:SCENARIO]]", required=False)
@config_option
@click.option("--series", metavar="PATTERN", help='Lines to show, such as "GET /tickets/ p95", "*p95" or an endpoint.')
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="What to print.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file to write, instead of printing.")
@click.option("--issue", is_flag=True, help="Tell drifts for the worse in one issue; the token is in PERFCI_TOKEN.")
@place_options
def command(  # noqa: PLR0917  # click passes by name
    profile: str | None,
    config: Path,
    series: str | None,
    fmt: str,
    output: Path | None,
    issue: bool,
    folder: Path | None,
    bucket: str | None,
    branch: str,
    remote: str,
) -> None:
    """
    Show what changed along a history: by which commit, by how much, and whether it was accepted.

    Change points are found by the algorithm of Apache Otava, beside the test of the gate. Times of different machines,
    loads or data are different lines.
    """
    if issue and (profile or series):
        raise click.UsageError("--issue is about the whole history: leave PROFILE and --series out")

    from perfci.cli.ports import real_ports
    from perfci.pipeline.history import archive
    from perfci.pipeline.trend import trends
    from perfci.report import trend_text
    from perfci.report.trend import FORMATS

    place = archive(real_ports(config, quiet=True), folder=folder, bucket=bucket, remote=remote, branch=branch)
    found = trends(place, profile, series=series, config_file=config)
    text = trend_text.render(found, width=max(width(), 100)) if fmt == "text" else FORMATS[fmt](found)
    if output is None:
        say(text)
    else:
        output.write_text(text, encoding="utf-8")
        say(f"wrote {output}")
    if issue:
        from perfci.pipeline.drift_issue import keep

        kept = keep(found, os.environ)
        say(f"issue: {kept.status} {kept.url}".rstrip())
