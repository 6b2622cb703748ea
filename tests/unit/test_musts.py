"""Every guarantee of the Action has tests that carry its number."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUARANTEES = 28


def _named() -> set[int]:
    found = [
        re.findall(r"^\s*def test_must_(\d\d)_", file.read_text(), re.MULTILINE)
        for file in (ROOT / "tests").rglob("test_*.py")
    ]
    return {int(number) for numbers in found for number in numbers}


def test_every_guarantee_has_a_test() -> None:
    """`pytest -k must_05` runs those of one."""
    assert _named() == set(range(1, GUARANTEES + 1))


def test_the_page_lists_every_guarantee() -> None:
    """docs/action.md says what each number means."""
    page = (ROOT / "docs/action.md").read_text().partition("## Guarantees")[2]
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)] == list(range(1, GUARANTEES + 1))
