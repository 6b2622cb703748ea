"""Writes the reference of all findings from their classes: `python -m tests.messages`."""

import inspect
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from perfci.model import Finding, Weight
from perfci.sentences import KINDS
from tests.unit.test_sentences import SIMPLE, instances

PAGE = Path(__file__).parents[1] / "docs" / "messages.md"
MOST = 60
"""Instances of a kind whose weights are looked at."""

HEAD = """\
# Messages

Every finding that a report may have, by its subject. `result.json` has the code, the weight and both sentences of each.
Numbers are examples, and … stands for a name.

| Weight | What it does to the verdict |
| :--- | :--- |
| `invalid` | the run proves nothing |
| `regression` | the whole is red |
| `inconclusive` | what would be a pass is inconclusive |
| `notice` | nothing; a reader must know it before the numbers |
| `warning` | nothing |

Errors that end a run before it has numbers are [messages of faults](faults.md). `python -m tests.messages` writes this
page.
"""


def text() -> str:
    """The whole page."""
    rooms: dict[str, list[type[Finding]]] = defaultdict(list)
    for kinds in KINDS.values():
        for kind in kinds:
            rooms[kind.__module__].append(kind)
    return "\n".join([HEAD, *(line for name in sorted(rooms) for line in _section(name, rooms[name]))])


def _section(name: str, kinds: list[type[Finding]]) -> Iterator[str]:
    about = inspect.getdoc(sys.modules[name]) or ""
    yield f"## {name.rpartition('.')[2].capitalize()}\n\n{about.splitlines()[0]}\n"
    yield "| Code | Weight | What it says | What to do |\n| :--- | :--- | :--- | :--- |"
    yield from (_row(kind) for kind in sorted(kinds, key=lambda kind: (str(kind.code), kind.__name__)))
    yield ""


def _row(kind: type[Finding]) -> str:
    some = list(islice(instances(kind), MOST))
    example = some[0]
    weights = ", ".join(f"`{weight}`" for weight in Weight if any(each.weight is weight for each in some))
    return f"| `{example.code}` | {weights} | {_cell(example.message)} | {_cell(example.hint)} |"


def _cell(sentence: str) -> str:
    shown = " ".join(sentence.split()).replace(SIMPLE[str][0], "…").replace("\\", "\\\\")
    for mark in "|<>[]*_`":
        shown = shown.replace(mark, f"\\{mark}")
    return shown


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
    print(PAGE)
