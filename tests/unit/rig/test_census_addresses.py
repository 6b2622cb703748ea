"""Databases outside of a compose project: by which address they are reached, and whose work it is that they count."""

import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.config import CensusTable
from perfci.errors import ConfigError
from perfci.model import CounterSource, Side, TargetHealth
from perfci.rig.census import Settings, Source, Work, addresses, open_sources, redis
from perfci.rig.census.clients import SLACK_S, Client, Clients
from perfci.rig.target import RunningTarget
from perfci.schema import parse
from tests.fakes import docker_cli

SECRET = "open/sesame@home?#1"
WHERE = "perfci.toml: [census.databases]"


def running(**parts: Any) -> RunningTarget:
    """A target of kind command."""
    given: dict[str, Any] = {"kind": "command", "base_url": "http://127.0.0.1:9", **parts}
    return RunningTarget(
        description="", log_path=None, health=lambda: TargetHealth(alive=True, restarts=0), logs_tail=str, **given
    )


def filled(text: str, kind: str, environ: Mapping[str, str] | None = None, **parts: Any) -> addresses.Address:
    """The one address in *text*."""
    (found,) = addresses.filled({"db": text}, kind, running(**parts), side=Side.BASE, environ=environ or {})
    return found


def test_each_side_has_the_address_of_its_own_database(tmp_path: Path) -> None:
    """`{side}`, `{port}`, `{dir}` and variables of the job are filled in, whatever characters they hold."""
    text = "postgresql://shop:{PASSWORD}@db.test:5433/shop_{side}?sslmode=require"
    found = filled(text, "postgresql", {"PASSWORD": SECRET})
    assert (found.host, found.port, found.user, found.password) == ("db.test", 5433, "shop", SECRET)
    assert found.connection == "postgresql://shop@db.test:5433/shop_base?sslmode=require"
    below = filled("postgresql:///shop?host={dir}&port={port}", "postgresql", directory=tmp_path)
    assert dict(below.options) == {"host": str(tmp_path), "port": "9"}


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("{DATABASE_URL}", "postgresql", ("h", None, "u", "p@w", "d", False)),
        ("{DATABASE_URL}_{side}", "postgresql", ("h", None, "u", "p@w", "d_base", False)),
        ("postgresql+psycopg://[::1]/d", "postgresql", ("::1", None, "", "", "d", False)),
        ("mysql+pymysql://u:p@h:3307/d", "mysql", ("h", 3307, "u", "p", "d", False)),
        ("redis://:p@h/2", "redis", ("h", None, "", "p", "2", False)),
        ("rediss://h", "redis", ("h", None, "", "", "", True)),
        ("redis:", "redis", ("127.0.0.1", None, "", "", "", False)),
    ],
)
def test_addresses_are_read_as_services_write_them(text: str, kind: str, expected: tuple[object, ...]) -> None:
    """With a driver, without a port, or whole in a variable, where it is quoted already."""
    found = filled(text, kind, {"DATABASE_URL": "postgres://u:p%40w@h/d"})
    assert (found.host, found.port, found.user, found.password, found.database, found.tls) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("postgresql://u:{NO_SUCH}@h/d", "the variable NO_SUCH is not set"),
        ("postgresql://u:{EMPTY}@h/d", "the variable EMPTY is not set"),
        ("mongodb://u:hidden@h/d", "is no address of a database"),
        ("hidden", "is no address of a database"),
        ("postgresql://u:hid/den@h/d", "is ambiguous"),
        ("postgresql://u:1/hidden@h/d", "is ambiguous"),
        ("postgresql://u:hid#den@h/d", "is ambiguous"),
        ("postgresql://u:hidden@\u2100/d", "cannot be read"),
        ("postgresql://u:hidden@[h/d", "cannot be read"),
        ("redis://h:70000", "its port is no number"),
    ],
)
def test_an_address_that_cannot_be_read_is_named_and_not_shown(text: str, why: str) -> None:
    """Before anything starts; what is wrong with an address may be its password."""
    with pytest.raises(ConfigError) as caught:
        addresses.check({"db": text}, {"EMPTY": ""}, where=WHERE)
    said = f"{caught.value} {caught.value.hint}"
    assert f"{WHERE}: db: {why}" in said
    assert not {"hidden", "hid", "den@h"} & set(said.replace("/", " ").split())


@given(password=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1))
def test_a_password_is_in_no_text(password: str) -> None:
    """It comes out as it went in, and neither the address as text nor the command line of a client has it."""
    found = filled("postgresql://u:{PASSWORD}@h/d", "postgresql", {"PASSWORD": f"={password}="})
    assert found.password == f"={password}="
    assert f"={password}=" not in f"{found!r} {found.connection}"


def test_the_configuration_shows_no_password() -> None:
    """Where a value of the wrong type is shown, that in an address is left out."""
    with pytest.raises(ConfigError, match="databases") as caught:
        parse(CensusTable, {"databases": {"db": ["mysql://u:a@hidden@h/d"]}}, where="test")
    assert "hidden" not in str(caught.value)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Something to connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def _connected(port: int) -> "subprocess.Popen[bytes]":
    """A process that holds a connection, through a child of its own."""
    program = f"import socket,sys; held = socket.create_connection(('127.0.0.1', {port})); sys.stdin.read()"
    return subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)


def test_sessions_belong_to_whose_process_holds_their_socket(server: socket.socket) -> None:
    """The target's work is its own; another session's is counted as the work of others, and so is its end."""
    with ExitStack() as stack:
        accepted = []
        for _ in range(2):
            process = stack.enter_context(_connected(server.getsockname()[1]))
            stack.callback(process.kill)
            connection, peer = server.accept()
            stack.callback(connection.close)
            accepted.append((process, peer))
        (target, own), (_, foreign) = accepted
        sessions = Clients(running(pid=target.pid))
        ours, theirs = Client(id="1", socket=own, work="a"), Client(id="2", socket=foreign, work="a")
        before = sessions.worked([ours, theirs])
        assert sessions.note == ""
        assert sessions.worked([Client(id="1", socket=own, work="b"), theirs]) == before
        assert sessions.worked([ours, Client(id="2", socket=foreign, work="b")]) == before + 1
        assert sessions.worked([ours]) == before + 2


def test_a_session_older_than_the_target_is_not_its_own() -> None:
    """Also where no socket tells whose it is, and then the report says so. Who listens at its address is the target."""
    age_s = time.time() - psutil.Process().create_time()
    old = Client(id="1", age_s=age_s + 10 * SLACK_S, work="a")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sessions = Clients(running(kind="external", base_url=f"http://127.0.0.1:{listening.getsockname()[1]}"))
    assert sessions.others([old, Client(id="2", age_s=age_s / 2)]) == [old]
    assert "unless they are older" in sessions.note


def _programs(folder: Path, state: Mapping[str, Any]) -> dict[str, str]:
    """Clients of databases on PATH, which say what *state* holds."""
    for name in ("psql", "redis-cli", "mariadb"):
        file = folder / name
        word = {"mariadb": "mysql"}.get(name, name)
        file.write_text(f'#!/bin/sh\necho "$@" >>"{folder}/asked"\nexec "{folder}/docker" exec {word}\n')
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return {**docker_cli.install(folder, state), "PASSWORD": SECRET}


def _opened(stack: ExitStack, text: str, environ: dict[str, str]) -> tuple[list[Source], CounterSource]:
    settings = Settings(databases={"db": text}, exclude=("process", "network", "prometheus"))
    found = open_sources(running(pid=os.getpid()), settings, environ=environ)
    sources, (report,) = stack.enter_context(found)
    return sources, report


@pytest.mark.parametrize(
    ("text", "state", "then"),
    [
        (
            "postgresql://shop:{PASSWORD}@h/d",
            {"psql": {"rows": [["1", "SELECT 2 FROM t", 3, 6, 9]], "activity": ["@ 7 1.5 - -1 idle 5.5 6.5"]}},
            {"psql": {"rows": [["1", "SELECT 2 FROM t", 4, 8, 12]], "activity": ["@ 7 1.5 - -1 idle 5.5 7.5"]}},
        ),
        (
            "mysql://shop:{PASSWORD}@h/d",
            {"mysql": {"rows": [["SELECT ? FROM t", 3, 6, 9]], "sessions": [["@", 7, "h:5", 1]]}},
            {"mysql": {"rows": [["SELECT ? FROM t", 4, 8, 12]], "sessions": [["@", 7, "h:5", 2]]}},
        ),
    ],
)
def test_a_server_by_address_counts(tmp_path: Path, text: str, state: dict[str, Any], then: dict[str, Any]) -> None:
    """Statements by text, while nothing is created or forgotten there; no command line has the password."""
    with ExitStack() as stack:
        (source,), report = _opened(stack, text, _programs(tmp_path, state))
        before = source.read()
        docker_cli.tell(tmp_path, then)
        after = source.read()
    assert report.found
    assert after.counters["statements"] - before.counters["statements"] == 1.0
    assert next(iter(after.statements.values())).calls - next(iter(before.statements.values())).calls == 1
    assert isinstance(next(iter(after.statements.values())), Work)
    assert SECRET not in (tmp_path / "asked").read_text()


@pytest.mark.parametrize(
    ("text", "state", "why"),
    [
        ("postgresql://h/d", {"psql": {"rows": [], "loaded": "f"}}, "pg_stat_statements is not preloaded"),
        ("postgresql://h/d", {"psql": {"rows": [], "schema": []}}, "CREATE EXTENSION pg_stat_statements"),
        ("postgresql://h/d", {"psql": {}, "dies": ["FATAL: no password"]}, "FATAL: no password"),
        ("postgresql://h/d", {"psql": {"rows": [], "activity": ["@ a"]}}, "did not give its sessions: @ a"),
        ("mysql://h/d", {"mysql": {"rows": [], "loaded": "0"}}, "the performance schema is off"),
        ("mysql://h", {"mysql": {}}, "names no schema"),
        ("mysql://h/d", {"mysql": {"rows": [], "sessions": [["@", "a"]]}}, "did not give its counters: @"),
        ("redis://h/name", {}, "its database is a number"),
    ],
)
def test_a_server_by_address_says_why_it_does_not_count(
    tmp_path: Path, text: str, state: dict[str, Any], why: str
) -> None:
    """In the report of the sources, beside its name."""
    with ExitStack() as stack:
        sources, report = _opened(stack, text, _programs(tmp_path, state))
    assert (sources, report.name, report.found) == ([], "db", False)
    assert why in report.note


def test_a_client_that_is_not_there_is_named() -> None:
    """With the package that has it."""
    with ExitStack() as stack:
        _, report = _opened(stack, "redis://h", {"PATH": "/nowhere"})
    assert report.note == "redis-cli is not on this machine: install it in a step before perfci (redis-tools)"


def test_a_compose_project_needs_no_address(tmp_path: Path) -> None:
    """Its containers are found, and those of each copy are its own."""
    settings = Settings(databases={"db": "redis://h"}, metrics_path="", exclude=("network",))
    with open_sources(running(kind="compose"), settings, environ=_programs(tmp_path, {})) as (sources, reports):
        assert sources == []
        assert [(report.name, report.found, "its address is not used" in report.note) for report in reports] == [
            ("db", False, True)
        ]


def test_an_age_of_whole_seconds_may_be_a_second_less() -> None:
    """A client that connected just before a full second is a second old at once, and no older than its process."""
    listed = [
        "id=3 addr=10.0.0.1:50000 laddr=10.0.0.2:6379 fd=8 name= age=1 idle=0",
        "id=4 addr=[::1]:9 fd=9 age=70 idle=1",
    ]
    assert redis.ages_of(listed) == {"10.0.0.1:50000": 0.0, "[::1]:9": 69.0}
