"""Test data over HTTP."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from demo.app import create_app
from demo.common.settings import Settings

COUNTS = {"users": 4, "managers": 2, "admins": 1, "tickets": 30, "comments": 45, "approvals": 9}


def order(rng_seed: int = 5) -> dict[str, object]:
    """An order of a little data."""
    return {"rng_seed": rng_seed, "counts": COUNTS}


def test_the_same_order_gives_the_same_data_in_every_database(tmp_path: Path) -> None:
    """The digest depends on the order alone; another random seed gives other data."""
    digests = []
    for name, rng_seed in (("a", 5), ("b", 5), ("c", 6)):
        settings = Settings(database_url=f"sqlite:///{tmp_path / name}", test_data=True)
        with TestClient(create_app(settings)) as client:
            answer = client.post("/test-data", json=order(rng_seed)).json()
        assert answer["created"].items() >= COUNTS.items()
        digests.append(answer["digest"])
    assert digests[0] == digests[1] != digests[2]


def test_a_second_order_is_a_conflict_until_the_first_is_deleted() -> None:
    """Deleting also removes what requests have added, and then the same data comes back."""
    with TestClient(create_app(Settings(test_data=True))) as client:
        first = client.post("/test-data", json=order()).json()
        assert client.post("/test-data", json=order()).status_code == 409
        login = client.post("/auth/login", json={"email": "user0001@example.test", "password": "perf-test"}).json()
        headers = {"Authorization": f"Bearer {login['access_token']}"}
        client.post("/tickets/", headers=headers, json={"title": "One more", "description": "x"})
        deleted = client.delete("/test-data").json()["deleted"]
        assert (deleted["tickets"], deleted["users"], deleted["sessions"]) == (31, 8, 1)  # one account that all may use
        assert client.get("/auth/profile", headers=headers).status_code == 401
        assert client.post("/test-data", json=order()).json() == first


def test_every_role_has_its_accounts() -> None:
    """The addresses are known beforehand, and so is the password."""
    with TestClient(create_app(Settings(test_data=True))) as client:
        client.post("/test-data", json=order())
        for name, role in (("user0004", "user"), ("manager002", "manager"), ("admin01", "admin")):
            credentials = {"email": f"{name}@example.test", "password": "perf-test"}
            token = client.post("/auth/login", json=credentials).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            assert client.get("/auth/profile", headers=headers).json()["role"] == role


def test_it_says_that_it_is_a_test_target() -> None:
    """Only where test data exists at all."""
    for test_data, mark in ((True, "true"), (False, None)):
        with TestClient(create_app(Settings(test_data=test_data))) as client:
            assert client.get("/test-data").headers.get("test-target") == mark


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_test_data_does_not_exist_unless_asked_for(method: str) -> None:
    """A service that is not told otherwise cannot be emptied by a request."""
    with TestClient(create_app(Settings())) as client:
        assert client.request(method, "/test-data").status_code == 404


def test_a_token_guards_test_data_where_one_is_set() -> None:
    """Without it, or with another one, nothing happens."""
    with TestClient(create_app(Settings(test_data=True, admin_token="t0ken"))) as client:
        for headers, status in (({}, 403), ({"X-Admin-Token": "other"}, 403), ({"X-Admin-Token": "t0ken"}, 201)):
            assert client.post("/test-data", json=order(), headers=headers).status_code == status


def test_an_order_of_nothing_creates_nothing() -> None:
    """Zero of everything is a valid order."""
    with TestClient(create_app(Settings(test_data=True))) as client:
        usual = client.get("/openapi.json").json()["components"]["schemas"]["Counts"]["properties"]
        answer = client.post("/test-data", json={"counts": dict.fromkeys(usual, 0)})
        assert (answer.status_code, sum(answer.json()["created"].values())) == (201, 0)


def test_an_unknown_count_is_an_error() -> None:
    """A misspelt table is named, not ignored."""
    with TestClient(create_app(Settings(test_data=True))) as client:
        answer = client.post("/test-data", json={"counts": {"tikets": 1}})
        assert answer.status_code == 422
        assert "tikets" in answer.text
