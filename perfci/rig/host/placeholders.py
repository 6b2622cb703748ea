"""`{name}` in commands and variables: filled in by perfci for each side and block."""

import re
from collections.abc import Iterable, Mapping


def fill(text: str, values: Mapping[str, object]) -> str:
    """*text* with each `{name}` that *values* has replaced by its value; other braces are left alone."""
    names = "|".join(map(re.escape, values))
    return re.sub(rf"\{{({names})\}}", lambda found: str(values[found[1]]), text) if values else text


def used(name: str, texts: Iterable[str]) -> bool:
    """Whether `{name}` stands in any of *texts*."""
    return any(f"{{{name}}}" in text for text in texts)
