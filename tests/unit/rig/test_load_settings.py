"""Settings that Locust would read by hand and perfci keeps from it are found, file by file."""

from pathlib import Path

import pytest

from perfci.rig.load.settings import unread

pytestmark = pytest.mark.kind("C")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        (
            "locust.conf",
            "# users = 3\nusers = 20\nrun-time: 1m\n--headless\n",
            {"locust.conf": ("users", "run-time", "headless")},
        ),
        ("locust.conf", "", {"locust.conf": ()}),
        ("home/.locust.conf", "tags = slow", {"~/.locust.conf": ("tags",)}),
        ("pyproject.toml", "[tool.locust]\nusers = 20\n", {"[tool.locust] of pyproject.toml": ("users",)}),
        ("pyproject.toml", "[tool.ruff]\nline-length = 100\n", {}),
        ("pyproject.toml", "[tool.locust", {}),
        ("pyproject.toml", "tool = 7", {}),
        ("other.conf", "users = 20", {}),
    ],
)
def test_files_that_locust_would_read_are_named_with_what_they_set(
    tmp_path: Path, name: str, text: str, found: dict[str, tuple[str, ...]]
) -> None:
    """Whatever they hold: they are a project's own."""
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    assert unread(tmp_path) == found


def test_a_project_without_settings_has_none(tmp_path: Path) -> None:
    """A folder of that name is no file."""
    (tmp_path / "locust.conf").mkdir()
    assert unread(tmp_path) == {}
