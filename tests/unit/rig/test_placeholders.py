"""What perfci fills into commands and variables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.rig.host.placeholders import fill, used


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("--port={port}", "--port=8123"),
        ("{port}{port}", "81238123"),
        ("{{port}}", "{8123}"),
        ("{other} {} {PORT}", "{other} {} {PORT}"),
        ('{"counts": 3}', '{"counts": 3}'),
        ("{dir}", "{port}"),
    ],
)
def test_known_names_are_filled_in_once(text: str, filled: str) -> None:
    """Other braces are the project's own, and what is filled in is not filled in again."""
    assert fill(text, {"port": 8123, "dir": "{port}"}) == filled


@given(st.text())
def test_without_names_nothing_changes(text: str) -> None:
    """Whatever is in it."""
    assert fill(text, {}) == text


def test_use_is_seen() -> None:
    """In any of the texts, and by its braces alone."""
    assert used("port", ["--port", "{port}"])
    assert not used("port", ["--port", "port"])
