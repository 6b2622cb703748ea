"""`perfci publish`."""

import os
from pathlib import Path

import click

from perfci.cli.options import LOGIN
from perfci.cli.output import say
from perfci.cli.run import COMMENT
from perfci.errors import ExitCode


@click.command("publish")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path), envvar="PERFCI_OUTPUT")
@click.option(
    "--comment",
    type=click.Choice(COMMENT),
    help="When to comment on the pull request; auto: unless it passed and there is no earlier one.  [default: auto]",
)
@click.option("--artifact-url", default="", envvar="PERFCI_ARTIFACT_URL", help="Where the artifact is.")
@click.option(
    "--login",
    type=LOGIN,
    help="Who the token writes as: only this author's comment is updated.  [default: github-actions[bot]]",
)
@click.option("--required", is_flag=True, help="Exit 4 where something could not be published.")
@click.pass_context
def command(  # noqa: PLR0917  # click passes by name
    ctx: click.Context, folder: Path, comment: str | None, artifact_url: str, login: str | None, required: bool
) -> None:
    """
    Publish the run in the folder RUN: summary, outputs, annotations, comment.

    Meant for a job of GitHub Actions, with the token in PERFCI_TOKEN; PERFCI_COMMENT and PERFCI_LOGIN stand for the
    options.
    """
    from perfci.pipeline.publish import publish
    from perfci.publish.comment import BOT, Policy

    chosen = comment or os.environ.get("PERFCI_COMMENT") or "auto"
    author = login or os.environ.get("PERFCI_LOGIN") or BOT
    published = publish(
        folder,
        os.environ,
        policy=Policy(chosen) if chosen in COMMENT else None,
        token=os.environ.get("PERFCI_TOKEN", ""),
        artifact_url=artifact_url,
        login=author if LOGIN.allows(author) else None,
    )
    for line in published.lines:
        click.echo(line)
    posted = published.comment
    say(" ".join(filter(None, [f"comment: {posted.status}", posted.url, posted.reason and f"({posted.reason})"])))
    ctx.exit(ExitCode.NOT_PUBLISHED if required and published.warnings else ExitCode.OK)
