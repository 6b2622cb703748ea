"""Contacts, calendar and telephony."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from demo.app import create_app
from demo.common.rate_limit import RateLimiter
from demo.common.settings import Settings
from demo.contact_center.signature import signature_of
from tests.unit.demo.test_faults import service

Headers = dict[str, str]
PERSON = {"name": "Grace Hopper", "email": "grace@example.test", "phone": "+1 555 010 0002", "kind": "visitor"}
EVENT = {"title": "Visit to the grave", "kind": "visit", "starts_at": "2030-05-01T10:00:00Z", "minutes": 30}


def created(client: TestClient, headers: Headers, path: str = "/contacts", order: Any = None) -> dict[str, Any]:
    """What was made."""
    answer = client.post(path, headers=headers, json=order or PERSON)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_contact_is_found_by_the_beginning_of_its_name(client: TestClient, user: Headers) -> None:
    """In whatever case, also after it was renamed; no character is special."""
    contact = created(client, user)
    for start in ("grace", "GRACE H"):
        assert client.get("/contacts/search", headers=user, params={"q": start}).json()["items"] == [contact]
    client.patch(f"/contacts/{contact['id']}", headers=user, json={"name": "Ada Lovelace"})
    for start, count in (("grace", 0), ("ada l", 1), ("%%", 0)):
        assert len(client.get("/contacts/search", headers=user, params={"q": start}).json()["items"]) == count


def test_what_was_said_is_shown_with_the_contact_and_goes_with_it(client: TestClient, user: Headers) -> None:
    """The five latest, newest first."""
    path = f"/contacts/{created(client, user)['id']}"
    said = [
        created(client, user, f"{path}/interactions", {"channel": "phone", "summary": f"call {number}"})
        for number in range(6)
    ]
    assert client.get(path, headers=user).json()["interactions"] == said[:0:-1]
    assert client.delete(path, headers=user).status_code == 204
    assert client.get(path, headers=user).status_code == 404


def test_only_ones_own_contacts_and_events_are_changed(client: TestClient, user: Headers, sign_in: Any) -> None:
    """Everybody sees them; managers may change any."""
    contact, event = created(client, user), created(client, user, "/calendar/events", EVENT)
    other, manager = sign_in("user0002"), sign_in("manager001")
    for path in (f"/contacts/{contact['id']}", f"/calendar/events/{event['id']}"):
        assert client.get(path, headers=other).status_code == 200
        assert client.patch(path, headers=other, json={}).status_code == 403
        assert client.delete(path, headers=other).status_code == 403
        assert client.delete(path, headers=manager).status_code == 204


def test_events_are_found_by_range_and_by_contact(client: TestClient, user: Headers) -> None:
    """The beginning is in the range, the end is not."""
    contact = created(client, user)["id"]
    event = created(client, user, "/calendar/events", EVENT | {"contact_id": contact})
    assert event["ends_at"] == "2030-05-01T10:30:00Z"
    ranges = [
        ("2030-05-01T10:00:00Z", "2030-05-02T00:00:00Z", [event]),
        ("2030-04-01T00:00:00Z", "2030-05-01T10:00:00Z", []),
        ("2030-05-01T12:00:00+02:00", "2030-05-02T00:00:00Z", [event]),
    ]
    for start, end, found in ranges:
        params = {"from": start, "to": end}
        assert client.get("/calendar/events", headers=user, params=params).json() == found
    assert client.get("/calendar/events", headers=user, params={"contact_id": contact}).json() == [event]
    path = f"/calendar/events/{event['id']}"
    moved = client.patch(path, headers=user, json={"starts_at": "2030-06-01T08:00:00Z"}).json()
    assert moved["ends_at"] == "2030-06-01T08:30:00Z"
    client.delete(f"/contacts/{contact}", headers=user)
    assert client.get(path, headers=user).json()["contact_id"] is None


def test_the_numbers_are_those_of_the_lists(client: TestClient, user: Headers) -> None:
    """Statistics of contacts, events and calls."""
    stats = client.get("/contacts/stats", headers=user).json()
    assert stats["contacts"] == sum(stats["by_kind"].values()) == 300
    stats = client.get("/calendar/stats", headers=user).json()
    assert (stats["events"], stats["with_contact"]) == (sum(stats["by_kind"].values()), 150)
    analytics = client.get("/telephony/analytics", headers=user).json()
    calls = []
    for status in analytics["by_status"]:
        page = client.get("/telephony/calls", headers=user, params={"status": status, "limit": 100}).json()
        assert len(page["items"]) == analytics["by_status"][status]
        calls += page["items"]
    assert len(calls) == analytics["calls"] == 200
    assert analytics["mean_seconds"] == pytest.approx(sum(call["seconds"] for call in calls) / 200)
    assert client.get(f"/telephony/calls/{calls[0]['id']}", headers=user).json() == calls[0]


def test_a_phone_is_verified_by_its_code_alone(client: TestClient, user: Headers, manager: Headers) -> None:
    """A wrong code can be tried five times; nobody else can confirm it."""
    path = "/telephony/verify"
    started = created(client, user, path, {"phone": "+1 555 010 0003"})
    right = {"id": started["id"], "code": started["code"]}
    wrong = right | {"code": f"{(int(started['code']) + 1) % 1_000_000:06}"}
    assert client.post(f"{path}/confirm", headers=manager, json=right).status_code == 404
    assert client.post(f"{path}/confirm", headers=user, json=wrong).json()["confirmed"] is False
    assert client.post(f"{path}/confirm", headers=user, json=right).json()["confirmed"] is True
    again = created(client, user, path, {"phone": "+1 555 010 0003"})["id"]
    answers = [client.post(f"{path}/confirm", headers=user, json=wrong | {"id": again}) for _ in range(6)]
    assert [answer.status_code for answer in answers] in ([200] * 5 + [409], [200] * 5 + [409])


def test_the_code_is_told_by_a_test_target_alone() -> None:
    """Elsewhere it goes to the phone."""
    account = {"email": "new@example.test", "password": "a password", "name": "New"}
    with TestClient(create_app(Settings())) as client:
        client.post("/auth/register", json=account)
        headers = {"Authorization": f"Bearer {client.post('/auth/login', json=account).json()['access_token']}"}
        assert client.post("/telephony/verify", headers=headers, json={"phone": "555 0100"}).json()["code"] is None


FORM = {"CallSid": "CA" + "0a" * 16, "CallStatus": "ringing", "From": "+15550100", "To": "+15550101"}
HOOK = "/telephony/webhooks/voice"


def test_a_webhook_of_the_phone_provider_is_taken_and_any_other_refused() -> None:
    """The signature is over address and form; the same call is one, whatever becomes of it."""
    with TestClient(create_app(Settings(webhook_token="t0ken"))) as client:
        ids = set()
        for news in ({}, {"CallStatus": "completed", "CallDuration": "42"}):
            signed = signature_of("t0ken", f"http://testserver{HOOK}", (FORM | news).items())
            headers = {"X-Twilio-Signature": signed}
            answer = client.post(HOOK, data=FORM | news, headers=headers)
            ids.add(answer.json()["id"])
        assert (answer.json()["status"], answer.json()["seconds"], len(ids)) == ("completed", 42, 1)
        assert client.post(HOOK, data=FORM, headers=headers).status_code == 403
        assert client.post(HOOK, data=FORM).status_code == 403


def test_the_signature_is_the_one_that_the_provider_publishes() -> None:
    """The example of Twilio's documentation on webhook security."""
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    url = "https://example.com/myapp.php?foo=1&bar=2"
    assert signature_of("12345", url, fields.items()) == "L/OH5YylLD5NRKLltdqwSvS0BnU="


def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    """After so many requests of one account 429; another account is not held up, and switched off nobody is."""
    for limit, faults, statuses in ((3, "", [200] * 3 + [429]), (0, "", [200] * 4), (3, "no-rate-limit", [200] * 4)):
        with service(faults, rate_limit=limit) as client:
            answers = [client.get("/contacts/stats") for _ in range(4)]
            assert [answer.status_code for answer in answers] == statuses
            if 429 in statuses:
                assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
            login = client.post("/auth/login", json={"email": "user0001@example.test", "password": "perf-test"}).json()
            other = {"Authorization": f"Bearer {login['access_token']}"}
            assert client.get("/contacts/stats", headers=other).status_code == 200


def test_the_limit_is_for_any_minute() -> None:
    """A place is free again a minute after it was taken; what was refused takes none."""
    time_is = [0.0]
    limiter = RateLimiter(2, lambda: time_is[0])
    for at, wait in ((0, 0), (30, 0), (40, 20), (59, 1), (60, 0), (61, 29)):
        time_is[0] = at
        assert limiter.wait(1) == wait
    assert limiter.wait(2) == 0
