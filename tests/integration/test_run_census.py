"""`perfci run --census only`, whole, on the demo service as one process: what is counted decides alone."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfci import store
from perfci.model import RoundKind, SeriesVerdict, Side
from perfci.pipeline import documents
from tests.fakes.shell import Shell, shell_in

CONFIG = """
[target]
kind = "command"
command = ["{python}", "-m", "demo", "--port", "{port}"]
env = { DEMO_TEST_DATA = "1" }
ready = { path = "/health" }

[seed]
kind = "http"
path = "/test-data"
rng_seed = 7
counts = { users = 9, managers = 2, admins = 1, tickets = 60, comments = 60, approvals = 6 }

[census]
requests = 3

[profiles.shop]
locustfile = "shop.py"
[profiles.shop.scenarios.lists]

[gate.budget.ref.census.'metrics/demo_db_statements_total{verb="select"}']
role = "guarding"
change = 0
[gate.budget.baseline.census.'metrics/demo_db_statements_total{verb="select"}']
role = "guarding"
change = 0
"""
PROFILE = """
from locust import FastHttpUser, task


class Clerk(FastHttpUser):
    def on_start(self):
        order = {"email": "user0001@example.test", "password": "perf-test"}
        token = self.client.post("/auth/login", json=order).json()["access_token"]
        self.signed_in = {"Authorization": f"Bearer {token}"}

    @task
    def list_tickets(self):
        self.client.get("/tickets/", headers=self.signed_in)

    @task
    def dashboard(self):
        self.client.get("/reports/dashboard", headers=self.signed_in)
"""
STATEMENTS = 'metrics/demo_db_statements_total{verb="select"}'


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A project with the demo as its service."""
    files = {"perfci.toml": CONFIG, "shop.py": PROFILE}
    with shell_in(tmp_path / "project", files, state=tmp_path / "state") as shell:
        yield shell


def test_more_work_is_red_where_it_is_and_what_was_recorded_is_compared_with(shell: Shell, tmp_path: Path) -> None:
    """An N+1 and a doubled payload on the list against a commit, and the dashboard as ever; then, recorded, without."""
    ref, alone = tmp_path / "ref", tmp_path / "alone"
    faults = ("--candidate-env", "DEMO_FAULTS=n-plus-one,double-payload")
    done = shell.perfci("run", "shop", "--base", ".", "--census", "only", *faults, "--output", str(ref))
    assert done.returncode == 10, done.stdout + done.stderr
    assert "census: 3 of 3 endpoints, 3 requests each or more" in done.stderr

    run = store.load(ref)
    assert (run.rounds, run.incidents, run.complete) == ((), (), True)
    base, candidate = (run.census[side] for side in (Side.BASE, Side.CANDIDATE))
    assert set(base.endpoints) == {"POST /auth/login", "GET /tickets/", "GET /reports/dashboard"}
    assert base.endpoints["GET /reports/dashboard"] == candidate.endpoints["GET /reports/dashboard"]
    assert base.endpoints["POST /auth/login"].counters[STATEMENTS].constant
    assert base.seed_digest == candidate.seed_digest == run.fingerprint.seed_digest != ""
    changed = {("GET /tickets/", STATEMENTS), ("GET /tickets/", "response/bytes")}
    assert verdicts(ref)[SeriesVerdict.REGRESSION] == changed

    assert shell.perfci("baseline", "record", str(ref), "--census-only").returncode == 0
    done = shell.perfci("run", "shop", "--against", "baseline", "--census", "only", "--output", str(alone))
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(store.load(alone).census) == {Side.CANDIDATE}
    assert verdicts(alone)[SeriesVerdict.IMPROVEMENT] == changed


def verdicts(folder: Path) -> dict[SeriesVerdict, set[tuple[str, str]]]:
    """The endpoints and counters of every verdict that is no "equivalent"; all of them were counted."""
    found = defaultdict(set)
    for decision in documents.read(folder).decisions:
        assert decision.comparison.kind is RoundKind.CENSUS
        found[decision.verdict].add((decision.comparison.series.endpoint, decision.comparison.series.metric.name))
    assert SeriesVerdict.EQUIVALENT in found
    return found
