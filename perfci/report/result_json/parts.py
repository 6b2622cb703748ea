"""What the parts of `result.json` share: bounded texts, finite numbers, strict types."""

import math
from typing import Annotated

from pydantic import ConfigDict, Field

from perfci.schema import Table

NAME_LIMIT = 300
TEXT_LIMIT = 2000
ROW_LIMIT = 20_000

Name = Annotated[str, Field(max_length=NAME_LIMIT)]
Text = Annotated[str, Field(max_length=TEXT_LIMIT)]
Count = Annotated[int, Field(ge=0)]


class Part(Table):
    """A part of the document: a number is a number, not a text that looks like one."""

    model_config = ConfigDict(strict=True)


def name(text: str) -> str:
    """*text* as a `Name`, cut where it is longer."""
    return _encodable(text, NAME_LIMIT)


def text(text: str) -> str:
    """*text* as a `Text`, cut where it is longer."""
    return _encodable(text, TEXT_LIMIT)


def finite(number: float | None) -> float | None:
    """*number*, or None where it is infinite or no number."""
    return number if number is not None and math.isfinite(number) else None


def _encodable(text: str, limit: int) -> str:
    whole = text.encode("utf-8", "replace").decode()
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"
