"""Leads, customers, projects, dashboard and analytics."""

from collections import Counter
from typing import Any

import pytest
from fastapi.testclient import TestClient

Headers = dict[str, str]
PERSON = {"name": "Ada Roofer", "email": "ada@example.test", "phone": "+1 555 010 0001"}


@pytest.mark.parametrize(
    ("path", "order", "change"),
    [
        ("/leads", PERSON | {"source": "storm"}, {"status": "won"}),
        ("/customers", PERSON | {"city": "Springfield"}, {"city": "Shelbyville"}),
        ("/projects", {"customer_id": 1, "title": "New roof", "value_cents": 100}, {"value_cents": 200}),
    ],
)
def test_what_is_created_can_be_read_changed_and_deleted(
    client: TestClient, user: Headers, path: str, order: dict[str, Any], change: dict[str, Any]
) -> None:
    """It is on top of the list, has what was ordered, and is gone in the end."""
    made = client.post(path, headers=user, json=order).json()
    assert made | order == made
    assert client.get(path, headers=user).json()["items"][0] == made
    changed = client.patch(f"{path}/{made['id']}", headers=user, json=change).json()
    assert changed == made | change == client.get(f"{path}/{made['id']}", headers=user).json()
    assert client.delete(f"{path}/{made['id']}", headers=user).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        answer = client.request(
            method, f"{path}/{made['id']}", headers=user, json=change if method == "PATCH" else None
        )
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("path", "name"), [("/leads", "status"), ("/leads", "source"), ("/projects", "status"), ("/projects", "roof")]
)
def test_a_filter_shows_all_that_match(client: TestClient, user: Headers, path: str, name: str) -> None:
    """Filtering by the service is filtering by hand."""
    every = client.get(path, headers=user, params={"limit": 100}).json()["items"]
    value = every[0][name]
    found = client.get(path, headers=user, params={"limit": 100, name: value}).json()["items"]
    assert found == [item for item in every if item[name] == value]


def test_the_projects_of_a_customer_keep_it(client: TestClient, user: Headers) -> None:
    """A customer with projects cannot be deleted; they are found by its number."""
    customer = client.post("/customers", headers=user, json=PERSON | {"city": "Springfield"}).json()["id"]
    order = {"customer_id": customer, "title": "New roof"}
    project = client.post("/projects", headers=user, json=order).json()
    assert client.get("/projects", headers=user, params={"customer_id": customer}).json()["items"] == [project]
    assert client.delete(f"/customers/{customer}", headers=user).status_code == 409
    assert client.post("/projects", headers=user, json=order | {"customer_id": 999_999}).status_code == 404


def test_a_finished_project_has_an_end(client: TestClient, user: Headers) -> None:
    """And loses it if it goes on."""
    path = f"/projects/{client.post('/projects', headers=user, json={'customer_id': 1, 'title': 'Roof'}).json()['id']}"
    assert client.patch(path, headers=user, json={"status": "finished"}).json()["finished_at"] is not None
    assert client.patch(path, headers=user, json={"status": "active"}).json()["finished_at"] is None


def test_the_numbers_are_those_of_the_lists(client: TestClient, user: Headers) -> None:
    """Dashboard and analytics add up what leads and projects say."""
    leads = client.get("/leads", headers=user, params={"limit": 100}).json()["items"]
    projects = client.get("/projects", headers=user, params={"limit": 100}).json()["items"]
    metrics = client.get("/dashboard/metrics", headers=user).json()
    assert metrics["leads_by_status"] == Counter(lead["status"] for lead in leads)
    assert metrics["projects_by_status"] == Counter(project["status"] for project in projects)
    assert metrics["open_value_cents"] == sum(p["value_cents"] for p in projects if p["status"] != "finished")
    assert client.get("/dashboard", headers=user).json()["newest_leads"] == leads[:10]
    revenue = client.get("/analytics/revenue", headers=user).json()
    assert sum(row["value_cents"] for row in revenue) == sum(p["value_cents"] for p in projects if p["finished_at"])
    funnel = client.get("/analytics/funnel", headers=user).json()
    assert [row["stage"] for row in funnel] == ["new", "contacted", "qualified", "won"]
    assert (funnel[0]["leads"], funnel[-1]["leads"]) == (len(leads), metrics["leads_by_status"]["won"])
    conversion = client.get("/analytics/conversion", headers=user).json()
    assert sum(row["won"] for row in conversion) == metrics["leads_by_status"]["won"]


def test_a_dashboard_is_made_once_for_everybody(client: TestClient, user: Headers, manager: Headers) -> None:
    """What one person has seen costs the next one nothing, and may be half a minute old."""
    before = client.get("/dashboard", headers=user).json()
    client.post("/leads", headers=user, json=PERSON)
    assert client.get("/dashboard", headers=manager).json() == before
