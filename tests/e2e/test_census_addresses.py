"""Databases by address, on real servers that others use as well: the target's work counts, and nobody else's."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from perfci.errors import CensusError
from perfci.model import Side, TargetHealth
from perfci.rig.census import Settings, Snapshot, Source, open_sources
from perfci.rig.target import RunningTarget

pytestmark = pytest.mark.e2e

PASSWORD = "open/sesame@home"
LIBRARY = ("-c", "shared_preload_libraries=pg_stat_statements", "-c", "fsync=off")
TARGET = """
import subprocess, sys
clients = [subprocess.Popen(command, stdin=-1, stdout=-1, text=True, bufsize=1) for command in map(eval, sys.argv[1:])]
for line in sys.stdin:
    number, question = line.split(" ", 1)
    clients[int(number)].stdin.write(question)
    clients[int(number)].stdin.write([r"\\echo ended", "ECHO ended"][int(number)] + "\\n")
    clients[int(number)].stdin.flush()
    while "ended" not in clients[int(number)].stdout.readline():
        pass
    print("done", flush=True)
"""
SQL, COMMAND = 0, 1


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Where PostgreSQL and Redis are."""

    hosts: Mapping[str, str]

    def psql(self, database: str = "shop_base", user: str = "shop") -> list[str]:
        """A client of PostgreSQL."""
        return ["psql", "-XAtq", "-h", self.hosts["db"], "-U", user, database]

    def redis(self, database: int = 0) -> list[str]:
        """A client of Redis."""
        return ["redis-cli", "-h", self.hosts["cache"], "-n", str(database)]


class Worker:
    """A program that asks both servers on demand, through sessions that stay open."""

    def __init__(self, sql: list[str], redis: list[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", TARGET, repr(sql), repr(redis)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, "PGPASSWORD": PASSWORD},
        )

    def does(self, server: int, question: str) -> None:
        """Have it asked, to the end."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{server} {question}\n")
        assert self.process.stdout.readline() == "done\n"

    def works(self) -> None:
        """One statement and one command."""
        self.does(SQL, "SELECT name FROM goods;")
        self.does(COMMAND, "SET a 1")

    def ends(self) -> None:
        """Its sessions end, too."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def _container(stack: ExitStack, *arguments: str) -> str:
    """The address of a container that runs until *stack* is closed."""
    run = ["docker", "run", "--rm", "--detach", "--label", "perfci.test=addresses", *arguments]
    name = subprocess.run(run, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
    stack.callback(subprocess.run, ["docker", "rm", "--force", "--volumes", name], check=True, capture_output=True)
    shown = subprocess.run(["docker", "inspect", name], check=True, capture_output=True, timeout=20).stdout
    (network,) = json.loads(shown)[0]["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


@pytest.fixture(scope="module")
def servers(database_clients: object) -> Iterator[Servers]:
    """One PostgreSQL with a database for each side, and one Redis."""
    with ExitStack() as stack:
        password = ("-e", f"POSTGRES_PASSWORD={PASSWORD}")
        hosts = {"db": _container(stack, *password, "postgres:16", *LIBRARY), "cache": _container(stack, "redis:7")}
        found = Servers(hosts=hosts)
        setup = [
            f"CREATE ROLE shop LOGIN PASSWORD '{PASSWORD}'",
            "CREATE DATABASE shop_base OWNER shop",
            "CREATE DATABASE shop_candidate OWNER shop",
        ]
        _as_postgres(found, "postgres", *setup)
        for side in Side:
            goods = "CREATE TABLE goods AS SELECT 'a' AS name; GRANT ALL ON goods TO shop, public"
            _as_postgres(found, f"shop_{side}", "CREATE EXTENSION pg_stat_statements", goods)
        yield found


def _as_postgres(servers: Servers, database: str, *statements: str) -> None:
    commands = [part for text in statements for part in ("-c", text)]
    for _ in range(60):
        done = subprocess.run(
            [*servers.psql(database, "postgres"), *commands],
            env={**os.environ, "PGPASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        if done.returncode != 2:  # that of a connection which could not be had
            break
        time.sleep(0.5)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def worker(servers: Servers) -> Iterator[Worker]:
    """The target."""
    started = Worker(servers.psql(), servers.redis())
    yield started
    started.ends()


def _running(worker: Worker) -> RunningTarget:
    return RunningTarget(
        kind="command",
        base_url="http://127.0.0.1:9",
        description="",
        log_path=None,
        health=lambda: TargetHealth(alive=True, restarts=0),
        logs_tail=str,
        pid=worker.process.pid,
    )


@pytest.fixture
def sources(servers: Servers, worker: Worker) -> Iterator[tuple[Source, ...]]:
    """By their addresses, once the target has connected."""
    hosts = servers.hosts
    databases = {
        "db": f"postgresql://shop:{{PASSWORD}}@{hosts['db']}/shop_{{side}}",
        "cache": f"redis://{hosts['cache']}/0",
    }
    settings = Settings(databases=databases, exclude=("process", "network", "prometheus"))
    environ = {**os.environ, "PASSWORD": PASSWORD, "PGUSER": "nobody", "PGHOST": "nowhere"}
    with open_sources(_running(worker), settings, environ=environ, side=Side.BASE) as (opened, reports):
        assert [(report.name, report.found) for report in reports] == [("db", True), ("cache", True)]
        worker.works()
        _read(opened)
        yield tuple(opened)


def _read(sources: "list[Source] | tuple[Source, ...]") -> list[Snapshot]:
    for source in sources:
        source.ask()
    return [source.read() for source in sources]


def _grown(before: Snapshot, after: Snapshot) -> tuple[float, bool]:
    """How many statements or commands were counted, and whether others had a part in it."""
    name = "commands" if "commands" in after.counters else "statements"
    return after.counters[name] - before.counters[name], after.others != before.others


def test_the_work_of_the_target_counts(worker: Worker, sources: tuple[Source, ...]) -> None:
    """Statements with their texts, rows and blocks, commands by name; reading them counts for nobody."""
    before = _read(sources)
    assert _read(sources) == before
    worker.works()
    after = _read(sources)
    assert [_grown(*pair) for pair in zip(before, after, strict=True)] == [(1.0, False), (1.0, False)]
    text = "SELECT name FROM goods"
    was, now = before[0].statements[text], after[0].statements[text]
    assert (now.calls - was.calls, (now.rows or 0) - (was.rows or 0)) == (1, 1)
    assert [source.note for source in sources] == ["", ""]


@pytest.mark.parametrize(
    ("database", "user", "number", "counted"),
    [
        ("shop_candidate", "shop", 0, [(0.0, False), (1.0, True)]),  # the other side
        ("shop_base", "postgres", 3, [(0.0, False), (1.0, True)]),  # whoever looks after the server
        ("shop_base", "shop", 0, [(1.0, True), (1.0, True)]),  # another copy of the same service
    ],
)
def test_the_work_of_others_does_not(
    servers: Servers,
    sources: tuple[Source, ...],
    *,
    database: str,
    user: str,
    number: int,
    counted: list[tuple[float, bool]],
) -> None:
    """It is not in the counts, or the request during which it was done is left out."""
    other = Worker(servers.psql(database, user), servers.redis(number))
    try:
        before = _read(sources)
        other.works()
        _read(sources)  # as a ledger does: until two agree
        after = _read(sources)
        assert [_grown(*pair) for pair in zip(before, after, strict=True)] == counted
    finally:
        other.ends()


def test_a_server_is_left_as_it_was(servers: Servers, sources: tuple[Source, ...]) -> None:
    """No schema, extension or reset; and the password is nowhere among the processes of the machine."""
    shown = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True, timeout=10).stdout
    assert PASSWORD not in shown
    assert "open%2Fsesame" not in shown
    asked = "SELECT count(*) FROM pg_namespace WHERE nspname = 'perfci'"
    command = [*servers.psql(), "-c", asked]
    environment = {**os.environ, "PGPASSWORD": PASSWORD}
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20, env=environment)
    assert done.stdout.strip() == "0"
    assert sources[0].read().counters["statements"] > 1.0  # those of earlier tests, too


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("postgresql://shop:wrong@{HOST}/shop_base", "password authentication failed"),
        ("postgresql://shop:{PASSWORD}@{HOST}/no_such", 'database "no_such" does not exist'),
        ("postgresql://postgres:{PASSWORD}@{HOST}/postgres", "CREATE EXTENSION pg_stat_statements"),
        ("redis://127.0.0.1:1", "cannot be reached: Connection refused"),
    ],
)
def test_a_server_that_cannot_be_asked_says_why(servers: Servers, worker: Worker, address: str, why: str) -> None:
    """In the report, and without the password."""
    environ = {**os.environ, "PASSWORD": PASSWORD, "HOST": servers.hosts["db"]}
    settings = Settings(databases={"db": address}, exclude=("process", "network", "prometheus"))
    with open_sources(_running(worker), settings, environ=environ) as (opened, (report,)):
        assert (opened, report.found) == ([], False)
    assert why in report.note
    assert PASSWORD not in report.note


def test_a_server_that_goes_away_is_lost(sources: tuple[Source, ...], servers: Servers) -> None:
    """One clear error instead of counters that stand still."""
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'perfci'"
    _as_postgres(servers, "postgres", end)
    with pytest.raises(CensusError, match="PostgreSQL 'db'"):
        sources[0].read()
