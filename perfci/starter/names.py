"""Names endpoints by their paths."""

import re

_IDENTIFIER = re.compile(r"(?<=/)(\d+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,})(?=/|$)")


def template(path: str) -> str:
    """The *path* without its query, with numbers and other identifiers as `{id}`."""
    return _IDENTIFIER.sub("{id}", path.partition("?")[0])
