"""Keys under old names are read for one release, and named for ever."""

from typing import Any

import pytest

from perfci import __version__
from perfci.config import from_bytes
from perfci.config.renames import Rename, Rewording, apply_renames, apply_rewordings
from perfci.errors import ConfigError, ExitCode

USERS = Rename(old="profiles.*.scenarios.*.clients", new="profiles.*.scenarios.*.users")
GONE = Rename(old="colour", advice="Reports have the colours of the terminal.")


def a_document() -> dict[str, Any]:
    """Two scenarios, one of them under the old name."""
    return {"profiles": {"a": {"scenarios": {"x": {"clients": 3}, "y": {"users": 4}}}}, "colour": "red"}


def test_an_old_name_is_read_with_a_warning() -> None:
    """The value stands under the new name, and the warning gives both in full."""
    document, warnings = apply_renames(a_document(), [USERS], where="perfci.toml")
    assert document["profiles"]["a"]["scenarios"] == {"x": {"users": 3}, "y": {"users": 4}}
    (warning,) = warnings
    assert "profiles.a.scenarios.x.clients is now called profiles.a.scenarios.x.users" in warning


def test_a_key_that_is_gone_is_dropped_with_a_warning() -> None:
    """It says what to do instead."""
    document, warnings = apply_renames(a_document(), [GONE], where="perfci.toml")
    assert "colour" not in document
    assert warnings == ("perfci.toml: colour is gone. Reports have the colours of the terminal.",)


def test_a_release_later_the_old_name_is_an_error_that_names_the_new_one() -> None:
    """With the exit code of a usage error."""
    late = Rename(old=USERS.old, new=USERS.new, error=True)
    with pytest.raises(ConfigError, match=r"clients is now called profiles\.a\.scenarios\.x\.users") as caught:
        apply_renames(a_document(), [late], where="perfci.toml")
    assert caught.value.hint == "rename profiles.a.scenarios.x.clients to profiles.a.scenarios.x.users"
    assert caught.value.exit_code is ExitCode.USAGE


def test_both_names_contradict_each_other() -> None:
    """Nobody knows which of the two is meant."""
    document = a_document()
    document["profiles"]["a"]["scenarios"]["x"]["users"] = 5
    with pytest.raises(ConfigError, match=r"both profiles\.a\.scenarios\.x\.clients and"):
        apply_renames(document, [USERS], where="perfci.toml")


@pytest.mark.parametrize("document", [{}, {"profiles": 3}, {"profiles": {"a": []}}])
def test_what_is_not_there_is_not_renamed(document: dict[str, Any]) -> None:
    """A document of any shape is left to the check that comes after."""
    assert apply_renames(dict(document), [USERS, GONE], where="perfci.toml") == (document, ())
    word = Rewording(key="profiles.*.scenarios", words={"a": "b"})
    assert apply_rewordings(dict(document), [word], where="perfci.toml") == (document, ())


MINIMAL = b'[target]\nkind = "command"\n[profiles.a]\nlocustfile = "a.py"\n[profiles.a.scenarios.x]\n'


def test_a_file_of_this_version_is_read() -> None:
    """With its version or without."""
    assert from_bytes(MINIMAL, where="perfci.toml") == from_bytes(b"version = 1\n" + MINIMAL, where="perfci.toml")


def test_an_older_perfci_says_that_it_is_older() -> None:
    """Before it stumbles over a key that it cannot know."""
    with pytest.raises(
        ConfigError, match=f"version 2 of the configuration, and perfci {__version__} reads 1"
    ) as caught:
        from_bytes(b"version = 2\nnew_key = 3\n" + MINIMAL, where="perfci.toml")
    assert caught.value.hint == "update perfci"


@pytest.mark.parametrize("version", [b"0", b'"1"', b"true", b"1.0"])
def test_a_version_that_never_was_is_refused(version: bytes) -> None:
    """As any wrong value is."""
    with pytest.raises(ConfigError, match="version"):
        from_bytes(b"version = " + version + b"\n" + MINIMAL, where="perfci.toml")
