"""The kinds of findings and their registry."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar, dataclass_transform

from perfci.model import Finding, Weight

_Kind = TypeVar("_Kind", bound=Finding)

KINDS: dict[str, list[type[Finding]]] = {}
"""Code -> the kinds of findings with that code: one for each sentence."""

NAMED = 3
"""Longest list of names in one sentence; the table of series has the rest."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def finding(kind: type[_Kind]) -> type[_Kind]:
    """
    Make *kind* a frozen dataclass of its facts, and register it under its code.

    The class has a `code` in kebab-case, a `weight`, a `message` and a `hint` ("" for none), each a class attribute, a
    field or a property. What it annotates are its fields.
    """
    made = dataclass(frozen=True, slots=True, kw_only=True)(kind)
    KINDS.setdefault(str(made.code), []).append(made)
    return made


class Shows(StrEnum):
    """On which side something showed, which decides whom it is attributed to."""

    CANDIDATE_ALONE = "the candidate alone"  # the reference did not show it
    CANDIDATE = "the candidate"  # there is no reference
    BOTH = "both sides"
    REFERENCE = "the reference"

    @property
    def weight(self) -> Weight:
        """A regression where the candidate alone shows it; else the run is invalid."""
        return Weight.REGRESSION if self is Shows.CANDIDATE_ALONE else Weight.INVALID

    def did(self, what: str) -> str:
        """The sentence whose subject is the side that did *what*."""
        if self is Shows.CANDIDATE_ALONE:
            return f"The candidate {what}; the reference did not"
        return f"{self.value.capitalize()} {what}"


def listed(names: Sequence[str], most: int = NAMED) -> str:
    """The first few names, and the number of the others."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def percent(share: float) -> str:
    """A share in whole percent."""
    return f"{100 * share:.0f} %"


def times(count: int, message: str) -> str:
    """A message that came so often: "3 x 503 Service Unavailable"."""
    return f"{count} x {message}"
