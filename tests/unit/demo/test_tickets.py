"""Tickets and what belongs to them."""

import hashlib
from typing import Any

import pytest
from fastapi.testclient import TestClient

Headers = dict[str, str]
ORDER = {"title": "Printer on fire", "description": "It burns.", "category": "hardware", "priority": "urgent"}


def create(client: TestClient, headers: Headers, **changes: object) -> dict[str, Any]:
    """A new ticket."""
    answer = client.post("/tickets/", headers=headers, json=ORDER | changes)
    assert answer.status_code == 201, answer.text
    ticket: dict[str, Any] = answer.json()
    return ticket


def test_the_pages_of_a_list_hold_every_ticket_once_newest_first(client: TestClient, user: Headers) -> None:
    """Following `next_before` to its end shows all tickets in order."""
    seen: list[int] = []
    before: int | None = None
    while True:
        query = {"limit": 25} | ({"before": before} if before else {})
        page = client.get("/tickets/", headers=user, params=query).json()
        seen += [ticket["id"] for ticket in page["items"]]
        before = page["next_before"]
        if before is None:
            break
    assert seen == list(range(60, 0, -1))


@pytest.mark.parametrize(("name", "value"), [("status", "open"), ("priority", "high"), ("category", "network")])
def test_a_filter_shows_all_that_match_and_nothing_else(
    client: TestClient, user: Headers, name: str, value: str
) -> None:
    """Filtering by the service is filtering by hand."""
    everything = client.get("/tickets/", headers=user, params={"limit": 100}).json()["items"]
    filtered = client.get("/tickets/", headers=user, params={"limit": 100, name: value}).json()["items"]
    assert filtered
    assert filtered == [ticket for ticket in everything if ticket[name] == value]


def test_mine_are_those_that_i_asked_for(client: TestClient, user: Headers) -> None:
    """The filter `mine` looks at who asked."""
    items = client.get("/tickets/", headers=user, params={"limit": 100, "mine": True}).json()["items"]
    assert {ticket["requester"]["name"] for ticket in items} == {"User0001"}


def test_a_filter_of_no_known_value_is_refused(client: TestClient, user: Headers) -> None:
    """A misspelt status is an error, not an empty list."""
    assert client.get("/tickets/", headers=user, params={"status": "opne"}).status_code == 422


def test_a_new_ticket_is_on_top_of_the_list_and_due_by_its_priority(client: TestClient, user: Headers) -> None:
    """Urgent means four hours."""
    ticket = create(client, user)
    assert client.get("/tickets/", headers=user).json()["items"][0] == ticket
    detail = client.get(f"/tickets/{ticket['id']}", headers=user).json()
    assert (detail["description"], detail["comments"], detail["status"]) == ("It burns.", [], "open")
    assert detail["due_at"] > detail["created_at"]


def test_the_search_finds_whole_words_in_titles(client: TestClient, user: Headers) -> None:
    """All words have to be there, in any order and case."""
    ticket = create(client, user, title="Zebra printer jams")
    for words, found in (("zebra", True), ("JAMS zebra", True), ("zebra keyboard", False), ("zeb", False)):
        items = client.get("/tickets/search", headers=user, params={"q": words}).json()["items"]
        assert (ticket["id"] in [item["id"] for item in items]) == found, words


def test_a_changed_title_is_found_by_its_new_words_only(client: TestClient, user: Headers) -> None:
    """The search follows changes."""
    ticket = create(client, user, title="Zebra printer jams")
    client.patch(f"/tickets/{ticket['id']}", headers=user, json={"title": "Giraffe printer jams"})
    found = {
        word: client.get("/tickets/search", headers=user, params={"q": word}).json()["items"]
        for word in ("zebra", "giraffe")
    }
    assert [len(items) for items in found.values()] == [0, 1]


def test_a_search_for_nothing_is_refused(client: TestClient, user: Headers) -> None:
    """Punctuation is no word."""
    assert client.get("/tickets/search", headers=user, params={"q": "?!"}).status_code == 422


def test_a_change_is_kept_and_remembered(client: TestClient, user: Headers) -> None:
    """Setting a status to resolved says when; the history says who changed what."""
    ticket = create(client, user)
    changes = {"status": "resolved", "priority": "low"}
    assert client.patch(f"/tickets/{ticket['id']}", headers=user, json=changes).status_code == 200
    detail = client.get(f"/tickets/{ticket['id']}", headers=user).json()
    assert (detail["status"], detail["priority"]) == ("resolved", "low")
    assert detail["resolved_at"] is not None
    [entry] = detail["history"]
    assert (entry["actor"]["name"], entry["changed"]) == ("User0001", "priority, status")


def test_users_change_their_own_tickets_and_managers_any(client: TestClient, user: Headers, manager: Headers) -> None:
    """Somebody else's ticket is none of a user's business."""
    ticket = create(client, manager)
    change = {"priority": "low"}
    assert client.patch(f"/tickets/{ticket['id']}", headers=user, json=change).status_code == 403
    own = create(client, user)
    answer = client.patch(f"/tickets/{own['id']}", headers=manager, json={"assignee_id": 4})
    assert answer.json()["assignee"] == {"id": 4, "name": "Manager001"}


@pytest.mark.parametrize("change", [{"assignee_id": 999}, {"status": "gone"}, {"title": None}])
def test_a_senseless_change_is_refused(client: TestClient, user: Headers, change: dict[str, object]) -> None:
    """Unknown people, unknown states and empty titles are errors."""
    ticket = create(client, user)
    assert client.patch(f"/tickets/{ticket['id']}", headers=user, json=change).status_code in {409, 422}


@pytest.mark.parametrize("path", ["/tickets/{}", "/comments/ticket/{}"])
@pytest.mark.parametrize(("number", "status"), [(9999, {404}), (2**40, {422}), ("x", {404, 422})])
def test_what_is_not_there_is_404(
    client: TestClient, user: Headers, path: str, number: object, status: set[int]
) -> None:
    """An unknown number is not found; what no number can be is an error."""
    assert client.get(path.format(number), headers=user).status_code in status


def test_a_comment_is_counted_and_shown_first(client: TestClient, user: Headers) -> None:
    """It appears with its author, in the list and in the detail of the ticket."""
    before = client.get("/tickets/7", headers=user).json()
    posted = client.post("/comments/ticket/7", headers=user, json={"body": "Me too"})
    assert (posted.status_code, posted.json()["author"]["name"]) == (201, "User0001")
    after = client.get("/tickets/7", headers=user).json()
    assert after["comment_count"] == before["comment_count"] + 1
    assert after["comments"][0] == client.get("/comments/ticket/7", headers=user).json()[0] == posted.json()


def test_a_file_is_kept_with_its_digest(client: TestClient, user: Headers) -> None:
    """What arrived is what was sent, as the digest shows, and the ticket lists it."""
    content = b"some bytes" * 100
    answer = client.post("/attachments/ticket/7/upload", headers=user, files={"file": ("a.log", content, "text/plain")})
    assert answer.status_code == 201
    assert answer.json()["sha256"] == hashlib.sha256(content).hexdigest()
    assert client.get("/tickets/7", headers=user).json()["attachments"] == [answer.json()]


def test_a_file_that_is_too_large_is_refused(client: TestClient, user: Headers) -> None:
    """A megabyte is the limit."""
    files = {"file": ("a.bin", b"x" * (2**20 + 1), "application/octet-stream")}
    assert client.post("/attachments/ticket/7/upload", headers=user, files=files).status_code == 413


def test_a_search_takes_several_criteria_at_once(client: TestClient, user: dict[str, str]) -> None:
    """A word, a status, a priority, a category and whose tickets: what is found has all of them."""
    ticket = {"title": "Zebra crossing", "description": "x", "category": "network", "priority": "high"}
    number = client.post("/tickets/", headers=user, json=ticket).json()["id"]
    fitting = {"q": "zebra", "status": "open", "priority": "high", "category": "network", "mine": "true"}
    others = {"q": "printer", "status": "closed", "priority": "low", "category": "hardware"}
    assert [found["id"] for found in client.get("/tickets/search", headers=user, params=fitting).json()["items"]] == [
        number
    ]
    for name, value in others.items():
        answer = client.get("/tickets/search", headers=user, params=fitting | {name: value})
        assert answer.json()["items"] == []
