"""What the runner makes of a step's log: commands that it obeys, those that it has given up, and plain lines."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_COMMAND = re.compile(r"^\s*::(?P<name>[A-Za-z][\w-]*)(?: (?P<properties>[^:]*(?::(?!:)[^:]*)*))?::(?P<text>.*)$")
_FORMER = re.compile(r"##\[(?P<name>[A-Za-z][\w-]*)(?: (?P<properties>[^\]]*))?\](?P<text>.*)$")
_GIVEN_UP = frozenset({"set-output", "save-state", "set-env", "add-path"})
_ANNOTATIONS = frozenset({"error", "warning", "notice"})


@dataclass
class Obeyed:
    """What the lines of one step made the runner do."""

    annotations: list[tuple[str, str]] = field(default_factory=list)  # level and message
    masked: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)  # commands that only warn today
    other: list[str] = field(default_factory=list)  # groups, debug lines and the like, by name


def obey(lines: Iterable[str]) -> Obeyed:
    """Read *lines* as the runner does: `::name ...::text` from the start of a line, `##[name]text` anywhere in it."""
    obeyed, until = Obeyed(), ""
    for line in lines:
        found = _COMMAND.match(line) or _FORMER.search(line)
        if found is None:
            continue
        name, text = found["name"], _unescaped(found["text"])
        if until:
            until = "" if name == until else until
        elif name == "stop-commands":
            until = text
        elif name in _ANNOTATIONS:
            obeyed.annotations.append((name, text))
        elif name == "add-mask":
            obeyed.masked.append(text)
        elif name in _GIVEN_UP:
            obeyed.given_up.append(name)
        else:
            obeyed.other.append(name)
    return obeyed


def _unescaped(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
