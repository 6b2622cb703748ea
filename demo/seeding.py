"""Test data, created in bulk and always the same for the same order.

Nothing here looks at the clock or asks the database for numbers: rows are made first, then digested, then written.
Every ticket gets the same number of comments (give or take one), and every word is about as common as any other, so
that a request costs the same whichever ticket it is about.
"""

import hashlib
import json
import random
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, text

from demo.database import Database
from demo.models import (
    CATEGORIES,
    DEPARTMENTS,
    DUE_HOURS,
    PRIORITIES,
    Approval,
    Base,
    Comment,
    Ticket,
    TicketWord,
    User,
)
from demo.schemas import Created, SeedOrder
from demo.search import words_of
from demo.security import hash_password

PASSWORD = "perf-test"
WORDS = re.findall(
    r"\w+",
    """
    access account alarm archive badge battery billing browser cable calendar
    camera certificate contract database desktop disk display docking email export
    firewall folder headset import invoice keyboard laptop license login mailbox
    monitor network password payroll phone policy printer projector report router
    scanner server session storage switch tablet token upgrade
    """,
)

_START = datetime(2024, 1, 1, 8, tzinfo=UTC)
_STATUS_WEIGHTS = {"open": 30, "in_progress": 20, "waiting": 10, "resolved": 25, "closed": 15}
_BATCH = 2000
_lock = threading.Lock()

Row = dict[str, Any]


class NotEmptyError(Exception):
    """There is data already."""


class Seeder:
    """Fills and empties one database."""

    def __init__(self, database: Database) -> None:
        """Does nothing yet."""
        self._database = database

    def create(self, order: SeedOrder) -> Created:
        """Create what is ordered; NotEmptyError if there is anybody already."""
        with _lock, self._database.engine.begin() as connection:
            if connection.scalar(select(User.id).limit(1)) is not None:
                raise NotEmptyError("there is data already; DELETE /test-data first")
            digest = hashlib.sha256()
            created: dict[str, int] = {}
            for table, rows in _tables(order):
                for row in rows:
                    digest.update(json.dumps([table.name, row], default=str, sort_keys=True).encode())
                for first in range(0, len(rows), _BATCH):
                    connection.execute(insert(table), rows[first : first + _BATCH])
                created[table.name] = len(rows)
            self._settle(connection)
        people = order.counts.model_dump(include={"users", "managers", "admins"})
        shown = people | {name: created[name] for name in ("tickets", "comments", "approvals")}
        return Created(created=shown, digest=digest.hexdigest())

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

    def _settle(self, connection: Connection) -> None:
        # The numbers were given, not drawn: the sequences have to be told. And the planner should know now what
        # it would otherwise find out in the middle of a measurement.
        if self._database.dialect == "postgresql":
            for table in (User, Ticket, Comment, Approval):
                name = table.__tablename__
                last = f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}"  # noqa: S608
                connection.execute(text(last + " HAVING max(id) IS NOT NULL"))
        connection.execute(text("ANALYZE"))


def _tables(order: SeedOrder) -> Iterator[tuple[Table, list[Row]]]:
    rng = random.Random(order.rng_seed)  # noqa: S311 - the same every time is the point
    users = list(_users(order))
    tickets = list(_tickets(rng, order, users))
    per_ticket = [0] * len(tickets)
    comments = list(_comments(rng, order, tickets, users))
    for comment in comments:
        per_ticket[comment["ticket_id"] - 1] += 1
    for ticket, count in zip(tickets, per_ticket, strict=True):
        ticket["comment_count"] = count
    words = [{"word": word, "ticket_id": ticket["id"]} for ticket in tickets for word in words_of(ticket["title"])]
    yield _table(User), users
    yield _table(Ticket), tickets
    yield _table(TicketWord), words
    yield _table(Comment), comments
    yield _table(Approval), list(_approvals(rng, order, tickets, users))


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def _users(order: SeedOrder) -> Iterator[Row]:
    counts = order.counts
    addresses = [
        *(("user", f"user{number:04}") for number in range(1, counts.users + 1)),
        *(("manager", f"manager{number:03}") for number in range(1, counts.managers + 1)),
        *(("admin", f"admin{number:02}") for number in range(1, counts.admins + 1)),
    ]
    for number, (role, name) in enumerate(addresses, 1):
        email = f"{name}@example.test"
        yield {
            "id": number,
            "email": email,
            "name": name.capitalize(),
            "role": role,
            "department": DEPARTMENTS[number % len(DEPARTMENTS)],
            "password_hash": hash_password(PASSWORD, hashlib.sha256(email.encode()).digest()[:16]),
            "created_at": _START,
        }


def _tickets(rng: random.Random, order: SeedOrder, users: list[Row]) -> Iterator[Row]:
    askers = [user for user in users if user["role"] == "user"] or users
    helpers = [user for user in users if user["role"] != "user"] or users
    statuses = rng.choices(list(_STATUS_WEIGHTS), list(_STATUS_WEIGHTS.values()), k=order.counts.tickets)
    for number in range(1, (order.counts.tickets if users else 0) + 1):
        asker = askers[number % len(askers)]
        created = _START + timedelta(minutes=15 * number)
        priority, status = rng.choice(PRIORITIES), statuses[number - 1]
        hours = DUE_HOURS[priority]
        resolved = created + timedelta(hours=hours * rng.uniform(0.1, 1.3))
        yield {
            "id": number,
            "title": " ".join(rng.sample(WORDS, 5)).capitalize(),
            "description": " ".join(rng.choices(WORDS, k=60)),
            "category": rng.choice(CATEGORIES),
            "priority": priority,
            "status": status,
            "department": asker["department"],
            "requester_id": asker["id"],
            "assignee_id": helpers[number % len(helpers)]["id"],
            "comment_count": 0,
            "created_at": created,
            "updated_at": created,
            "due_at": created + timedelta(hours=hours),
            "resolved_at": resolved if status in {"resolved", "closed"} else None,
        }


def _comments(rng: random.Random, order: SeedOrder, tickets: list[Row], users: list[Row]) -> Iterator[Row]:
    for number in range(1, (order.counts.comments if tickets else 0) + 1):
        ticket = tickets[number % len(tickets)]
        yield {
            "id": number,
            "ticket_id": ticket["id"],
            "author_id": rng.choice(users)["id"],
            "body": " ".join(rng.choices(WORDS, k=20)),
            "created_at": ticket["created_at"] + timedelta(minutes=number % 600),
        }


def _approvals(rng: random.Random, order: SeedOrder, tickets: list[Row], users: list[Row]) -> Iterator[Row]:
    managers = [user for user in users if user["role"] == "manager"] or users
    for number in range(1, (order.counts.approvals if tickets else 0) + 1):
        ticket = tickets[number * 7 % len(tickets)]
        # Two of three wait: more than any list shows, however many are decided.
        decided = number % 3 == 0
        yield {
            "id": number,
            "ticket_id": ticket["id"],
            "amount": rng.randrange(50, 20_000),
            "reason": " ".join(rng.sample(WORDS, 6)),
            "status": rng.choice(("approved", "rejected")) if decided else "pending",
            "note": "",
            "decided_by_id": managers[number % len(managers)]["id"] if decided else None,
            "decided_at": _START + timedelta(days=60, minutes=number) if decided else None,
            "created_at": ticket["created_at"],
        }
