"""What is added to the reason of a decision: that it was made earlier, or that the answers differ."""

from perfci.model import Reason
from perfci.sentences.answers import Difference, described
from perfci.sentences.finding import listed
from perfci.sentences.reason import reason


@reason
class DecidedEarlier:
    """What an earlier look decided, which stays."""

    code = "decided-earlier"
    of: Reason
    block: int  # after which it was decided

    def __str__(self) -> str:
        return f"{self.of}; decided after block {self.block}"


@reason
class AnswersOtherwise:
    """An endpoint improved, and its answers are others than those of the reference."""

    code = "answers-otherwise"
    of: Reason
    difference: Difference
    accepted: bool  # by the policy

    def __str__(self) -> str:
        return f"{self.of}, but its answers {described(self.difference)}{_accepted(self.accepted)}"


@reason
class OthersAnswerOtherwise:
    """All endpoints together improved, and some of them answer otherwise."""

    code = "others-answer-otherwise"
    of: Reason
    endpoints: tuple[str, ...]
    accepted: bool  # by the policy, all of them

    def __str__(self) -> str:
        return f"{self.of}, but the answers of {listed(self.endpoints)} differ{_accepted(self.accepted)}"


def _accepted(accepted: bool) -> str:
    return ", which is accepted" if accepted else ""
