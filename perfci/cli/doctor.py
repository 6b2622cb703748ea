"""`perfci doctor`."""

from pathlib import Path

import click

from perfci.cli.options import config_option, environment_option
from perfci.cli.ports import real_ports


@click.command("doctor")
@config_option
@environment_option
@click.pass_context
def command(ctx: click.Context, config: Path, environment: str | None) -> None:
    """Check what perfci needs on this machine, and say what is missing."""
    from perfci.errors import ExitCode
    from perfci.pipeline.doctor import examine

    checks = examine(real_ports(config, quiet=True), config.name, environment)
    for check in checks:
        click.echo(f"{'ok     ' if check.ok else 'MISSING' if check.needed else 'absent '} {check.what}: {check.found}")
    missing = [check.exit_code for check in checks if check.needed and not check.ok]
    # A file that has to be written otherwise comes before a program that has to be installed.
    ctx.exit(min(missing, default=ExitCode.OK))
