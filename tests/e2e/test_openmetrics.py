"""The OpenMetrics report, scraped by a real Prometheus."""

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from perfci.report import FORMATS
from perfci.report.view import View
from perfci.rig.host.free_port import free_port
from tests.builders import a_paired_run
from tests.golden.outcomes import OUTCOMES

pytestmark = pytest.mark.e2e

TYPES = {
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
    "older text": "text/plain; version=0.0.4; charset=utf-8",
}
PATIENCE_S = 60.0


@contextmanager
def serving(text: str, content_type: str) -> Iterator[str]:
    """Answer every request with *text*; yields host and port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def scraping(target: str, folder: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """A Prometheus that scrapes *target* each second; yields its address."""
    (folder / "prometheus.yml").write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "1s"},
                "scrape_configs": [{"job_name": "perfci", "static_configs": [{"targets": [target]}]}],
            }
        )
    )
    port = free_port()
    options = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    options.append(f"--web.listen-address=127.0.0.1:{port}")
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(["prometheus", *options], stdout=log, stderr=log, env=dict(environ))
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def query_result(address: str, query: str) -> list[dict[str, Any]]:
    """What Prometheus answers to *query*; waits until there is something."""
    url = f"{address}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        except OSError:
            found = []
        if found:
            return found
        time.sleep(0.2)
    return []


@pytest.mark.parametrize("content_type", TYPES)
def test_a_prometheus_scrapes_it(prometheus: Mapping[str, str], tmp_path: Path, content_type: str) -> None:
    """It has the verdict, and every series with its value, whichever format it takes the text for."""
    outcome = OUTCOMES["regression"]()
    text = FORMATS["openmetrics"].render(View(outcome=outcome, run=a_paired_run()))
    with serving(text, TYPES[content_type]) as target, scraping(target, tmp_path, prometheus) as address:
        (verdict,) = query_result(address, "perfci_verdict == 1")
        assert verdict["metric"]["verdict"] == outcome.verdict.value
        assert verdict["metric"]["profile"] == outcome.subject.profile
        values = query_result(address, "perfci_candidate_value")
        (up,) = query_result(address, "up")
    known = [each for each in outcome.decisions if each.comparison.candidate is not None]
    assert len(values) == len(known)
    assert up["value"][1] == "1"


@pytest.mark.parametrize("case", OUTCOMES)
def test_promtool_reads_it(prometheus: Mapping[str, str], case: str) -> None:
    """Prometheus' own check of metrics finds nothing to say."""
    text = FORMATS["openmetrics"].render(View(outcome=OUTCOMES[case](), run=a_paired_run()))
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text.encode(), capture_output=True, check=False, env=dict(prometheus)
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
