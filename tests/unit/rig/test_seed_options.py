"""What may be seeded, and what a seeding table may say."""

from pathlib import Path

import pytest

from perfci.errors import ConfigError
from perfci.rig import seed


def test_unknown_kind_lists_the_known() -> None:
    """The message names the value and the choices."""
    with pytest.raises(
        ConfigError, match=r"\[seed\](.|\n)*unknown kind \(got 'sql'\); known: http, command, python, none"
    ):
        seed.parse({"kind": "sql"}, where="[seed]")


def test_missing_kind() -> None:
    """Without a kind nothing is guessed."""
    with pytest.raises(ConfigError, match="kind: is required"):
        seed.parse({}, where="[seed]")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"kind": "http"}, "path: is required"),
        ({"kind": "http", "path": "/x", "cuonts": {}}, "cuonts: unknown key"),
        ({"kind": "http", "path": "/x", "counts": {"tickets": -1}}, "counts.tickets"),
        ({"kind": "http", "path": "http://elsewhere/x"}, "path: "),
        ({"kind": "command", "command": []}, "command: "),
        ({"kind": "python", "call": "shop.seeding"}, "call: "),
        ({"kind": "python", "call": "shop:fill; import os"}, "call: "),
    ],
)
def test_bad_tables_name_the_key(table: dict[str, object], message: str) -> None:
    """Every mistake is found before anything is started."""
    with pytest.raises(ConfigError, match=message):
        seed.parse(table, where="[seed]")


def test_none_makes_nothing(tmp_path: Path) -> None:
    """No seeding is a kind like the others, and the same every time."""
    options = seed.parse({"kind": "none"}, where="[seed]")
    seeded = seed.seed(options, "http://anywhere", clear_first=True, source=tmp_path, environ={})
    assert seeded == seed.Seeded(created={}, digest="none")
    assert not seed.clean(options, "http://anywhere", source=tmp_path, environ={})
