"""
Keeps one issue of the repository about something that is found again and again, such as a drift of the main branch.

It is found by its label, its first line and its author: anybody can copy the first two, nobody the author. Where
people have closed it, it stays closed until something is found that it does not name.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from perfci.errors import PublishError
from perfci.publish.client import connect
from perfci.publish.event import Job
from perfci.publish.patience import Patience
from perfci.publish.repository import explained

if TYPE_CHECKING:
    from github.Issue import Issue
    from github.Repository import Repository

T = TypeVar("T")

MAX_SUBJECTS = 500
"""Named in the first line of the issue; what is beyond them opens no further issue."""

_MARKER = re.compile(r"<!-- perfci:v1 ([a-z]+)((?: [0-9a-f]{8})*) -->")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the issue shall say; without *subjects* there is nothing to tell any more."""

    kind: str  # a word of lower-case letters, by which the issue is known
    title: str
    label: str
    body: str
    subjects: Sequence[str]  # digests, 8 hexadecimal digits each, of all that was found
    gone: str  # said when the issue is closed, since nothing is found any more

    @property
    def text(self) -> str:
        """The full text of the issue, with its first line."""
        marked = "".join(f" {subject}" for subject in self.subjects[:MAX_SUBJECTS])
        return f"<!-- perfci:v1 {self.kind}{marked} -->\n{self.body}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of the issue, in one word, and its address."""

    status: str
    url: str = ""


def keep_issue(job: Job, report: Report, *, token: str, login: str, patience: Patience | None = None) -> Kept:
    """Open, update or close the issue of *report*; PublishError where the API refuses."""
    return _Keeper(job, report, token=token, login=login, patience=patience or Patience()).settle()


class _Keeper:
    def __init__(self, job: Job, report: Report, *, token: str, login: str, patience: Patience) -> None:
        self._job = job
        self._report = report
        self._token = token
        self._login = login
        self._patience = patience

    def settle(self) -> Kept:
        with connect(self._job, self._token) as api:
            at = self._ask("the repository", lambda: api.get_repo(self._job.repository))
            opened = self._issues(at, "open")
            if not self._report.subjects:
                return self._close(opened)
            if opened:
                kept = self._update(opened[0])
            elif closed := next((each for each in self._issues(at, "closed") if self._names_all(each)), None):
                return Kept(status="closed by somebody, and nothing new", url=closed.html_url)
            else:
                kept = self._open(at)
            self._close_copies(self._issues(at, "open")[1:])
            return kept

    def _issues(self, at: "Repository", state: str) -> "list[Issue]":
        """Our issues in that *state*, the oldest first."""

        def asked() -> "list[Issue]":
            return [
                each
                for each in at.get_issues(state=state, labels=[self._report.label])
                if each.user.login == self._login and self._marked(each) is not None
            ]

        return sorted(self._ask("the issues", asked), key=lambda each: each.number)

    def _marked(self, issue: "Issue") -> frozenset[str] | None:
        """The subjects that an issue names in its first line; None where it is another one."""
        found = _MARKER.fullmatch((issue.body or "").partition("\n")[0].rstrip("\r"))
        return frozenset(found[2].split()) if found and found[1] == self._report.kind else None

    def _names_all(self, issue: "Issue") -> bool:
        return frozenset(self._report.subjects) <= (self._marked(issue) or frozenset())

    def _open(self, at: "Repository") -> Kept:
        report = self._report
        made = self._ask(
            "the issue",
            lambda: at.create_issue(report.title, body=report.text, labels=[report.label]),
            repeatable=False,
        )
        return Kept(status="opened", url=made.html_url)

    def _update(self, issue: "Issue") -> Kept:
        if _plain(issue.body or "") == _plain(self._report.text):
            return Kept(status="unchanged", url=issue.html_url)
        self._ask("the issue", lambda: issue.edit(body=self._report.text))
        return Kept(status="updated", url=issue.html_url)

    def _close(self, opened: "list[Issue]") -> Kept:
        """Say that it is gone and close; the text then names nothing, so that it is told again if it comes back."""
        for issue in opened:
            self._ask("the comment", partial(issue.create_comment, self._report.gone), repeatable=False)
            self._ask("the issue", partial(issue.edit, body=self._report.text, state="closed"))
        return Kept(status="closed", url=opened[0].html_url) if opened else Kept(status="nothing to tell")

    def _close_copies(self, copies: "list[Issue]") -> None:
        """Two jobs at once may both have opened one: the older stays."""
        for issue in copies:
            self._ask("the issue", partial(issue.edit, state="closed", state_reason="not_planned"))

    def _ask(self, what: str, request: Callable[[], T], *, repeatable: bool = True) -> T:
        with explained(what, needs="`issues: write`"):
            return self._patience.ask(request, repeatable=repeatable)
        raise PublishError(f"the API did not give {what}")


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
