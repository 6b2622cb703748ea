"""A small service with test data, in this process."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from demo.app import create_app
from demo.common.seeding import PASSWORD
from demo.common.settings import Settings

SMALL = {"users": 3, "managers": 2, "admins": 1, "tickets": 60, "comments": 120, "approvals": 12}

SignIn = Callable[[str], dict[str, str]]


@cache
def database_with_test_data() -> bytes:
    """The content of an SQLite file; to make it takes most of a second, to copy it nothing."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "demo.sqlite"
        with TestClient(create_app(Settings(test_data=True, database_url=f"sqlite:///{file}"))) as client:
            assert client.post("/test-data", json={"rng_seed": 1, "counts": SMALL}).status_code == 201
        return file.read_bytes()


@contextmanager
def service_with_test_data(**settings: Any) -> Iterator[TestClient]:
    """A service whose database is a copy of that, and has no other user."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "demo.sqlite"
        file.write_bytes(database_with_test_data())
        with TestClient(create_app(Settings(test_data=True, database_url=f"sqlite:///{file}", **settings))) as client:
            yield client


@pytest.fixture
def client() -> Iterator[TestClient]:
    """The service with its test data."""
    with service_with_test_data() as client:
        yield client


@pytest.fixture
def sign_in(client: TestClient) -> SignIn:
    """Signs somebody in by the first part of their address; gives the headers that prove it."""

    def sign_in(name: str) -> dict[str, str]:
        answer = client.post("/auth/login", json={"email": f"{name}@example.test", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    return sign_in


@pytest.fixture
def user(sign_in: SignIn) -> dict[str, str]:
    """A regular user."""
    return sign_in("user0001")


@pytest.fixture
def manager(sign_in: SignIn) -> dict[str, str]:
    """A manager."""
    return sign_in("manager001")


@pytest.fixture
def admin(sign_in: SignIn) -> dict[str, str]:
    """An admin."""
    return sign_in("admin01")
