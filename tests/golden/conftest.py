"""`pytest tests/golden --update-golden` writes what is rendered now; read the diff before you commit it."""

from collections.abc import Callable
from pathlib import Path

import pytest

EXPECTED = Path(__file__).parent / "expected"


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option for the files in this folder."""
    parser.addoption("--update-golden", action="store_true", default=False, help="write the golden files anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a whole text with the file *name*."""
    update = bool(request.config.getoption("update_golden", default=False))

    def compare(name: str, text: str) -> None:
        file = EXPECTED / name
        if update:
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(text.encode())
        assert text == file.read_bytes().decode(), f"{name} changed; is that what you meant?"

    return compare


@pytest.fixture(autouse=True)
def _version(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release changes no golden file."""
    monkeypatch.setattr("perfci.schema.stored.__version__", "1.2.3")
