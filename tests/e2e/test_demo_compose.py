"""The demo as `compose.yaml` deploys it: PostgreSQL, Redis, several processes, under the load of every profile."""

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_profiles import run_locust

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PROFILES = ("tickets", "platform_api", "saas", "crm", "contact_center")
PROCESSES = 3
COUNTS = {"tickets": 300, "comments": 300, "usage_events": 200}


class Project:
    """One copy of the project."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Nothing is started yet."""
        self._name = f"demo-{os.getpid()}"
        self._environment = {**environment, "DEMO_RATE_LIMIT": "off"}

    def compose(self, *arguments: str) -> str:
        """`docker compose`; what it printed."""
        done = subprocess.run(
            ["docker", "compose", "-p", self._name, *arguments],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=420,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def url(self, process: int) -> str:
        """Where one process of the service listens."""
        return f"http://{self.compose('port', '--index', str(process), 'api', '8000').strip()}"


@pytest.fixture(scope="module")
def project(toolchain: Mapping[str, str]) -> Iterator[Project]:
    """Three processes that started at the same moment on an empty database."""
    project = Project(toolchain)
    try:
        project.compose("up", "--detach", "--build", "--scale", f"api={PROCESSES}")
        yield project
    finally:
        project.compose("down", "--volumes", "--remove-orphans", "--rmi", "local")


def ask(method: str, url: str, order: object = None) -> Any:
    """The JSON of the answer."""
    body = None if order is None else json.dumps(order).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def wait_until_ready(url: str) -> None:
    """Return when database and cache answer; AssertionError after half a minute."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            assert ask("GET", f"{url}/ready") == {"status": "ready"}
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"{url} never became ready")


def test_processes_that_start_at_once_migrate_one_after_the_other(project: Project) -> None:
    """All become ready, and the schema is made once: the newest revision of each system, none twice."""
    for process in range(1, PROCESSES + 1):
        wait_until_ready(project.url(process))
    query = "SELECT version_num FROM alembic_version ORDER BY 1"
    revisions = project.compose("exec", "-T", "db", "psql", "-U", "demo", "-tAc", query).split()
    assert [revision.rpartition("_")[0] for revision in revisions] == [
        "contact_center",
        "crm",
        "platform",
        "saas",
        "tickets",
    ]


def test_every_profile_runs_without_a_failure_and_the_same_order_gives_the_same_data(
    project: Project, tmp_path: Path
) -> None:
    """
    What one process has seeded another one serves, numbers go on after those that were given, nothing is left behind.

    Each profile gives some seconds of load by plain Locust.
    """
    first, second = project.url(1), project.url(2)
    wait_until_ready(first)
    wait_until_ready(second)
    digests = []
    for _ in range(2):
        ask("DELETE", f"{first}/test-data")
        digests.append(ask("POST", f"{first}/test-data", {"rng_seed": 3, "counts": COUNTS})["digest"])
    assert digests[0] == digests[1]
    for profile in PROFILES:
        requests, failures = run_locust(second, profile, tmp_path / profile)
        assert failures == {}, profile
        assert sum(requests.values()) > 100, profile
    assert ask("DELETE", f"{first}/test-data")["deleted"]["users"] >= 225
    assert set(ask("DELETE", f"{first}/test-data")["deleted"].values()) == {0}
