"""
`perfci command`: carries out what a comment on a pull request asks for.

The job has no checkout and runs nothing of the change. It asks the API who the author is and what the head is, and then
starts a workflow that may only read, or one that judges.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from perfci.errors import ConfigError
from perfci.pipeline.acceptance import WRITERS
from perfci.publish.commands import Command, accepted_in, commands_in
from perfci.publish.event import Asked, job_of_comment
from perfci.publish.patience import Patience
from perfci.publish.workflows import Head, Workflows
from perfci.report.sanitise import plain

ASKING_S = 60.0
INPUTS = ("profile", "scenario", "environment", "users", "spawn_rate", "duration", "strategy")
"""What `/perf run NAME=VALUE` may set: the inputs of the workflow that is started by hand."""

_SETTING = re.compile(r"([a-z][a-z_-]{0,30})=([A-Za-z0-9][A-Za-z0-9._:-]{0,99})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What was done, or why not, in one line."""

    text: str
    done: bool = True


def carry_out(environ: Mapping[str, str], *, token: str, gate: str, on_demand: str) -> list[Answered]:
    """
    Do what the comment of the event in *environ* asks for.

    *gate* is the file of the workflow on pull_request, *on_demand* of the one on workflow_dispatch, "" for none.
    PublishError where the API refuses.
    """
    job, asked = job_of_comment(environ)
    commands = commands_in(asked.body)
    if asked.is_bot or not commands:
        return [Answered(text="the comment holds no command", done=False)]
    workflows = Workflows(job=job, token=token, patience=Patience(ASKING_S))
    try:
        if workflows.permission(asked.author) not in WRITERS:
            text = f"{plain(asked.author)} has no write access to the repository: nothing was started"
            return [Answered(text=text, done=False)]
        head = workflows.head(asked.number)
        if head is None:
            return [Answered(text=f"#{asked.number} is no open pull request", done=False)]
        return list(_answers(commands, asked, head, workflows, gate=gate, on_demand=on_demand))
    finally:
        workflows.close()


def _answers(
    commands: list[Command], asked: Asked, head: Head, workflows: Workflows, *, gate: str, on_demand: str
) -> Iterator[Answered]:
    words = {command.word for command in commands}
    for word in sorted(words - {"accept", "run"}):
        yield Answered(text=f"/perf {plain(word)} is no command: there are accept and run", done=False)
    settings = [command.text for command in commands if command.word == "run"]
    if "accept" in words:
        yield from _accepting(asked, head, workflows, gate)
    if any(settings):
        yield from (_started(text, head, workflows, on_demand) for text in settings if text)
    elif settings:
        yield _again(head, workflows, gate, failed=False)


def _accepting(asked: Asked, head: Head, workflows: Workflows, gate: str) -> Iterator[Answered]:
    """Judge again, which reads all comments; nothing is accepted here."""
    wanted = accepted_in(asked.body)
    if any(each.commit == head.commit for each in wanted):
        yield _again(head, workflows, gate, failed=True)
    else:
        example = f"/perf accept {wanted[0].series if wanted else 'SERIES'} at {head.commit}"
        yield Answered(text=f"nothing is accepted for the head, which would be: {plain(example, 500)}", done=False)


def _again(head: Head, workflows: Workflows, gate: str, *, failed: bool) -> Answered:
    run = workflows.newest(gate, head.commit)
    if run is None:
        return Answered(text=f"{gate} has no run for {head.commit[:7]}", done=False)
    if run.status != "completed":
        return Answered(text=f"{run.html_url} is still running: what it judges in the end counts the comment")
    workflows.run_again(run, failed=failed)
    return Answered(text=f"started again{', from what failed' if failed else ''}: {run.html_url}")


def _started(text: str, head: Head, workflows: Workflows, on_demand: str) -> Answered:
    if not on_demand:
        return Answered(text="no workflow takes settings here: the input on-demand names one", done=False)
    if not head.branch:
        return Answered(
            text="a pull request from a fork is not measured with settings: its code would run with the caches of this"
            " repository; `/perf run` alone starts its own run again",
            done=False,
        )
    try:
        inputs = _inputs(text)
    except ConfigError as error:
        return Answered(text=str(error), done=False)
    workflows.start(on_demand, head.branch, inputs)
    shown = ", ".join(f"{name}={value}" for name, value in inputs.items())
    return Answered(text=f"started {on_demand} on {plain(head.branch, 200)} with {shown}")


def _inputs(text: str) -> dict[str, str]:
    """The settings `users=50 duration=30s`; a first word without = is the profile, PROFILE or PROFILE:SCENARIO."""
    first, *rest = text.split()
    if "=" in first:
        words = [first, *rest]
    else:
        profile, _, scenario = first.partition(":")
        words = [f"profile={profile}", *([f"scenario={scenario}"] if scenario else []), *rest]
    found = {}
    for word in words:
        setting = _SETTING.fullmatch(word)
        name = setting[1].replace("-", "_") if setting else ""
        if setting is None or name not in INPUTS:
            known = ", ".join(INPUTS)
            raise ConfigError(f"/perf run cannot set {plain(word)}: it takes NAME=VALUE, where NAME is one of {known}")
        found[name] = setting[2]
    return found
