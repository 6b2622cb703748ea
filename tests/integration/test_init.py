"""`perfci init` on a service that has never heard of perfci, up to its first verdict."""

import re
import shlex
from pathlib import Path

from perfci import store
from perfci.model import ALL_ENDPOINTS
from tests.fakes.shell import shell_in
from tests.unit.pipeline.conftest import run_git

SCHEDULE = 'paired.blocks = "3-12"'
SHORT = """warmup = "0s"
spawn_rate = 50
paired = { blocks = 2, duet = "1s", duet_warmup = "100ms", load_blocks = 1, load = "1s" }"""
TUTORIAL = Path(__file__).parents[2] / "docs/starting.md"

SERVICE = """
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OPENAPI = {"openapi": "3.1.0", "paths": {
    "/items/{id}": {"get": {"parameters": [{"in": "path", "name": "id", "example": 7}]}},
    "/broken": {"get": {}},
}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        known = {"/healthz": {"ok": True}, "/items/7": {"id": 7}, "/openapi.json": OPENAPI}
        body = json.dumps(known.get(self.path, {})).encode()
        self.send_response(200 if self.path in known else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def _tutorial() -> list[list[str]]:
    """What the tutorial has its reader type, without the program's name, in its order."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", TUTORIAL.read_text(), re.MULTILINE | re.DOTALL)
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    assert [line[:2] for line in lines] == [["perfci", command] for command in ("init", "doctor", "run")]
    return [line[1:] for line in lines]


def test_from_nothing_to_a_verdict_as_the_tutorial_says(tmp_path: Path) -> None:
    """The started service is asked: what it answers well is the load, the rest is told; then doctor and a first run."""
    files = {"Procfile": "web: python3 serve.py\n", "serve.py": SERVICE}
    init, doctor, run = _tutorial()
    with shell_in(tmp_path / "project", files, state=tmp_path / "state") as shell:
        run_git(shell.project, "init", "-q")
        run_git(shell.project, "add", ".")
        run_git(shell.project, "commit", "-q", "-m", "a service")
        shown = shell.perfci("init", "--dry-run")
        assert shown.returncode == 0, shown.stderr
        assert '+ready = { path = "/healthz" }' in shown.stdout
        assert not (shell.project / "perfci.toml").exists()
        assert shell.perfci(*init).returncode == 0
        load = (shell.project / "load_tests/web.py").read_text()
        assert 'self.client.get("/items/7", name="/items/{id}")' in load
        assert "# GET /broken: it answers with 404" in load
        assert shell.left() == []
        looked = shell.perfci(*doctor)
        assert looked.returncode == 0, looked.stdout
        assert "ok      requests: 1 endpoint answered every request" in looked.stdout
        config = shell.project / "perfci.toml"
        written = config.read_text()
        assert SCHEDULE in written
        config.write_text(written.replace(SCHEDULE, SHORT))
        done = shell.perfci(*run, "--output", "out")
        assert done.returncode in {0, 3, 10}, done.stderr  # on a busy machine two blocks may see a change, or nothing
        measured = store.load(shell.project / "out")
        assert measured.complete
        assert {name for each in measured.rounds for name in each.endpoints} == {"GET /items/{id}", ALL_ENDPOINTS}
        assert all(each.errors == {} for each in measured.rounds)


def test_what_cannot_be_measured_is_told_before_a_run(tmp_path: Path) -> None:
    """An endpoint that fails each time is measured by no run; the target is started once, and stopped."""
    files = {"Procfile": "web: python3 serve.py\n", "serve.py": SERVICE}
    with shell_in(tmp_path / "project", files, state=tmp_path / "state") as shell:
        assert shell.perfci("init", "--no-start", "--quiet").returncode == 0
        load = shell.project / "load_tests/web.py"
        load.write_text(load.read_text() + "    @task\n    def lost(self):\n        self.client.get('/nowhere')\n")
        looked = shell.perfci("doctor")
        assert looked.returncode == 3, looked.stderr
        assert "BAD     GET /nowhere: 9 of 9 requests failed (404): is its data there? [seed]" in looked.stdout
        assert shell.left() == []
