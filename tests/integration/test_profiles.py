"""The five profiles against the demo service: real Locust, real process."""

import csv
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path

from tests.demo_process import ROOT, demo_process

RUNS = (
    ("tickets",),
    ("tickets", "Manager", "Admin"),
    ("platform_api",),
    ("saas",),
    ("crm",),
    ("contact_center",),
    ("contact_center", "IntakeUser", "DailyAdminUser", "SearchScheduleUser", "BulkUser"),
)
"""Each profile with the user classes to run; none: all. Of those that are rare in the mix few would start."""
NOT_ASKED = {("GET", "/ready"), ("GET", "/metrics")}
"""Beside `/test-data`: what watches the service asks these, not its users."""
OTHER_ROWS = {
    ("WS", "conversation connect"),
    ("WS", "conversation first answer"),
    ("WS", "conversation message"),
    ("WS", "voice connect"),
    ("WS", "voice first answer"),
    ("WS", "voice frame"),
    ("WS", "media connect"),
    ("WS", "media first answer"),
    ("WS", "media frame"),
    ("WS", "notifications connect"),
    ("WS", "notifications first answer"),
    ("WS", "notifications notification"),
    ("WORKFLOW", "intake"),
    ("WORKFLOW", "daily admin"),
    ("WORKFLOW", "search and schedule"),
    ("WORKFLOW", "bulk"),
}

Rows = Counter[tuple[str, str]]


def run_locust(url: str, profile: str, results: Path, *more: str, **environment: str) -> tuple[Rows, Rows]:
    """Some seconds of load in which no task raises: requests and failures by type and name."""
    command = [sys.executable, "-m", "locust", "-f", f"load_tests/{profile}.py", "--host", url, "--headless"]
    scale = {"TICKETS_THINK_SCALE": "0.02", "TICKETS_SESSION_SCALE": "0", "LOAD_TEST_THINK_SCALE": "0.02"}
    subprocess.run(
        [*command, "--only-summary", "-u", "25", "-r", "25", "-t", "6s", "--csv", str(results), *more],
        cwd=ROOT,
        env=os.environ | scale | environment,
        capture_output=True,
        timeout=120,
        check=False,  # Locust's own exit code is 1 if a request failed: that is counted
    )
    requests: Rows = Counter()
    failures: Rows = Counter()
    with results.with_name(f"{results.name}_stats.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["Type"]:
                requests[row["Type"], row["Name"]] += int(row["Request Count"])
                failures[row["Type"], row["Name"]] += int(row["Failure Count"])
    with results.with_name(f"{results.name}_exceptions.csv").open(newline="") as file:
        assert [row["Message"] for row in csv.DictReader(file)] == []
    return requests, +failures


def operations(url: str) -> set[tuple[str, str]]:
    """What the service says that it can do, but for what nobody asks for under load."""
    with urllib.request.urlopen(f"{url}/openapi.json", timeout=30) as answer:
        paths = json.load(answer)["paths"]
    every = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    return {(method, path) for method, path in every if not path.startswith("/test-data")} - NOT_ASKED


def operation(row: tuple[str, str]) -> tuple[str, str]:
    """The operation behind a row: without what tells apart two rows of one operation."""
    return row[0], re.sub(r"\?.*| \(.*\)", "", row[1]).replace("[id]", "{id}")


def test_every_operation_is_asked_by_some_profile_and_nothing_fails(tmp_path: Path) -> None:
    """Twenty-five users in a hurry do everything there is to do within seconds, without one failed request."""
    with demo_process({"DEMO_RATE_LIMIT": "off"}) as url:
        wanted = operations(url) | OTHER_ROWS
        seen: set[tuple[str, str]] = set()
        # Tasks are drawn at random, some are rare and the machine may be busy: what is missing gets more chances.
        for attempt in range(6):
            for number, (profile, *classes) in enumerate(RUNS):
                requests, failures = run_locust(url, profile, tmp_path / f"{attempt}-{number}", *classes)
                assert failures == {}, profile
                seen |= set(map(operation, requests))
            if seen >= wanted:
                break
    assert seen == wanted


def test_tags_choose_a_user_class(tmp_path: Path) -> None:
    """Those that no tag chose are left out, instead of failing for want of tasks; only some register."""
    with demo_process({}) as url:
        requests, failures = run_locust(url, "saas", tmp_path / "spike", "--tags", "spike", "-t", "3s")
        assert failures == {}
        assert ("GET", "/plans") in requests
        assert ("POST", "/auth/register") not in requests


def test_what_is_beyond_the_rate_limit_is_refused_as_it_should_be(tmp_path: Path) -> None:
    """Refusals are no failures of the user class that provokes them, and without the limit there are none."""
    refused = {}
    for limit in ("5", "off"):
        with demo_process({"DEMO_RATE_LIMIT": limit}) as url:
            requests, failures = run_locust(url, "contact_center", tmp_path / limit, "RateLimitUser", "-t", "3s")
            assert requests["GET", "/contacts/stats (hurried)"] > 0
            assert failures == {}
            with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
                refused[limit] = 'status="429"' in answer.read().decode()
    assert refused == {"5": True, "off": False}


def test_a_service_with_another_key_takes_no_token_of_the_profile(tmp_path: Path) -> None:
    """Tokens that were made without a login are judged by their signature."""
    with demo_process({"DEMO_SECRET_KEY": "another key, and just as long as it has to be"}) as url:
        requests, failures = run_locust(url, "platform_api", tmp_path / "other", "PaymentUser", "-t", "3s")
        assert failures == requests != {}


def test_every_message_that_is_dropped_is_a_failure(tmp_path: Path) -> None:
    """The service answers no frame: connections are made, messages time out, and nothing else fails."""
    alone = {"CC_WEBSOCKET_USERS": "0", "CC_WEBSOCKET_PATIENCE_S": "0.5"}
    wanted = {("WS", f"{name} first answer") for name in ("conversation", "voice", "media")}
    seen: set[tuple[str, str]] = set()
    with demo_process({"DEMO_FAULTS": "dropped-frames=1", "DEMO_RATE_LIMIT": "off"}) as url:
        few = ("WebSocketUser", "-u", "4", "-r", "4")
        for attempt in range(6):  # as above
            _, failures = run_locust(url, "contact_center", tmp_path / f"dropped-{attempt}", *few, **alone)
            seen |= set(failures)
            if seen >= wanted:
                break
    assert seen >= wanted
    assert not any(name.endswith("connect") or kind != "WS" for kind, name in seen)
