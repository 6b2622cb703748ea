"""Plans, API keys and metered usage."""

from fastapi.testclient import TestClient

Headers = dict[str, str]


def test_plans_come_from_the_cache(client: TestClient, user: Headers) -> None:
    """The second look needs no statement, and a plan is what the list says."""
    plans = client.get("/plans", headers=user).json()
    assert [plan["monthly_cents"] for plan in plans] == sorted(plan["monthly_cents"] for plan in plans)
    assert client.get(f"/plans/{plans[0]['id']}", headers=user).json() == plans[0]
    before = statements(client)
    assert client.get("/plans", headers=user).json() == plans
    assert client.get(f"/plans/{plans[0]['id']}", headers=user).json() == plans[0]
    assert statements(client) == before
    assert client.get("/plans/999", headers=user).status_code == 404


def statements(client: TestClient) -> float:
    """How many the database has had."""
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("demo_db_statements_total"))


def test_a_key_shows_its_secret_once_and_is_gone_once_revoked(
    client: TestClient, user: Headers, manager: Headers
) -> None:
    """Only its owner revokes it."""
    key = client.post("/api-keys", headers=user, json={"name": "robot"}).json()
    assert key["secret"].startswith(key["prefix"])
    listed = client.get("/api-keys", headers=user).json()
    assert listed[0] == {name: value for name, value in key.items() if name != "secret"}
    assert client.delete(f"/api-keys/{key['id']}", headers=manager).status_code == 404
    assert client.delete(f"/api-keys/{key['id']}", headers=user).status_code == 204
    assert client.get("/api-keys", headers=user).json() == listed[1:]


def test_usage_is_listed_at_once_and_summed_up(client: TestClient, user: Headers) -> None:
    """The summary adds up what the list shows."""
    noted = client.post("/usage", headers=user, json={"meter": "tokens", "quantity": 12}).json()
    events = client.get("/usage", headers=user, params={"limit": 100}).json()["items"]
    assert events[0] == noted
    summary = client.get("/usage/summary", headers=user).json()
    everything = []
    before = None
    while True:
        page = client.get("/usage", headers=user, params={"before": before} if before else {}).json()
        everything += page["items"]
        if (before := page["next_before"]) is None:
            break
    latest = everything[: summary["window"]]
    assert summary["events"] == len(latest)
    tokens = sum(event["quantity"] for event in latest if event["meter"] == "tokens")
    assert summary["totals"]["tokens"] == tokens


def test_the_cache_says_how_often_it_had_what_was_asked(client: TestClient, user: Headers) -> None:
    """Two lookups for a kept answer: who asks, and the answer; the first time one of them misses."""
    before = client.get("/api/cache/stats").json()
    for _ in range(3):
        client.get("/plans", headers=user)
    after = client.get("/api/cache/stats").json()
    assert (after["hits"] - before["hits"], after["misses"] - before["misses"]) == (5, 1)
    assert after["hit_rate"] == after["hits"] / (after["hits"] + after["misses"])
    assert client.get("/api/cache/health").json() == {"status": "ok"}
