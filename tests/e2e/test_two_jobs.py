"""gate.yml and publish.yml, run by act: one job measures, another judges, a third publishes for a fork."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from perfci.rig.host.free_port import free_port
from tests.e2e.shop import ACTION, TOKEN, UPLOAD, copy_action
from tests.fakes.github import FakeGitHub
from tests.fakes.measured import REPOSITORY, Change, a_change

pytestmark = pytest.mark.e2e

STAND_IN = Path(__file__).parent / "toolchain" / "checkout"
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
RIGHTS = "{ actions: read, contents: read, pull-requests: write, statuses: write }"
WORKFLOWS = {
    "performance.yml": f"""
name: performance
on: pull_request
permissions: {{}}
jobs:
  gate:
    permissions: {RIGHTS}
    uses: perfci/perfci/.github/workflows/gate.yml@v1
    with:
      profile: tickets:smoke
      index-url: "INDEX"
""",
    "forks.yml": f"""
name: performance of forks
on:
  workflow_run:
    workflows: [performance]
    types: [completed]
permissions: {{}}
jobs:
  publish:
    permissions: {RIGHTS}
    uses: perfci/perfci/.github/workflows/publish.yml@v1
    with:
      profile: tickets:smoke
      index-url: "INDEX"
""",
}
SERVICE = """
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        time.sleep(WAIT)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass

WAIT = 0.004
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
CONFIG = """
[target]
kind = "command"
command = ["{python}", "service.py", "{port}"]
[census]
enabled = "off"
[profiles.tickets]
locustfile = "load/tickets.py"
[profiles.tickets.scenarios.smoke]
users = 1
paired = { blocks = 3, duet = "3s", duet_warmup = "500ms", load_blocks = 0 }
"""
LOCUSTFILE = """
from locust import HttpUser, constant, task

class Reader(HttpUser):
    wait_time = constant(0)

    @task
    def read(self):
        self.client.get("/tickets/")
"""


class Runs:
    """A pull request that makes responses take five times as long, and act as the runner of its workflows."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        index = os.environ.get("PIP_INDEX_URL", "")
        workflows = {f".github/workflows/{name}": text.replace("INDEX", index) for name, text in WORKFLOWS.items()}
        files = {"service.py": SERVICE, "perfci.toml": CONFIG, "load/tickets.py": LOCUSTFILE, **workflows}
        slower = SERVICE.replace("WAIT = 0.004", "WAIT = 0.02")
        self.change: Change = a_change(folder / "shop", base=files, edits={"service.py": slower})
        self.remote = self.change.remote()
        self.remote.uploads = folder / "artifacts"
        self.remote.runs = {1: self.change.head}  # every run of act has this number
        self._folder = folder
        copy_action(folder / "perfci" / "perfci")
        shutil.copytree(STAND_IN, folder / "checkout")
        self._environ = {**environ, "XDG_CACHE_HOME": str(folder / "cache"), "XDG_STATE_HOME": str(folder / "state")}

    def run(
        self, api: FakeGitHub, event: str, payload: Mapping[str, Any], *, workflow: str, commit: str
    ) -> tuple[int, str]:
        """Exit code and log of *workflow* on *event*, with *commit* checked out."""
        subprocess.run(
            ["git", "checkout", "--quiet", "--detach", commit], cwd=self.change.folder, check=True, capture_output=True
        )
        file = self._folder / "event.json"
        file.write_text(json.dumps(payload))
        command = ["act", event, "-W", f".github/workflows/{workflow}", "-e", str(file)]
        command += ["-P", "ubuntu-24.04=-self-hosted", "--action-offline-mode", "--no-cache-server"]
        command += ["--artifact-server-path", str(self.remote.uploads), "--artifact-server-addr", "127.0.0.1"]
        command += ["--artifact-server-port", str(free_port()), "-s", f"GITHUB_TOKEN={TOKEN}"]
        command += ["--env", f"GITHUB_API_URL={api.url}", "--env", "GITHUB_SERVER_URL=http://git.localhost:9"]
        command += ["--env", f"GITHUB_REPOSITORY={REPOSITORY}", "--env", f"PERFCI_REPOSITORIES={self._folder}"]
        command += ["--local-repository", f"{ACTION}={self._folder / 'perfci' / 'perfci'}"]
        command += ["--local-repository", f"{CHECKOUT}={self._folder / 'checkout'}"]
        command += ["--local-repository", f"{UPLOAD}={self._environ['PERFCI_UPLOAD_ARTIFACT']}"]
        done = subprocess.run(
            command, cwd=self.change.folder, env=self._environ, check=False, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=900,
        )  # fmt: skip
        (self._folder / f"{event}.log").write_text(done.stdout)
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, act: Mapping[str, str]) -> Runs:
    """A repository with both workflows."""
    return Runs(tmp_path_factory.mktemp("two-jobs"), act)


@pytest.fixture(scope="module")
def measured(runs: Runs) -> Iterator[tuple[int, str, FakeGitHub]]:
    """The pull request's own workflow, once."""
    head = {"sha": runs.change.head, "ref": "feature", "label": "octo:feature", "repo": {"full_name": REPOSITORY}}
    base = {"sha": runs.change.base, "ref": "main", "repo": {"full_name": REPOSITORY}}
    payload = {
        "pull_request": {"number": 7, "head": head, "base": base},
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
    }
    with runs.change.api(runs.remote) as api:
        code, log = runs.run(api, "pull_request", payload, workflow="performance.yml", commit=runs.change.merge)
        yield code, log, api


def test_must_27_two_jobs_on_one_pull_request(runs: Runs, measured: tuple[int, str, FakeGitHub]) -> None:
    """The one that measures is green, the one that judges red, with comment and status of the head commit."""
    code, log, api = measured
    assert code != 0
    assert "Measure" in log
    (comment,) = api.comments
    assert "Regression" in comment.body, log[-6000:]
    (status,) = runs.remote.statuses
    assert (status["sha"], status["state"], status["context"]) == (
        runs.change.head,
        "failure",
        "perfci / tickets:smoke",
    )
    lines = log.splitlines()
    assert [line for line in lines if "Measure" in line and "Job succeeded" in line]
    assert [line for line in lines if "Judge" in line and "Job failed" in line]
    assert TOKEN not in log


def test_must_19_a_fork_is_published_for(runs: Runs, measured: tuple[int, str, FakeGitHub]) -> None:
    """The workflow of the default branch takes the same artifact, and says that nobody should trust its numbers."""
    _, _, first = measured
    first.comments.clear()
    runs.remote.statuses.clear()
    repository = {"full_name": "mallory/shop", "owner": {"login": "mallory"}}
    payload = {
        "workflow_run": {
            "id": 1, "event": "pull_request", "conclusion": "success", "head_sha": runs.change.head,
            "head_branch": "feature", "head_repository": repository,
        },
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
    }  # fmt: skip
    with runs.change.api(runs.remote) as api:
        code, log = runs.run(api, "workflow_run", payload, workflow="forks.yml", commit=runs.change.base)
        assert code != 0
        (comment,) = api.comments
        assert "**Untrusted:**" in comment.body, log[-6000:]
        assert [status["state"] for status in runs.remote.statuses] == ["failure"]
