"""
Whole jobs need Docker, Compose, act and base images; databases psql and redis-cli; reports a browser, axe, Prometheus.

A test without what it needs skips and says why, or fails where CI says so.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
IMAGES = ("python:3.11-slim-bookworm", "postgres:16", "redis:7")


@pytest.fixture(scope="session")
def toolchain() -> Mapping[str, str]:
    """The environment in which docker, act and the stand-in for upload-artifact are found."""
    environ = {**os.environ, **_tools()}
    needed = [["docker", "info"], ["docker", "compose", "version"], ["act", "--version"]]
    needed += [["docker", "image", "inspect", image] for image in IMAGES]
    for command in needed:
        if problem := _fails(command, environ):
            _absent(problem)
    if "PERFCI_UPLOAD_ARTIFACT" not in environ:
        _absent("tests/e2e/toolchain/install has not been run")
    return environ


@pytest.fixture(scope="session")
def database_clients(toolchain: object) -> None:
    """Docker, and the clients on PATH that the census asks databases with by their address."""
    for client in ("psql", "redis-cli"):
        if problem := _fails([client, "--version"], os.environ):
            _absent(problem)


@pytest.fixture(scope="session")
def act() -> Mapping[str, str]:
    """The environment in which act and the stand-in for upload-artifact are found, for jobs without Docker."""
    environ = {**os.environ, **_tools()}
    if problem := _fails(["act", "--version"], environ):
        _absent(problem)
    if "PERFCI_UPLOAD_ARTIFACT" not in environ:
        _absent("tests/e2e/toolchain/install has not been run")
    return environ


@pytest.fixture(scope="session")
def actionlint() -> Path:
    """The program, from PATH or from the tool chain. It needs no Docker."""
    found = shutil.which("actionlint", path={**os.environ, **_tools()}["PATH"])
    if found is None:
        _absent("there is no actionlint")
    return Path(str(found))


@pytest.fixture(scope="session")
def prometheus() -> Mapping[str, str]:
    """The environment in which prometheus and promtool are found."""
    environ = {**os.environ, **_tools()}
    for name in ("prometheus", "promtool"):
        if problem := _fails([name, "--version"], environ):
            _absent(problem)
    return environ


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe, to be run in a page."""
    file = {**os.environ, **_tools()}.get("PERFCI_AXE", "")
    if not file:
        _absent("there is no axe")
    return Path(file).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Chromium."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium")
    if found is None:
        _absent("there is no chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


def _tools() -> dict[str, str]:
    """What `toolchain/install` wrote for its callers, where it was run."""
    cache = Path(os.environ.get("PERFCI_CACHE") or Path.home() / ".cache" / "perfci")
    file = cache / "toolchain" / "env"
    if not file.exists():
        return {}
    shown = subprocess.run(
        ["bash", "-c", 'source "$1" && env -0', "-", str(file)], check=True, capture_output=True, text=True, timeout=30
    )
    variables = dict(line.partition("=")[::2] for line in shown.stdout.split("\0") if line)
    return {name: variables[name] for name in ("PATH", "PERFCI_UPLOAD_ARTIFACT", "PERFCI_AXE") if name in variables}


def _fails(command: list[str], environ: Mapping[str, str]) -> str:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=60, env=dict(environ))
    except (OSError, subprocess.SubprocessError) as error:
        return f"`{' '.join(command)}` fails: {error}"
    return ""


def _absent(problem: str) -> None:
    if os.environ.get("PERFCI_REQUIRE_E2E") == "1":
        pytest.fail(f"PERFCI_REQUIRE_E2E=1, but {problem}")
    pytest.skip(f"{problem}; tests/e2e/toolchain/README.md says how to have it")
