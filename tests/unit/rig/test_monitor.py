"""Every source of gauges keeps the same contract; what was read counts where it belongs, and never fails a run."""

import http.server
import json
import math
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.errors import ConfigError, MonitorError, PerfciError
from perfci.model import Gauge, TargetHealth
from perfci.rig.load.recording import Recording, Window
from perfci.rig.monitor import SOURCES, Missing, Monitor, Reading, Scene, Settings, Source, container, monitoring, parse
from perfci.rig.monitor.monitor import MOST_GAUGES
from perfci.rig.monitor.page import pointed, summed
from perfci.rig.monitor.prometheus import answered
from perfci.rig.monitor.source import Readings
from perfci.rig.monitor.track import MOST_POINTS, Track
from perfci.rig.target import Container, RunningTarget
from tests.builders import a_generator
from tests.fakes import docker_cli

KINDS = {finder.KIND: finder for finder in SOURCES}
SHELL = """cpu.stat usage_usec 2500000
cpu.stat user_usec 9
memory.current 300000000
memory.stat anon 1
memory.stat inactive_file 100000000
dev Inter-|   Receive | Transmit
dev lo: 9999 9 0 0 0 0 0 0 9999 9 0 0 0 0 0 0
dev eth0: 4000 9 0 0 0 0 0 0 6000 9 0 0 0 0 0 0
dev eth1: 1000 9 0 0 0 0 0 0 2000 9 0 0 0 0 0 0"""
CONTAINER = {"db/cpu": (2.5, "cores"), "db/memory": (200, "MB"), "db/received": (5, "kB/s"), "db/sent": (8, "kB/s")}
REDIS = {
    "stats": ["# Stats", "keyspace_hits:8\r", "keyspace_misses:2\r"],
    "clients": ["connected_clients:5\r"],
    "memory": ["used_memory:2000000\r", "used_memory_human:1.91M\r"],
}
METRICS = """# TYPE pool gauge
pool{state="busy",zone="a"} 3
pool{state="busy",zone="b"} 4
pool{state="idle",zone="a"} 5
pool_size 20
this is no metric
"""
BODIES = {
    "/stats": json.dumps({"pool": {"in_use": 7, "a/b": [1, {"~": 2.5}], "text": "8", "none": None}}),
    "/metrics": METRICS,
    "/api/v1/query": json.dumps({"data": {"resultType": "scalar", "result": [1763719200.5, "12.5"]}}),
}


class Pages(http.server.BaseHTTPRequestHandler):
    """A few numbers."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = BODIES.get(self.path.partition("?")[0], "").encode()
        self.send_response(200 if body else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where the pages are."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def running(**parts: Any) -> RunningTarget:
    return RunningTarget(
        **{"kind": "fake", "base_url": "http://127.0.0.1:9", "description": "", "log_path": None, **parts},
        health=lambda: TargetHealth(alive=True, restarts=0),
        logs_tail=str,
    )


def scene(target: RunningTarget, environ: Mapping[str, str] | None = None, **parts: Any) -> Scene:
    given: dict[str, Any] = {"settings": Settings(), "kernel_s": 1.0, "programs": {}, **parts}
    return Scene(running=target, environ=environ or {}, **given)


def gauges(**tables: Mapping[str, Any]) -> Settings:
    return parse(tables, where="test")


@pytest.fixture
def shell() -> "Iterator[subprocess.Popen[bytes]]":
    """A process to be watched."""
    with subprocess.Popen(["sh"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.fixture
def found(request: pytest.FixtureRequest, tmp_path: Path, url: str, shell: "subprocess.Popen[bytes]") -> Scene:
    """A scene in which the kind of the parameter finds something."""
    kind = request.param
    if kind == "availability":
        return scene(running(base_url=url), settings=parse({}, where="test", availability="/stats"))
    if kind in HERE:
        return scene(running(pid=shell.pid))
    if kind == "page":
        pages = gauges(pool={"url": "/stats", "pointer": "/pool/in_use", "unit": "slots"})
        return scene(running(base_url=url), settings=pages)
    if kind == "prometheus":
        return scene(running(), settings=gauges(queue={"prometheus": url, "query": "sum(queue)", "rate": True}))
    program = {"container": "sh", "postgresql": "postgres", "redis": "redis-server"}[kind]
    state = {"shell": SHELL.splitlines(), "psql": {"activity": ["9 2 6 1"]}, "redis": REDIS}
    environ = docker_cli.install(tmp_path, {"programs": {"c0ffee": program}, **state})
    container_ = Container(id="c0ffee", service="db", pid=0)
    return scene(running(containers=(container_,)), environ, programs={"c0ffee": frozenset({program})})


HERE = ("machine", "process", "availability")  # what is read is of this moment, and nobody knows it beforehand
EXPECTED: Mapping[str, Mapping[str, tuple[float, str]]] = {
    "machine": {"machine/cpu": (0, "cores")},
    "availability": {"availability": (0, "%")},
    "process": {"process/cpu": (0, "cores"), "process/memory": (0, "MB")},
    "container": CONTAINER,
    "postgresql": {
        "db/connections": (9, ""),
        "db/connections_active": (2, ""),
        "db/connections_idle": (6, ""),
        "db/connections_idle_in_transaction": (1, ""),
    },
    "redis": {"db/hit_rate": (800, "%"), "db/clients": (4, ""), "db/used_memory": (2, "MB")},
    "page": {"pool": (7, "slots")},
    "prometheus": {"queue": (12.5, "")},
}


def opened(of: Scene, kind: str) -> Source:
    (source,) = KINDS[kind].find(of)
    assert not isinstance(source, Missing)
    return source


def read(source: Source) -> Mapping[str, Reading]:
    readings = source.read()
    assert all(isinstance(reading, Reading) for reading in readings.values()), readings
    return readings  # type: ignore[return-value]


@pytest.mark.parametrize(("found", "kind"), [(kind, kind) for kind in KINDS], indirect=["found"])
def test_a_source_is_found_and_read(found: Scene, kind: str) -> None:
    """Its gauges with their units; it can be left out, and closed twice."""
    source = opened(found, kind)
    readings = read(source)
    assert {name: reading.unit for name, reading in readings.items()} == {
        n: unit for n, (_, unit) in EXPECTED[kind].items()
    }
    if kind not in HERE:
        assert {name: reading.value for name, reading in readings.items()} == {
            n: value for n, (value, _) in EXPECTED[kind].items()
        }
    assert source.name
    source.close()
    source.close()
    without = Settings(exclude=(kind,), gauges=found.settings.gauges, availability=found.settings.availability)
    assert list(KINDS[kind].find(scene(found.running, found.environ, settings=without, programs=found.programs))) == []


@pytest.mark.parametrize(("found", "kind"), [(k, k) for k in ("container", "postgresql", "redis")], indirect=["found"])
def test_a_source_that_dies_says_so(found: Scene, kind: str, tmp_path: Path) -> None:
    """A client that ends, or answers what nobody can read."""
    source = opened(found, kind)
    docker_cli.tell(tmp_path, {"shell": ["what"], "psql": {"activity": ["FATAL: no"]}, "redis": {**REDIS, "stats": []}})
    with pytest.raises(MonitorError):
        source.read()
    docker_cli.tell(tmp_path, {"dies": ["the server was ended"]})
    with pytest.raises(PerfciError):
        source.read()
    source.close()


@pytest.mark.parametrize(("path", "share"), [("/stats", 100.0), ("/absent", 0.0)])
def test_probes_that_succeed_make_the_availability(url: str, path: str, share: float) -> None:
    """Five are sent a second, each answered or not."""
    source = opened(scene(running(base_url=url), settings=parse({}, where="test", availability=path)), "availability")
    deadline = time.monotonic() + 60
    while (found := read(source)["availability"]).per in {0.0, 1.0, 2.0}:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert found.per is not None
    assert abs(found.value - found.per * share) <= share  # a probe may have been counted in one of the two alone
    source.close()


def test_a_counter_is_told_for_each_one_of_another(url: str) -> None:
    """Of lookups, the share of those that hit; both must be on the page."""
    hits = {"url": "/metrics", "metric": 'pool{state="idle"}', "per": "pool"}
    source = opened(scene(running(base_url=url), settings=gauges(hits=hits)), "page")
    assert (read(source)["hits"].value, read(source)["hits"].per) == (5.0, 12.0)
    with pytest.raises(ConfigError, match="leave rate out"):
        gauges(hits={**hits, "rate": True})


def test_the_machine_does_what_its_processes_do(shell: "subprocess.Popen[bytes]") -> None:
    """A core in use for a tenth of a second of processor time shows; only a target of this machine has one."""
    source = opened(scene(running(pid=shell.pid)), "machine")
    before, own = read(source)["machine/cpu"].value, time.process_time()
    while time.process_time() - own < 0.1:
        pass
    assert read(source)["machine/cpu"].value - before >= 0.05  # the kernel counts in hundredths
    assert list(KINDS["machine"].find(scene(running()))) == []


def test_a_process_is_read_with_what_it_started(shell: "subprocess.Popen[bytes]") -> None:
    """The time of children that have ended stays; a target that is gone is said."""
    source = opened(scene(running(pid=shell.pid)), "process")
    before = read(source)["process/cpu"].value
    assert shell.stdin
    shell.stdin.write(b"sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'\n")
    shell.stdin.flush()
    deadline = time.monotonic() + 60
    while read(source)["process/cpu"].value <= before:
        assert time.monotonic() < deadline
    assert 0.1 < read(source)["process/memory"].value < 1000
    shell.kill()
    shell.wait()
    with pytest.raises(MonitorError, match="processes cannot be read"):
        source.read()


UNIFIED = {
    "proc/7/cgroup": "0::/system.slice/docker-c0ffee.scope\n",
    "sys/fs/cgroup/system.slice/docker-c0ffee.scope/cpu.stat": "usage_usec 2500000\n",
    "sys/fs/cgroup/system.slice/docker-c0ffee.scope/memory.current": "300000000\n",
    "sys/fs/cgroup/system.slice/docker-c0ffee.scope/memory.stat": "anon 1\ninactive_file 100000000\n",
}
BY_CONTROLLER = {
    "proc/7/cgroup": "5:cpu,cpuacct:/docker/c0ffee\n4:memory:/docker/c0ffee\n1:name=systemd:/docker/c0ffee\n0::/\n",
    "sys/fs/cgroup/cpuacct/docker/c0ffee/cpuacct.usage": "2500000000\n",
    "sys/fs/cgroup/memory/docker/c0ffee/memory.usage_in_bytes": "300000000\n",
    "sys/fs/cgroup/memory/docker/c0ffee/memory.stat": "inactive_file 7\ntotal_inactive_file 100000000\n",
}


@pytest.mark.parametrize("files", [UNIFIED, BY_CONTROLLER], ids=["version 2", "version 1"])
def test_a_container_on_this_machine_is_read_from_the_kernel(tmp_path: Path, files: Mapping[str, str]) -> None:
    """In both versions of control groups, without a session; four times a second where that is asked for."""
    devices = "\n".join(line.removeprefix("dev ") for line in SHELL.splitlines() if line.startswith("dev "))
    for name, text in {**files, "proc/7/net/dev": devices}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    container_ = Container(id="c0ffee", service="db", pid=7)
    (source,) = container.find(
        scene(running(containers=(container_,)), {"PATH": "/nowhere"}, kernel_s=0.25), root=tmp_path
    )
    assert isinstance(source, container.Container)
    assert source.every_s == 0.25
    assert {name: (reading.value, reading.unit) for name, reading in read(source).items()} == CONTAINER
    (tmp_path / "proc/7/cgroup").write_text("0::/another\n")
    (missing,) = container.find(scene(running(containers=(container_,)), {"PATH": "/nowhere"}), root=tmp_path)
    assert isinstance(missing, Missing)
    assert "docker: No such file" in missing.why


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/pool/in_use", 7.0),
        ("/pool/a~1b/1/~0", 2.5),
        ("/pool/text", 8.0),
        ("/pool/none", "what is at /pool/none is not a number"),
        ("/pool", "what is at /pool is not a number"),
        ("/pool/a~1b/9", "nothing is at /pool/a~1b/9 in the answer"),
        ("/pool/in_use/x", "nothing is at"),
    ],
)
def test_a_pointer_leads_to_a_number(pointer: str, expected: float | str) -> None:
    """Or to a reason."""
    if isinstance(expected, float):
        assert pointed(BODIES["/stats"], pointer) == expected
        return
    with pytest.raises(MonitorError, match=expected):
        pointed(BODIES["/stats"], pointer)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("pool_size", 20.0),
        ("pool", 12.0),
        ('pool{state="busy"}', 7.0),
        ('pool{state="busy",zone="b"}', 4.0),
        ('pool{state="lost"}', "the answer has no pool"),
        ("poo", "the answer has no poo"),
        ("pool{", "cannot be read"),
        ("7", "is not the name of a metric"),
    ],
)
def test_a_metric_is_the_sum_of_its_series(metric: str, expected: float | str) -> None:
    """Those that have its labels, beside any others."""
    if isinstance(expected, float):
        assert summed(METRICS, metric) == expected
        return
    with pytest.raises(MonitorError, match=expected):
        summed(METRICS, metric)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"resultType": "vector", "result": [{"metric": {}, "value": [1, "7"]}]}, 7.0),
        ({"resultType": "vector", "result": []}, "gives 0 series"),
        ({"resultType": "vector", "result": [{}, {}]}, "gives 2 series: let it give one"),
        ({"resultType": "scalar", "result": [1, "NaN"]}, "is not a number"),
        ({"resultType": "matrix", "result": []}, "none of a Prometheus server's"),
        (None, "none of a Prometheus server's"),
    ],
)
def test_a_query_gives_one_number(data: object, expected: float | str) -> None:
    """A server that answers something else is told what it did."""
    body = json.dumps({"status": "success", "data": data}).encode()
    if isinstance(expected, float):
        assert answered(body) == expected
        return
    with pytest.raises(MonitorError, match=expected):
        answered(body)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"url": "http://other.example/x", "pointer": "/a"}, "other.example is not this machine"),
        ({"prometheus": "https://other.example", "query": "up"}, "other.example is not this machine"),
        ({"url": "http://user:word@127.0.0.1/x", "pointer": ""}, "must not hold a user or a password"),
        ({"url": "file:///etc/passwd", "pointer": ""}, "url"),
        ({"url": "/x", "pointer": "", "unit": "\x1b[2J"}, "unit"),
        ({"url": "/x"}, "give url with pointer or metric"),
        ({"url": "/x", "pointer": "/a", "metric": "b"}, "give url with pointer or metric"),
        ({"prometheus": "http://127.0.0.1:9090"}, "prometheus with query"),
        ({"url": "/x", "pointer": "/a", "query": "up"}, "prometheus with query"),
    ],
)
def test_a_gauge_is_asked_of_nobody_else(table: Mapping[str, Any], message: str) -> None:
    """Of this machine, or of a host that is allowed by name; and in one way."""
    with pytest.raises(ConfigError, match=message):
        parse({"own": table}, where="test")


def test_an_allowed_host_may_be_asked() -> None:
    """Whatever the case of its name."""
    table = {"url": "https://Stage.example/x", "pointer": "/a"}
    assert parse({"own": table}, where="test", allow_hosts=["stage.EXAMPLE"]).gauges["own"].url == table["url"]


def levels(*values: tuple[float, float]) -> Track:
    track = Track()
    for at_s, value in values:
        track.take(at_s, Reading(value=value))
    return track


def test_points_are_seconds_of_measured_time() -> None:
    """What is before and after does not count; a second without a read has no point."""
    track = levels((9.9, 99), (10.0, 1), (10.5, 3), (12.1, 6), (13.0, 99))
    expected = Gauge(unit="", mean=4.0, low=2.0, high=6.0, p95=5.8, points=(2.0, None, 6.0))
    assert track.gauge([(10.0, 13.0)]) == expected
    assert track.gauge([(20.0, 23.0)]) is None


def test_in_slices_only_the_sides_own_time_counts() -> None:
    """Laid end to end; a rate whose stretch touches the other side's time counts for nobody."""
    windows: list[Window] = [(10.0, 11.0), (13.0, 15.0)]
    track = levels((10.5, 1), (12.0, 99), (13.5, 2), (14.5, 3))
    assert track.gauge(windows) == Gauge(unit="", mean=2.0, low=1.0, high=3.0, p95=2.9, points=(1.0, 2.0, 3.0))
    rate = Track()
    for at_s, total in [(9.5, 0.0), (10.25, 0.0), (10.75, 1.0), (13.25, 99.0), (13.75, 99.5), (14.75, 99.5)]:
        rate.take(at_s, Reading(value=total, unit="cores", per=at_s))
    found = rate.gauge(windows)
    assert found is not None
    assert (found.points, found.unit) == ((2.0, 1.0, 0.0), "cores")


def test_a_total_that_goes_back_or_stands_still_tells_nothing() -> None:
    """A restart, or a cache that nobody asked: no point, rather than one that is made up."""
    track = Track()
    for at_s, hits, lookups in [(1, 0, 0), (2, 5, 10), (3, 5, 10), (4, 1, 2), (5, 2, 4)]:
        track.take(at_s, Reading(value=hits, unit="%", per=lookups))
    found = track.gauge([(0.0, 6.0)])
    assert found is not None
    assert found.points == (None, 0.5, None, None, 0.5, None)


@given(st.lists(st.tuples(st.floats(0, 5000), st.floats(-1e9, 1e9)), max_size=30), st.floats(0.5, 5000))
def test_points_are_few_and_within_what_was_read(values: list[tuple[float, float]], length: float) -> None:
    """Whatever was read, and however long the round was."""
    found = levels(*sorted(values)).gauge([(0.0, length)])
    inside = [value for at_s, value in values if at_s < length]
    assert (found is None) == (not inside)
    if found is not None:
        assert len(found.points) == math.ceil(length / found.step_s) <= MOST_POINTS
        known = [point for point in found.points if point is not None]
        assert found.low == min(known) <= found.mean <= max(known) == found.high
        assert found.low >= min(inside) - abs(min(inside)) * 1e-4
        assert found.high <= max(inside) + abs(max(inside)) * 1e-4


def a_recording(since: float, until: float) -> Recording:
    empty: Any = None
    cpu = ((since, since + 0.001, 0.5),)
    return Recording(
        requests=empty, windows=((since, until),), warmup_s=0.0, users=1, generator=a_generator(), errors={}, cpu=cpu
    )


class Fake:
    """A source that says what it is told to."""

    KIND = "fake"
    name = "the fake"
    every_s = 0.001

    def __init__(self, *answers: Readings | Exception) -> None:
        self.answers = list(answers)
        self.reads = 0
        self.closed = False

    def find(self, of: Scene) -> Iterator[Source | Missing]:  # noqa: ARG002 - as every kind
        yield Missing(name="another", why="it is not there")
        yield self

    def read(self) -> Readings:
        self.reads += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.closed = True


def watched(fake: Fake, reads: int) -> tuple[Monitor, Recording]:
    """What a monitor has after so many reads."""
    monitor, began = Monitor(scene(running()), [fake]), time.time()
    monitor.start()
    deadline = time.monotonic() + 60
    while fake.reads < reads and monitor.missing.keys() != {"another", "the monitor"}:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    monitor.stop()
    return monitor, a_recording(began, began + 60)


LEVEL = {"pool": Reading(value=3.0)}


def test_what_fails_once_is_read_again() -> None:
    """Beside the generator's own processor time; everything is closed."""
    fake = Fake(LEVEL, MonitorError("busy"), LEVEL)
    monitor, recording = watched(fake, 5)
    seen = {name: gauge.mean for name, gauge in monitor.gauges(recording).items()}
    assert seen == {"generator/cpu": 0.5, "pool": 3.0}
    assert monitor.missing == {"another": "it is not there"}
    assert fake.closed


def test_what_fails_again_and_again_is_given_up() -> None:
    """With the reason; a single gauge of a source that works is told by its own name."""
    fake = Fake(MonitorError("no answer"))
    monitor, _ = watched(fake, 3)
    assert fake.reads == 3
    assert monitor.missing["the fake"] == "no answer"
    monitor, recording = watched(Fake({**LEVEL, "queue": MonitorError("no such thing")}), 5)
    assert monitor.missing["queue"] == "no such thing"
    assert "pool" in monitor.gauges(recording)


def test_a_defect_of_a_source_does_not_end_the_run() -> None:
    """It is told, and that is all."""
    monitor, _ = watched(Fake(LEVEL, ZeroDivisionError("oops")), 9)
    assert monitor.missing["the monitor"] == "it ended early: ZeroDivisionError: oops"


def test_gauges_are_bounded() -> None:
    """The first are kept, and it is said that there were more."""
    monitor, recording = watched(Fake({f"g{number:03}": Reading(value=1.0) for number in range(MOST_GAUGES + 2)}), 3)
    assert len(monitor.gauges(recording)) == MOST_GAUGES + 1  # and the generator's
    assert monitor.missing[f"g{MOST_GAUGES:03}"] == f"there are more than {MOST_GAUGES} gauges"


def test_a_monitor_that_is_off_asks_nobody(shell: "subprocess.Popen[bytes]") -> None:
    """Nothing is read, not even the generator."""
    with monitoring(running(pid=shell.pid), Settings(enabled=False), environ=os.environ) as monitor:
        time.sleep(0.01)
    assert monitor.gauges(a_recording(0.0, time.time())) == {}
    assert monitor.missing == {}
