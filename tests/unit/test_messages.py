"""The reference of all findings says what the program says."""

from perfci.sentences import KINDS
from tests.messages import PAGE, text


def test_the_page_is_what_the_classes_say() -> None:
    """A finding that is new or worded otherwise is in the reference: `python -m tests.messages`."""
    assert PAGE.read_text(encoding="utf-8") == text(), "write it anew: python -m tests.messages"


def test_every_code_is_on_the_page() -> None:
    """Whoever reads a code in result.json finds its sentences."""
    page = PAGE.read_text(encoding="utf-8")
    assert [code for code in KINDS if f"`{code}`" not in page] == []
