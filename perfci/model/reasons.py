"""What a reason is: a code with facts, which is worded where it is read."""

from dataclasses import dataclass
from typing import Protocol


class Reason(Protocol):
    """
    Why something was decided, or what a value rests on; `str()` of it is the sentence.

    The kinds of reasons are in `perfci.sentences`: each has its facts as typed fields, and the words for them.
    """

    @property
    def code(self) -> str:
        """What it is; kebab-case."""


@dataclass(frozen=True, slots=True)
class WordedReason:
    """A reason whose words are made already: read from `result.json`, or those of an error."""

    text: str
    code: str = ""

    def __str__(self) -> str:
        """The words."""
        return self.text
