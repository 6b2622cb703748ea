"""
Reads the commands that people write into comments: lines that begin with `/perf`.

What is read is data of whoever may comment. Whether an author may command anything is for the caller to ask the API.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MAX_COMMANDS = 50
"""Of one comment."""

MAX_WHY = 300
MAX_SERIES = 400

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_COMMAND = re.compile(r"/perf[ \t]+(\S+)(?:[ \t]+(.*))?")
_BOUND = re.compile(r"(.*?)[ \t]+at[ \t]+`?([0-9a-f]{40}|[0-9a-f]{64})`?(?![0-9a-z])[ \t:,.-]*(.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One line `/perf WORD TEXT` of a comment."""

    word: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """`/perf accept SERIES at COMMIT WHY`: *commit* is "" where the line names none."""

    series: str
    commit: str = ""
    why: str = ""


def commands_in(body: str) -> list[Command]:
    """The commands of a comment, in order; lines in code blocks and quotations are none."""
    return [command for _, command in zip(range(MAX_COMMANDS), _commands(body), strict=False)]


def accepted_in(body: str) -> list[Accept]:
    """The series that a comment accepts; why: what stands behind the commit, else what is said around the commands."""
    around = _plain(" ".join(line for line in _prose(body) if not _COMMAND.fullmatch(line)))
    return [_accept(command.text, around) for command in commands_in(body) if command.word == "accept" and command.text]


def _accept(text: str, around: str) -> Accept:
    bound = _BOUND.fullmatch(text)
    series, commit, why = bound.groups() if bound else (text, "", "")
    return Accept(
        series=_plain(series).strip("`").strip()[:MAX_SERIES], commit=commit, why=(_plain(why) or around)[:MAX_WHY]
    )


def _commands(body: str) -> Iterator[Command]:
    for line in _prose(body):
        if found := _COMMAND.fullmatch(line):
            yield Command(word=found[1].lower(), text=(found[2] or "").strip())


def _prose(body: str) -> Iterator[str]:
    """The lines of *body* outside of fenced code and quotations, without the spaces at their ends."""
    fence = ""
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        marks = _FENCE.match(line)
        if fence:
            if marks and marks[1].startswith(fence) and not line.strip(" `~"):
                fence = ""
        elif marks:
            fence = marks[1]
        elif not line.lstrip().startswith(">"):
            yield line.strip() if not line.startswith(("    ", "\t")) else ""


def _plain(text: str) -> str:
    """*text* in one line of visible characters."""
    kept = "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    return " ".join(kept.split())
