"""Counter sources on real servers: what is found in a stock compose project, what counts, and what does not."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import requests

from perfci.model import CounterSource, Side
from perfci.rig import monitor, target
from perfci.rig.census import Settings, Snapshot, Source, network, open_sources
from perfci.rig.host.session import inside
from perfci.rig.load.recording import Recording

pytestmark = pytest.mark.e2e

SERVICE = """
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    jobs = {"small": 0, "large": 0}

    def do_GET(self):
        name = self.path.strip("/")
        if name in self.jobs:
            self.jobs[name] += 1
        rows = [f'jobs_total{{size="{size}"}} {count}' for size, count in self.jobs.items()]
        body = "\\n".join(["# TYPE jobs_total counter", *rows, ""]).encode()
        self.send_response(200)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
"""
CHECK = {"interval": "1s", "timeout": "2s", "retries": 20}
PROJECT = {
    "services": {
        "web": {
            "image": "python:3.11-slim-bookworm",
            "init": True,
            "command": ["python", "/service.py"],
            "volumes": ["./service.py:/service.py:ro"],
            "healthcheck": {"test": ["CMD", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8000"], **CHECK},
        },
        "store": {
            "image": "postgres:16",
            "command": "postgres -c fsync=off -c shared_preload_libraries=auto_explain",
            "environment": {"POSTGRES_USER": "shop", "POSTGRES_PASSWORD": "a b$$c", "POSTGRES_DB": "goods"},
            "tmpfs": "/var/lib/postgresql/data",
            "healthcheck": {
                "test": ["CMD", "psql", "-q", "postgresql://shop:a%20b%24c@127.0.0.1/goods", "-c", "SELECT 1"],
                **CHECK,
            },
        },
        "memory": {
            "image": "redis:7",
            "command": ["redis-server", "--save", "", "--requirepass", "open sesame"],
            "healthcheck": {"test": ["CMD", "redis-cli", "ping"], **CHECK},
        },
    }
}


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The running project with its open sources."""

    running: target.RunningTarget
    sources: Sequence[Source]
    reports: Sequence[CounterSource]

    def inside(self, service: str, *command: str) -> str:
        """What *command* says in the container of *service*."""
        container = next(container.id for container in self.running.containers if container.service == service)
        done = subprocess.run(
            ["docker", "exec", container, *command], check=True, capture_output=True, text=True, timeout=20
        )
        return done.stdout.strip()

    def sql(self, text: str) -> str:
        """As the service would ask, from a session of its own."""
        return self.inside("store", "psql", "-qAtU", "shop", "-d", "goods", "-c", text)

    def source(self, name: str, kind: str) -> Source:
        """The one source."""
        return next(source for source in self.sources if (source.name, source.kind) == (name, kind))


@pytest.fixture(scope="module")
def stack(toolchain: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One start for all tests: they only ever look at differences."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "compose.yaml").write_text(json.dumps(PROJECT))
    (folder / "service.py").write_text(SERVICE)
    options = target.parse({"kind": "compose", "service": "web", "port": 8000, "stop_grace_s": 1}, where="test")
    with (
        target.start(
            options,
            source=folder,
            workspace=folder / "logs",
            state=folder / "state",
            side=Side.CANDIDATE,
            label=f"sources{os.getpid()}",
            environ=os.environ,
        ) as running,
        open_sources(running, Settings(), environ=os.environ) as (sources, reports),
    ):
        yield Stack(running=running, sources=sources, reports=reports)


def _grown(before: Snapshot, after: Snapshot) -> dict[str, float]:
    return {name: value - before.counters.get(name, 0.0) for name, value in after.counters.items()}


def test_everything_is_found_without_configuration(stack: Stack) -> None:
    """Each database by what runs in its container, the network of each, the page of the service, and nothing else."""
    assert {(source.kind, source.name) for source in stack.sources} == {
        ("healthchecks", "healthchecks"),
        ("postgresql", "store"),
        ("redis", "memory"),
        ("network", "web"),
    }
    (left_out,) = [report for report in stack.reports if not report.found]
    assert (left_out.kind, left_out.note[:40]) == ("prometheus", "not asked: postgresql and redis tell mor")


def test_the_library_is_added_to_those_that_were_there(stack: Stack) -> None:
    """A stock image counts its statements, and the user's own library and settings are still loaded."""
    assert stack.sql("SHOW shared_preload_libraries") == "auto_explain,pg_stat_statements"
    assert stack.sql("SHOW fsync") == "off"
    report = next(report for report in stack.reports if report.kind == "postgresql")
    assert report.note == "perfci preloads pg_stat_statements"


def test_the_database_of_the_service_is_left_as_it_was(stack: Stack) -> None:
    """The extension counts for the whole server, and lives in the database that no service has to share."""
    assert stack.sql("SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'") == "0"


def test_statements_count_and_nothing_else(stack: Stack) -> None:
    """Calls, rows and blocks by text without literals; no health check, no transaction control, none of our own."""
    source = stack.source("store", "postgresql")
    stack.sql("CREATE TABLE goods (id int PRIMARY KEY, name text); INSERT INTO goods VALUES (1, 'a'), (2, 'b');")
    before = source.read()
    stack.sql("BEGIN; SELECT name FROM goods WHERE id IN (1, 2, 3); COMMIT; SELECT 1; SET work_mem = '5MB'")
    stack.sql("SELECT name FROM goods WHERE id IN (1, 2) -- request 4711")
    stack.sql("COMMENT ON TABLE goods IS 'a secret'")
    after = source.read()
    text = "SELECT name FROM goods WHERE id IN (...)"
    assert _grown(before, after) | {"blocks": 0} == {"statements": 3.0, "rows": 4.0, "blocks": 0}
    assert set(after.statements) - set(before.statements) == {text, "COMMENT ON TABLE goods IS ?"}
    assert (after.statements[text].calls, after.statements[text].rows) == (2, 4)
    assert (after.statements[text].blocks or 0) > 0


def test_an_idle_target_does_not_count(stack: Stack) -> None:
    """Over two seconds with a check of each container every second, the databases stand still."""
    still = [source for source in stack.sources if source.kind in {"postgresql", "redis"}]
    before = [source.read() for source in still]
    disturbances = stack.source("healthchecks", "healthchecks").read().disturbances
    time.sleep(2.2)
    assert [source.read() for source in still] == before
    assert stack.source("healthchecks", "healthchecks").read().disturbances > disturbances


def test_commands_and_lookups_count(stack: Stack) -> None:
    """With the password that stands in the service's command."""
    source = stack.source("memory", "redis")
    before = source.read()
    for command in (("set", "a", "1"), ("get", "a"), ("get", "b")):
        stack.inside("memory", "redis-cli", "--no-auth-warning", "-a", "open sesame", *command)
    after = source.read()
    assert _grown(before, after) == {"commands": 3.0, "hits": 1.0, "misses": 1.0}
    assert {name: work.calls for name, work in after.statements.items()} == {"SET": 1, "GET": 2}


def test_packets_of_the_service_count(stack: Stack) -> None:
    """Exactly those with data; acknowledgements and the health check on its loopback do not."""
    packets, checks = stack.source("web", "network"), stack.source("healthchecks", "healthchecks")
    sent = set()
    with requests.Session() as session:
        session.get(f"{stack.running.base_url}/large", timeout=5)
        for _ in range(10):
            before = (checks.read().disturbances, packets.read())
            session.get(f"{stack.running.base_url}/large", timeout=5)
            after = (packets.read(), checks.read().disturbances)
            if before[0] == after[1]:
                sent.add(_grown(before[1], after[0])["packets_out"])
    assert sent == {2.0}


def test_named_counters_of_the_service_count(stack: Stack) -> None:
    """Once a project has named them."""
    settings = Settings(metrics_names=("jobs_total",), exclude=("web", "store", "memory", "healthchecks"))
    with open_sources(stack.running, settings, environ=os.environ) as ((metrics,), _):
        before = metrics.read()
        requests.get(f"{stack.running.base_url}/large", timeout=5)
        assert _grown(before, metrics.read()) == {'jobs_total{size="large"}': 1.0, 'jobs_total{size="small"}': 0.0}


def test_the_network_can_be_read_from_within(stack: Stack) -> None:
    """Where the engine's processes are not this machine's, a shell in the container tells the same."""
    container = next(container for container in stack.running.containers if container.service == "web")
    session = inside(container.id, "exec sh", what="the network", sentinel="echo {}", environ=os.environ)
    try:
        within = session.ask("cat /proc/net/dev /proc/net/netstat /proc/net/snmp")
    finally:
        session.close()
    assert set(network.parse(within)) == set(stack.source("web", "network").read().counters)


def test_what_the_services_use_under_load_is_watched(stack: Stack) -> None:
    """Processor, memory and network of each container, clients of both servers, and how often the cache knew."""
    ask = ("redis-cli", "--no-auth-warning", "-a", "open sesame")
    stack.inside("memory", *ask, "set", "known", "1")
    began = time.time()
    with monitor.monitoring(stack.running, monitor.Settings(), environ=os.environ, sliced=True) as watched:
        container = next(container.id for container in stack.running.containers if container.service == "store")
        sleeping = ["docker", "exec", container, "psql", "-qAtU", "shop", "-d", "goods", "-c", "SELECT pg_sleep(3)"]
        with subprocess.Popen(sleeping, stdout=subprocess.DEVNULL), requests.Session() as session:
            while time.time() < began + 4.0:
                session.get(f"{stack.running.base_url}/large", timeout=5)
                stack.inside("memory", *ask, "mget", "known", "unknown")
    assert watched.missing == {}
    seen = watched.gauges(_recording(began, time.time()))
    assert {name.partition("/")[0] for name in seen} == {"web", "store", "memory", "machine"}
    each = {"cpu", "memory", "received", "sent"}
    assert {name.partition("/")[2] for name in seen if name.startswith("web/")} == each
    assert all(seen[f"{name}/cpu"].high > 0 and seen[f"{name}/memory"].low > 1 for name in ("web", "store", "memory"))
    assert seen["web/sent"].high > 0
    assert seen["store/connections"].high >= seen["store/connections_active"].high >= 1.0
    assert seen["memory/hit_rate"].mean == 50.0
    assert seen["memory/clients"].low >= 1.0  # that of the census


def test_a_container_can_be_watched_from_within(stack: Stack) -> None:
    """Where the engine's processes are not this machine's, a shell in the container tells the same."""
    running = replace(
        stack.running, containers=tuple(replace(container, pid=0) for container in stack.running.containers)
    )
    settings = monitor.Settings(exclude=("postgresql", "redis"))
    scene = monitor.Scene(running=running, settings=settings, environ=os.environ, kernel_s=0.25)
    for source in monitor.container.find(scene):
        assert isinstance(source, monitor.container.Container)
        assert source.every_s == 1.0  # whoever is asked works for it
        assert {name.partition("/")[2] for name in source.read()} == {"cpu", "memory", "received", "sent"}
        source.close()


def _recording(since_s: float, until_s: float) -> Recording:
    """A round without requests."""
    nothing: Any = None
    return Recording(
        requests=nothing, windows=((since_s, until_s),), warmup_s=0.0, users=0, generator=nothing, errors={}
    )
