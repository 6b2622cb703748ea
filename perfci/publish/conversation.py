"""
Keeps one comment of a gate on a pull request, that of the newest run, even where several runs write at once.

The API has no conditional write, so runs agree by what it does guarantee: comments are numbered in the order in which
they were created, and each that exists is listed. Every run looks, makes one change that brings the comments closer to
what they should be, and looks again:

- The comment with the lowest number stays. Nobody deletes it, and nobody edits another, so no edit meets a deletion.
  Who created a later comment sees the earlier one in the list, moves its text there, and deletes its own.
- A run stops where a newer run has written for the same commit, and where its commit is no longer the pull request's
  head, which is asked right before each write. A comment for any other commit gives way to a run for the head.

Two runs for the same commit can look at the same time and then edit one after the other, the older last. So a run
looks again a second after its edit, and edits once more where an older run's text stands. What remains is an edit of an
older run for the same commit that takes the API longer than that.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from perfci.publish.patience import OutOfTimeError, Patience

if TYPE_CHECKING:
    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest

LOOKS = 8
"""Number of reads of the comments; each but the last is followed by a write, and two concurrent runs need four."""

EDITS = 4
"""Number of times that one comment is edited: once, and again for each older run that overwrote it."""

SETTLE_S = 1.0
"""How long an edit of another run, which looked before this one's, may be on its way."""

MAX_RUN = 2**53
"""Beyond it a number in JSON is no longer exact, so the API can number no run like that."""

_MARKER = re.compile(
    r"<!-- perfci:v1 key=([a-z0-9][a-z0-9._-]{0,79}) run=([1-9][0-9]{0,15}) attempt=([1-9][0-9]{0,3})"
    r" sha=([0-9a-z]{40,64}) -->"
)


class Status(StrEnum):
    """What happened to the comment."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"  # nothing to say, or not for this run to say
    DEFERRED = "deferred"  # this job may not write; a trusted workflow may, later
    DENIED = "denied"  # the token may not
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentResult:
    """What happened to the comment, its address, why nothing was written, and one sentence about any problem."""

    status: Status
    url: str = ""
    reason: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """The first line of a comment: its gate, the run that wrote it last, and the commit of that run."""

    key: str
    run: int
    attempt: int
    sha: str

    def __str__(self) -> str:
        return f"<!-- perfci:v1 key={self.key} run={self.run} attempt={self.attempt} sha={self.sha} -->"

    @classmethod
    def of(cls, body: str) -> "Marker | None":
        """Parse the first line of *body* as a marker; None where no run of perfci can have written it."""
        found = _MARKER.fullmatch(body.partition("\n")[0].rstrip("\r"))
        if not found or int(found[2]) >= MAX_RUN:
            return None
        return cls(key=found[1], run=int(found[2]), attempt=int(found[3]), sha=found[4])

    def is_newer_than(self, other: "Marker") -> bool:
        """Whether this marker is of a later run, or of a later attempt of the same run, for the same commit."""
        return self.sha == other.sha and (self.run, self.attempt) > (other.run, other.attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The comment that a run wants to post."""

    marker: Marker
    body: str
    wanted: bool  # also where nothing was said before
    replaces: bool = True  # also what another gate of the same run said under the same key
    former_key: str = ""  # earlier versions knew the gate by this one

    @property
    def text(self) -> str:
        """The full text of the comment, with its marker."""
        return f"{self.marker}\n{self.body}"


class Conversation:
    """The comments on the pull request that *fetch* returns, as *login* edits them for the run of *notice*."""

    def __init__(
        self, fetch: "Callable[[], PullRequest | None]", notice: Notice, *, login: str, patience: Patience
    ) -> None:
        self._fetch = fetch
        self._notice = notice
        self._login = login
        self._patience = patience
        self._pull: PullRequest | None = None
        self._created: IssueComment | None = None
        self._edits: list[int] = []  # numbers of the comments that were edited
        self._unclear: Exception | None = None  # a creation of which nobody knows whether it happened
        self._missed = False  # whether a comment was deleted while this run edited it
        self._warning = ""

    def settle(self) -> CommentResult:
        """Edit the comments and read them again, until exactly the newest run's comment is left."""
        if refusal := self._refusal():
            return refusal
        for _ in range(LOOKS):
            if result := self._step():
                return result
        return CommentResult(status=Status.FAILED, warning="The comment is changed by others again and again.")

    def _refusal(self) -> CommentResult | None:
        """The reason why this run must not write now, "" for none; reads the pull request anew."""
        self._pull = self._patience.ask(self._fetch)
        sha = self._notice.marker.sha
        if self._pull is None:
            return _skipped(f"no open pull request has {sha[:7] or 'this commit'} as its head")
        if self._pull.state not in {"open", "closed"} or not self._pull.head.sha:
            raise ValueError("the answer describes no pull request")
        if self._pull.state == "closed":
            return _skipped(f"pull request #{self._pull.number} is closed")
        if self._pull.head.sha != sha:
            return _skipped(
                f"this run is for {sha[:7]}, and the head of pull request #{self._pull.number} is now"
                f" {self._pull.head.sha[:7]}"
            )
        return None

    def _step(self) -> CommentResult | None:
        """Make one change and return None, or return the status of the comment where nothing is left to change."""
        ours, former = self._listed()
        newer = [comment for marker, comment in ours if marker.is_newer_than(self._notice.marker)]
        if newer:
            self._delete(comment for _, comment in ours[1:] if comment not in newer)
            reason = "a newer run has commented on this commit"
            return CommentResult(status=Status.SKIPPED, url=newer[0].html_url, reason=reason)
        if not ours:
            return self._first(wanted=self._notice.wanted or bool(former))
        marker, comment = ours[0]
        if not self._says(marker, comment):
            if marker == self._notice.marker and comment.id not in self._edits and not self._may_replace():
                self._delete(comment for _, comment in ours[1:])
                reason = "another gate of this run has commented"
                return CommentResult(status=Status.SKIPPED, url=comment.html_url, reason=reason, warning=self._warning)
            return self._refusal() or self._edit(comment)
        self._delete([*(comment for _, comment in ours[1:]), *former])
        return CommentResult(status=self._status(), url=comment.html_url, warning=self._warning)

    def _says(self, marker: Marker, comment: "IssueComment") -> bool:
        """Whether *comment* holds what this run wants to say; the API may have altered the text that this run sent."""
        if self._edits.count(comment.id) >= EDITS:
            return True  # the list is behind
        wrote = comment.id in self._edits or (self._created is not None and comment.id == self._created.id)
        same = _plain(comment.body) == _plain(self._notice.text)
        return marker == self._notice.marker and (wrote or same)

    def _may_replace(self) -> bool:
        """Whether this run may write over the comment of another gate that has the same key in the same run."""
        self._warning = (
            f"Another gate of this run has commented under the same key, {self._notice.marker.key}:"
            " give each of them a `key` of its own."
        )
        return self._notice.replaces

    def _first(self, *, wanted: bool) -> CommentResult | None:
        """There is no comment of this gate."""
        if self._unclear:
            raise self._unclear
        if self._created is not None:  # the list is behind
            return CommentResult(status=Status.CREATED, url=self._created.html_url)
        if not wanted:
            return _skipped("there is nothing to say, and nothing was said before")
        return self._refusal() or self._create()

    def _create(self) -> CommentResult | None:
        from github import GithubException

        pull = self._pull
        assert pull is not None
        try:
            self._created = self._patience.ask(lambda: pull.create_issue_comment(self._notice.text), repeatable=False)
        except (GithubException, OSError) as problem:
            if 0 < getattr(problem, "status", 0) < 500:
                raise
            self._unclear = problem  # it may be there: the next look tells
        return None

    def _edit(self, comment: "IssueComment") -> CommentResult | None:
        from github import UnknownObjectException

        try:
            self._patience.ask(lambda: comment.edit(self._notice.text))
        except UnknownObjectException:  # somebody has deleted it since
            if self._missed:
                raise
            self._missed = True
        else:
            self._edits.append(comment.id)
            self._patience.rest(SETTLE_S)
        return None

    def _delete(self, comments: "Iterable[IssueComment]") -> None:
        """Delete a superseded comment; where the API refuses, the newest comment counts nevertheless."""
        from github import GithubException, UnknownObjectException

        for comment in comments:
            try:
                self._patience.ask(comment.delete)
            except UnknownObjectException:
                continue
            except (GithubException, OutOfTimeError, OSError) as problem:
                status = getattr(problem, "status", 0)
                answer = f"HTTP {status}" if status else type(problem).__name__
                self._warning = f"An earlier comment of this gate could not be deleted ({answer}): {comment.html_url}"

    def _status(self) -> Status:
        if self._edits:
            return Status.UPDATED
        return Status.CREATED if self._created or self._unclear else Status.UNCHANGED

    def _listed(self) -> "tuple[list[tuple[Marker, IssueComment]], list[IssueComment]]":
        """Return the comments of this gate sorted by id, and those of earlier runs under the gate's former key."""
        pull = self._pull
        assert pull is not None
        mine = self._notice.marker
        ours, former = [], []
        for comment in self._patience.ask(lambda: list(pull.get_issue_comments())):
            author = getattr(comment.user, "login", "")  # of a deleted user nothing is left
            marker = Marker.of(comment.body or "") if author == self._login else None
            if marker and marker.key == mine.key:
                ours.append((marker, comment))
            elif marker and marker.key == self._notice.former_key and marker.run < mine.run:
                former.append(comment)
        return sorted(ours, key=lambda each: each[1].id), former


def _skipped(reason: str) -> CommentResult:
    return CommentResult(status=Status.SKIPPED, reason=reason)


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
