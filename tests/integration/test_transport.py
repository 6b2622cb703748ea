"""Services that speak TLS under a certificate of their own, and services that speak WebSocket."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfci.model import RoundKind
from tests.fakes.package_index import certify
from tests.fakes.shell import Shell, shell_in
from tests.fakes.toy_project import MEASURED, RUN, endpoints, write

CLIENTS = """
import time

import websocket
from locust import FastHttpUser, HttpUser, User, constant, task


class Slow(HttpUser):
    wait_time = constant(0.02)

    @task
    def one(self):
        self.client.get("/slow")


class Fast(FastHttpUser):
    insecure = False
    wait_time = constant(0.02)

    @task
    def one(self):
        self.client.get("/fast")


class Talker(User):
    wait_time = constant(0.02)

    def on_start(self):
        self.socket = websocket.create_connection(self.host.replace("http", "ws") + "/talk")

    @task
    def says(self):
        began = time.time()
        self.socket.send("hello")
        assert self.socket.recv() == "hello"
        self.environment.events.request.fire(
            request_type="WS",
            name="hello",
            start_time=began,
            response_time=(time.time() - began) * 1e3,
            response_length=5,
            exception=None,
            context={},
        )
"""
TLS = ', "--certificate", "server.pem"'
HTTPS = 'url = "https://127.0.0.1:{port}"'


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A project with a certificate of its own, under an authority that nobody knows."""
    with shell_in(tmp_path / "project", {}, state=tmp_path / "state") as shell:
        certify(shell.project)
        yield shell


def test_every_client_trusts_an_authority_that_the_target_names(shell: Shell, tmp_path: Path) -> None:
    """As perfci does itself: both of Locust's clients and a WebSocket, in turns, in the census and under load."""
    write(
        shell,
        {"toy.py": CLIENTS},
        target=(TLS, HTTPS + '\ntls = { ca = "certificate.pem" }'),
        scenario='user_classes = ["Slow", "Fast", "Talker"]',
    )
    write_users(shell, 3)
    done = shell.perfci(*RUN, "--output", str(tmp_path / "out"))
    assert done.returncode in MEASURED, done.stdout + done.stderr
    assert endpoints(tmp_path / "out") == {kind: {"GET /slow", "GET /fast", "WS hello"} for kind in RoundKind}


def test_without_verification_any_certificate_will_do(shell: Shell, tmp_path: Path) -> None:
    """For services whose authority changes with each start."""
    write(
        shell,
        {"toy.py": CLIENTS},
        target=(TLS, HTTPS + "\ntls = { verify = false }"),
        scenario='user_classes = ["Slow", "Fast"]',
    )
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    done = shell.perfci(*RUN, "--output", str(tmp_path / "out"))
    assert done.returncode in MEASURED, done.stdout + done.stderr
    assert "InsecureRequestWarning" not in done.stderr
    assert endpoints(tmp_path / "out") == {kind: {"GET /slow", "GET /fast"} for kind in RoundKind}


@pytest.mark.parametrize(
    ("tls", "code", "message"),
    [
        ("", 3, "cannot be verified ("),
        ('tls = { ca = "other.pem" }', 3, "there is no file other.pem"),
        ('tls = { ca = "certificate.pem", verify = false }', 2, "verify = false trusts any certificate"),
    ],
)
def test_what_keeps_from_trusting_is_told(shell: Shell, tls: str, code: int, message: str) -> None:
    """With the key that helps."""
    write(shell, {"toy.py": CLIENTS}, target=(TLS, f"{HTTPS}\n{tls}"))
    config = shell.project / "perfci.toml"
    config.write_text(config.read_text().replace("timeout_s = 10", "timeout_s = 4"))
    done = shell.perfci(*RUN, "--census", "off")
    said = " ".join((done.stdout + done.stderr).split())
    assert (done.returncode, message in said) == (code, True), said
    assert "tls" in said


def test_a_websocket_is_ready_when_it_shakes_hands(shell: Shell, tmp_path: Path) -> None:
    """The Locust file finds its address as it stands, and nothing is asked over HTTP that it does not ask."""
    write(
        shell,
        {"toy.py": CLIENTS},
        target=("", 'url = "ws://127.0.0.1:{port}"'),
        scenario='user_classes = ["Talker"]',
    )
    done = shell.perfci(*RUN, "--output", str(tmp_path / "out"))
    assert done.returncode in MEASURED, done.stdout + done.stderr
    assert endpoints(tmp_path / "out") == {kind: {"WS hello"} for kind in RoundKind}


def write_users(shell: Shell, users: int) -> None:
    """Let the scenario have so many users, one of each class."""
    config = shell.project / "perfci.toml"
    config.write_text(config.read_text().replace("users = 2\n", f"users = {users}\n"))
