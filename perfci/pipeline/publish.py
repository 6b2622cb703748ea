"""`perfci publish`: shows a judged run on GitHub. Nothing here computes or changes a verdict."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfci.errors import ExitCode, PublishError
from perfci.model import Outcome, SeriesVerdict, Weight
from perfci.pipeline import documents
from perfci.pipeline.job import keep_gate, measured_in
from perfci.pipeline.origin import Origin, origin_of
from perfci.pipeline.rejudge import Claim, rejudge
from perfci.publish import actions, comment
from perfci.publish.event import Job, read_job
from perfci.publish.key import Measured, former_key, key_of
from perfci.publish.patience import Patience
from perfci.publish.repository import Repository
from perfci.report import FORMATS, render
from perfci.sentences.headline import red_endpoints
from perfci.store import RunFolder, write_atomically

READING_S = 120.0
"""Seconds for reading the artifact and what the API knows of the change."""

MAX_DESCRIPTION = 140
"""Longest description of a commit status, in characters."""

MAX_CONTEXT = 255
CONFIG = "perfci.toml"
"""The default name of the configuration file, which the gate's name leaves out."""


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
    warnings: Sequence[str] = (),
    acceptable: str = "",
) -> Published:
    """
    Summary, annotations, comment and, last, the outputs of the run in *folder*.

    *policy* or *login* None is an input that cannot be used: the run says so, and everything but the comment is done.
    *warnings* are shown with those that arise here. *acceptable* is the commit whose red series comments may accept.
    """
    outcome = documents.read(folder)
    code = documents.read_exit(folder)
    job = read_job(environ)
    links = {
        "run": job.run_url,
        "artifact": artifact_url,
        "base_commit": job.commit_url(outcome.subject.base_commit),
        "untrusted": job.is_untrusted,
        "acceptable": acceptable,
    }
    warnings = [*warnings]
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


def publish_artifact(
    claim: Claim,
    folder: Path,
    environ: Mapping[str, str],
    *,
    policy: comment.Policy | None,
    token: str,
    login: str | None,
) -> Published:
    """
    Judge another job's uploaded run by the base's policy, write the documents into *folder*, and publish them.

    A commit status says the same for branch rules. Nothing is published where the artifact is refused.
    """
    job = read_job(environ)
    with contextlib.closing(Repository(job=job, token=token, patience=Patience(READING_S))) as repository:
        origin = origin_of(job, repository)
        judged = rejudge(claim, origin, repository, folder)
        outcome = judged.view.outcome
        code = documents.exit_code(outcome.verdict, judged.fail_on)
        documents.write(judged.view, folder, code=code)
        keep_gate(folder, Measured(profile=claim.profile, config=claim.config, environment=claim.environment))
        warnings = _status_set(claim, origin, repository, outcome, code, key=environ.get("PERFCI_KEY", ""))
    url = f"{job.run_url}/artifacts/{judged.artifact.id}" if judged.artifact and job.run_url else ""
    return publish(
        folder,
        environ,
        policy=policy,
        token=token,
        artifact_url=url,
        login=login,
        warnings=warnings,
        acceptable=origin.reviewed,
    )


def _context(claim: Claim, origin: Origin, *, default_branch: str, chosen: str) -> str:
    """
    The name by which branch rules know the gate: "perfci / PROFILE", and what distinguishes gates of one profile.

    A status belongs to a commit. So it names the branch, unless that is the default one: a pull request that was judged
    by a lenient branch is not green when it is turned to another one.
    """
    config = claim.config if claim.config != CONFIG else ""
    parts = ", ".join(part for part in (claim.environment, config, chosen) if part)
    into = f" into {origin.branch}" if origin.branch not in {"", default_branch} else ""
    return "".join([f"perfci / {claim.profile}", f" ({parts})" if parts else "", into])[:MAX_CONTEXT]


def _status_set(
    claim: Claim, origin: Origin, repository: Repository, outcome: Outcome, code: ExitCode, *, key: str
) -> list[str]:
    """Set the commit status to the verdict; where that fails, warn."""
    job = repository.job
    if not job.may_write:
        return []
    states = {ExitCode.OK: "success", ExitCode.REGRESSION: "failure", ExitCode.INCONCLUSIVE: "failure"}
    text = " ".join(actions.clean(f"{outcome.verdict}: {outcome.reason}").split())
    try:
        repository.set_status(
            origin.head,
            state=states.get(code, "error"),
            context=_context(claim, origin, default_branch=job.default_branch or origin.branch, chosen=key),
            description=text if len(text) <= MAX_DESCRIPTION else f"{text[: MAX_DESCRIPTION - 1]}…",
            url=job.run_url,
        )
    except PublishError as error:
        return [f"no commit status: {error}"]
    return []


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
    errors = [str(endpoint) for endpoint in red_endpoints(outcome.decisions)]
    errors += [result.reason for result in outcome.slos if result.slo.fails and not result.held]
    errors += [finding.message for finding in outcome.findings if finding.weight is not Weight.WARNING]
    warned = [finding.message for finding in outcome.findings if finding.weight is Weight.WARNING]
    warned += [result.reason for result in outcome.slos if not (result.slo.fails or result.held)]
    return [
        *(actions.Annotation(level="error", message=text) for text in errors),
        *(actions.Annotation(level="warning", message=text) for text in warned),
    ]


def _outputs(outcome: Outcome, folder: Path, code: int, posted: comment.CommentResult) -> dict[str, str]:
    return {
        "verdict": outcome.verdict.value.replace(" ", "-"),
        "reason": outcome.reason,
        "reference": outcome.subject.reference.value,
        "exit-code": str(code),
        "regressions": str(len(outcome.regressions)),
        "improvements": str(outcome.series[SeriesVerdict.IMPROVEMENT]),
        "result": str(RunFolder(folder).result),
        "report": str(RunFolder(folder).report(FORMATS["markdown"].file)),
        "comment-status": posted.status.value,
        "comment-url": posted.url,
    }
