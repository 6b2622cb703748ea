"""The table of kinds of faults that `make test` ends with."""

import re
from pathlib import Path

from tests.kinds import KINDS, table

TESTS = Path(__file__).parents[1]


def test_every_kind_is_held_and_every_mark_is_a_kind() -> None:
    """A letter without a test would be an empty promise, and a mistyped one would not stand in the table at all."""
    texts = (file.read_text() for file in TESTS.rglob("test_*.py"))
    marked = {letter for text in texts for letter in re.findall(r'mark\.kind\("([^"]*)"\)', text)}
    assert marked == set(KINDS)


def test_a_case_is_a_function_and_a_test_is_one_call_of_it() -> None:
    """Parameters make tests of a case; a kind that no test held has none."""
    lines = list(table([("A", "a.py::one[x]"), ("A", "a.py::one[y]"), ("A", "b.py::two"), ("B", "c.py::three")]))
    counts = {line[0]: line.split()[-2:] for line in lines[1:]}
    assert counts == {letter: ["0", "0"] for letter in KINDS} | {"A": ["2", "3"], "B": ["1", "1"]}
