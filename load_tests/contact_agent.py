"""Somebody who works in a contact centre, and what all of them do with contacts and events."""

import os
import random
from collections import deque
from datetime import UTC, datetime, timedelta

from locust import FastHttpUser
from shared import USERS, Accounts, Caller, fake, person, think

accounts = Accounts(USERS)
EMAIL = os.environ.get("LOAD_TEST_USER_EMAIL", "")
"""If given, everybody signs in with this account."""
KINDS = ("family", "funeral_home", "vendor", "visitor")
CHANNELS = ("phone", "email", "visit", "letter")
EVENT_KINDS = ("appointment", "burial", "visit", "maintenance")
MOST_OWN = 20
FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)


class Agent(Caller, FastHttpUser):
    """Somebody who has signed in, and what they do with contacts and events."""

    abstract = True
    wait_time = think(1, 3)

    def on_start(self) -> None:
        """Sign in."""
        self.email = EMAIL or accounts.email(self)
        self.contacts: deque[int] = deque(maxlen=MOST_OWN)  # that this user made
        self.events: deque[int] = deque(maxlen=MOST_OWN)
        self.token = self.sign_in_with_retries(self.email).get("access_token", "")

    def on_stop(self) -> None:
        """Leave no sign-in open."""
        self.sign_out()

    def create_contact(self) -> int | None:
        """Somebody to talk to; the number of the contact."""
        order = person() | {"kind": random.choice(KINDS), "notes": fake().sentence(8)}
        contact = self.ask("POST", "/contacts", json=order)
        if "id" in contact:
            self.contacts.append(contact["id"])
        return contact.get("id")

    def log_interaction(self, contact: int) -> None:
        """Note what was said."""
        order = {"channel": random.choice(CHANNELS), "summary": fake().sentence(10)}
        self.ask("POST", f"/contacts/{contact}/interactions", name="/contacts/[id]/interactions", json=order)

    def create_event(self, contact: int | None = None) -> int | None:
        """Something that is to happen; the number of the event."""
        begins = FIRST_DAY + timedelta(hours=random.randrange(24 * 300))
        order = {
            "title": fake().sentence(4)[:120],
            "kind": random.choice(EVENT_KINDS),
            "starts_at": begins.isoformat(),
            "minutes": random.choice((30, 60, 90)),
            "contact_id": contact,
        }
        event = self.ask("POST", "/calendar/events", json=order)
        if "id" in event:
            self.events.append(event["id"])
        return event.get("id")

    def find_contacts(self) -> list[int]:
        """Those whose name begins with two letters that many names begin with."""
        path = f"/contacts/search?q={random.choice(('ma', 'ja', 'jo', 'da', 'mi'))}"
        found = self.ask("GET", path, name="/contacts/search")
        return [contact["id"] for contact in found.get("items", [])]

    def read_contact(self, contact: int) -> None:
        """One contact."""
        self.ask("GET", f"/contacts/{contact}", name="/contacts/[id]")

    def update_contact(self, contact: int) -> None:
        """Write something else about a contact."""
        changes = {"notes": fake().sentence(8)}
        self.ask("PATCH", f"/contacts/{contact}", name="/contacts/[id]", json=changes)
