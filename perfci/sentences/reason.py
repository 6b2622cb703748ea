"""What a kind of reason is, and the registry of all kinds."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

from perfci.model import Reason

_Kind = TypeVar("_Kind", bound=Reason)

REASONS: dict[str, type[Reason]] = {}
"""Code -> the kind of reason with that code."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def reason(kind: type[_Kind]) -> type[_Kind]:
    """
    Make *kind* a frozen dataclass of its facts, and register it under its code.

    The class has a `code` in kebab-case as a class attribute, and `__str__` for its words. What it annotates are its
    fields.
    """
    made = dataclass(frozen=True, slots=True, kw_only=True)(kind)
    REASONS[str(made.code)] = made
    return made
