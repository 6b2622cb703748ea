"""The load of a platform API: people who sign in, people who have things generated, people who pay.

Runs alone (`locust -f load_tests/platform_api.py --host http://...`) against a service that has its test data; a module
named `platform` would hide that of the standard library. Those who generate and pay bring tokens that they made
themselves (`shared.token_for`); only those who try out signing in sign in. The document names no think times: everybody
waits one to three seconds, so that shares of users are shares of requests.
"""

import random
import uuid

from locust import FastHttpUser, task
from shared import USERS, Accounts, Caller, fake, think, token_for

accounts = Accounts(USERS)
CURRENCIES = ("EUR", "USD", "GBP")
KINDS = ("text", "image", "audio")


class AuthUser(Caller, FastHttpUser):
    """Signs in, registers, looks whether the service is healthy."""

    weight = 30
    wait_time = think(1, 3)

    def on_start(self) -> None:
        """Take an account; every sign-in is another one."""
        self.email = accounts.email(self)

    @task(6)
    def login(self) -> None:
        """Sign in."""
        self.sign_in(self.email)

    @task(3)
    def registration(self) -> None:
        """Open an account."""
        self.register()

    @task(1)
    def health(self) -> None:
        """Ask how the service does."""
        self.ask("GET", "/health")


class Holder(Caller, FastHttpUser):
    """Somebody with a token that no login gave."""

    abstract = True

    def on_start(self) -> None:
        """Make the token."""
        self.use_token(token_for(accounts.number(self)))


class GenerationUser(Holder):
    """Has something generated, and looks what became of it."""

    weight = 60
    wait_time = think(1, 3)

    def on_start(self) -> None:
        """Have a first task to ask about."""
        super().on_start()
        self.tasks_made: list[int] = []
        self.create_task()

    @task(5)
    def create_task(self) -> None:
        """Order something; five of ten actions."""
        order = {"prompt": fake().sentence(12), "kind": random.choice(KINDS)}
        made = self.ask("POST", "/generation/tasks", json=order)
        if "id" in made:
            self.tasks_made = [*self.tasks_made[-9:], made["id"]]

    @task(3)
    def list_tasks(self) -> None:
        """See all of them."""
        self.ask("GET", "/generation/tasks")

    @task(2)
    def task_status(self) -> None:
        """Ask whether one of them is done."""
        if self.tasks_made:
            path = f"/generation/tasks/{random.choice(self.tasks_made)}"
            self.ask("GET", path, name="/generation/tasks/[id]")


class PaymentUser(Holder):
    """Pays, each time with a key of its own, and looks at what was paid."""

    weight = 10
    wait_time = think(1, 3)

    @task(5)
    def create_payment(self) -> None:
        """Pay something."""
        order = {
            "amount": random.randrange(100, 50_000),
            "currency": random.choice(CURRENCIES),
            "description": fake().sentence(4)[:200],
        }
        # Not from `random`: a key is new however often its state is restored.
        headers = {**self.headers, "Idempotency-Key": uuid.uuid4().hex}
        self.ask("POST", "/payments", json=order, headers=headers)

    @task(3)
    def list_payments(self) -> None:
        """See what was paid."""
        self.ask("GET", "/payments")

    @task(1)
    def list_subscriptions(self) -> None:
        """See what is paid for."""
        self.ask("GET", "/subscriptions")
