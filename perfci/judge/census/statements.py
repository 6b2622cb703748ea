"""Prepares statements for display: without literals and comments, shortened, each text once."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import hypot

from perfci.model import Statement, Tally

LONGEST = 20_000
"""Longest part of a statement that is processed, in characters."""

SHOWN = 300
"""Longest part of a statement that is displayed, in characters."""

_TOKEN = re.compile(
    r"""(?P<comment> /\*.*?(?:\*/|\Z) | --[^\n]* )
      | (?P<data> '[^']*(?:'|\Z) | \$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z) )
      | (?P<double> "[^"]*(?:"|\Z) )""",
    re.DOTALL | re.VERBOSE,
)
_QUOTED = re.compile(r"'.*(?:'|\Z)", re.DOTALL)
_MYSQL_COMMENT = re.compile(r"#[^\n]*")
_PARAMETER = re.compile(r"\$\d+|(?<!:)[:@]\w+|%(?:\(\w*\))?s")
_NUMBER = re.compile(r"(?<![\w$\"`])(?:0x[0-9a-f]+|\d+(?:\.\d*)?(?:e[+-]?\d+)?)(?![\w\"`])", re.IGNORECASE)
_LIST = re.compile(r"\?(?:\s*,\s*(?:\?|\.\.\.))+")
_ROWS = re.compile(r"\(\?\)(?:\s*,\s*\(\?\))+")
_COLUMNS = re.compile(r"^((?:WITH\b.*?\)\s*)?SELECT(?:\s+DISTINCT)?)\s+(.+?)\s+FROM\b", re.IGNORECASE | re.DOTALL)


def masked(text: str, kind: str = "") -> str:
    """
    *text* with a question mark for everything that could be data: a second defence after the database's own masking.

    Where a backslash could have moved the end of a string, everything between the first and the last quote goes; of a
    database of *kind* "mysql", what stands between double quotes is data, too.
    """
    mysql, known = kind in {"mysql", "mariadb"}, text[:LONGEST]
    if "\\" in known:
        known = _QUOTED.sub("?", known)
    known = _TOKEN.sub(lambda found: _replaced(found, mysql=mysql), known)
    if mysql:
        known = _MYSQL_COMMENT.sub(" ", known)
    known = _NUMBER.sub("?", _PARAMETER.sub("?", known))
    return _ROWS.sub("(?)", _LIST.sub("?", " ".join(known.split())))


def _replaced(found: re.Match[str], *, mysql: bool) -> str:
    if found["comment"]:
        return " "
    return found["double"] if found["double"] and not mysql else "?"


def short(text: str, limit: int = SHOWN) -> str:
    """A masked statement in *limit* characters: long lists of columns are cut first, then the end."""
    found = _COLUMNS.match(text)
    if found and len(found[2]) > 24:
        text = f"{found[1]} …{text[found.end(2) :]}"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def merged(statements: Iterable[Statement], kinds: dict[str, str] | None = None) -> tuple[Statement, ...]:
    """
    The masked statements of each source with the sums of all their spellings, sorted; *kinds* names the kind of a
    source.
    """
    groups: dict[tuple[str, str], list[Statement]] = {}
    for statement in statements:
        groups.setdefault(
            (statement.source, masked(statement.text, (kinds or {}).get(statement.source, ""))), []
        ).append(statement)
    return tuple(
        replace(
            same[0],
            text=text,
            calls=_sum([statement.calls for statement in same]),
            rows=_sum_known([statement.rows for statement in same]),
            blocks=_sum_known([statement.blocks for statement in same]),
        )
        for (_, text), same in sorted(groups.items())
    )


def _sum(tallies: Sequence[Tally]) -> Tally:
    if len(tallies) == 1:
        return tallies[0]
    return Tally(
        requests=max(tally.requests for tally in tallies),
        mean=sum(tally.mean for tally in tallies),
        spread=hypot(*(tally.spread for tally in tallies)),
    )


def _sum_known(tallies: Sequence[Tally | None]) -> Tally | None:
    known = [tally for tally in tallies if tally is not None]
    return _sum(known) if len(known) == len(tallies) else None
