"""
Determines which run and commit an artifact must come from, by the event and the API, never by the artifact itself.
"""

import re
from dataclasses import dataclass, replace

from perfci.errors import ArtifactError, ConfigError, PublishError
from perfci.model import Run, Side
from perfci.publish.event import Job
from perfci.publish.repository import Artifact, Repository

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """
    The change that was measured.

    *base* is the commit whose policy decides and *change* the one that would become the new base: GitHub's merge, or
    *head* itself where there is none. Without a base (a push, a schedule), the change is its own base.
    """

    run: int  # the workflow run that measured
    head: str  # the commit that people see
    change: str
    base: str = ""
    base_role: str = ""
    branch: str = ""  # that it is to be merged into
    pull: int = 0  # the number of its pull request; 0: it has none
    reviewed: str = ""  # the head of that pull request, which people talk about


def origin_of(job: Job, repository: Repository) -> Origin:
    """The change that *job* judges; PublishError where the event belongs to no change."""
    match job.event:
        case "workflow_run":
            return _of_workflow_run(job, repository)
        case "pull_request":
            return _of_pull_request(job, repository)
        case "merge_group" if job.base_sha:
            role = "the parent of the merge group"
            found = _unmerged(job, run=job.run_id, base=job.base_sha, role=role, branch=job.base_ref)
            return _about(found, job.queued_pr, repository.head_of(job.queued_pr) if job.queued_pr else "")
        case _ if job.merge_sha:
            return Origin(run=job.run_id, head=job.head_sha, change=job.merge_sha)
    raise PublishError(f"the event {job.event} names no commit", hint="GITHUB_SHA and GITHUB_EVENT_PATH name them")


def _of_pull_request(job: Job, repository: Repository) -> Origin:
    found = _of_merge(job.merge_sha, job, repository, run=job.run_id)
    if found is not None:
        return replace(_about(found, job.pr, job.head_sha), branch=job.base_ref)
    if not job.base_sha:
        raise PublishError("the event pull_request names no base commit", hint="GITHUB_EVENT_PATH holds the event")
    found = _unmerged(job, run=job.run_id, base=job.base_sha, role="the base commit of the event", branch=job.base_ref)
    return _about(found, job.pr, job.head_sha)


def _of_workflow_run(job: Job, repository: Repository) -> Origin:
    if job.trigger != "pull_request":
        raise ConfigError(
            f"the run that this workflow_run follows was started by {job.trigger or 'an unknown event'}, and only runs"
            " of pull_request are published by another workflow",
            hint="add to the job: if: github.event.workflow_run.event == 'pull_request'",
        )
    pull = repository.pull()
    if pull is None or not job.measured_run:
        raise PublishError(f"no open pull request has {job.head_sha[:7]} as its head: there is nobody to tell")
    found = _of_merge(pull.merge, job, repository, run=job.measured_run)
    if found is not None:
        return replace(_about(found, pull.number, pull.head), branch=pull.branch)
    role = "the base of the pull request"
    found = _unmerged(job, run=job.measured_run, base=pull.base, role=role, branch=pull.branch)
    return _about(found, pull.number, pull.head)


def _unmerged(job: Job, *, run: int, base: str, role: str, branch: str) -> Origin:
    """The origin where what was measured is the job's commit itself, and no merge of it."""
    return Origin(run=run, head=job.head_sha, change=job.head_sha, base=base, base_role=role, branch=branch)


def _about(origin: Origin, pull: int | None, head: str) -> Origin:
    """*origin* with the pull request in which people talk about it, and its *head*, where both are known."""
    return replace(origin, pull=pull, reviewed=head) if pull and head else origin


def _of_merge(merge: str, job: Job, repository: Repository, *, run: int) -> Origin | None:
    """The origin where *merge* is GitHub's merge of the job's commit; None where it is another commit."""
    match repository.parents(merge) if merge else ():
        case (base, head) if head == job.head_sha:
            role = "the first parent of the merge"
            return Origin(run=run, head=head, change=merge, base=base, base_role=role)
    return None


def check_artifact(artifact: Artifact, origin: Origin) -> None:
    """Raise ArtifactError where *artifact* belongs to a run for another commit."""
    if artifact.head != origin.head:
        raise ArtifactError(
            f"run {artifact.run} was for commit {artifact.head[:7]}, and {origin.head[:7]} is to be judged",
            hint="nothing was published; run the measuring job again",
        )


def check_run(run: Run, origin: Origin, repository: Repository, *, profile: str, scenario: str) -> None:
    """Raise ArtifactError where *run* measured something else than its *origin* and the trusted workflow name."""
    if (run.profile, run.scenario) != (profile, scenario):
        raise _another(f"it measured {run.profile}:{run.scenario}, and {profile}:{scenario} is to be judged")
    if strange := [commit for commit in run.commits.values() if commit and not _COMMIT.fullmatch(commit)]:
        raise _another(f"{strange[0][:60]!r} is no commit")
    measured = run.commits.get(Side.CANDIDATE, "")
    known = measured in {origin.head, origin.change}
    if not known and (not measured or repository.parents(measured)[1:] != (origin.head,)):
        raise _another(f"it measured commit {measured[:7] or 'none'}, and {origin.head[:7]} is to be judged")
    base = run.commits.get(Side.BASE, "")
    if base and not repository.contains(origin.base or origin.change, base):
        raise _another(f"it was compared with commit {base[:7]}, which is not on the base branch")


def _another(why: str) -> ArtifactError:
    return ArtifactError(
        f"the artifact is not of this change: {why}",
        hint="nothing was published; run the measuring job again",
    )
