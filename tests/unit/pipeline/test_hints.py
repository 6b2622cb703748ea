"""Hints that name what perfci withheld."""

import pytest

from perfci.errors import TargetError
from perfci.pipeline.secrecy import naming_withheld

ENVIRON = {"DB_PASSWORD": "hunter2", "API_URL": "http://u:p@127.0.0.1", "PORT": "80", "GITHUB_TOKEN": "x"}


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("KeyError: 'DB_PASSWORD'", "look; perfci passed no DB_PASSWORD on, as it does"),
        ("set API_URL and DB_PASSWORD.", "look; perfci passed no API_URL, DB_PASSWORD on, as it does"),
        ("KeyError: 'PORT'", "look"),
        ("MY_DB_PASSWORD_2 is unset", "look"),
        ("it exited with code 1", "look"),
    ],
)
def test_a_variable_that_the_log_misses_is_named(message: str, hint: str) -> None:
    """Only where the evidence has its name, whole, and perfci dropped it; its value is never told."""
    error = naming_withheld(TargetError(message, hint="look"), ENVIRON)
    assert error.hint.startswith(hint)
    assert ("perfci" in error.hint) == ("perfci" in hint)
    assert "hunter2" not in error.hint
    assert str(error) == message


def test_without_a_hint_of_its_own() -> None:
    """The variable is the whole hint."""
    assert naming_withheld(TargetError("no DB_PASSWORD"), ENVIRON).hint.startswith("perfci passed no DB_PASSWORD on")
