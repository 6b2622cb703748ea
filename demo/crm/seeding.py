"""The leads, customers and projects of the test data."""

import random
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from demo.common.seeding import START, seeded_faker
from demo.common.system import Accounts, Row, Rows, table_of
from demo.crm.models import LEAD_STATUSES, PROJECT_STATUSES, ROOFS, SOURCES, Customer, Lead, Project

if TYPE_CHECKING:
    from faker import Faker

COUNTS = {"leads": 100, "customers": 50, "projects": 75}


def rows(rng: random.Random, counts: Mapping[str, int], _accounts: Accounts) -> Rows:
    """Leads, customers, and projects spread evenly over the customers."""
    faker = seeded_faker(rng)
    customers = list(_customers(faker, counts["customers"]))
    yield table_of(Lead), list(_leads(rng, faker, counts["leads"]))
    yield table_of(Customer), customers
    yield table_of(Project), list(_projects(rng, faker, counts["projects"] if customers else 0, customers))


def _phone(number: int) -> str:
    return f"+1 555 {number // 10_000:03} {number % 10_000:04}"


def _leads(rng: random.Random, faker: "Faker", count: int) -> Iterator[Row]:
    for number in range(1, count + 1):
        yield {
            "id": number,
            "name": faker.name()[:80],
            "email": f"lead{number}@example.test",
            "phone": _phone(number),
            "source": rng.choice(SOURCES),
            "status": rng.choice(LEAD_STATUSES),
            "notes": faker.sentence(10),
            "created_at": START + timedelta(hours=number),
        }


def _customers(faker: "Faker", count: int) -> Iterator[Row]:
    for number in range(1, count + 1):
        yield {
            "id": number,
            "name": faker.name()[:80],
            "email": f"customer{number}@example.test",
            "phone": _phone(5_000_000 + number),
            "city": faker.city()[:80],
            "created_at": START + timedelta(hours=number),
        }


def _projects(rng: random.Random, faker: "Faker", count: int, customers: list[Row]) -> Iterator[Row]:
    for number in range(1, count + 1):
        status = rng.choice(PROJECT_STATUSES)
        created = START + timedelta(days=number)
        yield {
            "id": number,
            "customer_id": customers[number % len(customers)]["id"],
            "title": f"Roof of {faker.street_name()}"[:120],
            "roof": rng.choice(ROOFS),
            "status": status,
            "value_cents": rng.randrange(500_000, 5_000_000),
            "created_at": created,
            "finished_at": created + timedelta(days=20) if status == "finished" else None,
        }
