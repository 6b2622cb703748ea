"""`perfci seed`."""

from pathlib import Path

import click

from perfci.cli.options import Counts, config_option, environment_option
from perfci.cli.ports import real_ports


@click.command("seed")
@click.argument("url")
@config_option
@environment_option
@click.option("--clear-first", is_flag=True, help="Take out what an earlier seeding left.")
@click.option("--clean", is_flag=True, help="Only take the data out again.")
@click.option("--count", "counts", type=Counts(), multiple=True, help="Another number than configured; several times.")
@click.option("--rng-seed", type=click.IntRange(0), help="Other random data than configured.")
def command(  # noqa: PLR0917  # click passes by name
    url: str,
    config: Path,
    environment: str | None,
    clear_first: bool,
    clean: bool,
    counts: tuple[tuple[str, int], ...],
    rng_seed: int | None,
) -> None:
    """Put the configured data into the service at URL, which is already running."""
    from perfci.pipeline.seeding import seed_url

    done = seed_url(
        url,
        real_ports(config),
        config.name,
        environment,
        clear_first=clear_first,
        clean=clean,
        rng_seed=rng_seed,
        counts=dict(counts),
    )
    click.echo(done)
