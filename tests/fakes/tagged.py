"""Locust files of two user classes, of which only one has a task with the tag `rush`."""

TAGGED = """
from locust import HttpUser, constant, tag, task


class Viewer(HttpUser):
    wait_time = constant(0.02)

    @tag("rush")
    @task
    def view(self):
        self.client.get("/view")

    @task
    def look(self):
        self.client.get("/look")


class Buyer(HttpUser):
    wait_time = constant(0.02)

    def on_start(self):
        self.client.get("/start")

    @task
    def buy(self):
        self.client.get("/buy")
"""

SHAPED = f"""
{TAGGED}

from locust import LoadTestShape


class Both(LoadTestShape):
    def tick(self):
        return 4, 50, [Viewer, Buyer]
"""
