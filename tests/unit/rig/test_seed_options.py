"""What may be seeded, and what a seeding table may say."""

from pathlib import Path

import pytest

from perfci.errors import ConfigError, SeedError
from perfci.rig import seed


def test_unknown_kind_lists_the_known() -> None:
    """The message names the value and the choices."""
    with pytest.raises(ConfigError, match=r"\[seed\](.|\n)*unknown kind \(got 'sql'\); known: http, command, none"):
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
    ],
)
def test_bad_tables_name_the_key(table: dict[str, object], message: str) -> None:
    """Every mistake is found before anything is started."""
    with pytest.raises(ConfigError, match=message):
        seed.parse(table, where="[seed]")


@pytest.mark.parametrize("kind", [{"kind": "http", "path": "/x"}, {"kind": "command", "command": ["true"]}])
def test_a_service_elsewhere_must_be_declared_test_data(kind: dict[str, object], tmp_path: Path) -> None:
    """perfci neither fills nor clears a service elsewhere unless the configuration says what it is."""
    options = seed.parse(kind, where="[seed]")
    with pytest.raises(SeedError, match="not on this machine") as caught:
        seed.seed(options, "http://shop.example", clear_first=True, source=tmp_path, environ={})
    assert "test_data = true" in caught.value.hint
    with pytest.raises(SeedError, match="not on this machine"):
        seed.clean(options, "http://shop.example", source=tmp_path, environ={})


def test_none_makes_nothing(tmp_path: Path) -> None:
    """No seeding is a kind like the others, and the same every time."""
    options = seed.parse({"kind": "none"}, where="[seed]")
    seeded = seed.seed(options, "http://anywhere", clear_first=True, source=tmp_path, environ={})
    assert seeded == seed.Seeded(created={}, digest="none")
    seed.clean(options, "http://anywhere", source=tmp_path, environ={})
