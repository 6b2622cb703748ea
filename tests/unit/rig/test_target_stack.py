"""How a resolved compose file is made to run beside another copy of itself."""

import re
from typing import Any

import pytest

from perfci.rig.host import docker
from perfci.rig.target import compose, stack


@pytest.mark.parametrize("label", ["base-1", "Base 1/x", "é", "a" * 200, "-", "run_7"])
def test_must_28_project_names_are_valid_and_ours(label: str) -> None:
    """Any label gives a name that compose takes and that the sweep knows as perfci's."""
    assert re.fullmatch(docker.PROJECT_PATTERN, stack.project_name(label))


def test_different_labels_have_different_projects() -> None:
    """Labels that differ only in what a name cannot hold stay apart."""
    labels = ["a b", "a-b", "A-b", "a/b", "a" * 60, "a" * 61]
    assert len({stack.project_name(label) for label in labels}) == len(labels)


@pytest.mark.parametrize(
    ("host", "limits"),
    [
        ({}, ""),
        ({"NanoCpus": 1_500_000_000, "Memory": 536_870_912, "CpuQuota": 0, "CpusetCpus": ""}, " (1.5 cores, 512 MB)"),
        ({"CpuQuota": 50_000, "CpuPeriod": 0}, " (0.5 cores)"),
        ({"CpuQuota": -1, "CpusetCpus": "0,2"}, " (cores 0,2)"),
    ],
)
def test_limits_of_a_container_are_told(host: dict[str, Any], limits: str) -> None:
    """As the engine knows them, in whichever way they were given."""
    assert compose.limits_of({"HostConfig": host}) == limits


SERVICE = "com.docker.compose.service"


def _container(name: str, **state: Any) -> dict[str, Any]:
    return {"Config": {"Labels": {SERVICE: name}}, "State": {"Status": "running", "ExitCode": 0, **state}}


@pytest.mark.kind("B")
@pytest.mark.parametrize(
    ("containers", "condition", "service"),
    [
        ([_container("init", Status="exited"), _container("api", Status="created")], "service_started", "init"),
        ([_container("init", Status="exited"), _container("api", Status="created")], None, ""),
        ([_container("init", Status="exited"), _container("api", Status="exited", ExitCode=3)], None, "api"),
        (
            [_container("init", Status="exited"), _container("api", Health={"Status": "unhealthy", "Log": None})],
            "service_started",
            "api",
        ),
        ([_container("api")], None, ""),
    ],
    ids=["not-awaited", "awaited", "awaited-and-failed", "failed-before-ended-well", "running"],
)
def test_a_one_shot_service_that_others_wait_for_is_not_the_cause(
    containers: list[dict[str, Any]], condition: str | None, service: str
) -> None:
    """Where it did what it should, what failed is named, or what compose itself said."""
    services = {
        "init": {},
        "api": {"depends_on": {"init": {"condition": condition or "service_completed_successfully"}}},
    }
    found = stack.first_problem(containers, services, 30)
    assert (found.service if found else "") == service


@pytest.mark.kind("B")
def test_a_service_that_ends_again_and_again_is_named() -> None:
    """With its exit code: the engine restarts it, so that it is never seen dead for long."""
    looping = {**_container("api", Status="restarting", ExitCode=3), "RestartCount": 8}
    once = {**_container("db"), "RestartCount": 1}
    assert compose.restarted([looping, once]) == (
        "service 'api' ended with exit code 3, and the engine restarted it 8 times; "
    )
    assert compose.restarted([once]) == ""
