"""`perfci baseline`."""

from pathlib import Path

import click

from perfci.cli.options import config_option


@click.group("baseline")
def command() -> None:
    """Manage the accepted runs that later runs are compared with."""


@command.command("record")
@click.argument("run", type=click.Path(path_type=Path))
@config_option
@click.option("--census-only", is_flag=True, help="Accept only its counts of work, in census.json.")
def record(run: Path, config: Path, census_only: bool) -> None:
    """
    Accept the run in the folder RUN into the baseline of its scenario.

    Writes one new file below `baselines/`, and the counts of its work into `census.json` beside it; commit both. A run
    that is not complete, or not valid, is refused.
    """
    from perfci.pipeline.baseline import record as accept

    paths = accept(run, config_file=config, census_only=census_only)
    click.echo(f"recorded {' and '.join(map(str, paths))}; commit it to make it count")


@command.command("list")
@config_option
def list_(config: Path) -> None:
    """Show every baseline of the project: how many runs, from when to when, of which machines."""
    from perfci.pipeline.baselines import listed

    for accepted in listed(config):
        classes = ", ".join(sorted({each.machine_class or "unknown" for each in accepted.runs}))
        days = [each.run.created_at[:10] for each in accepted.runs]
        span = f"{days[0]} to {days[-1]}" if days else "no run"
        counts = ", census.json" if accepted.counted else ""
        click.echo(f"{accepted.name}: {len(days)} runs{counts}, {span}, {classes}".rstrip(", "))


@command.command("show")
@click.argument("profile")
@config_option
def show(profile: str, config: Path) -> None:
    """Show the accepted runs of PROFILE or PROFILE:SCENARIO, oldest first."""
    from perfci.pipeline.baselines import shown, summary

    for accepted in shown(profile, config).runs:
        click.echo("  ".join(summary(accepted)))


@command.command("add")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@config_option
def add(runs: tuple[Path, ...], config: Path) -> None:
    """Accept each of RUNS in addition to the accepted runs: `record` for several."""
    from perfci.pipeline.baseline import record as accept

    for run in runs:
        click.echo(f"recorded {' and '.join(map(str, accept(run, config_file=config)))}")


@command.command("refresh")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@config_option
@click.option("--table", type=click.Path(dir_okay=False, path_type=Path), help="Write the table before and after here.")
def refresh(runs: tuple[Path, ...], config: Path, table: Path | None) -> None:
    """
    Replace the accepted runs of their machine class by RUNS.

    Runs that are not complete or not valid are left out. Prints a table of before and after, in Markdown.
    """
    from perfci.pipeline.baselines import refresh as renew

    done = renew(runs, config)
    if table is not None:
        table.write_text(done.table, encoding="utf-8")
    click.echo(done.table, nl=False)
    for reason in done.refused:
        click.echo(f"left out: {reason}", err=True)
    click.echo(
        f"{len(done.written)} files written, {len(done.removed)} removed; commit them to make it count", err=True
    )


@command.command("prune")
@config_option
@click.option(
    "--keep", type=click.IntRange(1), default=10, show_default=True, help="Runs of each machine class to keep."
)
@click.option("--dry-run", is_flag=True, help="Show the files, and remove none.")
def prune(config: Path, keep: int, dry_run: bool) -> None:
    """Remove accepted runs that no comparison reads any more: all but the newest of each machine class."""
    from perfci.pipeline.baselines import prune as remove

    for file in remove(config, keep=keep, dry_run=dry_run):
        click.echo(f"{'would remove' if dry_run else 'removed'} {file}")
