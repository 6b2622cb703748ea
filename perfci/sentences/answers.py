"""What is said of answers that differ from the reference's."""

from collections.abc import Sequence
from dataclasses import dataclass

from perfci.model import Weight
from perfci.sentences.finding import NAMED, finding, listed


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bodies of another size."""

    before: float  # bytes
    after: float
    counted: bool  # in the census, and so a mean; else the median of a round

    def __str__(self) -> str:
        """What the answers are: "are 91 % smaller (4,213 -> 12 bytes at the median)"."""
        if self.after < self.before:
            how = f"{_percent(1 - self.after / self.before)} smaller"
        elif self.after < 2 * self.before:
            how = f"{_percent(self.after / self.before - 1)} larger"
        else:
            how = f"{self.after / self.before:,.1f} times as large" if self.before else "no longer empty"
        which = "on average" if self.counted else "at the median"
        return f"are {how} ({self.before:,.0f} -> {self.after:,.0f} bytes {which})"


@dataclass(frozen=True, slots=True)
class Kinds:
    """Answers of another kind: of another status, content type, compression or protocol."""

    what: str
    share: float  # of the answers
    lost: str  # the kind that became rarer
    gained: str

    def __str__(self) -> str:
        """What the answers have: "have another status in 50 % (200 -> 404)"."""
        return f"have another {self.what} in {_percent(self.share)} ({self.lost or 'none'} -> {self.gained or 'none'})"


Difference = tuple[Sizes | Kinds, ...]
"""Everything in which the answers of one endpoint differ."""


def described(difference: Difference) -> str:
    """Put a difference into words; they go on with "the answers"."""
    return " and ".join(map(str, difference))


def _percent(share: float) -> str:
    """Whole percent, and more where all but a few are: 99.7 % is not all."""
    return f"{100 * share:.{1 if 0.995 <= share < 1 else 0}f} %"


def _each(different: Sequence[tuple[str, Difference]]) -> str:
    named = "; ".join(
        f"{name}: the candidate's answers {described(difference)}" for name, difference in different[:NAMED]
    )
    more = len(different) - NAMED
    return named + (f"; and so on at {more} more endpoint{'s' * (more > 1)}" if more > 0 else "")


def _how_to_accept(endpoint: str) -> str:
    return f'If that is intended: `accept_answers = ["{endpoint}"]` in the `[gate]` of the base.'


@finding
class AnswersDiffer:
    """Endpoints answer otherwise than those of the reference."""

    code = "answers-differ"
    weight: Weight
    different: tuple[tuple[str, Difference], ...]  # endpoint, and how

    @property
    def message(self) -> str:
        return _each(self.different)

    @property
    def hint(self) -> str:
        return _how_to_accept(self.different[0][0])


@finding
class AnswersAccepted:
    """Endpoints answer otherwise, and the policy accepts it."""

    code = "answers-accepted"
    weight = Weight.NOTICE
    different: tuple[tuple[str, Difference], ...]
    hint = ""

    @property
    def message(self) -> str:
        return f"Accepted: {_each(self.different)}"


@finding
class EndpointsMissing:
    """An endpoint with requests on the reference got none on the candidate."""

    code = "endpoints-missing"
    weight: Weight
    endpoints: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"The candidate got no request to {listed(self.endpoints)}; the reference did"

    @property
    def hint(self) -> str:
        return _how_to_accept(self.endpoints[0])


@finding
class EndpointsDropped:
    """The change's Locust file no longer requests an endpoint that the base's does."""

    code = "endpoints-dropped"
    weight: Weight
    endpoints: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"This change edits the load, which no longer requests {listed(self.endpoints)}"

    @property
    def hint(self) -> str:
        return _how_to_accept(self.endpoints[0])


@finding
class FailuresDiffer:
    """Endpoints that fail on both sides fail in another way."""

    code = "failures-differ"
    weight = Weight.WARNING
    moved: tuple[tuple[str, str, str], ...]  # endpoint, the failure that became rarer, and the one that became commoner
    hint = ""

    @property
    def message(self) -> str:
        return f"Requests fail in another way: {listed([f'{name} ({old} -> {new})' for name, old, new in self.moved])}"


@finding
class AnswersUnknown:
    """The stored runs hold nothing about their answers."""

    code = "answers-unknown"
    weight = Weight.WARNING
    message = "The stored runs hold nothing about their answers, which are not compared"
    hint = "Measure and accept a run with this perfci."
