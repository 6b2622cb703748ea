"""The load of an enterprise ticket system: people who ask, managers who approve, admins who watch.

Runs alone (`locust -f load_tests/tickets.py --host http://...`) against a service that has its test data.
Users sign in with the accounts of the test data, each with another one. Everything that they choose at random comes
from the module `random`, so that who restores its state gets the same choices again.

The shares of the actions are those of the document, for each of the three, and add up to 100: dashboard 20, list 15,
create 10, detail 8, search 5, comment 4, upload 1. The rest, which it leaves open, is what belongs to the role. Admins'
think times are not given there: 2 to 6 seconds.

What they do leaves the work of the next request as it was: lists are always full, decisions are taken again and again
on the same few approvals, and nobody remembers more than a fixed number of things.
"""

import os
import random
import time
from collections import deque
from typing import Any

from locust import FastHttpUser
from shared import Accounts, Caller, think, unused_email

THINK_SCALE = float(os.environ.get("TICKETS_THINK_SCALE", "1.0"))
"""Factor of all think times: 0.02 shortens an hour of a user's work to about a minute."""
SESSION_SCALE = float(os.environ.get("TICKETS_SESSION_SCALE", str(THINK_SCALE)))
"""Multiplies the length of a session, which is 10 to 30 minutes; 0: whoever may sign out does."""
SESSION_SECONDS = (600, 1800)
ACCOUNTS = {
    "user": int(os.environ.get("TICKETS_USERS", "200")),
    "manager": int(os.environ.get("TICKETS_MANAGERS", "20")),
    "admin": int(os.environ.get("TICKETS_ADMINS", "5")),
}
PASSWORD = os.environ.get("TICKETS_PASSWORD", "perf-test")

WORDS = (
    "badge",
    "browser",
    "certificate",
    "database",
    "firewall",
    "invoice",
    "keyboard",
    "license",
    "printer",
    "token",
)
STATUSES = ("open", "in_progress", "waiting", "resolved", "closed")
PRIORITIES = ("low", "medium", "high", "urgent")
CATEGORIES = ("hardware", "software", "network", "access", "purchase", "facilities")
FILTERS = {"status": STATUSES, "priority": PRIORITIES, "category": CATEGORIES}

_FORMS = {"user": "user{:04}", "manager": "manager{:03}", "admin": "admin{:02}"}
_accounts = {role: Accounts(count, f"{_FORMS[role]}@example.test") for role, count in ACCOUNTS.items()}


def text(words: int) -> str:
    """So many words."""
    return " ".join(random.choices(WORDS, k=words))


class Person(Caller, FastHttpUser):
    """What everybody does: sign in, and the actions that the roles have in common."""

    abstract = True
    role = "user"

    def on_start(self) -> None:
        """Sign in, look around, and ask for something of one's own."""
        self.email = _accounts[self.role].email(self)
        self.own: deque[int] = deque(maxlen=20)  # tickets that this user created
        self.known: list[int] = []  # tickets that this user has seen in a list
        self.begin_session()
        newest = self.list_page({})
        if newest:
            # Somewhere in the older half: thousands of users do not all comment on the same few tickets.
            self.known = self.list_page({"before": random.randint(newest[0] // 2, newest[0]) + 1})
        self.create_ticket()

    def begin_session(self) -> None:
        """Sign in, for as long as sessions last."""
        self.sign_in_with_retries(self.email, PASSWORD)
        self.session_ends = time.monotonic() + random.uniform(*SESSION_SECONDS) * SESSION_SCALE

    def list_page(self, filters: dict[str, str | int]) -> list[int]:
        """`GET /tickets/`; the numbers of the tickets in it."""
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        page = self.ask("GET", f"/tickets/?{query}", name="/tickets/")
        return [ticket["id"] for ticket in page.get("items", [])]

    def dashboard(self) -> None:
        """The first page."""
        self.ask("GET", "/reports/dashboard")

    def list_tickets(self) -> None:
        """A list with one filter, or the tickets of one's own."""
        name = random.choice((*sorted(FILTERS), "mine"))
        self.list_page({name: "true" if name == "mine" else random.choice(FILTERS[name])})

    def create_ticket(self) -> None:
        """Ask for something."""
        order = {
            "title": text(5),
            "description": text(60),
            "category": random.choice(CATEGORIES),
            "priority": random.choice(PRIORITIES),
        }
        ticket = self.ask("POST", "/tickets/", json=order)
        if "id" in ticket:
            self.own.append(ticket["id"])

    def ticket_detail(self) -> None:
        """Read one ticket."""
        if self.known:
            self.ask("GET", f"/tickets/{random.choice(self.known)}", name="/tickets/[id]")

    def update_ticket(self) -> None:
        """Say more about a ticket of one's own."""
        if self.own:
            changes = {"description": text(60), "priority": random.choice(PRIORITIES)}
            self.ask("PATCH", f"/tickets/{random.choice(self.own)}", name="/tickets/[id]", json=changes)

    def search(self) -> None:
        """Look for a word among the tickets of one status and one priority."""
        criteria = f"q={random.choice(WORDS)}&status={random.choice(STATUSES)}&priority={random.choice(PRIORITIES)}"
        self.ask("GET", f"/tickets/search?{criteria}", name="/tickets/search")

    def add_comment(self) -> None:
        """Say something about a ticket."""
        if self.known:
            path = f"/comments/ticket/{random.choice(self.known)}"
            self.ask("POST", path, name="/comments/ticket/[id]", json={"body": text(20)})

    def read_comments(self) -> None:
        """Read what others said."""
        if self.known:
            self.ask("GET", f"/comments/ticket/{random.choice(self.known)}", name="/comments/ticket/[id]")

    def upload(self) -> None:
        """Attach four kilobytes to a ticket of one's own."""
        if self.own:
            boundary = "----perf-test-boundary"
            body = (
                f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="log.txt"\r\n'
                "Content-Type: text/plain\r\n\r\n"
            ).encode() + random.randbytes(2048).hex().encode() + f"\r\n--{boundary}--\r\n".encode()  # fmt: skip
            headers = {**self.headers, "Content-Type": f"multipart/form-data; boundary={boundary}"}
            path = f"/attachments/ticket/{random.choice(self.own)}/upload"
            self.ask("POST", path, name="/attachments/ticket/[id]/upload", data=body, headers=headers)

    def profile(self) -> None:
        """Look at one's own account."""
        self.ask("GET", "/auth/profile")

    def sign_out_and_in(self) -> None:
        """Leave and come back, if the session has lasted long enough; otherwise look at one's own account."""
        if time.monotonic() < self.session_ends:
            self.profile()
        else:
            self.sign_out()
            self.begin_session()


class RegularUser(Person):
    """Seven of ten: they ask, look and comment."""

    weight = 70
    wait_time = think(1, 5, THINK_SCALE)
    role = "user"

    tasks: Any = {
        Person.dashboard: 20,
        Person.list_tickets: 15,
        Person.create_ticket: 10,
        Person.ticket_detail: 8,
        Person.search: 5,
        Person.add_comment: 4,
        Person.upload: 1,
        Person.read_comments: 14,
        Person.update_ticket: 11,
        Person.profile: 8,
        Person.sign_out_and_in: 4,
    }


class Manager(Person):
    """One of four: they approve, and keep an eye on their people."""

    weight = 25
    wait_time = think(2, 8, THINK_SCALE)
    role = "manager"

    def on_start(self) -> None:
        """Choose the few approvals that this manager will decide, again and again."""
        super().on_start()
        waiting = [approval["id"] for approval in self.pending_approvals()]
        self.approvals = random.sample(waiting, min(5, len(waiting)))

    def pending_approvals(self) -> list[dict[str, Any]]:
        """What waits."""
        return self.ask("GET", "/approvals/pending") or []

    def decide(self) -> None:
        """Approve, reject, or take it back: something always waits."""
        if self.approvals:
            order = {"action": random.choice(("approve", "reject", "reopen")), "note": text(6)}
            path = f"/approvals/{random.choice(self.approvals)}/action"
            self.ask("POST", path, name="/approvals/[id]/action", json=order)

    def approval_history(self) -> None:
        """What was decided."""
        self.ask("GET", "/approvals/history")

    def sla_report(self) -> None:
        """How quickly things get done."""
        self.ask("GET", "/reports/sla")

    tasks: Any = {
        Person.dashboard: 20,
        Person.list_tickets: 15,
        Person.create_ticket: 10,
        Person.ticket_detail: 8,
        Person.search: 5,
        Person.add_comment: 4,
        Person.upload: 1,
        pending_approvals: 14,
        decide: 10,
        approval_history: 5,
        sla_report: 5,
        Person.update_ticket: 3,
    }


class Admin(Person):
    """One of twenty: they watch, report and open accounts."""

    weight = 5
    wait_time = think(2, 6, THINK_SCALE)
    role = "admin"

    def volume_report(self) -> None:
        """Where the work comes from."""
        self.ask("GET", "/reports/volume")

    def sla_report(self) -> None:
        """How quickly things get done."""
        self.ask("GET", "/reports/sla")

    def approval_history(self) -> None:
        """What was decided."""
        self.ask("GET", "/approvals/history")

    def register(self) -> None:
        """Open an account for somebody new."""
        order = {
            "email": unused_email(),
            "name": text(2),
            "password": PASSWORD,
            "department": "operations",
        }
        self.ask("POST", "/auth/register", json=order)

    tasks: Any = {
        Person.dashboard: 20,
        Person.list_tickets: 15,
        Person.create_ticket: 10,
        Person.ticket_detail: 8,
        Person.search: 5,
        Person.add_comment: 4,
        Person.upload: 1,
        volume_report: 12,
        sla_report: 8,
        register: 8,
        approval_history: 5,
        Person.update_ticket: 4,
    }
