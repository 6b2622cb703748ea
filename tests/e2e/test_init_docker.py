"""`perfci init` starts a compose project and a Dockerfile that have never heard of perfci, up to a first verdict."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.integration.test_init import SERVICE
from tests.unit.pipeline.conftest import run_git

pytestmark = pytest.mark.e2e

DOCKERFILE = """
FROM python:3.11-slim-bookworm
COPY app.py .
ENV PORT=8080
EXPOSE 8080
CMD ["python3", "app.py"]
"""
COMPOSE = """
services:
  web:
    build: .
    ports: ["8080:8080"]
"""


@pytest.mark.parametrize(
    ("files", "guessed"),
    [
        ({"compose.yaml": COMPOSE}, "the compose project compose.yaml"),
        ({}, "the image of the Dockerfile"),
    ],
    ids=["compose", "Dockerfile"],
)
def test_from_nothing_to_a_verdict(
    files: Mapping[str, str], guessed: str, toolchain: Mapping[str, str], tmp_path: Path
) -> None:
    """What init writes starts on both sides, and the counts of work of the same code are the same."""
    service = SERVICE.replace('"127.0.0.1"', '"0.0.0.0"')  # the port of a container is published from there
    for name, text in {"app.py": service, "Dockerfile": DOCKERFILE, **files}.items():
        (tmp_path / name).write_text(text)
    run_git(tmp_path, "init", "--quiet")
    _commit(tmp_path)
    said = _perfci(tmp_path, toolchain, "init")
    assert guessed in said
    assert "every safe GET of /openapi.json that answers well" in said
    _commit(tmp_path)
    said = _perfci(tmp_path, toolchain, "run", "web:smoke", "--base", "HEAD", "--census", "only")
    assert "both sides on this machine" in said
    assert "REGRESSION" not in said


def _commit(folder: Path) -> None:
    run_git(folder, "add", ".")
    run_git(folder, "commit", "--quiet", "-m", "files")


def _perfci(folder: Path, environ: Mapping[str, str], *arguments: str) -> str:
    """What perfci printed; its exit code is 0."""
    done = subprocess.run(
        [sys.executable, "-m", "perfci", *arguments],
        cwd=folder,
        env=dict(environ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
