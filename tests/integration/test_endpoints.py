"""Names that differ only in an identifier, in whole runs: folded, told, and apart where they are answered otherwise."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from perfci import store
from perfci.model import RoundKind, Side, Verdict
from perfci.pipeline import documents
from tests.fakes.shell import Shell, shell_in
from tests.fakes.toy_project import MEASURED

pytestmark = pytest.mark.kind("I")

SERVICE = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BROKEN = ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        item = self.path.rpartition("=")[2]
        status = 404 if item == "3" else 500 if item == BROKEN else 200
        body = b"x" * (90_000 if item == "5" else 300)
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
PROFILE = """
import itertools
import random
from locust import FastHttpUser, HttpUser, constant, task

products = itertools.cycle(range(8))  # each of them soon, however few requests a busy machine leaves time for


class Shopper(HttpUser):
    wait_time = constant(0.02)

    @task
    def product(self):
        self.client.get("/product", params={"id": next(products)})

    @task
    def order(self):
        self.client.get(f"/orders/{random.getrandbits(40)}/lines")

    @task
    def named(self):
        self.client.get(f"/items/{random.randrange(9)}", name="GET /items/1")


class Fast(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def own(self):
        self.client.get(f"{self.host}/top/10")

    @task
    def basket(self):
        self.client.get(f"/shop/{random.choice('ab')}/basket")

    @task
    def graph(self):
        self.client.post("/graphql", json={"query": random.choice(["query Cart { a }", "mutation Buy { a }"])})
"""
CONFIG = """
[target]
kind = "command"
command = ["{python}", "service.py", "{port}"]

[[endpoints]]
match = "GET /shop/*/basket"
name = "GET basket"

[profiles.shop]
locustfile = "shop.py"
[profiles.shop.scenarios.short]
users = 6
spawn_rate = 50
duration = "2s"
warmup = "300ms"
paired = { blocks = 2, duet = "2s", duet_warmup = "200ms", load_blocks = 1 }
baseline = { rounds = 1 }
"""
EXPECTED = {
    "GET /product?id={value}",
    "GET /product?id=3",
    "GET /product?id=5",
    "GET /orders/{id}/lines",
    "GET /items/1",
    "GET /top/10",
    "GET basket",
    "POST /graphql Cart",
    "POST /graphql Buy",
}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    files = {"perfci.toml": CONFIG, "shop.py": PROFILE, "service.py": SERVICE}
    with shell_in(tmp_path / "project", files, state=tmp_path / "state") as shell:
        yield shell


def test_a_foreign_profile_has_few_endpoints_in_turns_load_and_census(shell: Shell, tmp_path: Path) -> None:
    """The same ones on both sides; each is paired with its like; a missing and a large product stay apart."""
    folder = tmp_path / "out"
    done = shell.perfci("run", "shop", "--base", ".", "--fail-on", "never", "--output", str(folder))
    assert done.returncode in MEASURED, done.stderr
    run = store.load(folder)
    for measured in run.rounds:
        assert set(measured.endpoints) - {"(all endpoints)"} == EXPECTED, measured.kind
    assert {name for census in run.census.values() for name in census.endpoints} <= EXPECTED
    duet = {
        round_.side: round_.endpoints for round_ in run.rounds if (round_.kind, round_.block) == (RoundKind.DUET, 1)
    }
    for name in EXPECTED:
        assert duet[Side.BASE][name].requests == duet[Side.CANDIDATE][name].requests
    assert "service_time" in duet[Side.BASE]["GET /product?id={value}"].values
    folded = {group.endpoint: (group.names, group.because) for group in run.folded}
    assert folded["GET /product?id={value}"] == (6, "")
    assert folded["GET /product?id=3"] == (1, "failed with 404")
    assert folded["GET /product?id=5"] == (1, "larger answers")
    assert folded["GET /orders/{id}/lines"][0] > 20
    assert set(folded) == {name for name in EXPECTED if name.startswith(("GET /product", "GET /orders"))}
    assert "6 names are GET /product?id={value}" in " ".join((folder / "report.txt").read_text().split())


def test_a_product_that_the_change_breaks_is_hidden_by_no_other(shell: Shell, tmp_path: Path) -> None:
    """One name of many, whose failures are a small share of those of its endpoint."""
    changed = tmp_path / "changed"
    changed.mkdir()
    for file in shell.project.iterdir():
        if file.is_file():
            (changed / file.name).write_text(file.read_text().replace('BROKEN = ""', 'BROKEN = "6"'))
    folder = tmp_path / "out"
    done = shell.perfci(
        *("run", "shop", "--base", ".", "--candidate", str(changed), "--census", "off", "--output", str(folder))
    )
    assert done.returncode == 10, done.stdout + done.stderr
    assert documents.read(folder).verdict is Verdict.REGRESSION
    folded = {group.endpoint: group.because for group in store.load(folder).folded}
    assert folded["GET /product?id=6"] == "failed with 500 on the candidate"
    assert "GET /product?id=6" in documents.read(folder).reason
