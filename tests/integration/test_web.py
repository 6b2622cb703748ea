"""`perfci run --web`: Locust's own page beside the service, for as long as somebody wants it."""

import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from perfci.errors import LoadError
from perfci.rig.host.free_port import free_port
from perfci.rig.load.generator import Place
from perfci.rig.load.page import page
from tests.builders import a_plan
from tests.fakes.shell import shell_in
from tests.integration.test_run import CONFIG, PROFILE


def test_the_page_is_there_until_it_is_interrupted(tmp_path: Path) -> None:
    """On this machine's own address, with the profile's users and the service as its host; Ctrl-C ends all with 0."""
    port = free_port()
    files = {"perfci.toml": CONFIG, "toy.py": PROFILE}
    with (
        shell_in(tmp_path / "project", files, state=tmp_path / "state") as shell,
        shell.start("run", "toy", f"--web={port}") as running,
    ):
        assert running.stdout is not None
        line = running.stdout.readline()
        assert line.startswith(f"Locust's page is at http://127.0.0.1:{port}, the service at http://127.0.0.1:")
        service = line.split("service at ")[1].split(";")[0]
        for address in (f"http://127.0.0.1:{port}/", service):
            with urllib.request.urlopen(address, timeout=60) as answer:
                assert answer.status == 200
                content = answer.read().decode()
            assert service in content or address == service
        assert len(shell.left()) >= 2
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=60)
        assert (running.returncode, out) == (0, "everything that was started is stopped\n")
        assert shell.left() == []
        assert list((tmp_path / "state" / "perfci").iterdir()) == []
        assert not (shell.project / ".perfci").exists()


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    """Nobody is sent to the page of another program."""
    place = Place(source=tmp_path, folder=tmp_path, environ={}, state=tmp_path, watch=lambda _: None)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(LoadError, match=f"port {port} is taken"),
            page(a_plan(), base_url="http://127.0.0.1:1", place=place, port=port),
        ):
            pass
