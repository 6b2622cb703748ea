"""The workflows of a contact centre: intake, daily admin, search and schedule, bulk."""

import random
import time

from locust import SequentialTaskSet, task


class Workflow(SequentialTaskSet):
    """Steps that need each other; beside their own rows there is one for the whole, the sum of its requests."""

    name = ""

    def begin(self) -> None:
        """The first step begins."""
        self.began, self.before_ms = time.time(), self.user.spent_ms

    def end(self) -> None:
        """The last step is over."""
        self.user.environment.events.request.fire(
            request_type="WORKFLOW",
            name=self.name,
            response_time=self.user.spent_ms - self.before_ms,
            response_length=0,
            exception=None,
            start_time=self.began,
            url=self.user.host,
            response=None,
            context={},
        )
        self.interrupt(reschedule=False)


class Intake(Workflow):
    """A customer calls: contact, interaction, appointment."""

    name = "intake"

    @task
    def contact(self) -> None:
        """Who it is."""
        self.begin()
        self.contact_id = self.user.create_contact()

    @task
    def interaction(self) -> None:
        """What it is about."""
        if self.contact_id is not None:
            self.user.log_interaction(self.contact_id)

    @task
    def appointment(self) -> None:
        """When to meet."""
        self.user.create_event(self.contact_id)
        self.end()


class DailyAdmin(Workflow):
    """The morning: dashboard, calendar, updates."""

    name = "daily admin"

    def on_start(self) -> None:
        """Have something to update."""
        if not self.user.contacts:
            self.user.create_contact()

    @task
    def dashboard(self) -> None:
        """The numbers."""
        self.begin()
        self.user.ask("GET", "/contacts/stats")

    @task
    def calendar(self) -> None:
        """What is to come."""
        self.user.ask("GET", "/calendar/events")

    @task
    def update(self) -> None:
        """What is new about a contact."""
        if self.user.contacts:
            self.user.update_contact(random.choice(self.user.contacts))
        self.end()


class SearchAndSchedule(Workflow):
    """Somebody is found, looked at, and met."""

    name = "search and schedule"

    @task
    def find(self) -> None:
        """Look for a name."""
        self.begin()
        self.found = self.user.find_contacts()

    @task
    def view(self) -> None:
        """Look at the first."""
        if self.found:
            self.user.read_contact(self.found[0])

    @task
    def appointment(self) -> None:
        """When to meet."""
        self.user.create_event(self.found[0] if self.found else None)
        self.end()


class Bulk(Workflow):
    """Many contacts, then an event for each."""

    name = "bulk"
    size = 5

    @task
    def contacts(self) -> None:
        """Five new contacts."""
        self.begin()
        self.made = [self.user.create_contact() for _ in range(self.size)]

    @task
    def schedule(self) -> None:
        """An event for each of them."""
        for contact in self.made:
            self.user.create_event(contact)
        self.end()
