"""`perfci command`."""

import os

import click

from perfci.cli.options import Text
from perfci.cli.output import say

WORKFLOW = Text(
    r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\.ya?ml|", "the name of a file in .github/workflows, such as perf.yml"
)


@click.command("command")
@click.option(
    "--gate",
    type=WORKFLOW,
    required=True,
    envvar="PERFCI_GATE",
    help="The workflow on pull_request that is started again.",
)
@click.option(
    "--on-demand",
    type=WORKFLOW,
    default="",
    envvar="PERFCI_ON_DEMAND",
    help="The workflow on workflow_dispatch that `/perf run NAME=VALUE` starts.",
)
def command(gate: str, on_demand: str) -> None:
    """
    Carry out the `/perf` commands of the comment that started this job.

    Meant for a job on issue_comment without a checkout, with the token in PERFCI_TOKEN. It asks the API whether the
    author may write to the repository, and what the head of the pull request is.
    """
    from perfci.pipeline.commanding import carry_out
    from perfci.publish.actions import Annotation, annotations

    answers = carry_out(os.environ, token=os.environ.get("PERFCI_TOKEN", ""), gate=gate, on_demand=on_demand)
    refused = [Annotation(level="warning", message=each.text) for each in answers if not each.done]
    for line in annotations(refused):
        click.echo(line)
    for each in answers:
        say(each.text)
