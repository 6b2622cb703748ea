"""The monitoring stack of `compose.yaml`: what the dashboards ask, a real Prometheus that scraped the demo knows."""

import json
import math
import os
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from perfci.rig.host.free_port import free_port

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
DASHBOARDS = sorted((MONITORING / "grafana" / "dashboards").glob("*.json"))
SERVICES = ("api", "db", "cache", "seed", "locust-master", "locust-worker")
"""All but Prometheus and Grafana, whose images a machine without a registry cannot have."""
LOAD_S = 25.0


def expressions() -> dict[str, list[str]]:
    """What each panel asks, by dashboard and title, over the time that the test has."""
    found: dict[str, list[str]] = {}
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            asked = [target["expr"].replace("$__rate_interval", "10s") for target in panel["targets"]]
            found[f"{path.stem}: {panel['title']}"] = asked
    return found


def rules() -> dict[str, str]:
    """The left side of each alert's comparison, which has to have a value for the alert ever to be raised."""
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return {rule["alert"]: re.split(r" (?:[<>]|==) ", rule["expr"])[0] for group in groups for rule in group["rules"]}


class Stack:
    """The services, and a Prometheus beside them."""

    def __init__(self, tools: Mapping[str, str], folder: Path) -> None:
        """Nothing is started yet."""
        self._tools = {**tools, "DEMO_PORT": "", "LOCUST_PORT": "", "LOAD_TEST_THINK_SCALE": "0.2"}
        self._name = f"monitoring-{os.getpid()}"
        self._folder = folder
        self.prometheus = ""

    def compose(self, *arguments: str) -> str:
        """`docker compose` with the profile; what it printed."""
        command = ["docker", "compose", "-p", self._name, "--profile", "monitoring", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self._tools, capture_output=True, text=True, timeout=420, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def address(self, service: str, port: int) -> str:
        """Where a service listens on this machine."""
        return self.compose("port", service, str(port)).strip()

    def tool(self, name: str) -> str:
        """A program of the tool chain."""
        found = shutil.which(name, path=self._tools["PATH"])
        assert found is not None, f"there is no {name}: run tests/e2e/toolchain/install again"
        return found

    def start_prometheus(self) -> subprocess.Popen[bytes]:
        """With the stack's own configuration, but for the addresses and a scrape each second."""
        config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
        config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(MONITORING / "alerts.yml")]
        for job in config["scrape_configs"]:
            service, _, port = job["static_configs"][0]["targets"][0].partition(":")
            job["static_configs"][0]["targets"] = [self.address(service, int(port))]
        file = self._folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(config))
        self.prometheus = f"127.0.0.1:{free_port()}"
        options = [f"--config.file={file}", f"--storage.tsdb.path={self._folder / 'data'}"]
        log = (self._folder / "prometheus.log").open("wb")
        with log:
            return subprocess.Popen(
                [self.tool("prometheus"), *options, f"--web.listen-address={self.prometheus}"], stdout=log, stderr=log
            )

    def query(self, expression: str) -> list[float]:
        """The values that Prometheus has for an expression now."""
        answer = get(f"http://{self.prometheus}/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
        assert answer["status"] == "success", answer
        return [float(series["value"][1]) for series in answer["data"]["result"]]


def get(url: str, data: bytes | None = None) -> Any:
    """The JSON of the answer."""
    with urllib.request.urlopen(url, data, timeout=30) as answer:
        return json.load(answer)


def wait_for(what: str, condition: Any, seconds: float = 40.0) -> None:
    """Return when it holds; AssertionError if it never does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except (OSError, KeyError):
            pass
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


@pytest.fixture(scope="module")
def stack(toolchain: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Half a minute of load on the whole, watched."""
    stack = Stack(toolchain, tmp_path_factory.mktemp("monitoring"))
    prometheus = None
    try:
        stack.compose("up", "--detach", "--build", *SERVICES)
        locust = f"http://{stack.address('locust-master', 8089)}"
        wait_for("two workers", lambda: len(get(f"{locust}/stats/requests")["workers"]) == 2)
        wait_for("the data", lambda: "created" in stack.compose("logs", "seed"))
        prometheus = stack.start_prometheus()
        order = urllib.parse.urlencode({"user_count": 20, "spawn_rate": 20, "host": "http://api:8000"}).encode()
        assert get(f"{locust}/swarm", order)["success"]
        time.sleep(LOAD_S)
        yield stack
    finally:
        if prometheus is not None:
            prometheus.terminate()
            prometheus.wait(20)
        stack.compose("down", "--volumes", "--remove-orphans", "--rmi", "local")


def test_each_panel_of_each_dashboard_has_data(stack: Stack) -> None:
    """Every expression returns values, and none of them is no number."""
    asked = expressions()
    assert len(asked) > 10
    found = {panel: [stack.query(expression) for expression in listed] for panel, listed in asked.items()}
    assert [panel for panel, values in found.items() if not all(values)] == []
    assert [panel for panel, values in found.items() if any(math.isnan(v) for each in values for v in each)] == []


def test_locust_is_watched_with_all_its_users_and_workers(stack: Stack) -> None:
    """The exporter tells what the master knows, and what users asked for arrived at the service."""
    assert stack.query("locust_users") == [20.0]
    assert stack.query("locust_workers") == [2.0]
    assert stack.query("up") == [1.0, 1.0]
    (asked,) = stack.query('sum(locust_requests_total{name="/tickets/"})')
    (answered,) = stack.query('sum(demo_requests_total{route="/tickets/"})')
    assert asked > 0
    assert 0.5 * answered < asked < 1.5 * answered


def test_each_alert_has_something_to_compare(stack: Stack) -> None:
    """An alert whose expression never has a value can never be raised."""
    assert [alert for alert, expression in rules().items() if not stack.query(expression)] == []


def test_the_files_are_what_prometheus_takes(toolchain: Mapping[str, str], tmp_path: Path) -> None:
    """`promtool` finds nothing wrong with configuration and rules, and the interval is a quarter of a minute."""
    tool = Stack(toolchain, tmp_path).tool("promtool")
    subprocess.run([tool, "check", "config", str(MONITORING / "prometheus.yml")], check=True, timeout=30)
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    assert config["global"]["scrape_interval"] == "15s"
