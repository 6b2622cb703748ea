"""Writes `docs/systems.md` from the evidence."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from bench.systems.rows import PLANS, Row
from bench.systems.shown import Shown, State

Found = Sequence[tuple[Row, Shown]]

HEAD = """\
# The five systems

What each of the five systems behind perfci's own profiles promises, with the command that shows it and what that
printed. `make systems` (`python -m bench.systems`) writes this page: it runs every command anew, in about an hour on
two quiet cores. With `--output DIR` what was produced is kept, and the next call goes on where the last one ended;
`--only T04` produces the evidence for that promise anew, `--compose` measures in containers, too.

- *shown*: the command ran and printed it. *breached*: a limit was judged at the documented number of users, and this
  machine does not keep it, which is an answer. *not shown*: it did not, for the reason given. *not run*: left out of
  this writing. *open*: what it needs is not part of perfci yet.
- A promise of a document is shown by the section of that document; every perfci command in it is tested to exist.
- Scenarios are measured at their `-smoke` size, by their limits alone, on the embedded demo. Floors of throughput and
  numbers of users are asked at the documented number of users, for twenty seconds. Stress and spikes have the ramps and
  the users of the document, and hold each stage for ten seconds on average.
"""


def write(found: Mapping[str, Found]) -> str:
    """The whole page."""
    return "\n".join([HEAD, *_summary(found), *(line for system in found for line in _section(system, found[system]))])


def _summary(found: Mapping[str, Found]) -> Iterator[str]:
    yield "| System | Promises | " + " | ".join(state.value.strip("*") for state in State) + " |"
    yield "| :--- | ---: |" + " ---: |" * len(State)
    for system, rows in found.items():
        counted = Counter(shown.state for _, shown in rows)
        yield f"| {PLANS[system].title} | {len(rows)} | " + " | ".join(str(counted[state]) for state in State) + " |"
    yield ""


def _section(system: str, rows: Found) -> Iterator[str]:
    yield f"## {PLANS[system].title}"
    yield ""
    yield "| | Promise | State | Command or file | Printed |"
    yield "| :--- | :--- | :--- | :--- | :--- |"
    for row, shown in rows:
        command = f"`{_cell(shown.command)}`" if shown.command else ""
        yield f"| {row.number} | {_cell(row.promise)} | {shown.state.value} | {command} | {_cell(shown.printed)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
