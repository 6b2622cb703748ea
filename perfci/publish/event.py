"""Reads which event started this job, and what that permits, from the runner's variables."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfci.errors import ConfigError

DEPENDABOT = "dependabot[bot]"
MAX_EVENT_BYTES = 32 << 20

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_HEAD = re.compile(
    r"[0-9a-z]{40}|[0-9a-z]{64}"
)  # git never sees it: the API alone compares it, whatever its digits are
_BRANCH = re.compile(r"(?!-)(?!.*(\.\.|@\{))[^\x00-\x20\x7f~^:?*\[\\]{1,250}")  # as git check-ref-format allows
_WRITES = {
    "pull_request_target": (
        "that event runs with write access, and a load test runs code of the pull request",
        "Use `on: pull_request`: a job for a fork runs without secrets then; its summary has the verdict.",
    ),
    "issue_comment": (
        "that event runs with write access for whoever writes a comment, and a load test runs code of the pull request",
        "Use `on: pull_request`; a comment may start it: `perfci command`.",
    ),
}
"""Events that give a stranger's code write access: the reason, and what to use instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job of GitHub Actions; texts are empty where the event has no such thing."""

    event: str
    trigger: str = ""  # of a workflow_run: the event that the other workflow ran on
    repository: str  # "owner/name"
    pr: int | None
    head_sha: str  # the commit that people see, never the merge commit
    head_label: str  # "owner:branch", to find a pull request by
    base_sha: str
    base_ref: str
    default_branch: str
    is_fork: bool
    is_dependabot: bool
    run_id: int
    attempt: int
    measured_run: int = 0  # of a workflow_run: the run that it follows
    queued_pr: int = 0  # of a merge group: the pull request that it adds to the queue
    merge_sha: str = ""  # what the event checks out; of a pull request, GitHub's merge of it into its base
    api_url: str
    server_url: str

    @property
    def may_write(self) -> bool:
        """Whether the job's token can write: not for a fork, unless a trusted workflow runs after it."""
        return self.event == "workflow_run" or not self.is_untrusted

    @property
    def is_untrusted(self) -> bool:
        """Whether somebody without write access, or Dependabot, wrote what the job runs or publishes."""
        return self.is_fork or self.is_dependabot

    @property
    def run_url(self) -> str:
        """The page of the run that measured."""
        run = self.measured_run or self.run_id
        return f"{self.server_url}/{self.repository}/actions/runs/{run}" if run else ""

    def commit_url(self, sha: str) -> str:
        """The page of a commit of this repository."""
        return f"{self.server_url}/{self.repository}/commit/{sha}" if sha and self.server_url else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A comment on a pull request that was written just now."""

    number: int  # of the pull request
    author: str
    is_bot: bool
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What the payload of one kind of event says; the fields are those of `Job`."""

    pr: int | None = None
    head_sha: str = ""
    head_label: str = ""
    base_sha: str = ""
    base_ref: str = ""
    is_fork: bool = False
    trigger: str = ""
    actor: str = ""
    measured_run: int = 0
    queued_pr: int = 0


def read_job(environ: Mapping[str, str]) -> Job:
    """The job that runs now; `ConfigError` where its event is not safe or its file cannot be read."""
    return job_from(environ, _payload(environ.get("GITHUB_EVENT_PATH", "")))


def job_of_comment(environ: Mapping[str, str]) -> tuple[Job, Asked]:
    """
    The job that a new comment on a pull request started, and the comment; ConfigError for any other event.

    Such a job may write, so it must neither check out nor run anything of the pull request.
    """
    payload = _payload(environ.get("GITHUB_EVENT_PATH", ""))
    number = _number(_at(payload, "issue", "number"))
    event, action = environ.get("GITHUB_EVENT_NAME", ""), _text(payload, "action")
    on_pull = isinstance(_at(payload, "issue", "pull_request"), Mapping)
    if event != "issue_comment" or action != "created" or not number or not on_pull:
        raise ConfigError(
            f"the event {event or 'of this job'} {action} is no new comment on a pull request".replace("  ", " "),
            hint="on: issue_comment: types: [created], and in the job: if: github.event.issue.pull_request",
        )
    asked = Asked(
        number=number,
        author=_text(payload, "comment", "user", "login"),
        is_bot=_text(payload, "comment", "user", "type") == "Bot",
        body=_text(payload, "comment", "body"),
    )
    return job_from({**environ, "GITHUB_EVENT_NAME": ""}, {}), asked


def job_from(environ: Mapping[str, str], payload: Mapping[str, Any]) -> Job:
    """Build the job that *environ* and the event's *payload* describe."""
    event = environ.get("GITHUB_EVENT_NAME", "")
    repository = environ.get("GITHUB_REPOSITORY", "")
    change = _change(event, payload, repository)
    return Job(
        event=event,
        trigger=change.trigger,
        repository=repository,
        pr=change.pr,
        head_sha=change.head_sha or environ.get("GITHUB_SHA", ""),
        head_label=change.head_label,
        base_sha=change.base_sha,
        base_ref=change.base_ref,
        default_branch=_branch(payload, "repository", "default_branch"),
        is_fork=change.is_fork,
        is_dependabot=DEPENDABOT in {environ.get("GITHUB_ACTOR", ""), change.actor},
        run_id=_number(environ.get("GITHUB_RUN_ID", "")) or 0,
        attempt=_number(environ.get("GITHUB_RUN_ATTEMPT", "")) or 1,
        measured_run=change.measured_run,
        queued_pr=change.queued_pr,
        merge_sha=environ.get("GITHUB_SHA", "") if event != "workflow_run" else "",
        api_url=environ.get("GITHUB_API_URL", "").rstrip("/"),
        server_url=environ.get("GITHUB_SERVER_URL", "").rstrip("/"),
    )


def _change(event: str, payload: Mapping[str, Any], repository: str) -> _Change:
    match event:
        case "pull_request_target" | "issue_comment":
            reason, step = _WRITES[event]
            raise ConfigError(f"perfci does not run on {event}: {reason}", hint=step)
        case "workflow_run":
            return _workflow_run(payload, repository)
        case "merge_group":
            return _Change(
                head_sha=_sha(payload, "merge_group", "head_sha"),
                base_sha=_sha(payload, "merge_group", "base_sha"),
                base_ref=_branch(payload, "merge_group", "base_ref").removeprefix("refs/heads/"),
                queued_pr=_queued(_text(payload, "merge_group", "head_ref")),
            )
        case "push":
            return _Change(head_sha=_sha(payload, "after"), base_sha=_sha(payload, "before"))
        case _ if isinstance(payload.get("pull_request"), Mapping):
            return _pull_request(payload, repository)
        case _:
            return _Change()


def _pull_request(payload: Mapping[str, Any], repository: str) -> _Change:
    return _Change(
        pr=_number(_at(payload, "pull_request", "number")),
        head_sha=_sha(payload, "pull_request", "head", "sha", form=_HEAD),
        head_label=_text(payload, "pull_request", "head", "label"),
        base_sha=_sha(payload, "pull_request", "base", "sha"),
        base_ref=_branch(payload, "pull_request", "base", "ref"),
        is_fork=_text(payload, "pull_request", "head", "repo", "full_name") != repository,
    )


def _workflow_run(payload: Mapping[str, Any], repository: str) -> _Change:
    head_sha = _sha(payload, "workflow_run", "head_sha")
    owner = _text(payload, "workflow_run", "head_repository", "owner", "login")
    branch = _text(payload, "workflow_run", "head_branch")
    pulls = _at(payload, "workflow_run", "pull_requests")
    numbers = [
        _number(_at(pull, "number"))
        for pull in (pulls if isinstance(pulls, list) else [])
        if head_sha and _sha(pull, "head", "sha") == head_sha
    ]
    return _Change(
        pr=numbers[0] if len(numbers) == 1 else None,
        head_sha=head_sha,
        head_label=f"{owner}:{branch}" if owner and branch else "",
        is_fork=_text(payload, "workflow_run", "head_repository", "full_name") != repository,
        trigger=_text(payload, "workflow_run", "event"),
        actor=_text(payload, "workflow_run", "actor", "login"),
        measured_run=_number(_at(payload, "workflow_run", "id")) or 0,
    )


def _payload(path: str) -> Mapping[str, Any]:
    if not path:
        return {}
    file = Path(path)
    try:
        if file.stat().st_size > MAX_EVENT_BYTES:
            raise ConfigError(f"the event file {path} is larger than {MAX_EVENT_BYTES} bytes")
        payload = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as problem:
        raise ConfigError(
            f"the event file {path} cannot be read: {problem}", hint="GITHUB_EVENT_PATH names it."
        ) from None
    if not isinstance(payload, dict):
        raise ConfigError(f"the event file {path} holds no JSON object")
    return payload


def _at(value: object, *path: str) -> object:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _text(value: object, *path: str) -> str:
    found = _at(value, *path)
    return found if isinstance(found, str) else ""


def _sha(value: object, *path: str, form: re.Pattern[str] = _SHA) -> str:
    """A full commit hash, or "" for anything else, and for all zeros: a branch that was created or deleted."""
    text = _text(value, *path)
    return text if form.fullmatch(text) and text.strip("0") else ""


def _branch(value: object, *path: str) -> str:
    """Return the name of a branch, or "" for a name that git would read as an option or a path."""
    text = _text(value, *path)
    return text if _BRANCH.fullmatch(text) else ""


def _queued(ref: str) -> int:
    """The pull request that a branch of GitHub's merge queue was made for; 0 where its name tells none."""
    found = re.fullmatch(r"refs/heads/gh-readonly-queue/.+/pr-([1-9]\d{0,9})-[0-9a-f]{40,64}", ref, re.ASCII)
    return int(found[1]) if found else 0


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if re.fullmatch(r"[1-9]\d{0,18}", text, re.ASCII) else None
