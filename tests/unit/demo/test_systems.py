"""The systems of the demo are strangers to each other, and one more is added without touching the others."""

import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient

from demo.app import SYSTEMS
from demo.common.app import build_app
from demo.common.models import User
from demo.common.settings import Settings
from demo.common.system import Accounts, Rows, System, table_of
from tests.unit.test_layers import ROOT, Import, imports

PACKAGES = sorted(path.parent.name for path in (ROOT / "demo").glob("*/seeding.py") if path.parent.name != "common")
PROFILES = {
    "tickets": {"shared"},
    "platform_api": {"shared"},
    "saas": {"shared"},
    "crm": {"shared"},
    "contact_center": {"shared", "contact_agent", "contact_workflows", "streams"},
}
"""Each profile with the modules of `load_tests/` that it may import."""


def intruders(root: Path) -> list[str]:
    """Imports by which a system, or what the systems share, knows a system that is another one."""
    return [str(each) for each in imports(root, "demo") if _is_intruder(each, _systems(root))]


def _systems(root: Path) -> set[str]:
    return {path.parent.name for path in (root / "demo").glob("*/__init__.py")} - {"common", "migrations"}


def _is_intruder(found: Import, systems: set[str]) -> bool:
    importer, imported = found.importer.split("."), found.imported.split(".")
    if importer == ["demo", "app"] or imported[0] != "demo" or len(imported) < 2:
        return False
    return imported[1] in systems and imported[1] != importer[1]


def test_every_package_is_a_line_of_the_application() -> None:
    """Each package with test data has a system, by its own name."""
    assert [system.name for system in SYSTEMS] != []
    assert sorted(system.name for system in SYSTEMS) == PACKAGES


def test_no_system_knows_another() -> None:
    """Only the application names them all."""
    assert intruders(ROOT) == []


def test_an_import_of_another_system_is_found(tmp_path: Path) -> None:
    """Between two systems, and from what they share; not within one, nor of what they share."""
    for name, text in {
        "common": "from demo.crm import models",
        "crm": "import demo.common\nimport demo.crm.models",
        "saas": "def f():\n    import demo.crm.models",
    }.items():
        package = tmp_path / "demo" / name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "models.py").write_text(text)
    (tmp_path / "demo" / "app.py").write_text("from demo import crm, saas")
    assert intruders(tmp_path) == [
        "demo.common.models:1 imports demo.crm.models",
        "demo.saas.models:2 imports demo.crm.models",
    ]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_imports_only_what_is_its_own_or_shared(profile: str) -> None:
    """A file that is deleted takes no other profile with it."""
    local = {path.stem for path in (ROOT / "load_tests").glob("*.py")}
    named = {
        each.imported.split(".")[0] for each in imports(ROOT, "load_tests") if each.importer == f"load_tests.{profile}"
    }
    assert named & local <= PROFILES[profile]
    assert {path.stem for path in (ROOT / "load_tests").glob("*.py")} >= set(PROFILES)


def test_a_sixth_system_is_one_more_value() -> None:
    """Its routes are served and described, its rows seeded and deleted."""
    router = APIRouter(prefix="/weather")

    @router.get("")
    async def weather() -> str:
        return "fair"

    def rows(rng: random.Random, counts: Mapping[str, int], accounts: Accounts) -> Rows:
        person = accounts.users[0] | {"id": 900, "email": "forecaster@example.test", "name": str(rng.random())}
        yield table_of(User), [person][: counts["forecasters"]]

    sixth = System(name="weather", routers=(router,), counts={"forecasters": 1}, rows=rows)
    digests = []
    for systems in (SYSTEMS, (*SYSTEMS, sixth)):
        with TestClient(build_app(Settings(test_data=True), systems)) as client:
            counts = {"users": 3, "tickets": 5}
            answer = client.post("/test-data", json={"rng_seed": 1, "counts": counts})
            assert answer.status_code == 201, answer.text
            digests.append(answer.json()["digest"])
            newest = client.get("/weather")
            served = newest.status_code == 200 and newest.json() == "fair"
            assert served is (sixth in systems)
            assert ("/weather" in client.get("/openapi.json").json()["paths"]) is served
            deleted = client.delete("/test-data").json()["deleted"]
            assert deleted["users"] == 3 + 20 + 5 + 1 + served  # one account that all may use
    assert digests[0] != digests[1]
