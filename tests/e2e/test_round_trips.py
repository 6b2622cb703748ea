"""Result files that the tools themselves write, here and now, about a service whose every request is counted."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from perfci.importers import ForeignResult, read
from perfci.quantile import quantile
from tests.e2e.conftest import _absent, _tools

pytestmark = pytest.mark.e2e

DELAY_S = 0.012
SLOWEST_MS = 200.0
"""Of the median answer, however busy the machine is."""


class Service:
    """Answers after 12 ms: `/slow` with 200, everything else with 500; counts what it was asked for."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        asked, lock = self.asked, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                with lock:
                    asked[self.path] += 1
                time.sleep(DELAY_S)
                self.send_response(200 if self.path == "/slow" else 500)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # the name of the base class
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def service() -> Iterator[Service]:
    started = Service()
    thread = threading.Thread(target=started.server.serve_forever, daemon=True)
    thread.start()
    yield started
    started.server.shutdown()
    started.server.server_close()
    thread.join()


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """Runs a tool in an empty folder, and returns what it prints; a tool that is not here skips or fails the test."""
    environ: Mapping[str, str] = {**os.environ, **_tools()}

    def run_(tool: str, *arguments: str, given: str = "") -> str:
        program = shutil.which(tool, path=environ["PATH"])
        if program is None:
            _absent(f"there is no {tool}: tests/e2e/toolchain/install brings it")
        done = subprocess.run(
            [str(program), *arguments],
            cwd=tmp_path,
            env=environ,
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run_


def median_ms(result: ForeignResult) -> float:
    """Of the first endpoint."""
    if result.requests is not None:
        return quantile(sorted(result.requests.latency_ms), 0.5)
    return result.aggregates[0].quantiles_ms[0.5]


def counted(result: ForeignResult) -> tuple[int, int]:
    """Requests and failures of all endpoints."""
    if result.requests is not None:
        return len(result.requests), sum(result.requests.failed)
    requests = sum(each.requests or 0 for each in result.aggregates)
    return requests, sum(each.failures or 0 for each in result.aggregates)


def check(file: Path, format_: str, *, requests: int, failures: int = 0) -> ForeignResult:
    """The file is of this format, has these counts, and times of the service in milliseconds."""
    found, result = read(file)
    assert found.name == format_
    assert counted(result) == (requests, failures)
    assert 1000 * DELAY_S <= median_ms(result) < SLOWEST_MS
    return result


def test_hey(service: Service, run: Callable[..., str], tmp_path: Path) -> None:
    """Both of its outputs say what the service has counted."""
    (tmp_path / "hey.txt").write_text(run("hey", "-n", "60", "-c", "2", f"{service.url}/slow"))
    check(tmp_path / "hey.txt", "hey or oha output", requests=service.asked["/slow"])
    service.asked.clear()
    (tmp_path / "hey.csv").write_text(run("hey", "-n", "60", "-c", "2", "-o", "csv", f"{service.url}/broken"))
    check(tmp_path / "hey.csv", "hey results (CSV)", requests=60, failures=service.asked["/broken"])


def test_wrk(service: Service, run: Callable[..., str], tmp_path: Path) -> None:
    """It does not count the requests that were in flight at its end, one for each connection."""
    (tmp_path / "wrk.txt").write_text(run("wrk", "-t1", "-c2", "-d1s", "--latency", f"{service.url}/slow"))
    _, result = read(tmp_path / "wrk.txt")
    requests, failures = counted(result)
    assert service.asked["/slow"] - 2 <= requests <= service.asked["/slow"]
    assert failures == 0
    assert 1000 * DELAY_S <= median_ms(result) < SLOWEST_MS


def test_vegeta(service: Service, run: Callable[..., str], tmp_path: Path) -> None:
    """Its requests and its report agree; its own binary results are refused with the way to read them."""
    targets = f"GET {service.url}/slow\n\nGET {service.url}/broken\n"
    run("vegeta", "attack", "-rate", "40/s", "-duration", "1s", "-output", "out.bin", given=targets)
    failures = service.asked["/broken"]
    assert failures == 20
    for ending in ("csv", "json"):
        run("vegeta", "encode", "-to", ending, "-output", f"results.{ending}", "out.bin")
        result = check(
            tmp_path / f"results.{ending}", f"Vegeta results ({ending.upper()})", requests=40, failures=failures
        )
        assert result.endpoints == (f"GET {service.url}/broken", f"GET {service.url}/slow")
    run("vegeta", "report", "-type", "json", "-output", "report.json", "out.bin")
    check(tmp_path / "report.json", "Vegeta report (JSON)", requests=40, failures=failures)
    (tmp_path / "report.txt").write_text(run("vegeta", "report", "out.bin"))
    check(tmp_path / "report.txt", "Vegeta report (text)", requests=40, failures=failures)


def test_k6(service: Service, run: Callable[..., str], tmp_path: Path) -> None:
    """Every second request fails, in the summary, where failures are passes, and in both kinds of samples."""
    (tmp_path / "script.js").write_text(
        'import http from "k6/http";\n'
        "export const options = { vus: 2, iterations: 20 };\n"
        f'export default () => {{ http.get("{service.url}/slow"); http.get("{service.url}/broken"); }};\n'
    )
    run(
        "k6",
        "run",
        "-q",
        "--summary-export",
        "summary.json",
        "--out",
        "csv=k6.csv",
        "--out",
        "json=k6.json",
        "script.js",
    )
    assert service.asked == {"/slow": 20, "/broken": 20}
    check(tmp_path / "summary.json", "k6 summary (JSON)", requests=40, failures=20)
    check(tmp_path / "k6.csv", "k6 samples (CSV)", requests=40, failures=20)
    check(tmp_path / "k6.json", "k6 samples (JSON)", requests=40, failures=20)


LOCUSTFILE = """
import locust.stats
from locust import HttpUser, constant, task

locust.stats.CSV_STATS_INTERVAL_SEC = 0.1  # with 1 s, a busy machine may leave the empty file of the beginning


class Shopper(HttpUser):
    wait_time = constant(0.01)

    @task
    def slow(self):
        self.client.get("/slow")

    @task
    def broken(self):
        self.client.get("/broken", name="broken, with a comma")
"""


def test_locust(service: Service, run: Callable[..., str], tmp_path: Path) -> None:
    """Its JSON and its page have every request; the statistics of its CSV may miss the last ones, and say so."""
    (tmp_path / "shop.py").write_text(LOCUSTFILE)
    out = run(
        *(sys.executable, "-m", "locust", "-f", "shop.py", "--host", service.url, "--headless", "-u", "2", "-r", "2"),
        *(
            "-t",
            "2s",
            "--exit-code-on-error",
            "0",
            "--json",
            "--html",
            "page.html",
            "--csv",
            "run",
            "--csv-full-history",
        ),
        "--skip-log",
    )
    (tmp_path / "locust.json").write_text(out)
    asked, failed = sum(service.asked.values()), service.asked["/broken"]
    for name, format_ in (("locust.json", "Locust statistics (JSON)"), ("page.html", "Locust report (HTML)")):
        found, result = read(tmp_path / name)
        requests, failures = counted(result)
        assert found.name == format_
        assert asked - 2 <= requests <= asked  # the users' last requests may have been cut off
        assert failed - 2 <= failures <= failed
        assert set(result.endpoints) == {"GET /slow", "GET broken, with a comma"}
    _, statistics = read(tmp_path / "run_stats.csv")
    assert 0 < counted(statistics)[0] <= asked
    assert any("last second" in note for note in statistics.notes)
    assert json.loads(out)


BENCHMARKS = f"""
import time


def test_sleep(benchmark):
    benchmark.pedantic(time.sleep, args=({DELAY_S},), rounds=20)


def test_longer(benchmark):
    benchmark.pedantic(time.sleep, args=({2 * DELAY_S},), rounds=10)
"""


def test_pytest_benchmark(run: Callable[..., str], tmp_path: Path) -> None:
    """`--benchmark-json` has every round, `--benchmark-save` their summary alone; each test is an endpoint."""
    (tmp_path / "test_sleeping.py").write_text(BENCHMARKS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    plugins = ("-p", "no:xdist", "-p", "no:cacheprovider")
    run(
        *(sys.executable, "-m", "pytest", "-q", *plugins, "--benchmark-json=rounds.json"),
        *("--benchmark-storage=stored", "--benchmark-save=summary"),
    )
    (summary,) = (tmp_path / "stored").rglob("*_summary.json")
    for file, has_rounds in ((tmp_path / "rounds.json", True), (summary, False)):
        result = check(file, "pytest-benchmark results (JSON)", requests=30)
        assert set(result.endpoints) == {"test_sleeping.py::test_sleep", "test_sleeping.py::test_longer"}
        assert (result.requests is not None) == has_rounds
