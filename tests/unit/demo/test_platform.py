"""Generation tasks and payments."""

import time

import pytest
from fastapi.testclient import TestClient

from demo.app import create_app
from demo.common.settings import Settings
from tests.unit.demo.conftest import SMALL

Headers = dict[str, str]


def test_a_task_is_running_at_first_and_done_later(client: TestClient, user: Headers) -> None:
    """Its result is that of its prompt, and the list can be asked for one of the states."""
    task = client.post("/generation/tasks", headers=user, json={"prompt": "a cat"}).json()
    assert (task["status"], task["result"], task["finished_at"]) == ("running", "", None)
    done = finished(client, user, task["id"])
    again = client.post("/generation/tasks", headers=user, json={"prompt": "a cat"}).json()
    assert finished(client, user, again["id"])["result"] == done["result"] != ""
    listed = client.get("/generation/tasks", headers=user, params={"status": "done"}).json()["items"]
    assert [item["id"] for item in listed[:2]] == [again["id"], task["id"]]


def finished(client: TestClient, user: Headers, task: int) -> dict[str, str]:
    """The task, once it is done."""
    for _ in range(200):
        found: dict[str, str] = client.get(f"/generation/tasks/{task}", headers=user).json()
        if found["status"] == "done":
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def test_what_a_stopped_service_left_is_finished_by_the_next(tmp_path: object) -> None:
    """A task outlives the process that took it."""
    settings = Settings(database_url=f"sqlite:///{tmp_path}/demo.sqlite", test_data=True)
    credentials = {"email": "user0001@example.test", "password": "perf-test"}
    with TestClient(create_app(settings)) as client:
        client.post("/test-data", json={"counts": SMALL})
        user = {"Authorization": f"Bearer {client.post('/auth/login', json=credentials).json()['access_token']}"}
        task = client.post("/generation/tasks", headers=user, json={"prompt": "x" * 2000}).json()
    with TestClient(create_app(settings)) as client:
        assert client.get(f"/generation/tasks/{task['id']}", headers=user).json()["status"] == "running"
        assert finished(client, user, task["id"])["result"]


def test_tasks_and_payments_of_others_are_not_seen(client: TestClient, user: Headers, manager: Headers) -> None:
    """Not in lists, and not by number."""
    task = client.post("/generation/tasks", headers=user, json={"prompt": "secret"}).json()["id"]
    client.post("/payments", headers=user, json={"amount": 7})
    assert client.get(f"/generation/tasks/{task}", headers=manager).status_code == 404
    for path in ("/generation/tasks", "/payments"):
        assert client.get(path, headers=manager).json() == {"items": [], "next_before": None}


def test_one_key_pays_once(client: TestClient, user: Headers) -> None:
    """Sent again it is the same payment; with another order it is a conflict; others have keys of their own."""
    order = {"amount": 1900, "currency": "EUR", "description": "a month"}
    keyed = user | {"Idempotency-Key": "k-1"}
    before = client.get("/payments", headers=user).json()["items"]
    first, second = (client.post("/payments", headers=keyed, json=order).json() for _ in range(2))
    assert first == second
    assert client.post("/payments", headers=keyed, json=order | {"amount": 1}).status_code == 409
    assert client.get("/payments", headers=user).json()["items"][:2] == [first, before[0]]
    assert client.post("/payments", headers=user, json=order).json()["id"] != first["id"]


def test_only_an_own_subscription_can_be_paid(client: TestClient, user: Headers, manager: Headers) -> None:
    """Seeded accounts have one."""
    [subscription, *_] = client.get("/subscriptions", headers=user).json()
    order = {"amount": 1900, "subscription_id": subscription["id"]}
    assert client.post("/payments", headers=user, json=order).json()["subscription_id"] == subscription["id"]
    assert client.post("/payments", headers=manager, json=order).status_code == 404


@pytest.mark.parametrize("amount", [0, -1, True, "5", 1.5])
def test_what_is_no_amount_is_refused(client: TestClient, user: Headers, amount: object) -> None:
    """A whole number above nothing, as JSON writes numbers."""
    assert client.post("/payments", headers=user, json={"amount": amount}).status_code == 422
