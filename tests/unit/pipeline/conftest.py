"""A project in a repository of its own, and the outside world of a use case."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from perfci.cli.progress import Silent
from perfci.pipeline import understand
from perfci.pipeline.ports import Ports
from perfci.pipeline.request import Request
from perfci.pipeline.understand import Task

Understand = Callable[[Request, Ports], Task]
Commit = Callable[[str], str]

CONFIG = """
[target]
kind = "command"
command = ["{python}", "-m", "service", "--port", "{port}"]

[profiles.tickets]
locustfile = "tickets.py"
[profiles.tickets.scenarios.smoke]
"""


def run_git(folder: Path, *arguments: str) -> str:
    """git in *folder*, as somebody."""
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.test")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True, timeout=30
    )
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a configuration and a locustfile, in one commit."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "perfci.toml").write_text(CONFIG)
    (folder / "tickets.py").write_text("")
    run_git(folder, "init", "-q", "-b", "main")
    run_git(folder, "add", ".")
    run_git(folder, "commit", "-q", "-m", "one")
    return folder


@pytest.fixture
def commit(project: Path) -> Callable[[str], str]:
    """Commits a new content of perfci.toml and returns the commit."""

    def committed(content: str) -> str:
        (project / "perfci.toml").write_text(content)
        run_git(project, "commit", "-q", "-a", "-m", "change")
        return run_git(project, "rev-parse", "HEAD")

    return committed


@pytest.fixture
def ports(project: Path, tmp_path: Path) -> Ports:
    """A quiet outside world on a laptop."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "PERFCI_"))}
    return Ports(
        environ=environ,
        now=lambda: datetime(2026, 11, 21, 10, 15, tzinfo=UTC),
        root=project,
        work=project / ".perfci" / "runs",
        state=tmp_path / "state",
        progress=Silent(),
    )


def with_environ(ports: Ports, **environ: str) -> Ports:
    """The same outside world with more variables."""
    return replace(ports, environ={**ports.environ, **environ})


@pytest.fixture
def understood() -> Iterator[Understand]:
    """Understands a request; what is checked out for it stays until the end of the test."""
    with contextlib.ExitStack() as stack:
        yield lambda request, ports: understand.understand(request, ports, stack)
