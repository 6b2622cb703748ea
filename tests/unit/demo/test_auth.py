"""Accounts, sign-ins and roles."""

import time
from collections.abc import Callable

import jwt
import pytest
from fastapi.testclient import TestClient

from tests.unit.demo.conftest import service_with_test_data

Headers = dict[str, str]
SignIn = Callable[[str], Headers]
NEWCOMER = {"email": "New@Example.test", "password": "a password", "name": "New", "department": "legal"}


def test_who_registers_can_sign_in_and_is_a_user(client: TestClient) -> None:
    """A new account works at once, whatever the case of its address, and has no privileges."""
    assert client.post("/auth/register", json=NEWCOMER).json()["role"] == "user"
    credentials = {"email": "new@example.test", "password": "a password"}
    token = client.post("/auth/login", json=credentials).json()["access_token"]
    profile = client.get("/auth/profile", headers={"Authorization": f"Bearer {token}"}).json()
    assert (profile["email"], profile["name"], profile["department"]) == ("new@example.test", "New", "legal")


def test_an_address_has_one_account(client: TestClient) -> None:
    """The second registration of an address is a conflict."""
    client.post("/auth/register", json=NEWCOMER)
    assert client.post("/auth/register", json=NEWCOMER).status_code == 409


@pytest.mark.parametrize(
    "credentials",
    [
        {"email": "user0001@example.test", "password": "wrong"},
        {"email": "nobody@example.test", "password": "perf-test"},
    ],
)
def test_a_wrong_password_and_an_unknown_address_look_the_same(client: TestClient, credentials: Headers) -> None:
    """Nobody learns which addresses have an account."""
    answer = client.post("/auth/login", json=credentials)
    assert (answer.status_code, answer.json()["detail"]) == (401, "no account has this address and password")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}])
def test_without_a_token_nothing_is_shown(client: TestClient, headers: Headers) -> None:
    """A missing, forged or foreign token is 401."""
    assert client.get("/tickets/", headers=headers).status_code == 401


def test_after_a_logout_the_token_is_worthless_and_others_are_not(client: TestClient) -> None:
    """A logout ends one sign-in, not those on other devices."""
    credentials = {"email": "user0001@example.test", "password": "perf-test"}
    first, second = (client.post("/auth/login", json=credentials).json() for _ in range(2))
    headers = {"Authorization": f"Bearer {first['access_token']}"}
    assert client.post("/auth/logout", headers=headers).status_code == 204
    assert client.get("/auth/profile", headers=headers).status_code == 401
    assert client.post("/auth/refresh", json={"refresh_token": first["refresh_token"]}).status_code == 401
    other = {"Authorization": f"Bearer {second['access_token']}"}
    assert client.get("/auth/profile", headers=other).status_code == 200


def test_a_refresh_token_gives_a_new_access_token_and_is_none_itself(client: TestClient) -> None:
    """Each token is good for its own purpose only."""
    credentials = {"email": "user0001@example.test", "password": "perf-test"}
    tokens = client.post("/auth/login", json=credentials).json()
    fresh = client.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).json()
    for token, status in ((fresh["access_token"], 200), (tokens["refresh_token"], 401)):
        assert client.get("/auth/profile", headers={"Authorization": f"Bearer {token}"}).status_code == status
    assert client.post("/auth/refresh", json={"refresh_token": tokens["access_token"]}).status_code == 401


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("/reports/dashboard", (200, 200, 200)),
        ("/reports/sla", (403, 200, 200)),
        ("/reports/volume", (403, 403, 200)),
        ("/approvals/pending", (403, 200, 200)),
        ("/approvals/history", (403, 200, 200)),
    ],
)
def test_roles_open_doors(client: TestClient, sign_in: SignIn, path: str, statuses: tuple[int, ...]) -> None:
    """Users see the dashboard, managers approve as well, admins see everything."""
    people = [sign_in(name) for name in ("user0001", "manager001", "admin01")]
    assert tuple(client.get(path, headers=headers).status_code for headers in people) == statuses


KEY = "a secret that is long enough for HMAC"


def forged(key: str = KEY, **claims: object) -> Headers:
    """A token that no sign-in issued."""
    usual = {"sub": "1", "kind": "access", "exp": int(time.time()) + 60}
    return {"Authorization": f"Bearer {jwt.encode(usual | claims, key, algorithm='HS256')}"}


def test_the_signature_of_a_token_decides_and_no_sign_in_is_needed() -> None:
    """Who has the key can make tokens for any account; those of another key, of nobody or out of date are worthless."""
    with service_with_test_data(secret_key=KEY) as client:
        assert client.get("/auth/profile", headers=forged()).json()["email"] == "user0001@example.test"
        assert client.get("/auth/validate", headers=forged()).status_code == 204
        for headers in (
            forged(key=KEY[::-1]),
            forged(sub="999"),
            forged(sub="x"),
            forged(sub="0"),
            forged(sid="no such sign-in"),
            forged(exp=int(time.time()) - 1),
            forged(kind="refresh"),
        ):
            assert client.get("/auth/validate", headers=headers).status_code == 401


def test_the_own_account_can_be_changed(client: TestClient, user: Headers) -> None:
    """What is named is changed, what is left out stays."""
    before = client.get("/auth/profile", headers=user).json()
    changed = client.patch("/auth/profile", headers=user, json={"name": "Another Name"}).json()
    assert changed == before | {"name": "Another Name"} == client.get("/auth/profile", headers=user).json()
    assert client.patch("/auth/profile", headers=user, json={"department": "nowhere"}).status_code == 422
