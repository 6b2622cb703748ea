"""`perfci init`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from perfci.cli.options import config_option, quiet_option
from perfci.cli.ports import real_ports

if TYPE_CHECKING:
    from perfci.pipeline.starter import Proposal


@click.command("init")
@config_option
@click.option(
    "--target",
    "kind",
    type=click.Choice(["compose", "command", "dockerfile"]),
    help="How the service is started, instead of the best guess.",
)
@click.option("--no-start", is_flag=True, help="Only read files: do not build and start the service.")
@click.option("--minimal", is_flag=True, help="Write only a short perfci.toml and the load: no workflow, no comments.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, as a diff; write nothing.")
@quiet_option
def command(  # noqa: PLR0917  # click passes by name
    config: Path, kind: str | None, no_start: bool, minimal: bool, dry_run: bool, quiet: bool
) -> None:
    """Look at this repository and write a first perfci.toml, a Locust file and the workflows."""
    from perfci.pipeline.starter import Wishes, propose

    ports = real_ports(config, quiet=quiet)
    wishes = Wishes(config_file=config.name, kind=kind, start=not no_start, minimal=minimal)
    proposal = propose(ports, wishes)
    if dry_run:
        click.echo(proposal.diff(ports.root), nl=False)
    else:
        proposal.write(ports.root)
    if not quiet:
        click.echo(_account(proposal, dry_run=dry_run), err=dry_run)


def _account(proposal: "Proposal", *, dry_run: bool) -> str:
    """Describe what was guessed and why, what was written and kept, and the next steps."""
    lines = ["Guessed"]
    wide = max(len(guess.what) for guess in proposal.guesses)
    lines += [f"  {guess.what:{wide}}  {guess.value}\n  {'':{wide}}    {guess.why}" for guess in proposal.guesses]
    new = [name for name in proposal.files if name not in proposal.present]
    lines += ["", "Would write" if dry_run else "Written", *[f"  {name}" for name in new or ["nothing"]]]
    if proposal.present:
        lines += ["", "Kept as it is", *[f"  {name}" for name in proposal.files if name in proposal.present]]
        lines += ["  (--dry-run shows what perfci would have written there)"] * (not dry_run)
    if proposal.todo:
        lines += ["", "For you to look at", *[f"  - {each}" for each in proposal.todo]]
    lines += [
        "",
        f"next: perfci doctor, then perfci run {proposal.profile} --base HEAD, which compares the code with itself",
    ]
    return "\n".join(lines)
