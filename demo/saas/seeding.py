"""The plans of the test data, with keys and usage for each account."""

import hashlib
import random
from collections.abc import Iterator, Mapping
from datetime import timedelta

from demo.common.seeding import START
from demo.common.system import Accounts, Row, Rows, table_of
from demo.saas.models import METERS, ApiKey, Plan, UsageEvent

COUNTS = {"plans": 5, "api_keys": 200, "usage_events": 2_000}


def rows(rng: random.Random, counts: Mapping[str, int], accounts: Accounts) -> Rows:
    """Plans, keys and events, the same number for each account, give or take one."""
    users = accounts.users or accounts.everybody
    yield table_of(Plan), list(_plans(counts["plans"]))
    yield table_of(ApiKey), list(_keys(rng, counts["api_keys"] if users else 0, users))
    yield table_of(UsageEvent), list(_events(rng, counts["usage_events"] if users else 0, users))


def _plans(count: int) -> Iterator[Row]:
    for number in range(1, count + 1):
        yield {"id": number, "name": f"Plan {number}", "monthly_cents": 990 * number, "included": 10_000 * number}


def _keys(rng: random.Random, count: int, users: list[Row]) -> Iterator[Row]:
    for number in range(1, count + 1):
        secret = rng.randbytes(24).hex()
        yield {
            "id": number,
            "user_id": users[number % len(users)]["id"],
            "name": f"Key {number}",
            "prefix": secret[:8],
            "sha256": hashlib.sha256(secret.encode()).hexdigest(),
            "created_at": START + timedelta(hours=number),
        }


def _events(rng: random.Random, count: int, users: list[Row]) -> Iterator[Row]:
    for number in range(1, count + 1):
        yield {
            "id": number,
            "user_id": users[number % len(users)]["id"],
            "meter": METERS[number % len(METERS)],
            "quantity": rng.randint(1, 1000),
            "created_at": START + timedelta(minutes=number),
        }
