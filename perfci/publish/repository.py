"""
Reads from the GitHub API: commits and their files, the pull request of a job, its comments, and the artifacts of a run.

Files come as data: nothing is checked out. What is missing is a value; what the API refuses is a `PublishError`.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from perfci.errors import PublishError
from perfci.publish.actions import clean
from perfci.publish.client import TIMEOUT_S, connect, pull_request
from perfci.publish.event import Job
from perfci.publish.patience import OutOfTimeError, Patience

if TYPE_CHECKING:
    from github import Github
    from github.Artifact import Artifact as ListedArtifact
    from github.Repository import Repository as Remote

T = TypeVar("T")

_NO_SENSE = (OSError, ValueError, TypeError, LookupError, AttributeError, AssertionError)
"""What comes of a broken connection, and of an answer that is not GitHub's."""

MAX_FILE_BYTES = 64 * 2**20

NEEDS = "`contents: read`, `actions: read`, `pull-requests: write` and `statuses: write`"
"""The rights of a job that judges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull request: *merge* is GitHub's test merge of *head* into the base branch, "" where there is none."""

    number: int
    head: str
    base: str  # the tip of the base branch when the API last looked
    branch: str  # that it is to be merged into
    merge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A pull request that was merged, with the head that it had then."""

    number: int
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment on a pull request; whatever it says is its author's."""

    author: str  # the login; "" of a deleted user
    is_bot: bool
    body: str
    created_at: str  # ISO 8601
    is_edited: bool  # since it was written, by its author or somebody else
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """An artifact of a run: *digest* is "sha256:..." of its archive, "" on servers that keep none."""

    id: int
    name: str
    size: int
    digest: str
    run: int
    head: str  # the commit that its run was for
    url: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Repository:
    """The repository of *job*, read with *token*; all waiting shares *patience*."""

    job: Job
    token: str = field(repr=False)
    patience: Patience
    timeout: int = TIMEOUT_S

    def pull(self) -> Pull | None:
        """The open pull request whose head is the job's commit; None where there is not exactly one."""
        found = self._ask("the pull request", lambda: pull_request(self._api, self.job))
        if found is None or found.state != "open" or found.head.sha != self.job.head_sha:
            return None
        merge = found.merge_commit_sha or ""
        return Pull(number=found.number, head=found.head.sha, base=found.base.sha, branch=found.base.ref, merge=merge)

    def head_of(self, number: int) -> str:
        """The head commit of the pull request with this number; "" where there is none, or it is not open."""
        found = self._ask(f"pull request #{number}", lambda: self._at.get_pull(number))
        return found.head.sha if found is not None and found.state == "open" else ""

    def merged(self, commit: str) -> list[Merged]:
        """The merged pull requests that *commit* of the main branch came with."""
        found = self._ask(
            f"the pull requests of {commit[:7]}",
            lambda: [each for each in self._at.get_commit(commit).get_pulls() if each.merged_at],
        )
        return [Merged(number=each.number, head=each.head.sha) for each in found or ()]

    def line(self, since: str, tip: str, *, most: int) -> list[str]:
        """*tip* and its first parents after *since*, newest first, *most* of them; *tip* alone where *since* is ""."""
        if not since:
            return [tip]
        found = self._ask(
            "the history",
            lambda: {each.sha: [p.sha for p in each.parents] for each in self._at.compare(since, tip).commits},
        )
        line: list[str] = []
        at = tip
        while found and at in found and len(line) < most:
            line.append(at)
            at = next(iter(found[at]), "")
        return line

    def comments(self, number: int) -> list[Comment]:
        """The comments on the pull request with this number, oldest first."""

        def asked() -> list[Comment]:
            listed = self._at.get_pull(number).get_issue_comments()
            return [
                Comment(
                    author=getattr(each.user, "login", "") or "",
                    is_bot=getattr(each.user, "type", "") == "Bot",
                    body=each.body or "",
                    created_at=each.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    is_edited=each.updated_at != each.created_at,
                    url=each.html_url,
                )
                for each in listed
            ]

        return self._ask(f"the comments on #{number}", asked) or []

    def permission(self, login: str) -> str:
        """What *login* may do here: admin, maintain, write, triage, read or none."""
        return self._ask(f"the rights of {login}", lambda: self._at.get_collaborator_permission(login)) or "none"

    def parents(self, commit: str) -> tuple[str, ...]:
        """The full hashes of the parents of *commit*; nothing where it is not in this repository."""
        found = self._ask(f"commit {commit[:7]}", lambda: [each.sha for each in self._at.get_commit(commit).parents])
        return tuple(found or ())

    def contains(self, tip: str, commit: str) -> bool:
        """Whether *commit* is *tip* or an ancestor of it."""
        if commit == tip:
            return True
        status = self._ask("the history", lambda: self._at.compare(commit, tip).status)
        return status in {"ahead", "identical"}

    def read(self, commit: str, path: str) -> bytes | None:
        """The content of the file *path* at *commit*; None where there is no file."""
        found = self._ask(path, lambda: self._at.get_contents(path, ref=commit))
        if found is None or isinstance(found, list) or found.type != "file":
            return None
        return self._content(found.sha, found.size, path)

    def listing(self, commit: str, folder: str) -> dict[str, str]:
        """The files directly in *folder* at *commit*: name -> hash of the content. Links are left out."""
        found = self._ask(folder, lambda: self._at.get_contents(folder, ref=commit))
        return {each.name: each.sha for each in found if each.type == "file"} if isinstance(found, list) else {}

    def blob(self, digest: str, name: str) -> bytes:
        """The content with the hash *digest*, which *name* names for the reader."""
        return self._content(digest, 0, name)

    def artifacts(self, run: int) -> list[Artifact]:
        """The artifacts of the run with this number that have not expired."""

        def asked() -> "tuple[str, list[ListedArtifact]]":
            found = self._at.get_workflow_run(run)
            return found.head_sha, list(found.get_artifacts())

        head, listed = self._ask(f"the artifacts of run {run}", asked) or ("", [])
        return [
            Artifact(
                id=each.id,
                name=each.name,
                size=each.size_in_bytes,
                digest=each.digest or "",
                run=run,
                head=head,
                url=each.archive_download_url,
            )
            for each in listed
            if not each.expired
        ]

    def set_status(self, commit: str, *, state: str, context: str, description: str, url: str) -> None:
        """Set the status *context* of *commit* to *state*: success, failure or error."""
        made = self._ask(
            "the commit status",
            lambda: self._at.get_commit(commit).create_status(
                state, target_url=url, description=description, context=context
            ),
        )
        if made is None:
            raise PublishError("the commit status could not be set: HTTP 404")

    def close(self) -> None:
        """Close the connections to the API."""
        self._api.close()

    @cached_property
    def _api(self) -> "Github":
        return connect(self.job, self.token, self.timeout)

    @cached_property
    def _at(self) -> "Remote":
        return self._api.get_repo(self.job.repository)

    def _content(self, digest: str, size: int, name: str) -> bytes:
        from base64 import b64decode

        if size > MAX_FILE_BYTES:
            raise PublishError(f"{name} has {size} bytes, which is too much to read by the API")
        blob = self._ask(name, lambda: self._at.get_git_blob(digest))
        if blob is None or blob.encoding != "base64":
            raise PublishError(f"the API does not give the content of {name}")
        return b64decode(blob.content)

    def _ask(self, what: str, request: Callable[[], T]) -> T | None:
        """The answer to *request*, None for HTTP 404 and 422 (no such hash); anything else is a PublishError."""
        from github import GithubException

        with explained(what):
            try:
                return self.patience.ask(request)
            except GithubException as problem:
                if problem.status in {404, 422}:
                    return None
                raise
        raise AssertionError("unreachable")


@contextlib.contextmanager
def explained(what: str, *, needs: str = NEEDS) -> Iterator[None]:
    """Turn what goes wrong while the API is asked for *what* into a PublishError; *needs* are the rights for it."""
    from github import BadAttributeException, GithubException

    try:
        yield
    except GithubException as problem:
        words = clean(str(problem.message or problem.data)).replace("\n", " ")[:200]
        hint = f"the job needs {needs}"
        denied = problem.status in {401, 403}
        raise PublishError(
            f"the API refuses {what} (HTTP {problem.status}, {words})", hint=hint if denied else ""
        ) from None
    except OutOfTimeError as problem:
        raise PublishError(f"the API did not give {what} in time: {problem}") from None
    except (BadAttributeException, *_NO_SENSE) as problem:
        words = clean(f"{type(problem).__name__}: {problem}").replace("\n", " ")[:200]
        raise PublishError(f"the API did not give {what}: {words}") from None
