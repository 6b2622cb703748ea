"""
Which red series of a pull request somebody has accepted, as its comments and the API say.

A comment counts where all of it holds: the API says that its author may write to the repository, nobody has edited it,
and it names a red series and the full hash of the head that was measured. So an acceptance ends with the next push, and
no text of somebody without write access accepts anything.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from perfci.errors import PublishError
from perfci.judge.acceptance import red_series, with_accepted
from perfci.model import Acceptance, Finding, Outcome, Verdict
from perfci.pipeline.origin import Origin
from perfci.publish.commands import Accept, accepted_in
from perfci.publish.repository import Comment, Repository
from perfci.report.sanitise import visible
from perfci.sentences import acceptance as say

WRITERS = frozenset({"admin", "maintain", "write"})
MAX_AUTHORS = 30
"""Of whom the API is asked what they may do; comments of further ones accept nothing."""

MAX_NAME = 400

MAX_COMMITS = 50
"""Of the main branch, between two runs of a history, whose pull requests the API is asked for."""


def accept(outcome: Outcome, origin: Origin, repository: Repository) -> Outcome:
    """
    *outcome* with the red series as accepted that comments of the pull request accept, and with what was found of them.

    The API is asked only where a series is red. Where it does not answer, nothing is accepted, and that is said.
    """
    red = red_series(outcome)
    if outcome.verdict is not Verdict.REGRESSION or not red or not origin.pull:
        return outcome
    try:
        found = _Reader(repository, origin.reviewed, red).read(repository.comments(origin.pull))
    except PublishError as error:
        return outcome.noting(say.AcceptancesUnread(why=str(error)))
    return with_accepted(outcome, found.acceptances).noting(*found.findings)


def accepted_since(since: str, tip: str, repository: Repository) -> tuple[Acceptance, ...]:
    """
    What was accepted by comments in the pull requests that were merged after the commit *since*, up to *tip*.

    The rules are those of `accept`, for the head that was merged; which series were red then is not asked again.
    PublishError where the API does not answer.
    """
    rights, found = _Rights(repository), dict[tuple[int, str], Acceptance]()
    pulls = {
        each.number: each
        for commit in repository.line(since, tip, most=MAX_COMMITS)
        for each in repository.merged(commit)
    }
    for pull in pulls.values():
        for comment in reversed(repository.comments(pull.number)):
            named = [each for each in accepted_in(comment.body) if each.commit == pull.head]
            if not named or comment.is_bot or comment.is_edited or not rights.may_accept(comment.author):
                continue
            for each in named:
                key = pull.number, _normal(each.series)
                found.setdefault(key, _acceptance(key[1], pull.head, each, comment))
    return tuple(found.values())


@dataclass(slots=True)
class _Found:
    acceptances: list[Acceptance] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class _Rights:
    """Whom the API lets accept something; each author is asked for once."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._may: dict[str, bool] = {}

    def may_accept(self, login: str) -> bool:
        if not login:
            return False
        if login not in self._may:
            self._may[login] = len(self._may) < MAX_AUTHORS and self._repository.permission(login) in WRITERS
        return self._may[login]


class _Reader:
    """Reads comments for the commit *head* with the *red* series."""

    def __init__(self, repository: Repository, head: str, red: Sequence[str]) -> None:
        self._rights = _Rights(repository)
        self._head = head
        self._red = {_normal(label): label for label in red}
        self._voids: dict[str, Finding] = {}  # by series: the newest comment that does not count

    def read(self, comments: Sequence[Comment]) -> _Found:
        """What the *comments*, oldest first, accept; the newest that accepts a series is the one that is shown."""
        found = _Found()
        strangers: dict[str, None] = {}
        for comment in reversed(comments):
            wanted = accepted_in(comment.body)
            if not wanted or comment.is_bot:
                continue
            if not self._rights.may_accept(comment.author):
                strangers[comment.author or "a deleted user"] = None
                continue
            for each in wanted:
                self._take(each, comment, found)
        named = {_normal(each.series) for each in found.acceptances}
        found.findings += [void for series, void in self._voids.items() if series not in named]
        if strangers:
            found.findings.append(say.AcceptanceNotAllowed(authors=tuple(strangers)))
        return found

    def _take(self, wanted: Accept, comment: Comment, found: _Found) -> None:
        label = self._red.get(_normal(wanted.series), "")
        if why_not := next(self._refusals(wanted, comment, label), None):
            void = say.AcceptanceVoid(series=wanted.series, by=comment.author, why_not=why_not, url=comment.url)
            self._voids.setdefault(_normal(wanted.series), void)
        elif all(each.series != label for each in found.acceptances):
            found.acceptances.append(_acceptance(label, self._head, wanted, comment))

    def _refusals(self, wanted: Accept, comment: Comment, label: str) -> Iterator[say.Refusal]:
        if comment.is_edited:
            yield say.Refusal.EDITED
        if not wanted.commit:
            yield say.Refusal.NO_COMMIT
        elif wanted.commit != self._head:
            yield say.Refusal.OTHER_COMMIT
        if not label:
            yield say.Refusal.NOT_RED


def _acceptance(series: str, commit: str, wanted: Accept, comment: Comment) -> Acceptance:
    return Acceptance(
        series=series, commit=commit, by=comment.author, at=comment.created_at, why=wanted.why, url=comment.url
    )


def _normal(label: str) -> str:
    """A series as people copy it from a report, whose tables write "service time" for service_time."""
    return " ".join(visible(label, MAX_NAME).replace("_", " ").split())
