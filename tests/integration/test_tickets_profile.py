"""The ticket profile against the demo service: real Locust, real process."""

import csv
import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENDPOINTS = {
    ("GET", "/approvals/history"),
    ("GET", "/approvals/pending"),
    ("POST", "/approvals/[id]/action"),
    ("POST", "/attachments/ticket/[id]/upload"),
    ("GET", "/auth/profile"),
    ("POST", "/auth/login"),
    ("POST", "/auth/logout"),
    ("POST", "/auth/register"),
    ("GET", "/comments/ticket/[id]"),
    ("POST", "/comments/ticket/[id]"),
    ("GET", "/reports/dashboard"),
    ("GET", "/reports/sla"),
    ("GET", "/reports/volume"),
    ("GET", "/tickets/"),
    ("POST", "/tickets/"),
    ("GET", "/tickets/[id]"),
    ("PATCH", "/tickets/[id]"),
    ("GET", "/tickets/search"),
}


@pytest.fixture
def service() -> Iterator[str]:
    """A process with test data; its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "demo", "--port", "0"],
        cwd=ROOT,
        env=os.environ | {"DEMO_TEST_DATA": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            order = urllib.request.Request(
                f"{url}/test-data",
                json.dumps({"rng_seed": 1}).encode(),
                {"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(order, timeout=30) as answer:
                assert answer.status == 201
            yield url
        finally:
            process.terminate()


def run_locust(url: str, results: Path) -> tuple[Counter[tuple[str, str]], int]:
    """Some seconds of load: the requests by endpoint, and how many failed."""
    command = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        "load_tests/tickets.py",
        "--host",
        url,
        "--headless",
        "--only-summary",
    ]
    subprocess.run(
        [*command, "-u", "20", "-r", "20", "-t", "6s", "--csv", str(results)],
        cwd=ROOT,
        env=os.environ | {"TICKETS_THINK_SCALE": "0.02"},
        capture_output=True,
        timeout=60,
        check=True,
    )
    requests: Counter[tuple[str, str]] = Counter()
    failures = 0
    with results.with_name(f"{results.name}_stats.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["Type"]:
                requests[row["Type"], row["Name"]] += int(row["Request Count"])
                failures += int(row["Failure Count"])
    return requests, failures


def test_every_endpoint_of_the_profile_is_reached_and_nothing_fails(service: str, tmp_path: Path) -> None:
    """Twenty users in a hurry do everything there is to do within seconds, without one failed request."""
    requests: Counter[tuple[str, str]] = Counter()
    # Tasks are drawn at random, some are rare and the machine may be busy: one that is missing gets more chances.
    for attempt in range(10):
        counted, failures = run_locust(service, tmp_path / str(attempt))
        assert failures == 0
        requests += counted
        if set(requests) >= ENDPOINTS:
            break
    assert set(requests) == ENDPOINTS
