"""Counts the work that a response itself shows: its length, and the numbers in chosen headers."""

import re
from collections.abc import Mapping

SERVER_TIMING = "Server-Timing"

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_ENTRY = re.compile(r"""\s*([\w!#$%&'*+.^`|~-]+)((?:\s*;\s*\w+\s*=\s*(?:"[^"]*"|[^;,"]*))*)\s*(?:,|$)""")
_COUNT = re.compile(r""";\s*(?:desc|count)\s*=\s*"?\s*(\d+(?:\.\d+)?)\b""")


def numbers(length: float, headers: Mapping[str, str]) -> dict[str, float]:
    """
    Counters by name: "bytes", each header that holds a number ("x-sql-queries"), each counting entry of Server-Timing.

    An entry counts if its description begins with a number, `db;dur=53;desc="4 statements"` (W3C Server Timing): the
    duration beside it is a clock and no count.
    """
    found = {"bytes": length}
    for header, value in headers.items():
        if header.lower() == SERVER_TIMING.lower():
            entries = ((entry[1], _COUNT.search(entry[2])) for entry in _ENTRY.finditer(value))
            found |= {f"{header.lower()} {name}": float(count[1]) for name, count in entries if count}
        elif number := _NUMBER.match(value.strip()):
            found[header.lower()] = float(number[0])
    return found
