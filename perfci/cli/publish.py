"""`perfci publish`."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from perfci.cli.options import CONFIG, LOGIN, Text, environment_option
from perfci.cli.output import say
from perfci.cli.run import COMMENT
from perfci.errors import ConfigError, ExitCode, PerfciError

if TYPE_CHECKING:
    from perfci.pipeline.rejudge import Claim

Word = TypeVar("Word", bound=StrEnum)

ARTIFACT = Text(r"[^\x00-\x1f\x7f\"<>|?:\\/]{1,200}", r'at most 200 characters, none of them one of " < > | ? : \ /')
DIGEST = Text(r"(sha256:)?[0-9a-fA-F]{64}|", "a SHA-256 in hexadecimal digits")


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
    help="The login of the token: only comments by this author are updated.  [default: github-actions[bot]]",
)
@click.option("--required", is_flag=True, help="Exit 4 where something could not be published.")
@click.option(
    "--from",
    "artifact",
    metavar="ARTIFACT",
    type=ARTIFACT,
    envvar="PERFCI_ARTIFACT",
    help="Judge the run in this artifact by the base's policy first: its name, in which * stands for anything.",
)
@click.option("--digest", type=DIGEST, default="", envvar="PERFCI_DIGEST", help="SHA-256 of the artifact's archive.")
@click.option(
    "--repeated",
    metavar="RESULT",
    default="",
    envvar="PERFCI_REPEATED",
    help="The result of the job that measured again what was red; skipped or nothing: there was none; unknown: look.",
)
@click.option("--profile", metavar="PROFILE[:SCENARIO]", envvar="PERFCI_PROFILE", help="What the artifact must hold.")
@click.option("--config", default=CONFIG, envvar="PERFCI_CONFIG", help="The configuration file within the repository.")
@environment_option
@click.option(
    "--against",
    metavar="[auto|baseline|ref]",
    envvar="PERFCI_AGAINST",
    help="What to compare with.  [default: as the base configures]",
)
@click.option(
    "--fail-on",
    metavar="[never|regression|no-baseline|inconclusive]",
    envvar="PERFCI_FAIL_ON",
    help="Which verdicts fail, each with those before it.  [default: as the base configures]",
)
@click.pass_context
def command(ctx: click.Context, /, folder: Path, artifact: str | None, required: bool, **options: Any) -> None:
    """
    Publish the run in the folder RUN: summary, outputs, annotations, comment.

    Meant for a job of GitHub Actions, with the token in PERFCI_TOKEN; PERFCI_COMMENT and PERFCI_LOGIN stand for the
    options. With --from, RUN is a new folder: the run comes from another job, which may have run anybody's code.
    """
    from perfci.pipeline.publish import publish, publish_artifact
    from perfci.publish.comment import BOT, Policy

    chosen = options["comment"] or os.environ.get("PERFCI_COMMENT") or "auto"
    author = options["login"] or os.environ.get("PERFCI_LOGIN") or BOT
    how: dict[str, Any] = {
        "policy": Policy(chosen) if chosen in COMMENT else None,
        "token": os.environ.get("PERFCI_TOKEN", ""),
        "login": author if LOGIN.allows(author) else None,
    }
    if artifact is None:
        published = publish(folder, os.environ, artifact_url=options["artifact_url"], **how)
    else:
        with _annotated():
            published = publish_artifact(_claim(artifact, options), folder, os.environ, **how)
    for line in published.lines:
        click.echo(line)
    posted = published.comment
    say(" ".join(filter(None, [f"comment: {posted.status}", posted.url, posted.reason and f"({posted.reason})"])))
    ctx.exit(ExitCode.NOT_PUBLISHED if required and published.warnings else ExitCode.OK)


@contextlib.contextmanager
def _annotated() -> Iterator[None]:
    """Annotate the run's page with the reason why nothing was published."""
    from perfci.publish.actions import Annotation, annotations

    try:
        yield
    except PerfciError as error:
        if os.environ.get("GITHUB_ACTIONS") == "true":
            click.echo("\n".join(annotations([Annotation(level="error", message=str(error))])))
        raise


def _claim(artifact: str, options: Mapping[str, Any]) -> "Claim":
    from perfci.config import Against, FailOn
    from perfci.pipeline.rejudge import Claim, Repeat

    without = {"": Repeat.NONE, "skipped": Repeat.NONE, "unknown": Repeat.POSSIBLE}

    if not options["profile"]:
        raise click.UsageError("--from needs --profile: what the artifact must hold is not for the artifact to say")
    return Claim(
        artifact=artifact,
        profile=options["profile"],
        config=options["config"],
        environment=options["environment"] or "",
        digest=options["digest"],
        against=_member(Against, "against", options["against"]),
        repeated=without.get(options["repeated"], Repeat.DUE),
        fail_on=_member(FailOn, "fail-on", options["fail_on"]),
    )


def _member(kind: type[Word], name: str, text: str | None) -> Word | None:
    """The word *text*; checked here, since a job that publishes its own run may have the variable for another step."""
    words = [str(each) for each in kind]
    if text and text not in words:
        raise ConfigError(f"the input {name} is {text[:100]!r}, but it must be one of {', '.join(words)}")
    return kind(text) if text else None
