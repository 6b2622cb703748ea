"""
Normalises statements alike for all databases and versions, and tells a service's work from the rest.

Databases replace most literals themselves, each in its own way. What they leave (utility statements of PostgreSQL
before 16) goes here, because a text that is kept must hold no data; so does what differs between equal work: numbers of
parameters, lengths of lists, comments with trace identifiers.
"""

import re

MOST_CHARACTERS = 4000

_TOKEN = re.compile(
    r"""
      (?P<comment> /\*.*?(?:\*/|\Z) | --[^\n]* )
    | (?P<name> "(?:[^"]|"")*" | `[^`]*` )
    | (?P<value>
        [eE]'(?:[^'\\]|''|\\.)*(?:'|\Z)
      | [bBxXnN]?'(?:[^']|'')*(?:'|\Z)
      | \$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)
      | \$\d+
      | (?<![\w.$])\d+(?:\.\d*)?(?:[eE][+-]?\d+)?
      )
    | (?P<space> \s+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_CAST = r"(?: ?:: ?[\w .\[\]\"]+(?:\(\?\))?)?"
_LIST = re.compile(rf"\( ?(?:\?{_CAST}|DEFAULT|NULL)(?: ?, ?(?:\?{_CAST}|DEFAULT|NULL))+ ?\)", re.IGNORECASE)
_ONE = re.compile(rf"\b(IN|VALUES) ?\( ?\?{_CAST} ?\)", re.IGNORECASE)
_ROWS = re.compile(r"\(\.\.\.\)(?: ?, ?\(\.\.\.\))+")

_CONTROL = re.compile(
    r"(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|SET|RESET|SHOW|USE|DISCARD|DEALLOCATE|LISTEN|UNLISTEN)\b",
    re.IGNORECASE,
)
_PROBE = re.compile(
    r"SELECT (?:\?|(?:pg_catalog\.)?(?:version|now|pg_is_in_recovery|(?:current_)?(?:schema|database)) ?\( ?\))"
    r"(?: AS [\w\"`]+)?",
    re.IGNORECASE,
)


def normal(text: str) -> str:
    """*text* in one line, with `?` for every value and `(...)` for every list of values, without comments."""
    plain = _TOKEN.sub(_plain, text[: 4 * MOST_CHARACTERS]).strip().rstrip("; ")
    plain = re.sub(r" +", " ", plain)
    listed = _ONE.sub(r"\1 (...)", _LIST.sub("(...)", plain))
    return _ROWS.sub("(...)", listed)[:MOST_CHARACTERS]


def _plain(token: re.Match[str]) -> str:
    if token["name"]:
        return token["name"]
    return "?" if token["value"] else " "


def is_work(normalised: str) -> bool:
    """Whether a statement is work: not transaction control, session settings or a check that the database is alive."""
    return bool(normalised) and not _CONTROL.match(normalised) and not _PROBE.fullmatch(normalised)
