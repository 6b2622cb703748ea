"""The contacts, events and calls of the test data."""

import random
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from demo.common.seeding import START, seeded_faker
from demo.common.system import Accounts, Row, Rows, table_of
from demo.contact_center.models import CALL_STATUSES, CHANNELS, EVENT_KINDS, KINDS, Call, Contact, Event, Interaction

if TYPE_CHECKING:
    from faker import Faker

COUNTS = {"contacts": 300, "interactions": 600, "events": 300, "calls": 200}


def rows(rng: random.Random, counts: Mapping[str, int], accounts: Accounts) -> Rows:
    """Contacts with interactions, events of which half have a contact, and calls."""
    users = accounts.users or accounts.everybody
    faker = seeded_faker(rng)
    contacts = list(_contacts(faker, counts["contacts"] if users else 0, users))
    interactions = _interactions(faker, counts["interactions"] if contacts else 0, contacts)
    yield table_of(Contact), contacts
    yield table_of(Interaction), list(interactions)
    yield table_of(Event), list(_events(faker, counts["events"] if users else 0, users, contacts))
    yield table_of(Call), list(_calls(rng, counts["calls"]))


def _contacts(faker: "Faker", count: int, users: list[Row]) -> Iterator[Row]:
    for number in range(1, count + 1):
        name = faker.name()[:80]
        yield {
            "id": number,
            "owner_id": users[number % len(users)]["id"],
            "name": name,
            "search_name": name.lower(),
            "email": f"contact{number}@example.test",
            "phone": _phone(number),
            "kind": KINDS[number % len(KINDS)],
            "notes": faker.sentence(8),
            "created_at": START + timedelta(hours=number),
        }


def _interactions(faker: "Faker", count: int, contacts: list[Row]) -> Iterator[Row]:
    for number in range(1, count + 1):
        contact = contacts[number % len(contacts)]
        yield {
            "id": number,
            "contact_id": contact["id"],
            "author_id": contact["owner_id"],
            "channel": CHANNELS[number % len(CHANNELS)],
            "summary": faker.sentence(10),
            "created_at": START + timedelta(hours=number),
        }


def _events(faker: "Faker", count: int, users: list[Row], contacts: list[Row]) -> Iterator[Row]:
    for number in range(1, count + 1):
        begins = START + timedelta(hours=4 * number)
        linked = contacts[number % len(contacts)]["id"] if contacts and number % 2 else None
        yield {
            "id": number,
            "owner_id": users[number % len(users)]["id"],
            "contact_id": linked,
            "title": faker.sentence(4)[:120],
            "kind": EVENT_KINDS[number % len(EVENT_KINDS)],
            "starts_at": begins,
            "ends_at": begins + timedelta(hours=1),
        }


def _calls(rng: random.Random, count: int) -> Iterator[Row]:
    for number in range(1, count + 1):
        yield {
            "id": number,
            "sid": f"CA{rng.getrandbits(128):032x}",
            "caller": _phone(number),
            "called": _phone(9_000_000 + number % 10),
            "status": CALL_STATUSES[number % len(CALL_STATUSES)],
            "seconds": rng.randrange(600),
            "started_at": START + timedelta(minutes=10 * number),
        }


def _phone(number: int) -> str:
    return f"+1 555 {number // 10_000:03} {number % 10_000:04}"
