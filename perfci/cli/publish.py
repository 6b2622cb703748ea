"""`perfci publish`."""

import os
from pathlib import Path

import click

from perfci.cli.output import say
from perfci.cli.run import COMMENT
from perfci.errors import ExitCode


@click.command("publish")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path), envvar="PERFCI_OUTPUT")
@click.option(
    "--comment",
    type=click.Choice(COMMENT),
    default="auto",
    show_default=True,
    envvar="PERFCI_COMMENT",
    help="When to comment on the pull request; auto: unless it passed and there is no earlier comment.",
)
@click.option("--artifact-url", default="", envvar="PERFCI_ARTIFACT_URL", help="Where the artifact is.")
@click.option(
    "--login",
    default="github-actions[bot]",
    show_default=True,
    envvar="PERFCI_LOGIN",
    help="Who the token writes as: only this author's comment is updated.",
)
@click.option("--required", is_flag=True, help="Exit 4 where something could not be published.")
@click.pass_context
def command(  # noqa: PLR0917  # click passes by name
    ctx: click.Context, folder: Path, comment: str, artifact_url: str, login: str, required: bool
) -> None:
    """
    Publish the run in the folder RUN: summary, outputs, annotations, comment.

    Meant for a job of GitHub Actions, with the token in PERFCI_TOKEN.
    """
    from perfci.pipeline.publish import publish
    from perfci.publish.comment import Policy

    published = publish(
        folder,
        os.environ,
        policy=Policy(comment),
        token=os.environ.get("PERFCI_TOKEN", ""),
        artifact_url=artifact_url,
        login=login,
    )
    for line in published.lines:
        click.echo(line)
    say(f"comment: {published.comment.status}" + (f" {published.comment.url}" if published.comment.url else ""))
    ctx.exit(ExitCode.NOT_PUBLISHED if required and published.warnings else ExitCode.OK)
