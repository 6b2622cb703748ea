"""
One comment per pull request and key, kept up to date.

It is found by its first line and by its author; anybody can copy the line, nobody the author. Whatever goes wrong on
the way to the API becomes a `CommentResult`: a comment is a courtesy, and never changes a verdict.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from perfci.model import Verdict
from perfci.publish.actions import clean
from perfci.publish.event import Job

if TYPE_CHECKING:
    from github import Github, GithubRetry
    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest

BOT = "github-actions[bot]"
TIMEOUT_S = 15

_MARKER = re.compile(r"<!-- perfci:v1 key=(\S+) run=(\d{1,19}) attempt=(\d{1,9}) sha=(\S*) -->")


class Policy(StrEnum):
    """When to comment; a comment that exists is brought up to date by every policy but *off*."""

    AUTO = "auto"  # all but a pass
    ALWAYS = "always"
    ON_REGRESSION = "on-regression"
    OFF = "off"


class Status(StrEnum):
    """What became of the comment."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"  # nothing to say, or somebody newer has said it
    DEFERRED = "deferred"  # this job may not write; a trusted workflow may, later
    DENIED = "denied"  # the token may not
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentResult:
    """What became of the comment, where it is, and one sentence where something is wrong."""

    status: Status
    url: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Marker:
    """The first line of a comment: who wrote it last, for which commit."""

    run: int
    attempt: int
    key: str
    sha: str

    def __str__(self) -> str:
        return f"<!-- perfci:v1 key={self.key} run={self.run} attempt={self.attempt} sha={self.sha} -->"

    @classmethod
    def of(cls, body: str) -> "Marker | None":
        """The marker on the first line of *body*."""
        found = _MARKER.fullmatch(body.partition("\n")[0].strip())
        return cls(key=found[1], run=int(found[2]), attempt=int(found[3]), sha=found[4]) if found else None


def post(
    job: Job,
    body: str,
    verdict: Verdict,
    *,
    token: str,
    policy: Policy = Policy.AUTO,
    key: str = "",
    login: str = BOT,
    retry: "GithubRetry | None" = None,
    timeout: int = TIMEOUT_S,
) -> CommentResult:
    """Create or update the comment of *job*'s pull request; *key* replaces the job's own, *login* is who writes."""
    if refusal := _refusal(job, policy, token):
        return refusal
    from github import GithubException

    try:
        with _client(job.api_url, token, retry or _patience(), timeout) as api:
            pull = _pull(api, job)
            if pull is None:
                return CommentResult(status=Status.SKIPPED)
            marker = Marker(key=key or job.key, run=job.run_id, attempt=job.attempt, sha=job.head_sha)
            return _write(pull, marker, body, login=login, wanted=_wanted(policy, verdict))
    except GithubException as problem:
        return _failure(problem.status, str(problem.message or problem.data))
    except (OSError, ValueError, TypeError, AttributeError, AssertionError) as problem:  # no answer, or no sense in it
        return _failure(0, f"{type(problem).__name__}: {problem}")


def _refusal(job: Job, policy: Policy, token: str) -> CommentResult | None:
    if policy is Policy.OFF:
        return CommentResult(status=Status.SKIPPED)
    if not job.may_write:
        return CommentResult(status=Status.DEFERRED)
    if job.pr is None and not job.head_sha:
        return CommentResult(status=Status.SKIPPED)
    if not token:
        return CommentResult(status=Status.DENIED, warning="No comment: there is no token to write it with.")
    if not re.match(r"https?://[^/]", job.api_url):
        return CommentResult(status=Status.FAILED, warning="No comment: GITHUB_API_URL is not set to an address.")
    return None


def _patience() -> "GithubRetry":
    from github import GithubRetry

    return GithubRetry(
        total=3,
        backoff_factor=1,
        secondary_rate_wait=30,
        max_rate_limit_wait=120,
        allowed_methods={"GET", "PATCH"},  # a POST that seemed to fail may have made a comment: never a second one
    )


def _client(url: str, token: str, retry: "GithubRetry", timeout: int) -> "Github":
    from github import Auth, Github

    return Github(
        base_url=url,
        auth=Auth.Token(token),
        retry=retry,
        timeout=timeout,
        per_page=100,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )


def _pull(api: "Github", job: Job) -> "PullRequest | None":
    """The pull request of the job; where its own event does not name it, the open one whose head is our commit."""
    repository = api.get_repo(job.repository)
    if job.pr is not None:
        pull = repository.get_pull(job.pr)
        return pull if job.event != "workflow_run" or pull.head.sha == job.head_sha else None
    if job.head_label:
        candidates = list(repository.get_pulls(state="open", head=job.head_label))
    else:
        candidates = list(repository.get_commit(job.head_sha).get_pulls())
    matching = [pull for pull in candidates if pull.state == "open" and pull.head.sha == job.head_sha]
    return matching[0] if len(matching) == 1 else None


def _wanted(policy: Policy, verdict: Verdict) -> bool:
    """Whether to say something where nothing has been said yet."""
    if policy is Policy.ON_REGRESSION:
        return verdict in {Verdict.REGRESSION, Verdict.SLO_BREACH}
    return policy is Policy.ALWAYS or verdict is not Verdict.PASS


def _write(pull: "PullRequest", marker: Marker, body: str, *, login: str, wanted: bool) -> CommentResult:
    text = f"{marker}\n{body}"
    found = _earlier(pull, marker.key, login)
    if found is None:
        if not wanted:
            return CommentResult(status=Status.SKIPPED)
        return CommentResult(status=Status.CREATED, url=pull.create_issue_comment(text).html_url)
    earlier, comment = found
    if _is_newer(earlier, marker, pull.head.sha):
        return CommentResult(
            status=Status.SKIPPED,
            url=comment.html_url,
            warning=f"The comment of run {earlier.run} is newer than this run and stays as it is.",
        )
    if comment.body.strip() == text.strip():
        return CommentResult(status=Status.UNCHANGED, url=comment.html_url)
    comment.edit(text)
    return CommentResult(status=Status.UPDATED, url=comment.html_url)


def _earlier(pull: "PullRequest", key: str, login: str) -> "tuple[Marker, IssueComment] | None":
    """Our own comment; where there are two, the newer."""
    newest: tuple[Marker, IssueComment] | None = None
    for comment in pull.get_issue_comments():
        author = getattr(comment.user, "login", "")  # of a deleted user nothing is left
        marker = Marker.of(comment.body or "") if author == login else None
        if marker and marker.key == key and (newest is None or marker > newest[0]):
            newest = marker, comment
    return newest


def _is_newer(earlier: Marker, ours: Marker, head: str) -> bool:
    late = earlier.sha == head != ours.sha
    return late or (earlier.run, earlier.attempt) > (ours.run, ours.attempt)


def _failure(status: int, message: str) -> CommentResult:
    shown = clean(message).replace("\n", " ")[:300]
    denied = status in {401, 403} and "rate limit" not in message.lower()
    advice = " The job needs `permissions: pull-requests: write`." if denied else ""
    answer = f"HTTP {status}, " if status else ""
    warning = f"The comment could not be posted ({answer}{shown}); the verdict stands.{advice}"
    return CommentResult(status=Status.DENIED if denied else Status.FAILED, warning=warning)
