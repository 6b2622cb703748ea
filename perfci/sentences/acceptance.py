"""What is said of comments that accept a series that is worse on purpose."""

from enum import StrEnum

from perfci.model import Reason, Weight
from perfci.sentences.finding import finding, listed
from perfci.sentences.reason import reason

HOW = (
    "an acceptance is a line `/perf accept SERIES at COMMIT` with the full hash of the head, and what follows says why"
)


@reason
class AcceptedBy:
    """A series is worse, and somebody accepted that by a comment."""

    code = "accepted-by"
    of: Reason
    login: str

    def __str__(self) -> str:
        return f"{self.of}; accepted by {self.login}"


class Refusal(StrEnum):
    """Why a comment of somebody who may accept series accepts nothing."""

    OTHER_COMMIT = "it is for another commit, and the head is new since"
    NO_COMMIT = "it does not name the commit"
    EDITED = "it was edited after it was written, and nobody can tell by whom"
    NOT_RED = "no red series has this name"


@finding
class SeriesAccepted:
    """Somebody who may write to the repository has accepted a series by a comment."""

    code = "series-accepted"
    weight = Weight.NOTICE
    series: str
    by: str
    at: str  # ISO 8601
    why: str
    url: str
    hint = ""

    @property
    def message(self) -> str:
        why = f"“{self.why}”" if self.why else "no reason given"
        return f"{self.series} is worse and accepted for this commit, by {self.by} on {self.at}: {why} ({self.url})"


@finding
class AcceptanceVoid:
    """A comment of somebody who may accept series accepts nothing here."""

    code = "acceptance-void"
    weight = Weight.NOTICE
    series: str
    by: str
    why_not: Refusal
    url: str
    hint = HOW

    @property
    def message(self) -> str:
        return f"the comment of {self.by} that accepts {self.series} is void: {self.why_not} ({self.url})"


@finding
class AcceptanceNotAllowed:
    """Comments ask to accept series, and their authors may not write to the repository."""

    code = "acceptance-not-allowed"
    weight = Weight.NOTICE
    authors: tuple[str, ...]
    hint = "only who may write to the repository accepts a regression"

    @property
    def message(self) -> str:
        return f"comments of {listed(self.authors)} accept nothing: they have no write access to the repository"


@finding
class AcceptancesUnread:
    """The API did not give the comments, or what their authors may do."""

    code = "acceptances-unread"
    weight = Weight.WARNING
    why: str
    hint = "run the job that judges again"

    @property
    def message(self) -> str:
        return f"no comment was asked whether it accepts a series: {self.why}"
