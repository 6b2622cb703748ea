"""Test data, created in bulk and always the same for the same order.

Nothing here looks at the clock or asks the database for numbers: rows are made first, then digested, then written.
Each system draws from a random state of its own, so that one more system leaves the data of the others as it was.
"""

import hashlib
import json
import random
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table, delete, func, insert, select, text

from demo.common.database import Database
from demo.common.models import DEPARTMENTS, Base, User
from demo.common.schemas import Created
from demo.common.security import hash_password
from demo.common.system import Accounts, Row, Rows, System, table_of

if TYPE_CHECKING:
    from faker import Faker

PASSWORD = "perf-test"
SHARED_ACCOUNT = "loadtest"
START = datetime(2024, 1, 1, 8, tzinfo=UTC)
ACCOUNTS = {"users": 200, "managers": 20, "admins": 5}
MOST = {"users": 9_999, "managers": 999, "admins": 99, "rows": 1_000_000}
_BATCH = 2000
_lock = threading.Lock()


def seeded_faker(rng: random.Random) -> "Faker":
    """Names, addresses and sentences that are the same for the same random state."""
    from faker import Faker  # a tenth of a second that no start need pay

    faker = Faker()
    faker.seed_instance(rng.getrandbits(32))
    return faker


class NotEmptyError(Exception):
    """The database already holds data."""


class Seeder:
    """Fills and empties one database."""

    def __init__(self, database: Database, systems: tuple[System, ...]) -> None:
        """Does nothing yet."""
        self._database = database
        self._systems = systems

    def create(self, rng_seed: int, counts: Mapping[str, int]) -> Created:
        """Create so many of each; NotEmptyError if there is anybody already."""
        created = dict.fromkeys(counts, 0)
        digest = hashlib.sha256()
        with _lock, self._database.engine.begin() as connection:
            if connection.scalar(select(User.id).limit(1)) is not None:
                raise NotEmptyError("there is data already; DELETE /test-data first")
            written: list[Table] = []
            for table, rows in self._tables(rng_seed, counts):
                for row in rows:
                    digest.update(json.dumps([table.name, row], default=str, sort_keys=True).encode())
                for first in range(0, len(rows), _BATCH):
                    connection.execute(insert(table), rows[first : first + _BATCH])
                if table.name in created:
                    created[table.name] = len(rows)
                written.append(table)
            self._settle(connection, written)
        people = {name: counts[name] for name in ACCOUNTS}
        return Created(created=created | people, digest=digest.hexdigest())

    def delete(self) -> dict[str, int]:
        """Empty every table; says how many rows each had."""
        tables = list(reversed(Base.metadata.sorted_tables))
        with _lock, self._database.engine.begin() as connection:
            deleted = {}
            for table in tables:
                deleted[table.name] = connection.scalar(select(func.count()).select_from(table)) or 0
                if self._database.dialect == "sqlite":
                    connection.execute(delete(table))
            if self._database.dialect == "postgresql":
                names = ", ".join(table.name for table in tables)
                connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
        return deleted

    def _tables(self, rng_seed: int, counts: Mapping[str, int]) -> Rows:
        accounts = Accounts(**_accounts(counts))
        yield table_of(User), [*accounts.everybody, *_shared_account(len(accounts.everybody) + 1)]
        for system in self._systems:
            rng = random.Random(f"{rng_seed} {system.name}")  # noqa: S311 - the same every time is the point
            yield from system.rows(rng, counts, accounts)

    def _settle(self, connection: Connection, tables: list[Table]) -> None:
        # The numbers were given, not drawn: the sequences have to be told. And the planner should know now what
        # it would otherwise find out in the middle of a measurement.
        if self._database.dialect == "postgresql":
            for table in tables:
                if "id" in table.columns and table.columns["id"].type.python_type is int:
                    last = f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}"  # noqa: S608
                    connection.execute(text(last + " HAVING max(id) IS NOT NULL"))
        connection.execute(text("ANALYZE"))


def _accounts(counts: Mapping[str, int]) -> dict[str, list[Row]]:
    """Numbered through all roles: users, then managers, then admins."""
    formats = {"users": "user{:04}", "managers": "manager{:03}", "admins": "admin{:02}"}
    accounts: dict[str, list[Row]] = {}
    first = 1
    for group, form in formats.items():
        accounts[group] = list(_group(group.removesuffix("s"), form, first, counts[group]))
        first += counts[group]
    return accounts


def _shared_account(number: int) -> Iterator[Row]:
    """The one account that a test may use for everybody; beside the others, so that no data belongs to it."""
    if number > 1:
        yield from _group("user", SHARED_ACCOUNT, number, 1)


def _group(role: str, form: str, first: int, count: int) -> Iterator[Row]:
    for position in range(count):
        name = form.format(position + 1)
        email = f"{name}@example.test"
        yield {
            "id": first + position,
            "email": email,
            "name": name.capitalize(),
            "role": role,
            "department": DEPARTMENTS[(first + position) % len(DEPARTMENTS)],
            "password_hash": hash_password(PASSWORD, hashlib.sha256(email.encode()).digest()[:16]),
            "created_at": START,
        }
