"""`perfci publish`: shows a judged run on GitHub. Nothing here computes or changes a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from perfci.errors import PublishError
from perfci.model import Outcome, SeriesVerdict, Weight, regressions
from perfci.pipeline import documents
from perfci.pipeline.job import measured_in
from perfci.publish import actions, comment
from perfci.publish.event import Job, read_job
from perfci.publish.key import former_key, key_of
from perfci.report import FORMATS, render
from perfci.store import RunFolder, write_atomically


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What was published, for the shell and the log."""

    comment: comment.CommentResult
    lines: tuple[str, ...]  # annotations, to be printed
    warnings: tuple[str, ...]


def publish(
    folder: Path,
    environ: Mapping[str, str],
    *,
    policy: comment.Policy | None,
    token: str,
    artifact_url: str,
    login: str | None,
) -> Published:
    """
    Summary, annotations, comment and, last, the outputs of the run in *folder*.

    *policy* or *login* None is an input that cannot be used: the run says so, and everything but the comment is done.
    """
    outcome = documents.read(folder)
    code = documents.read_exit(folder)
    job = read_job(environ)
    links = {
        "run": job.run_url,
        "artifact": artifact_url,
        "base_commit": job.commit_url(outcome.subject.base_commit),
    }
    warnings = []
    try:
        actions.append_summary(environ, render("summary", outcome, **links))
    except PublishError as error:
        warnings.append(f"no job summary: {error}")
    body = render("markdown", outcome, **links)
    write_atomically(RunFolder(folder).comment, body)
    posted = _commented(folder, environ, job, body, outcome, policy=policy, token=token, login=login)
    if posted.warning:
        warnings.append(posted.warning)
    try:
        actions.write_outputs(environ, _outputs(outcome, folder, int(code), posted))
    except PublishError as error:
        warnings.append(f"no outputs: {error}")
    wanted = [*_annotations(outcome), *(actions.Annotation(level="warning", message=text) for text in warnings)]
    return Published(comment=posted, lines=tuple(actions.annotations(wanted)), warnings=tuple(warnings))


def _commented(
    folder: Path,
    environ: Mapping[str, str],
    job: Job,
    body: str,
    outcome: Outcome,
    *,
    policy: comment.Policy | None,
    token: str,
    login: str | None,
) -> comment.CommentResult:
    if policy is None or login is None:
        name = "comment" if policy is None else "github-login"
        return comment.CommentResult(
            status=comment.Status.FAILED, warning=f"No comment: the input {name} cannot be used as it stands."
        )
    return comment.post(
        job,
        body,
        outcome.verdict,
        key=key_of(environ, measured_in(folder)),
        former_key=former_key(environ),
        token=token,
        policy=policy,
        login=login,
    )


def _annotations(outcome: Outcome) -> list[actions.Annotation]:
    errors = list(regressions(outcome.decisions, ()))
    errors += [result.reason for result in outcome.slos if not result.held]
    errors += [finding.message for finding in outcome.findings if finding.weight is not Weight.WARNING]
    warned = [finding.message for finding in outcome.findings if finding.weight is Weight.WARNING]
    return [
        *(actions.Annotation(level="error", message=text) for text in errors),
        *(actions.Annotation(level="warning", message=text) for text in warned),
    ]


def _outputs(outcome: Outcome, folder: Path, code: int, posted: comment.CommentResult) -> dict[str, str]:
    return {
        "verdict": outcome.verdict.value.replace(" ", "-"),
        "reason": outcome.reason,
        "exit-code": str(code),
        "regressions": str(len(outcome.regressions)),
        "improvements": str(outcome.series[SeriesVerdict.IMPROVEMENT]),
        "result": str(RunFolder(folder).result),
        "report": str(RunFolder(folder).report(FORMATS["markdown"].file)),
        "comment-status": posted.status.value,
        "comment-url": posted.url,
    }
