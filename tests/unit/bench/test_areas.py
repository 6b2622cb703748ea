"""The table of what requests cost, and the page that it is put into."""

import pytest
from fastapi.testclient import TestClient

from bench.areas import BEGIN, END, PAGE, REQUESTS, Cost, section, written
from demo.app import create_app
from demo.common.settings import Settings

COST = Cost(area="auth", name="GET /auth/profile", cpu_ms=1.234, p50_ms=2.0, p95_ms=3.0)


def test_each_endpoint_is_a_row() -> None:
    """With its area, and the load that the machine had besides."""
    text = section([COST], count=300, load=4.0)
    assert "| auth | `GET /auth/profile` | 1.23 ms | 2.00 ms | 3.00 ms |" in text
    assert "300 requests each" in text
    assert "load average of the machine before: 4.0" in text


def test_every_part_of_the_service_has_a_row() -> None:
    """What begins with a name of its own, and is not the filling of the database."""
    with TestClient(create_app(Settings(test_data=True))) as client:
        paths = client.get("/openapi.json").json()["paths"]
    first_names = {path.split("/")[1] for path in paths}
    asked = {path.split("?")[0].split("/")[1] for _, _, path, _ in REQUESTS}
    assert first_names - asked == {"test-data"}


def test_the_table_replaces_the_one_before_and_nothing_else() -> None:
    """Written twice, the page is as if it had been written once."""
    page = f"# Demo\n{BEGIN}\nold\n{END}\n## More\n"
    once = written(page, "new")
    assert "old" not in once
    assert once.startswith("# Demo\n")
    assert once.endswith("\n## More\n")
    assert written(once, "new") == once


def test_a_page_without_a_place_is_refused() -> None:
    """Nothing is written where nobody looks for it."""
    with pytest.raises(ValueError, match="has no"):
        written("# Demo", "new")


def test_the_readme_of_the_demo_has_the_place() -> None:
    """Where `--write` puts the table."""
    assert "new" in written(PAGE.read_text(), "new")
