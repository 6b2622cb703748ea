"""The tickets of the test data.

Every ticket gets the same number of comments (give or take one), and every word is about as common as any other, so
that a request costs the same whichever ticket it is about.
"""

import random
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from demo.common.seeding import START
from demo.common.system import Accounts, Row, Rows, table_of
from demo.tickets.models import CATEGORIES, DUE_HOURS, PRIORITIES, Approval, Comment, Ticket, TicketWord
from demo.tickets.search import words_of

COUNTS = {"tickets": 2_000, "comments": 4_000, "approvals": 300}
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

_STATUS_WEIGHTS = {"open": 30, "in_progress": 20, "waiting": 10, "resolved": 25, "closed": 15}


def rows(rng: random.Random, counts: Mapping[str, int], accounts: Accounts) -> Rows:
    """Tickets with their words, comments and approvals; none if there is nobody to ask for them."""
    everybody = accounts.everybody
    tickets = list(_tickets(rng, counts["tickets"] if everybody else 0, accounts))
    per_ticket = [0] * len(tickets)
    comments = list(_comments(rng, counts["comments"] if tickets else 0, tickets, everybody))
    for comment in comments:
        per_ticket[comment["ticket_id"] - 1] += 1
    for ticket, count in zip(tickets, per_ticket, strict=True):
        ticket["comment_count"] = count
    words = [{"word": word, "ticket_id": ticket["id"]} for ticket in tickets for word in words_of(ticket["title"])]
    managers = accounts.managers or everybody
    yield table_of(Ticket), tickets
    yield table_of(TicketWord), words
    yield table_of(Comment), comments
    yield table_of(Approval), list(_approvals(rng, counts["approvals"] if tickets else 0, tickets, managers))


def _tickets(rng: random.Random, count: int, accounts: Accounts) -> Iterator[Row]:
    askers = accounts.users or accounts.everybody
    helpers = [*accounts.managers, *accounts.admins] or accounts.everybody
    statuses = rng.choices(list(_STATUS_WEIGHTS), list(_STATUS_WEIGHTS.values()), k=count)
    for number in range(1, count + 1):
        asker = askers[number % len(askers)]
        created = START + timedelta(minutes=15 * number)
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


def _comments(rng: random.Random, count: int, tickets: list[Row], users: list[Row]) -> Iterator[Row]:
    for number in range(1, count + 1):
        ticket = tickets[number % len(tickets)]
        yield {
            "id": number,
            "ticket_id": ticket["id"],
            "author_id": rng.choice(users)["id"],
            "body": " ".join(rng.choices(WORDS, k=20)),
            "created_at": ticket["created_at"] + timedelta(minutes=number % 600),
        }


def _approvals(rng: random.Random, count: int, tickets: list[Row], managers: list[Row]) -> Iterator[Row]:
    for number in range(1, count + 1):
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
            "decided_at": START + timedelta(days=60, minutes=number) if decided else None,
            "created_at": ticket["created_at"],
        }
