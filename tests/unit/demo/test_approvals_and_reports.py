"""What managers decide and what the reports say about it."""

from fastapi.testclient import TestClient

Headers = dict[str, str]


def test_a_decision_moves_an_approval_from_pending_to_history(client: TestClient, manager: Headers) -> None:
    """It leaves the one list and is the first of the other."""
    first = client.get("/approvals/pending", headers=manager).json()[0]["id"]
    order = {"action": "approve", "note": "fine"}
    decided = client.post(f"/approvals/{first}/action", headers=manager, json=order).json()
    assert (decided["status"], decided["note"], decided["decided_by"]["name"]) == ("approved", "fine", "Manager001")
    assert first not in [item["id"] for item in client.get("/approvals/pending", headers=manager).json()]
    assert client.get("/approvals/history", headers=manager).json()[0] == decided


def test_a_decision_can_be_taken_again_and_the_last_one_holds(
    client: TestClient, manager: Headers, admin: Headers
) -> None:
    """Deciding twice is no error, whoever does it, and reopening takes it back."""
    first = client.get("/approvals/pending", headers=manager).json()[0]["id"]
    path = f"/approvals/{first}/action"
    for action, status in (("approve", "approved"), ("approve", "approved"), ("reject", "rejected")):
        answer = client.post(path, headers=manager, json={"action": action})
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert client.post(path, headers=admin, json={"action": "reopen"}).json()["decided_by"] is None
    assert client.get("/approvals/pending", headers=manager).json()[0]["id"] == first


def test_only_managers_decide(client: TestClient, user: Headers) -> None:
    """A user who asks for money cannot grant it."""
    assert client.post("/approvals/1/action", headers=user, json={"action": "approve"}).status_code == 403


def test_an_unknown_approval_is_404(client: TestClient, manager: Headers) -> None:
    """There is nothing to decide."""
    assert client.post("/approvals/9999/action", headers=manager, json={"action": "approve"}).status_code == 404


def test_a_ticket_with_an_amount_waits_for_a_manager(client: TestClient, user: Headers, manager: Headers) -> None:
    """Asking for something that costs money asks a manager as well."""
    order = {"title": "A new desk", "description": "Mine burnt.", "amount": 400}
    ticket = client.post("/tickets/", headers=user, json=order).json()["id"]
    assert client.get("/approvals/pending", headers=manager).json()[-1]["ticket"]["id"] == ticket


def test_the_dashboard_counts_what_the_list_shows(client: TestClient, user: Headers) -> None:
    """Its numbers add up, and a new ticket is in them at once."""
    before = client.get("/reports/dashboard", headers=user).json()
    assert sum(before["by_status"].values()) == sum(before["by_priority"].values()) == 60
    assert (before["mine"], before["pending_approvals"]) == (20, 8)
    client.post("/tickets/", headers=user, json={"title": "One more", "description": "x"})
    after = client.get("/reports/dashboard", headers=user).json()
    assert after["mine"] == 21
    assert after["by_status"]["open"] == before["by_status"]["open"] + 1
    assert after["latest"][0]["title"] == "One more"


def test_the_reports_add_up_to_the_tickets(client: TestClient, admin: Headers) -> None:
    """Every ticket is in the volume; only resolved ones are in the times."""
    volume = client.get("/reports/volume", headers=admin).json()
    assert (sum(row["tickets"] for row in volume), sum(row["comments"] for row in volume)) == (60, 120)
    tickets = client.get("/tickets/", headers=admin, params={"limit": 100}).json()["items"]
    resolved = sum(ticket["status"] in {"resolved", "closed"} for ticket in tickets)
    sla = client.get("/reports/sla", headers=admin).json()
    assert sum(row["resolved"] for row in sla) == resolved
    assert all(row["in_time"] <= row["resolved"] and row["median_hours"] <= row["p90_hours"] for row in sla)
