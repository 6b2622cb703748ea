"""`perfci baseline`."""

from pathlib import Path

import click

from perfci.cli.options import config_option


@click.group("baseline")
def command() -> None:
    """The accepted runs that later ones are compared with."""


@command.command("record")
@click.argument("run", type=click.Path(path_type=Path))
@config_option
@click.option("--census-only", is_flag=True, help="Accept its counts of work alone, in census.json.")
def record(run: Path, config: Path, census_only: bool) -> None:
    """
    Accept the run in the folder RUN into the baseline of its scenario.

    Writes one new file below `baselines/`, and the counts of its work into `census.json` beside it; commit both. A run
    that is not complete, or not valid, is refused.
    """
    from perfci.pipeline.baseline import record as accept

    paths = accept(run, config_file=config, census_only=census_only)
    click.echo(f"recorded {' and '.join(map(str, paths))}; commit it to make it count")
