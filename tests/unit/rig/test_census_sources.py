"""
Every source keeps the same contract, held against fakes of what it asks.

The fake MySQL speaks as MariaDB 10.11 was seen to; e2e/test_census_sources.py has the real PostgreSQL and Redis.
"""

import http.server
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from perfci.errors import CensusError
from perfci.model import CounterSource, TargetHealth
from perfci.rig.census import SOURCES, Settings, Snapshot, Source, Work, mysql, network, open_sources, prometheus, redis
from perfci.rig.census.source import Scene
from perfci.rig.target import Container, RunningTarget
from tests.fakes import docker_cli

DEV = """Inter-|   Receive                                                | Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo: 999 9 0 0 0 0 0 0 999 9 0 0 0 0 0 0
  eth0: {0}0 {0} 0 0 0 0 0 0 {0}00 2 0 0 0 0 0 0
  eth1: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0
TcpExt: SyncookiesSent TCPOrigDataSent
TcpExt: 0 {0}
IpExt: InNoRoutes InOctets
IpExt: 0 5
Tcp: RtoAlgorithm MaxConn OutSegs
Tcp: 1 -1 9
Udp: InDatagrams
Udp: 1"""
STATS = ["# Stats", "total_commands_processed:9\r", "keyspace_hits:4\r", "keyspace_misses:1\r"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A target with one thing that counts."""

    running: RunningTarget
    environ: dict[str, str]
    work: Callable[[], None]  # lets the target work once
    kill: Callable[[], None] = lambda: None  # makes the source unreadable
    moves: str = ""  # a counter that work moves; empty where it is the disturbances


def _running(**parts: Any) -> RunningTarget:
    given = {"base_url": "http://127.0.0.1:9", **parts}
    return RunningTarget(
        kind="fake",
        description="",
        log_path=None,
        health=lambda: TargetHealth(alive=True, restarts=0),
        logs_tail=str,
        **given,
    )


def _docker(folder: Path, program: str, moves: str, first: dict[str, Any], then: dict[str, Any]) -> Case:
    """A container in which *program* runs; work changes what the fake engine says from *first* to *then*."""
    programs = {"programs": {"c0ffee": program}}
    environ = docker_cli.install(folder, {**programs, **first})
    return Case(
        running=_running(containers=(Container(id="c0ffee", service="db", pid=0, checked=True),)),
        environ=environ,
        work=lambda: docker_cli.tell(folder, {**programs, **then}),
        kill=lambda: docker_cli.tell(folder, {**programs, **then, "dies": ["FATAL: the server was ended"]}),
        moves=moves,
    )


def _postgresql(folder: Path) -> Case:
    rows = [
        ["1", "SELECT * FROM t WHERE a = $1", 3, 6, 9],
        ["2", "COMMIT", 3, 0, 0],
        ["3", "SELECT /* perfci */ 1", 9, 9, 9],
    ]
    later = [
        ["1", "SELECT * FROM t WHERE a = $1", 4, 8, 12],
        ["2", "COMMIT", 4, 0, 0],
        ["9", "SELECT b\nFROM t", 1, 1, 1],
    ]
    return _docker(folder, "postgres", "statements", {"psql": {"rows": rows}}, {"psql": {"rows": later}})


def _mysql(folder: Path) -> Case:
    rows = [["SELECT * FROM `t` WHERE `a` = ? ", 3, 6, 9], ["COMMIT ", 3, 0, 0]]
    later = [["SELECT * FROM `t` WHERE `a` = ? ", 4, 8, 12], ["COMMIT ", 9, 0, 0]]
    return _docker(folder, "mariadbd", "rows_examined", {"mysql": {"rows": rows}}, {"mysql": {"rows": later}})


def _redis(folder: Path) -> Case:
    calls = "cmdstat_{}:calls={},usec=1,usec_per_call=1.00,rejected_calls=0,failed_calls=0\r"
    first = {"commandstats": [calls.format("get", 5), calls.format("ping", 7)], "stats": STATS}
    then = {"commandstats": [calls.format("get", 6), calls.format("ping", 9)], "stats": STATS}
    return _docker(folder, "redis-server", "commands", {"redis": first}, {"redis": then})


def _network(folder: Path) -> Case:
    first, then = ({"shell": DEV.format(packets).splitlines()} for packets in (7, 8))
    return _docker(folder, "sh", "packets_out", first, then)


def _healthchecks(folder: Path) -> Case:
    ours = {"what": "exec_start: sh -c exec 2>&1; : perfci; exec psql", "id": "0"}
    check = [{"what": "exec_start: curl localhost", "id": "1"}, {"what": "exec_die", "id": "1"}]
    return _docker(folder, "sh", "", {"events": [ours], "shell": []}, {"events": [ours, *check], "shell": []})


def _process(shell: "subprocess.Popen[bytes]") -> Case:
    def work() -> None:
        assert shell.stdin
        assert shell.stdout
        shell.stdin.write(b"read line </proc/self/stat; echo done\n")
        shell.stdin.flush()
        shell.stdout.readline()

    def kill() -> None:
        shell.kill()
        shell.wait()

    return Case(running=_running(pid=shell.pid), environ={}, work=work, kill=kill, moves="reads")


class Page(http.server.BaseHTTPRequestHandler):
    """A service's counters, its own requests among them."""

    jobs = 5

    def do_GET(self) -> None:
        type(self).asked += 1
        lines = ["# TYPE jobs_total counter", f'jobs_total{{size="b",kind="a"}} {self.jobs}']
        lines += ["# TYPE http_requests_total counter", f"http_requests_total {self.asked}"]
        lines += ["# TYPE process_cpu_seconds_total counter", "process_cpu_seconds_total 1.5"]
        lines += ["# TYPE seen_total counter", f'seen_total{{route="/x"}} {self.jobs}', "# TYPE depth gauge", "depth 3"]
        lines += ["# TYPE work_seconds summary", f"work_seconds_count {self.jobs}", "work_seconds_sum 0.25", ""]
        self.send_response(200 if self.path == "/metrics" else 404)
        self.end_headers()
        self.wfile.write("\n".join(lines).encode())

    def log_message(self, *arguments: object) -> None:
        """Nothing."""

    asked = 0


def _prometheus(server: http.server.HTTPServer, page: type[Page]) -> Case:
    def work() -> None:
        page.jobs += 1

    url = f"http://127.0.0.1:{server.server_address[1]}"
    return Case(running=_running(base_url=url), environ={}, work=work, moves='jobs_total{kind="a",size="b"}')


@pytest.fixture
def page() -> Iterator[tuple[http.server.HTTPServer, type[Page]]]:
    """A service with a page of counters."""
    kind = type("OwnPage", (Page,), {})
    with http.server.HTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server, kind
        server.shutdown()


@pytest.fixture(params=SOURCES, ids=lambda finder: str(finder.KIND))
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of the registry."""
    return str(request.param.KIND)


@pytest.fixture
def case(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Case]:
    """A target on which the kind finds something."""
    if kind == "prometheus":
        yield _prometheus(*request.getfixturevalue("page"))
    elif kind == "process":
        shell = subprocess.Popen(["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with shell:
            yield _process(shell)
            shell.kill()
    else:
        builders = {
            "postgresql": _postgresql,
            "mysql": _mysql,
            "redis": _redis,
            "network": _network,
            "healthchecks": _healthchecks,
        }
        assert kind in builders, f"the registry has a kind without a case: {kind}"
        yield builders[kind](tmp_path)


def _open(
    case: Case, kind: str, *, exclude: tuple[str, ...] = ()
) -> AbstractContextManager[tuple[list[Source], list[CounterSource]]]:
    others = tuple(finder.KIND for finder in SOURCES if kind != finder.KIND)
    return open_sources(case.running, Settings(exclude=(*others, *exclude)), environ=case.environ)


def _until_disturbed(source: Source, before: Snapshot) -> Snapshot:
    deadline = time.monotonic() + 60
    while source.read().disturbances == before.disturbances:
        assert time.monotonic() < deadline, "no event came"  # the engine's events come when they come
    return source.read()


def test_a_source_is_found_and_counts(case: Case, kind: str) -> None:
    """It says what it is; what the target does moves it, never back, and reading it does not."""
    with _open(case, kind) as (sources, reports):
        (source,) = sources
        assert (source.kind, [(report.kind, report.name, report.found) for report in reports]) == (
            kind,
            [(kind, source.name, True)],
        )
        before = source.read()
        assert source.read() == before
        case.work()
        after = source.read() if case.moves else _until_disturbed(source, before)
    assert all(value >= before.counters.get(name, 0.0) for name, value in after.counters.items())
    if case.moves:
        assert after.counters[case.moves] > before.counters[case.moves]


def test_an_excluded_source_is_not_opened(case: Case, kind: str) -> None:
    """By its kind it is neither used nor reported."""
    with _open(case, kind, exclude=(kind,)) as found:
        assert found == ([], [])


def test_a_source_can_be_closed_twice(case: Case, kind: str) -> None:
    """Whoever leaves the context after an error of the source does no harm."""
    with _open(case, kind) as (sources, _):
        sources[0].close()
        sources[0].close()


@pytest.mark.parametrize("kind", ["postgresql", "mysql", "redis", "network", "process"])
def test_a_source_that_dies_says_so(case: Case, kind: str) -> None:
    """One clear error instead of counters that stand still."""
    with _open(case, kind) as (sources, _):
        before = sources[0].read()
        case.kill()
        with pytest.raises(CensusError):
            sources[0].read()
        assert before.counters


def _report(case: Case, kind: str) -> CounterSource:
    with _open(case, kind) as (sources, reports):
        assert sources == []
    (report,) = reports
    assert not report.found
    return report


def test_statements_of_postgresql_are_the_services(tmp_path: Path) -> None:
    """Texts without literals, with calls, rows and blocks; neither COMMIT nor what perfci itself asks."""
    case = _postgresql(tmp_path)
    with _open(case, "postgresql") as (sources, _):
        case.work()
        assert sources[0].read() == Snapshot(
            counters={"statements": 5.0, "rows": 9.0, "blocks": 13.0},
            statements={
                "SELECT * FROM t WHERE a = ?": Work(calls=4, rows=8, blocks=12),
                "SELECT b FROM t": Work(calls=1, rows=1, blocks=1),
            },
        )


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"loaded": "f"}, "pg_stat_statements is not preloaded; .* cannot be told apart by request"),
        (
            {"schema": [], "refusal": ["ERROR:  permission denied"]},
            "has no pg_stat_statements: ERROR:  permission denied",
        ),
        ({"garbage": ["a b"]}, ""),
    ],
)
def test_postgresql_says_why_it_does_not_count(tmp_path: Path, said: dict[str, Any], why: str) -> None:
    """Without the library, without the right to use it, or with an answer that is none."""
    case = _docker(tmp_path, "postgres", "", {"psql": {"rows": [], **said}}, {})
    if why:
        assert re.search(why, _report(case, "postgresql").note)
        return
    with _open(case, "postgresql") as (sources, _), pytest.raises(CensusError, match="did not give its counters: a b"):
        sources[0].read()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"loaded": "0"}, "performance schema is off"),
        ({"refusal": ["ERROR 1142 (42000) at line 1: UPDATE command denied"]}, "UPDATE command denied"),
        ({"loaded": "ERROR 1045 (28000): Access denied"}, "Access denied"),
        ({"garbage": ["ERROR 2006"]}, "did not give its counters: ERROR 2006"),
    ],
)
def test_mysql_says_why_it_does_not_count(tmp_path: Path, said: dict[str, Any], why: str) -> None:
    """Switched off, without the rights, or with an answer that is none."""
    assert why in _report(_docker(tmp_path, "mysqld", "", {"mysql": {"rows": [], **said}}, {}), "mysql").note


def test_digests_of_mysql_are_read() -> None:
    """As MariaDB 10.11 wrote them: texts that differ in a comment alone are one statement."""
    lines = [
        "INSERT INTO `t` VALUES (...) /* , ... */ \t2\t6\t0",
        "INSERT INTO `t` VALUES (...)\t1\t1\t0",
        "SELECT * FROM `t` WHERE `a` IN (...) AND `b` = ? \t3\t4\t30",
        "SELECT ? \t50\t50\t0",
        "START TRANSACTION \t9\t0\t0",
    ]
    assert mysql.parse(lines) == Snapshot(
        counters={"statements": 6.0, "rows": 11.0, "rows_examined": 30.0},
        statements={
            "INSERT INTO `t` VALUES (...)": Work(calls=3, rows=7),
            "SELECT * FROM `t` WHERE `a` IN (...) AND `b` = ?": Work(calls=3, rows=4),
        },
    )


def test_commands_of_redis_are_the_services() -> None:
    """Neither health checks nor the set-up of connections; a command of a container keeps both names."""
    lines = ["# Commandstats", *(f"cmdstat_{name}:calls=2,usec=1,usec_per_call=1" for name in ("get", "ping", "info"))]
    lines += ["cmdstat_client|setinfo:calls=9,usec=1", "cmdstat_xgroup|create:calls=1,usec=1", *STATS]
    assert redis.parse(lines) == Snapshot(
        counters={"commands": 3.0, "hits": 4.0, "misses": 1.0},
        statements={"GET": Work(calls=2), "XGROUP CREATE": Work(calls=1)},
    )


def test_redis_that_lets_nobody_in_is_no_source(tmp_path: Path) -> None:
    """A password that perfci does not know is the reason that is shown."""
    refusal = ["NOAUTH Authentication required."]
    said = {"redis": {"commandstats": refusal, "stats": refusal}}
    assert (
        "NOAUTH Authentication required." in _report(_docker(tmp_path, "valkey-server", "", said, said), "redis").note
    )


def test_a_network_is_read_from_this_machine_where_it_can_be(tmp_path: Path) -> None:
    """Without any session, and without the loopback; an engine elsewhere is told by the container of the process."""
    (tmp_path / "7" / "net").mkdir(parents=True)
    devices, rest = DEV.format(7).split("TcpExt", 1)
    statistics, protocols = rest.split("Tcp:", 1)
    tables = {"dev": devices, "netstat": f"TcpExt{statistics}", "snmp": f"Tcp:{protocols}"}
    for table, text in tables.items():
        (tmp_path / "7" / "net" / table).write_text(text)
    (tmp_path / "7" / "cgroup").write_text("0::/system.slice/docker-c0ffee.scope\n")
    container = Container(id="c0ffee", service="db", pid=7)
    scene = Scene(running=_running(containers=(container,)), settings=Settings(), environ={"PATH": "/nowhere"})
    (source,) = network.find(scene, proc=tmp_path)
    assert isinstance(source, network.Network)
    assert source.read().counters == {"bytes_in": 71.0, "bytes_out": 701.0 - 2 * 66, "packets_out": 7.0}
    (tmp_path / "7" / "cgroup").write_text("0::/another\n")
    (report,) = network.find(scene, proc=tmp_path)
    assert isinstance(report, CounterSource)
    assert "docker: No such file" in report.note


def test_other_targets_have_no_network_of_their_own() -> None:
    """Which is said."""
    assert (
        "packets cannot be told from others"
        in _report(Case(running=_running(), environ={}, work=lambda: None), "network").note
    )


def test_a_page_shows_what_stands_still_when_idle(page: tuple[http.server.HTTPServer, type[Page]]) -> None:
    """Neither what asking moves, nor what time moves, nor requests by route; counts of a summary do count."""
    with _open(_prometheus(*page), "prometheus") as (sources, _):
        assert sources[0].read().counters == {'jobs_total{kind="a",size="b"}': 5.0, "work_seconds_count": 5.0}


def test_named_counters_are_the_only_ones(page: tuple[http.server.HTTPServer, type[Page]]) -> None:
    """Even one that would have been left out; one that is not there, or moves by itself, is an answer."""
    running = _prometheus(*page).running
    others = tuple(finder.KIND for finder in SOURCES if finder.KIND != "prometheus")

    def opened(*names: str) -> AbstractContextManager[tuple[list[Source], list[CounterSource]]]:
        return open_sources(running, Settings(exclude=others, metrics_names=names), environ={})

    with opened("seen_total") as (sources, _):
        assert sources[0].read().counters == {'seen_total{route="/x"}': 5.0}
    for name in ("http_requests_total", "nothing_total"):
        with opened("seen_total", name) as (sources, reports):
            assert sources == []
            assert f"no counter {name} that stands still" in reports[0].note


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        (
            '# TYPE a counter\na_total{x="1"} 2\na_created{x="1"} 9\n# EOF\n',
            "application/openmetrics-text",
            {'a_total{x="1"}': 2.0},
        ),
        ("a_total 3\n", "text/plain", {}),
        ("", "", {}),
    ],
)
def test_both_formats_are_read(text: str, kind: str, found: dict[str, float]) -> None:
    """A counter is what is declared as one."""
    assert prometheus.parse(text, kind) == found


def test_a_page_that_is_none_is_said(page: tuple[http.server.HTTPServer, type[Page]]) -> None:
    """With the status that came instead; an empty path is not asked for."""
    running = _prometheus(*page).running
    with open_sources(running, Settings(metrics_path="/nothing"), environ={}) as (_, reports):
        assert "answers with status 404" in next(report.note for report in reports if report.kind == "prometheus")
    with open_sources(running, Settings(metrics_path=""), environ={}) as (_, reports):
        assert [report.kind for report in reports] == ["network"]


def test_a_read_waits_for_the_end_of_a_health_check(tmp_path: Path) -> None:
    """What it makes the target do must not begin in one request and end in the next."""
    case = _healthchecks(tmp_path)
    begun = [*docker_cli.state_in(tmp_path)["events"], {"what": "exec_start: curl localhost", "id": "1"}]
    with _open(case, "healthchecks") as (sources, _):
        before = sources[0].read()
        docker_cli.tell(tmp_path, {"programs": {}, "events": begun})
        timer = threading.Timer(
            0.3, docker_cli.tell, (tmp_path, {"programs": {}, "events": [*begun, {"what": "exec_die", "id": "1"}]})
        )
        timer.start()
        after = _until_disturbed(sources[0], before)
        assert docker_cli.state_in(tmp_path)["events"][-1]["what"] == "exec_die"
        timer.join()
        assert after.disturbances == before.disturbances + 1


def test_a_container_without_a_health_check_needs_no_watch(tmp_path: Path) -> None:
    """Nor does one that is checked but holds a database, whose checks are told by what they ask."""
    for program, checked in (("sh", False), ("postgres", True)):
        environ = docker_cli.install(tmp_path, {"programs": {"c0ffee": program}, "events": []})
        container = Container(id="c0ffee", service="db", pid=0, checked=checked)
        case = Case(running=_running(containers=(container,)), environ=environ, work=lambda: None)
        with _open(case, "healthchecks") as found:
            assert found == ([], [])
