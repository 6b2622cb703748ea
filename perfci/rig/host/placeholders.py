"""Fills in placeholders, `{name}`, in commands and variables, for each side and block."""

import re
from collections.abc import Iterable, Mapping


def fill(text: str, values: Mapping[str, object]) -> str:
    """Replace each `{name}` in *text* that *values* has; other braces are left as they are."""
    names = "|".join(map(re.escape, values))
    return re.sub(rf"\{{({names})\}}", lambda found: str(values[found[1]]), text) if values else text


def used(name: str, texts: Iterable[str]) -> bool:
    """Whether any of *texts* contains `{name}`."""
    return any(f"{{{name}}}" in text for text in texts)
