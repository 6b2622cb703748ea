"""What `perfci doctor` looks at, and what it says is missing."""

from dataclasses import replace
from pathlib import Path

import pytest

from perfci.errors import ExitCode
from perfci.pipeline.doctor import Check, examine
from perfci.pipeline.ports import Ports
from tests.unit.pipeline.conftest import CONFIG, run_git


def _checks(ports: Ports, environment: str | None = None) -> dict[str, Check]:
    return {check.what: check for check in examine(ports, "perfci.toml", environment)}


def _without_docker(ports: Ports) -> Ports:
    return replace(ports, environ={**ports.environ, "PATH": "/nowhere"})


def test_a_project_that_is_ready(ports: Ports, project: Path) -> None:
    """The configuration is told in one line, with every scenario; the commit is that of the checkout."""
    (project / "perfci.toml").write_text(CONFIG + "[profiles.tickets.scenarios.soak]\n")
    checks = _checks(ports)
    assert list(checks) == ["Python", "machine", "git", "configuration", "Docker Compose"]
    found = "perfci.toml, a command target, 2 scenarios: tickets:smoke, tickets:soak"
    assert checks["configuration"] == Check(what="configuration", ok=True, needed=True, found=found)
    assert checks["git"].found == run_git(project, "rev-parse", "HEAD")[:12]
    assert not checks["Docker Compose"].needed


def test_what_is_not_needed_may_be_absent(ports: Ports) -> None:
    """Without git and Docker, a command target is measured against a baseline."""
    checks = _checks(_without_docker(ports))
    assert all(check.ok or not check.needed for check in checks.values())
    assert not checks["Docker Compose"].ok
    assert checks["git"].found == "no commit here"


def test_what_the_configuration_asks_for_is_needed(ports: Ports, project: Path) -> None:
    """A compose target without Docker cannot be measured."""
    target = '[environments.ci.target]\nkind = "compose"\nservice = "api"\nport = 8000\n'
    (project / "perfci.toml").write_text(CONFIG + target)
    check = _checks(_without_docker(ports), "ci")["Docker Compose"]
    assert (check.ok, check.needed) == (False, True)
    assert "docker" in check.found.lower()


def test_a_configuration_that_cannot_be_used_is_missing(ports: Ports, project: Path) -> None:
    """In one line, with the next step; the other checks are made all the same."""
    (project / "perfci.toml").unlink()
    check = _checks(ports)["configuration"]
    assert (check.ok, check.needed) == (False, True)
    assert "there is no" in check.found
    assert "--config" in check.found
    assert "\n" not in check.found
    (project / "perfci.toml").write_text(CONFIG)
    (project / "tickets.py").unlink()
    assert "tickets.py cannot be read" in _checks(ports)["configuration"].found


def test_every_reason_is_told(ports: Ports, project: Path) -> None:
    """As `run` tells them, and with its exit code: the file is wrong, not the machine."""
    (project / "perfci.toml").write_text("agianst = 1\n" + CONFIG.replace("locustfile", "locust_file"))
    check = _checks(ports)["configuration"]
    assert "agianst: unknown key" in check.found
    assert "locust_file: unknown key" in check.found
    assert check.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ('[[gate.slo]]\nmetric = "latency"\nlimit = 15\n', "unknown metrics: latency (known: service_time"),
        ("[gate.budget.ref.duet]\nservice_time = { change = 0.2, margin = 0.1 }\n", "a margin of 0.1 is narrower"),
        ('baselines = "../elsewhere"\n', "baselines folder"),
    ],
    ids=["metric", "margin", "baselines"],
)
def test_the_policy_is_checked_too(ports: Ports, project: Path, wrong: str, found: str) -> None:
    """What `run` would refuse about budgets, limits and stored runs is said by `doctor`, with the same exit code."""
    (project / "perfci.toml").write_text(CONFIG + wrong if wrong.startswith("[") else wrong + CONFIG)
    check = _checks(ports)["configuration"]
    assert not check.ok
    assert found in check.found
    assert check.exit_code is ExitCode.USAGE


def test_an_unknown_environment_lists_the_known(ports: Ports) -> None:
    """As everywhere."""
    assert _checks(ports, "ci")["configuration"].found == "no environment 'ci' (the file has none)"


def test_a_service_elsewhere_takes_the_place_of_the_target(ports: Ports) -> None:
    """By its address; a host that is neither this machine nor allowed is refused."""
    (check,) = [each for each in examine(ports, "perfci.toml", None, "http://127.0.0.1:1") if each.needed][-1:]
    assert check.found.startswith("perfci.toml, an external target")
    refused = {each.what: each for each in examine(ports, "perfci.toml", None, "https://example.com")}["configuration"]
    assert (refused.ok, refused.exit_code) == (False, ExitCode.USAGE)
    assert "example.com is not this machine" in refused.found
