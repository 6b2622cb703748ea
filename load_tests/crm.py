"""The load of a roofing company's CRM: dashboards, leads, projects, analytics, and people who do a bit of everything.

Runs alone (`locust -f load_tests/crm.py --host http://...`) against a service that has its test data. The weights are
those of the document; they add up to 115, because its users "switch behaviours": Locust's users never change their
class, so MixedWorkloadUser is who does. No think time is given: a hundred users offer about 800 requests a second.
Only what a user made itself is changed or deleted.
"""

import random
from collections import deque
from typing import Any

from locust import FastHttpUser, SequentialTaskSet, task
from shared import USERS, Accounts, Caller, fake, person, think

accounts = Accounts(USERS)
LEAD_STATUSES = ("new", "contacted", "qualified", "won", "lost")
SOURCES = ("website", "referral", "storm", "phone", "fair")
PROJECT_STATUSES = ("planned", "active", "paused", "finished")
ROOFS = ("shingle", "tile", "metal", "flat", "slate")
MOST_OWN = 20


class Employee(Caller, FastHttpUser):
    """Somebody who has signed in."""

    abstract = True
    wait_time = think(0.05, 0.2)

    def on_start(self) -> None:
        """Sign in."""
        self.own: deque[int] = deque(maxlen=MOST_OWN)  # leads that this user made
        self.sign_in_with_retries(accounts.email(self))

    def on_stop(self) -> None:
        """Leave no sign-in open."""
        self.sign_out()

    def create_lead(self) -> None:
        """Somebody may become a customer."""
        order = person() | {"source": random.choice(SOURCES), "notes": fake().sentence(8)}
        lead = self.ask("POST", "/leads", json=order)
        if "id" in lead:
            self.own.append(lead["id"])

    def delete_lead(self) -> None:
        """Somebody will not; a new one takes the place of the last."""
        if not self.own:
            self.create_lead()
        if self.own:
            self.ask("DELETE", f"/leads/{self.own.popleft()}", name="/leads/[id]")


class DashboardUser(Employee):
    """Looks at the first page all day."""

    weight = 40

    @task(5)
    def dashboard(self) -> None:
        """The first page."""
        self.ask("GET", "/dashboard")

    @task(4)
    def metrics(self) -> None:
        """Its numbers."""
        self.ask("GET", "/dashboard/metrics")

    @task(1)
    def cache_stats(self) -> None:
        """How often the cache had what was asked."""
        self.ask("GET", "/api/cache/stats")


class LeadManagementUser(Employee):
    """Works on leads."""

    weight = 30

    def on_start(self) -> None:
        """Begin with two leads."""
        super().on_start()
        self.create_lead()
        self.create_lead()

    @task(4)
    def list_leads(self) -> None:
        """All leads, or those of one state or source."""
        query = random.choice(("", f"?status={random.choice(LEAD_STATUSES)}", f"?source={random.choice(SOURCES)}"))
        self.ask("GET", f"/leads{query}", name="/leads")

    @task(3)
    def read_lead(self) -> None:
        """One lead."""
        if self.own:
            self.ask("GET", f"/leads/{random.choice(self.own)}", name="/leads/[id]")

    @task(2)
    def new_lead(self) -> None:
        """A new lead."""
        self.create_lead()

    @task(2)
    def update_lead(self) -> None:
        """A lead gets further."""
        if self.own:
            changes = {"status": random.choice(LEAD_STATUSES), "notes": fake().sentence(8)}
            self.ask("PATCH", f"/leads/{random.choice(self.own)}", name="/leads/[id]", json=changes)

    @task(1)
    def remove_lead(self) -> None:
        """A lead goes."""
        self.delete_lead()


class ProjectViewUser(Employee):
    """Looks at projects and their customers."""

    weight = 20

    def on_start(self) -> None:
        """See which projects and customers there are."""
        super().on_start()
        self.projects = [project["id"] for project in self.ask("GET", "/projects").get("items", [])]
        self.customers = [customer["id"] for customer in self.ask("GET", "/customers").get("items", [])]

    @task(4)
    def list_projects(self) -> None:
        """Projects of one state or roof."""
        query = random.choice((f"status={random.choice(PROJECT_STATUSES)}", f"roof={random.choice(ROOFS)}"))
        self.ask("GET", f"/projects?{query}", name="/projects")

    @task(3)
    def read_project(self) -> None:
        """One project."""
        if self.projects:
            self.ask("GET", f"/projects/{random.choice(self.projects)}", name="/projects/[id]")

    @task(2)
    def list_customers(self) -> None:
        """All customers."""
        self.ask("GET", "/customers")

    @task(1)
    def read_customer(self) -> None:
        """One customer."""
        if self.customers:
            self.ask("GET", f"/customers/{random.choice(self.customers)}", name="/customers/[id]")


class AnalyticsUser(Employee):
    """Asks what is expensive to answer."""

    weight = 10

    @task(3)
    def revenue(self) -> None:
        """What projects brought."""
        self.ask("GET", "/analytics/revenue")

    @task(2)
    def funnel(self) -> None:
        """How far leads get."""
        self.ask("GET", "/analytics/funnel")

    @task(2)
    def conversion(self) -> None:
        """Which sources bring customers."""
        self.ask("GET", "/analytics/conversion")


class Sale(SequentialTaskSet):
    """From the first page to a roof: a lead is won, becomes a customer, and a project is begun and settled."""

    customer: dict[str, Any]
    project: dict[str, Any]

    @task
    def look(self) -> None:
        """The first page, and whether the service is well."""
        self.user.ask("GET", "/dashboard")
        self.user.ask("GET", "/health")
        self.user.ask("GET", "/api/cache/health")

    @task
    def win(self) -> None:
        """A lead is won."""
        self.user.create_lead()
        if self.user.own:
            path = f"/leads/{self.user.own[-1]}"
            self.user.ask("PATCH", path, name="/leads/[id]", json={"status": "won"})

    @task
    def take_on(self) -> None:
        """It becomes a customer, who moves before long."""
        self.customer = self.user.ask("POST", "/customers", json=person() | {"city": fake().city()[:80]})
        if "id" in self.customer:
            path = f"/customers/{self.customer['id']}"
            self.user.ask("PATCH", path, name="/customers/[id]", json={"city": fake().city()[:80]})

    @task
    def begin(self) -> None:
        """A project for that customer, and work on it."""
        self.project = {}
        if "id" in self.customer:
            order = {
                "customer_id": self.customer["id"],
                "title": f"Roof of {fake().street_name()}"[:120],
                "roof": random.choice(ROOFS),
                "value_cents": random.randrange(500_000, 5_000_000),
            }
            self.project = self.user.ask("POST", "/projects", json=order)
        if "id" in self.project:
            path = f"/projects/{self.project['id']}"
            self.user.ask("PATCH", path, name="/projects/[id]", json={"status": "active"})

    @task
    def settle(self) -> None:
        """It all comes to nothing: what was made is deleted, so that the next sale finds what this one found."""
        if "id" in self.project:
            self.user.ask("DELETE", f"/projects/{self.project['id']}", name="/projects/[id]")
        if "id" in self.customer:
            self.user.ask("DELETE", f"/customers/{self.customer['id']}", name="/customers/[id]")
        self.user.delete_lead()
        self.interrupt(reschedule=False)


class MixedWorkloadUser(Employee):
    """Does a bit of everything."""

    weight = 15

    tasks: Any = {
        DashboardUser.dashboard: 4,
        AnalyticsUser.revenue: 1,
        LeadManagementUser.list_leads: 2,
        ProjectViewUser.list_projects: 2,
        Sale: 1,
    }
