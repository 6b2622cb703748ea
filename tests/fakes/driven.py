"""A small service that remembers what it was asked for, and rounds of the real Locust against it."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from perfci.model import LoadPlan
from perfci.rig.load.generator import Live, Place
from perfci.rig.load.recording import Recording
from perfci.rig.load.rounds import load_round
from perfci.rig.load.runtime import Runtime
from tests.builders import a_plan
from tests.fakes.toy import echo

PROFILE = """
from locust import FastHttpUser, constant, tag, task


class Visitor(FastHttpUser):
    wait_time = constant(0.02)

    @tag("good")
    @task(3)
    def good(self):
        self.client.get("/good")

    @task
    def broken(self):
        self.client.get("/broken")


class Another(FastHttpUser):
    @task
    def never(self):
        self.client.get("/never")
"""
ONE_SECOND: dict[str, Any] = {
    "users": 2,
    "spawn_rate": 2.0,
    "duration_s": 1.0,
    "warmup_s": 0.5,
    "user_classes": ("Visitor",),
}


class Service(ThreadingHTTPServer):
    """A service that knows when it was asked for what."""

    daemon_threads = True
    request_queue_size = 128  # connections that wait on a busy machine; the five of the library are soon refused

    def __init__(self, *, dies_after: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.dies_after = dies_after
        self.asked: list[tuple[float, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """A WebSocket where one is wanted; 500 for /broken, late for /late/SECONDS, nothing once the service is dead."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Service

    def do_GET(self) -> None:
        if len(self.server.asked) >= self.server.dies_after:
            self.close_connection = True
            return
        if self.headers.get("upgrade") == "websocket":
            echo(self)
            return
        self.server.asked.append((time.time(), self.path))
        if self.path.startswith("/late/"):
            time.sleep(float(self.path.removeprefix("/late/")))
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Quiet."""


@contextlib.contextmanager
def serving(*, dies_after: int = 10**9) -> Iterator[Service]:
    with Service(dies_after=dies_after) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(10)


@dataclass(kw_only=True)
class Driven:
    """A round, and what the service saw of it."""

    recording: Recording
    asked: list[tuple[float, str]]
    lives: list[Live] = field(default_factory=list)


def drive(folder: Path, *, profile: str = PROFILE, environ: dict[str, str] | None = None, **changes: Any) -> Driven:
    """A whole round with *profile*; *changes* are of the plan, and `files`, `watch`, `runtime` and `dies_after`."""
    runtime = changes.pop("runtime", Runtime())
    dies_after = changes.pop("dies_after", 10**9)
    source = folder / "project"
    source.mkdir(parents=True)
    for name, content in {"profile.py": profile, **changes.pop("files", {})}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(content)
    lives: list[Live] = []
    watch = changes.pop("watch", lives.append)
    with serving(dies_after=dies_after) as server:
        recording = load_round(
            plan_of(**changes),
            base_url=server.url,
            place=Place(
                source=source,
                folder=folder / "logs",
                environ={**os.environ, **(environ or {})},
                state=folder / "state",
                watch=watch,
                runtime=runtime,
            ),
        )
        return Driven(recording=recording, asked=list(server.asked), lives=lives)


def plan_of(**changes: Any) -> LoadPlan:
    """A second of load on `profile.py`."""
    return a_plan(**{"locustfile": "profile.py", **ONE_SECOND, **changes})
