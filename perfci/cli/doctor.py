"""`perfci doctor`."""

from pathlib import Path

import click

from perfci.cli.options import config_option, env_file_option, environment_option, host_option, quiet_option
from perfci.cli.ports import real_ports


@click.command("doctor")
@click.argument("profile", required=False, default="")
@env_file_option
@config_option
@environment_option
@host_option
@click.option("--no-start", is_flag=True, help="Check only the machine and the files; do not start the target.")
@quiet_option
@click.pass_context
def command(  # noqa: PLR0917  # click passes by name
    ctx: click.Context,
    profile: str,
    config: Path,
    environment: str | None,
    host: str | None,
    no_start: bool,
    quiet: bool,
) -> None:
    """
    Check what a run needs, and say what is missing, slow, unmeasurable or unsafe.

    Starts the target once and sends the requests of each task of PROFILE (PROFILE or PROFILE:SCENARIO; by default the
    first of the configuration), a few of each.
    """
    from perfci.errors import ExitCode
    from perfci.pipeline.diagnosis import Weight
    from perfci.pipeline.doctor import examine, look_at_target

    ports = real_ports(config, quiet=quiet)
    checks = examine(ports, config.name, environment, host)
    for check in checks:
        click.echo(f"{'ok     ' if check.ok else 'MISSING' if check.needed else 'absent '} {check.what}: {check.found}")
    missing = [check.exit_code for check in checks if check.needed and not check.ok]
    if missing or no_start:
        # A file that has to be written otherwise comes before a program that has to be installed.
        ctx.exit(min(missing, default=ExitCode.OK))
    try:
        lines = look_at_target(ports, config.name, environment, profile, host)
    finally:
        ports.progress.close()
    for line in lines:
        click.echo(f"{line.weight:7} {line.what}: {line.text}")
    ctx.exit(ExitCode.NOT_MEASURED if any(line.weight is Weight.BAD for line in lines) else ExitCode.OK)
