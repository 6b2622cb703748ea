"""
Posts one comment per pull request and gate, and keeps it up to date.

It is found by its first line and by its author; anybody can copy the line, nobody the author. Whatever goes wrong on
the way to the API becomes a `CommentResult`: a comment is a courtesy, and never changes a verdict.
"""

import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from enum import StrEnum
from typing import TYPE_CHECKING

from perfci.model import Verdict
from perfci.publish.actions import clean
from perfci.publish.client import TIMEOUT_S, connect, pull_request
from perfci.publish.conversation import CommentResult, Conversation, Marker, Notice, Status
from perfci.publish.event import Job
from perfci.publish.patience import OutOfTimeError, Patience, is_rate_limited

if TYPE_CHECKING:
    from github import Github

__all__ = ["BOT", "CommentResult", "Policy", "Status", "post"]

BOT = "github-actions[bot]"

_NO_SENSE = (ValueError, TypeError, LookupError, AttributeError, AssertionError, RuntimeError)
"""What comes of an answer that is not GitHub's."""

_TOKEN = re.compile(r"[!-~]+")  # visible ASCII: a library would quote anything else in its complaint
_BAD_TOKEN = "the input github-token holds a space, a line break or another character that no token has."


class Policy(StrEnum):
    """When to comment; every policy but *off* updates a comment that exists."""

    AUTO = "auto"  # all but a pass
    ALWAYS = "always"
    ON_REGRESSION = "on-regression"
    OFF = "off"


def post(
    job: Job,
    body: str,
    verdict: Verdict,
    *,
    key: str,
    token: str,
    former_key: str = "",
    policy: Policy = Policy.AUTO,
    login: str = BOT,
    patience: Patience | None = None,
    timeout: int = TIMEOUT_S,
) -> CommentResult:
    """
    Create or update the comment of the gate *key* on the pull request of *job*.

    *former_key* is the key that earlier versions gave to it, *login* who the token writes as, *timeout* the seconds
    that one answer may take, *patience* the time for all of them.
    """
    if refusal := _refusal(job, policy, token):
        return refusal
    marker = Marker(key=key, run=job.run_id, attempt=job.attempt, sha=job.head_sha)
    if Marker.of(str(marker)) != marker:  # it would be written, and never found again
        return _no(Status.FAILED, "GITHUB_RUN_ID and the commit of the event do not tell which run this is.")
    notice = Notice(
        marker=marker,
        body=body,
        wanted=_wanted(policy, verdict),
        replaces=verdict is not Verdict.PASS,
        former_key=former_key,
    )
    patience = patience or Patience()
    try:
        return _within(
            patience.limit_s, lambda: _posted(job, notice, login, patience, lambda: connect(job, token, timeout))
        )
    except TimeoutError:
        return _failure(0, f"no end after {patience.limit_s:.0f} s")


def _refusal(job: Job, policy: Policy, token: str) -> CommentResult | None:
    if policy is Policy.OFF:
        return CommentResult(status=Status.SKIPPED, reason="comment is off")
    if not job.may_write:
        who = "Dependabot's" if job.is_dependabot else "a fork's"
        return CommentResult(status=Status.DEFERRED, reason=f"the token of {who} job cannot write")
    if job.pr is None and not job.head_sha:
        return CommentResult(status=Status.SKIPPED, reason="there is no pull request")
    if not _TOKEN.fullmatch(token):
        return _no(Status.DENIED, _BAD_TOKEN if token else "there is no token to write it with.")
    if not re.match(r"https?://[^/]", job.api_url):
        return _no(Status.FAILED, "GITHUB_API_URL is not set to an address.")
    return None


def _no(status: Status, why: str) -> CommentResult:
    return CommentResult(status=status, warning=f"No comment: {why}")


def _wanted(policy: Policy, verdict: Verdict) -> bool:
    """Whether to write a comment where none exists yet."""
    if policy is Policy.ON_REGRESSION:
        return verdict in {Verdict.REGRESSION, Verdict.SLO_BREACH}
    return policy is Policy.ALWAYS or verdict is not Verdict.PASS


def _within(limit_s: float, work: Callable[[], CommentResult]) -> CommentResult:
    """
    Return what *work* returns; TimeoutError after *limit_s*.

    A thread of its own, since no time-out of a request bounds a name server that hangs, or an answer in drops. It is a
    daemon: what still runs then ends with the program, which is about to.
    """
    answer: Future[CommentResult] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except BaseException as problem:  # noqa: BLE001 - raised again where the result is awaited
            answer.set_exception(problem)

    threading.Thread(target=run, name="comment", daemon=True).start()
    return answer.result(timeout=limit_s)


def _posted(job: Job, notice: Notice, login: str, patience: Patience, client: "Callable[[], Github]") -> CommentResult:
    from github import BadAttributeException, GithubException

    try:
        with client() as api:
            return Conversation(lambda: pull_request(api, job), notice, login=login, patience=patience).settle()
    except GithubException as problem:
        return _failure(problem.status, str(problem.message or problem.data), limited=is_rate_limited(problem))
    except OutOfTimeError as problem:
        return _failure(problem.status, str(problem), limited=True)
    except (OSError, BadAttributeException, *_NO_SENSE) as problem:
        return _failure(0, f"{type(problem).__name__}: {problem}")


def _failure(status: int, message: str, *, limited: bool = False) -> CommentResult:
    shown = clean(message).replace("\n", " ")[:300]
    answer = f"HTTP {status}, " if status else ""
    denied = status in {401, 403} and not limited
    if denied and "locked" in message.lower():
        text = f"No comment: the conversation of the pull request is locked ({answer}{shown}); the verdict stands."
        return CommentResult(status=Status.DENIED, warning=text)
    advice = " The job needs `permissions: pull-requests: write`." if denied else ""
    warning = f"The comment could not be posted ({answer}{shown}); the verdict stands.{advice}"
    return CommentResult(status=Status.DENIED if denied else Status.FAILED, warning=warning)
