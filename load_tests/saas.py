"""The load of a SaaS platform: one user class for each way to drive it, chosen by class or by tag.

Runs alone (`locust -f load_tests/saas.py --tags baseline --host http://...`) against a service that has its test data.
The document names neither endpoints nor think times. The waits are chosen so that the documented number of users offers
one and a half to two times the throughput that the document asks for.
"""

import functools
import random
from collections.abc import Callable
from typing import Any, TypeVar

from locust import FastHttpUser, events, tag, task
from shared import USERS, Accounts, Caller, fake, think

accounts = Accounts(USERS)
METERS = ("requests", "compute_seconds", "storage_mb", "tokens")


class Subscriber(Caller, FastHttpUser):
    """A subscriber's tasks, weighted as in production, with a sign-in first."""

    abstract = True

    def on_start(self) -> None:
        """Sign in and see what there is."""
        self.sign_in_with_retries(accounts.email(self))
        self.plan_ids = [plan["id"] for plan in self.ask("GET", "/plans") or []]

    def on_stop(self) -> None:
        """Leave no sign-in open."""
        self.sign_out()

    @task(20)
    def plans(self) -> None:
        """List the plans."""
        self.ask("GET", "/plans")

    @task(10)
    def plan(self) -> None:
        """One plan."""
        if self.plan_ids:
            self.ask("GET", f"/plans/{random.choice(self.plan_ids)}", name="/plans/[id]")

    @task(25)
    def usage_summary(self) -> None:
        """What was used, in numbers."""
        self.ask("GET", "/usage/summary")

    @task(20)
    def record_usage(self) -> None:
        """Use something."""
        order = {"meter": random.choice(METERS), "quantity": random.randint(1, 500)}
        self.ask("POST", "/usage", json=order)

    @task(15)
    def usage(self) -> None:
        """What was used, event by event."""
        self.ask("GET", "/usage")

    @task(6)
    def api_keys(self) -> None:
        """Which keys there are."""
        self.ask("GET", "/api-keys")

    @task(2)
    def new_key(self) -> None:
        """Make a key and revoke it again."""
        key = self.ask("POST", "/api-keys", json={"name": fake().word()})
        if "id" in key:
            self.ask("DELETE", f"/api-keys/{key['id']}", name="/api-keys/[id]")

    @task(2)
    def profile(self) -> None:
        """Look at one's own account."""
        self.ask("GET", "/auth/profile")


Class = TypeVar("Class", bound=type[Subscriber])


def tagged(name: str) -> Callable[[Class], Class]:
    """Tag the tasks of one class alone: Locust's `tag` marks functions, and the classes inherit the same ones."""

    def decorate(user_class: Class) -> Class:
        copies = {each: _copy(each) for each in user_class.tasks}
        user_class.tasks = [copies[each] for each in user_class.tasks]
        chosen: Class = tag(name)(user_class)
        return chosen

    return decorate


def _copy(inherited: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(inherited)
    def copy(user: Any) -> None:
        inherited(user)

    return copy


@tagged("baseline")
class BaselineTest(Subscriber):
    """A hundred users on a normal day."""

    wait_time = think(0.05, 0.15)


@tagged("stress")
class StressTest(Subscriber):
    """Five hundred users at once."""

    wait_time = think(0.2, 0.4)


@tagged("spike")
class SpikeTest(Subscriber):
    """A thousand users who all come at the same time."""

    wait_time = think(0.5, 1.5)


@tagged("soak")
class SoakTest(Subscriber):
    """Fifty users for hours."""

    wait_time = think(0.5, 1.5)


@tagged("mixed")
class MixedWorkloadTest(Subscriber):
    """Two hundred users as in production, who register and come back besides."""

    wait_time = think(0.1, 0.3)

    @task(1)
    def come_back(self) -> None:
        """Sign out and in again."""
        self.sign_out()
        self.sign_in_with_retries(accounts.email(self))

    @task(1)
    def recommend(self) -> None:
        """Somebody else opens an account."""
        self.register()


@events.init.add_listener  # before Locust's master counts the classes, and starts users that have no task
def _leave_out_what_no_tag_chooses(environment: Any, **_: Any) -> None:
    if tags := frozenset(environment.parsed_options.tags or ()):
        chosen = [each for each in environment.user_classes if any(tags & _tags_of(task) for task in each.tasks)]
        environment.user_classes = chosen or environment.user_classes


def _tags_of(task: Any) -> set[str]:
    return getattr(task, "locust_tag_set", set())
