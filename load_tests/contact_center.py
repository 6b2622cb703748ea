"""The load of a contact centre: sign-ins, contacts, calendar, telephony, WebSockets, and workflows across them.

Runs alone (`locust -f load_tests/contact_center.py --host http://...`) against a service that has its test data. The
shares of each user's actions are those of the document, and so is the mix: 40 contacts, 30 calendar, 15 sign-ins, 15
telephony. WebSocket users have no share there: a fixed number stands beside the mix (`CC_WEBSOCKET_USERS`). An account
may send 120 requests a minute: the waits keep below that.

Only what a user made itself is changed or deleted.
"""

import base64
import hashlib
import hmac
import json
import os
import random
import time
from datetime import timedelta
from typing import Any

from contact_agent import FIRST_DAY, KINDS, Agent
from contact_workflows import Bulk, DailyAdmin, Intake, SearchAndSchedule
from locust import constant_pacing, task
from shared import SECRET_KEY, THINK_SCALE, fake, person, think
from streams import Stream

SIMULATE_PROVIDER = os.environ.get("SIMULATE_EXTERNAL_SERVICES", "true").lower() != "false"
"""Whether this file plays the phone provider, which sends signed webhooks."""
WEBHOOK_TOKEN = os.environ.get("LOAD_TEST_WEBHOOK_TOKEN", SECRET_KEY)
CALL_STATUSES = ("ringing", "in-progress", "completed", "busy", "no-answer", "failed")


class AuthenticationUser(Agent):
    """Signs in 40, registers 30, looks after the account 20, signs out 10."""

    weight = 15

    def on_start(self) -> None:
        """Sign in, and remember what can be signed out of."""
        self.tokens: list[str] = []
        self.refresh_token = ""
        super().on_start()
        self.tokens.append(self.token)

    def on_stop(self) -> None:
        """End every sign-in."""
        for token in filter(None, self.tokens):
            self.use_token(token)
            self.ask("POST", "/auth/logout")

    @task(36)
    def login(self) -> None:
        """Sign in once more."""
        given = self.sign_in(self.email)
        self.tokens.append(given.get("access_token", ""))
        self.refresh_token = given.get("refresh_token", "")

    @task(2)
    def refused_login(self) -> None:
        """A wrong password: 401 is what has to come."""
        order = {"email": self.email, "password": "wrong"}
        self.expect(401, "POST", "/auth/login", name="/auth/login (refused)", json=order)

    @task(2)
    def malformed_login(self) -> None:
        """No password: 422 is what has to come."""
        self.expect(422, "POST", "/auth/login", name="/auth/login (malformed)", json={"email": self.email})

    @task(30)
    def registration(self) -> None:
        """Open an account for somebody."""
        self.register()

    @task(8)
    def profile(self) -> None:
        """Look at the own account."""
        self.ask("GET", "/auth/profile")

    @task(4)
    def update_profile(self) -> None:
        """Change the own account."""
        self.ask("PATCH", "/auth/profile", json={"name": fake().name()[:80]})

    @task(4)
    def validate(self) -> None:
        """Ask whether the token is good."""
        self.ask("GET", "/auth/validate")

    @task(4)
    def refresh(self) -> None:
        """New tokens for the same sign-in."""
        if self.refresh_token:
            self.ask("POST", "/auth/refresh", json={"refresh_token": self.refresh_token})

    @task(10)
    def logout(self) -> None:
        """End the latest sign-in, and go on with the one before."""
        if len(self.tokens) > 1:
            self.use_token(self.tokens.pop())
            self.ask("POST", "/auth/logout")
            self.refresh_token = ""
            self.use_token(self.tokens[-1])


class CrmUser(Agent):
    """Contacts: reads 50, creates 30, updates 15, deletes 5."""

    weight = 40

    def on_start(self) -> None:
        """Begin with two contacts."""
        super().on_start()
        self.create_contact()
        self.create_contact()

    @task(14)
    def list_contacts(self) -> None:
        """All contacts."""
        self.ask("GET", "/contacts")

    @task(8)
    def filter_contacts(self) -> None:
        """Those of one kind."""
        self.ask("GET", f"/contacts?kind={random.choice(KINDS)}", name="/contacts?kind")

    @task(14)
    def contact(self) -> None:
        """One contact, with what was said."""
        if self.contacts:
            self.read_contact(random.choice(self.contacts))

    @task(8)
    def search(self) -> None:
        """Look for a name."""
        self.find_contacts()

    @task(6)
    def stats(self) -> None:
        """The numbers of the first page."""
        self.ask("GET", "/contacts/stats")

    @task(20)
    def new_contact(self) -> None:
        """A new contact."""
        self.create_contact()

    @task(10)
    def interaction(self) -> None:
        """Note what was said."""
        if self.contacts:
            self.log_interaction(random.choice(self.contacts))

    @task(15)
    def change_contact(self) -> None:
        """Write something else about a contact."""
        if self.contacts:
            self.update_contact(random.choice(self.contacts))

    @task(5)
    def delete_contact(self) -> None:
        """A contact of one's own goes."""
        if len(self.contacts) > 1:
            self.ask("DELETE", f"/contacts/{self.contacts.popleft()}", name="/contacts/[id]")


class CalendarUser(Agent):
    """Events: lists and views 40, creates 25, ranges 20, updates 10, deletes 5."""

    weight = 30

    def on_start(self) -> None:
        """Begin with a contact and two events."""
        super().on_start()
        self.create_contact()
        self.create_event()
        self.create_event()

    @task(18)
    def list_events(self) -> None:
        """The next events."""
        self.ask("GET", "/calendar/events")

    @task(14)
    def event(self) -> None:
        """One event."""
        if self.events:
            self.ask("GET", f"/calendar/events/{random.choice(self.events)}", name="/calendar/events/[id]")

    @task(8)
    def stats(self) -> None:
        """Events in numbers."""
        self.ask("GET", "/calendar/stats")

    @task(25)
    def new_event(self) -> None:
        """Something is to happen, with somebody or without."""
        self.create_event(random.choice((None, *self.contacts)))

    @task(20)
    def range(self) -> None:
        """A week."""
        begins = FIRST_DAY + timedelta(days=random.randrange(300))
        days = f"from={begins:%Y-%m-%dT%H:%M:%SZ}&to={begins + timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"
        self.ask("GET", f"/calendar/events?{days}", name="/calendar/events?from&to")

    @task(10)
    def change_event(self) -> None:
        """An event takes longer."""
        if self.events:
            path = f"/calendar/events/{random.choice(self.events)}"
            self.ask("PATCH", path, name="/calendar/events/[id]", json={"minutes": random.choice((45, 120))})

    @task(5)
    def delete_event(self) -> None:
        """An event of one's own goes."""
        if len(self.events) > 1:
            self.ask("DELETE", f"/calendar/events/{self.events.popleft()}", name="/calendar/events/[id]")


class TelephonyUser(Agent):
    """Calls 50, verifications 20, webhooks 15, analytics 15."""

    weight = 15

    def on_start(self) -> None:
        """See which calls there were."""
        super().on_start()
        self.calls = [call["id"] for call in self.ask("GET", "/telephony/calls").get("items", [])]

    @task(30)
    def list_calls(self) -> None:
        """Calls of one state."""
        self.ask("GET", f"/telephony/calls?status={random.choice(CALL_STATUSES)}", name="/telephony/calls")

    @task(20)
    def call(self) -> None:
        """One call."""
        if self.calls:
            self.ask("GET", f"/telephony/calls/{random.choice(self.calls)}", name="/telephony/calls/[id]")

    @task(20)
    def verification(self) -> None:
        """A number is verified by the code that a test target tells."""
        started = self.ask("POST", "/telephony/verify", json={"phone": person()["phone"]})
        if started.get("code"):
            order = {"id": started["id"], "code": started["code"]}
            self.ask("POST", "/telephony/verify/confirm", json=order)

    @task(15)
    def webhook(self) -> None:
        """The phone provider tells of a call."""
        if SIMULATE_PROVIDER:
            path = "/telephony/webhooks/voice"
            form = {
                "CallSid": f"CA{random.getrandbits(128):032x}",
                "CallStatus": random.choice(CALL_STATUSES),
                "CallDuration": str(random.randrange(600)),
                "From": person()["phone"],
                "To": "+1 555 9000000",
            }
            headers = {"X-Twilio-Signature": signature(f"{self.host.rstrip('/')}{path}", form)}
            self.ask("POST", path, data=form, headers=headers)

    @task(15)
    def analytics(self) -> None:
        """Calls in numbers."""
        self.ask("GET", "/telephony/analytics")


def signature(url: str, form: dict[str, str]) -> str:
    """HMAC-SHA1 over the address and the sorted form, as the phone provider signs."""
    text = url + "".join(name + value for name, value in sorted(form.items()))
    return base64.b64encode(hmac.new(WEBHOOK_TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()


class WebSocketUser(Agent):
    """Keeps four streams open: text, binary frames of voice, media of a call, notifications."""

    weight = 15
    fixed_count = int(os.environ.get("CC_WEBSOCKET_USERS", "2"))

    def on_start(self) -> None:
        """Sign in; each stream is opened when it is first used."""
        names = ("conversation", "voice", "media", "notifications")
        self.streams = {name: Stream(self.environment, self.host, f"/api/ws/{name}", name) for name in names}
        self.frames = 0
        super().on_start()

    def on_stop(self) -> None:
        """Hang up."""
        for stream in self.streams.values():
            stream.close()
        super().on_stop()

    def stream(self, name: str) -> Stream | None:
        """An open stream, or none if it cannot be opened."""
        stream, began = self.streams[name], time.time()
        if not stream.is_open and stream.open(self.token):
            self.frames = 0
            if name == "media":
                stream.send(json.dumps({"event": "start"}))
            if name == "notifications":
                stream.wait_for("first answer", expected={"type": "ready"}, since=began)
        return stream if stream.is_open else None

    @task(2)
    def reconnect(self) -> None:
        """Hang up and call again: set-up and first answer are timed."""
        self.streams["conversation"].close()
        self.message()

    @task(10)
    def message(self) -> None:
        """Say something and hear the reply."""
        if stream := self.stream("conversation"):
            number = f"{random.getrandbits(48):012x}"
            message = json.dumps({"id": number, "text": fake().sentence(12)})
            stream.exchange("message", message, expected={"type": "reply", "id": number})

    @task(10)
    def voice(self) -> None:
        """A tenth of a second of sound as a binary frame."""
        if stream := self.stream("voice"):
            sound = random.randbytes(1600)
            digest = hashlib.sha256(sound).hexdigest()
            stream.exchange("frame", sound, expected={"type": "transcript", "sha256": digest})

    @task(5)
    def media(self) -> None:
        """Five frames of a call, one every 20 ms."""
        if stream := self.stream("media"):
            for _ in range(5):
                self.frames += 1
                name = f"{self.frames}"
                media = {"chunk": name, "payload": base64.b64encode(random.randbytes(160)).decode()}
                message = json.dumps({"event": "media", "media": media})
                expected = {"event": "mark", "mark": {"name": name, "bytes": 160}}
                if not stream.exchange("frame", message, expected=expected):
                    break
                time.sleep(0.02)

    @task(5)
    def notification(self) -> None:
        """Make an event, and hear of it: timed from the cause to the arrival."""
        if stream := self.stream("notifications"):
            began = time.time()
            event = self.create_event()
            if event is not None:
                stream.wait_for("notification", expected={"about": "event", "id": event}, since=began)
                self.ask("DELETE", f"/calendar/events/{event}", name="/calendar/events/[id]")


class IntakeUser(Agent):
    """Takes in one customer after another."""

    tasks: Any = [Intake]


class DailyAdminUser(Agent):
    """Does what is done every morning."""

    tasks: Any = [DailyAdmin]


class SearchScheduleUser(Agent):
    """Makes appointments with those who are there already."""

    tasks: Any = [SearchAndSchedule]


class BulkUser(Agent):
    """Enters many things at once, and rests accordingly: ten requests in 20 seconds or more."""

    wait_time = think(10, 15)
    tasks: Any = [Bulk]


class RateLimitUser(Agent):
    """Asks 150 times a minute, which is too often: what is beyond the limit has to be refused with 429."""

    wait_time = constant_pacing(0.4 * THINK_SCALE)

    @task
    def hurry(self) -> None:
        """One of too many requests."""
        with self.client.get(
            "/contacts/stats", name="/contacts/stats (hurried)", headers=self.headers, catch_response=True
        ) as response:
            if response.status_code == 429 and response.headers.get("Retry-After"):
                response.success()
