"""PyGithub as perfci uses it: one client for each step, no log of its own, no repetition of its own."""

import logging
from typing import TYPE_CHECKING

from perfci.publish.event import Job

if TYPE_CHECKING:
    from github import Github
    from github.PullRequest import PullRequest

TIMEOUT_S = 15
"""Seconds that one answer of the API may take."""


def connect(job: Job, token: str, timeout: int = TIMEOUT_S) -> "Github":
    """A client for the API of *job*; `Patience` repeats its requests."""
    import github
    from github import Auth, Github

    logger = logging.getLogger(github.__name__)  # on import it sets itself up to write to standard error
    logger.handlers = [logging.NullHandler()]
    logger.propagate = False
    return Github(
        base_url=job.api_url,
        auth=Auth.Token(token),
        retry=None,
        timeout=timeout,
        per_page=100,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )


def pull_request(api: "Github", job: Job) -> "PullRequest | None":
    """The pull request of the job; where its own event does not name it, the open one whose head is our commit."""
    repository = api.get_repo(job.repository)
    if job.pr is not None:
        return repository.get_pull(job.pr)
    if job.head_label:
        candidates = list(repository.get_pulls(state="open", head=job.head_label))
    else:
        candidates = list(repository.get_commit(job.head_sha).get_pulls())
    matching = [pull for pull in candidates if pull.state == "open" and pull.head.sha == job.head_sha]
    return matching[0] if len(matching) == 1 else None
