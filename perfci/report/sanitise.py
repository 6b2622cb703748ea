"""
Makes names and sentences that somebody else wrote harmless for the place where they are shown.

A pull request chooses the names of its endpoints. In Markdown they must give no mention, link, tag, image, emphasis
or extra cell; in a log no escape sequence and no workflow command.
"""

import re
import unicodedata

NAME_LIMIT = 80
ZERO_WIDTH_SPACE = "\u200b"
"""Breaks what Markdown's backslash cannot: mentions and references are linked after the escapes are gone."""

_ESCAPED = re.compile(r"([\\`*_{}\[\]()<>#!|~$&])")
_BLOCK_START = re.compile(r"^(?:(\d{1,9})([.)])(?=\s|$)|([-+])(?=[-\s]|$))")
_AUTOLINKS = re.compile(
    r"""@ | \# | (?<=GH)- | (?<=www)\. | :(?=//) | :(?=[\w+-]+:)  # mentions, issues, addresses, emoji
    """,
    re.VERBOSE | re.IGNORECASE,
)
_COMMITS = re.compile(r"(?<![0-9a-z])([0-9a-f]{7,})(?![0-9a-z])", re.IGNORECASE)


def plain(text: str, limit: int = NAME_LIMIT) -> str:
    """One line of visible characters for a terminal or a log, without workflow commands."""
    return _cut(_visible(text).replace("##[", "## [").replace("::", ": :"), limit)


def visible(text: str, limit: int = NAME_LIMIT) -> str:
    """One line of visible characters, for a place that does its own escaping."""
    return _cut(_visible(text), limit)


def code(text: str, limit: int = NAME_LIMIT) -> str:
    """A name as a code span that holds in a table cell."""
    name = _cut(_visible(text), limit) or "(no name)"
    name = name.replace("@", "@" + ZERO_WIDTH_SPACE).replace("\\|", "\\" + ZERO_WIDTH_SPACE + "|")
    longest = max((len(run) for run in re.findall("`+", name)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if name.startswith("`") or name.endswith("`") else ""
    return f"{fence}{pad}{name.replace('|', chr(92) + '|')}{pad}{fence}"


def prose(text: str, limit: int) -> str:
    """
    A sentence as Markdown text that holds at the start of a line, in a list and in a table cell.

    What looks like a commit becomes a code span: it is no link then, and can be copied whole.
    """
    pieces = _COMMITS.split(_cut(_visible(text), limit))
    spans = (f"`{piece}`" if number % 2 else _escaped(piece) for number, piece in enumerate(pieces))
    return _BLOCK_START.sub(_escape_start, "".join(spans))


def web_address(url: str) -> str:
    """An http(s) address that cannot leave a Markdown link, or nothing."""
    return url if re.fullmatch(r"https?://[^\s<>()\[\]|\\`\"']+", url) else ""


def _visible(text: str) -> str:
    if text.isprintable():  # nearly always, and much quicker to find out: there is no separator but a plain space
        return " ".join(unicodedata.normalize("NFC", text).split())
    spaced = "".join(" " if unicodedata.category(c) in {"Zl", "Zp", "Zs"} or c in "\n\r\t\v\f\x85" else c for c in text)
    kept = (c for c in unicodedata.normalize("NFC", spaced) if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"})
    return " ".join("".join(kept).split())


def _escaped(text: str) -> str:
    broken = _AUTOLINKS.sub(lambda found: found[0] + ZERO_WIDTH_SPACE, text)
    return _ESCAPED.sub(r"\\\1", broken)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _escape_start(found: re.Match[str]) -> str:
    number, after, sign = found.groups()
    return f"\\{sign}" if sign else f"{number}\\{after}"
