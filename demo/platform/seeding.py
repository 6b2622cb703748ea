"""The subscriptions of the test data, with some payments and finished tasks for each account."""

import hashlib
import random
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from demo.common.seeding import START, seeded_faker
from demo.common.system import Accounts, Row, Rows, table_of
from demo.platform.models import PLANS, GenerationTask, Payment, Subscription

if TYPE_CHECKING:
    from faker import Faker

COUNTS = {"subscriptions": 200, "payments": 400, "generation_tasks": 400}


def rows(rng: random.Random, counts: Mapping[str, int], accounts: Accounts) -> Rows:
    """Subscriptions, payments and tasks, the same number for each account, give or take one."""
    users = accounts.users or accounts.everybody
    faker = seeded_faker(rng)
    subscriptions = list(_subscriptions(rng, counts["subscriptions"] if users else 0, users))
    yield table_of(Subscription), subscriptions
    yield table_of(Payment), list(_payments(counts["payments"] if users else 0, users, subscriptions))
    yield table_of(GenerationTask), list(_tasks(faker, counts["generation_tasks"] if users else 0, users))


def _subscriptions(rng: random.Random, count: int, users: list[Row]) -> Iterator[Row]:
    for number in range(1, count + 1):
        yield {
            "id": number,
            "user_id": users[number % len(users)]["id"],
            "plan": rng.choice(list(PLANS)),
            "status": "active" if number % 10 else "cancelled",
            "started_at": START + timedelta(hours=number),
        }


def _payments(count: int, users: list[Row], subscriptions: list[Row]) -> Iterator[Row]:
    for number in range(1, count + 1):
        bought = subscriptions[(number - 1) % len(subscriptions)] if subscriptions else None
        yield {
            "id": number,
            "user_id": bought["user_id"] if bought else users[number % len(users)]["id"],
            "amount": PLANS[bought["plan"]] if bought else 100,
            "currency": "EUR",
            "description": f"Invoice {number:06}",
            "subscription_id": bought["id"] if bought else None,
            "idempotency_key": None,
            "created_at": START + timedelta(hours=number),
        }


def _tasks(faker: "Faker", count: int, users: list[Row]) -> Iterator[Row]:
    for number in range(1, count + 1):
        prompt = faker.sentence(12)
        created = START + timedelta(minutes=number)
        yield {
            "id": number,
            "user_id": users[number % len(users)]["id"],
            "kind": "text",
            "prompt": prompt,
            "status": "done",
            "result": hashlib.sha256(prompt.encode()).hexdigest(),
            "created_at": created,
            "finished_at": created + timedelta(seconds=1),
        }
