"""How a resolved compose file is made to run beside another copy of itself."""

import re
from typing import Any

import pytest

from perfci.errors import TargetError
from perfci.rig.host import docker
from perfci.rig.target import compose, stack


def _isolated(config: dict[str, Any], *, build: bool = True, service: str = "web") -> dict[str, Any]:
    return stack.isolate(config, project="perfci-x", service=service, port=80, tag="base-1", build=build)


def test_fixed_names_and_ports_are_gone() -> None:
    """What a second copy would stumble over is removed; what is external stays as it is."""
    config = {
        "name": "fixed",
        "services": {
            "web": {"image": "a", "container_name": "c", "ports": [{"target": 80, "published": "80"}]},
            "db": {"image": "b", "ports": [{"target": 5432, "published": "5432"}]},
        },
        "networks": {"default": {"name": "n"}, "theirs": {"name": "t", "external": True}, "empty": None},
        "volumes": {"data": {"name": "v", "driver": "local"}},
        "secrets": {"s": {"file": "/f"}},
    }
    assert _isolated(config) == {
        "name": "perfci-x",
        "services": {
            "web": {"image": "a", "ports": [{"target": 80, "host_ip": "127.0.0.1", "protocol": "tcp"}]},
            "db": {"image": "b"},
        },
        "networks": {"default": {}, "theirs": {"name": "t", "external": True}, "empty": {}},
        "volumes": {"data": {"driver": "local"}},
        "secrets": {"s": {"file": "/f"}},
    }
    assert config["name"] == "fixed"


def test_built_images_carry_the_side() -> None:
    """An image that is built here gets a tag of its side, for every service that uses it."""
    config = {"services": {"web": {"build": {}, "image": "app"}, "worker": {"image": "app"}, "jobs": {"build": {}}}}
    services = _isolated(config)["services"]
    assert services["web"]["image"] == services["worker"]["image"] == "perfci-base-1-web"
    assert services["jobs"]["image"] == "perfci-base-1-jobs"
    assert "build" not in services["worker"]


def test_images_that_were_built_before_keep_their_names() -> None:
    """With build = false nothing is built, and nothing renamed."""
    services = _isolated({"services": {"web": {"build": {}, "image": "app"}}}, build=False)["services"]
    assert services["web"]["image"] == "app"
    assert "build" not in services["web"]


def test_images_that_were_built_before_need_names() -> None:
    """With build = false an image without a name cannot be found."""
    with pytest.raises(TargetError, match="no image name to be found by: web"):
        _isolated({"services": {"web": {"build": {}}}}, build=False)


def test_unknown_service_lists_the_known() -> None:
    """The message has the choices."""
    with pytest.raises(TargetError, match="no service 'api'; it has db, web"):
        _isolated({"services": {"web": {"image": "a"}, "db": {"image": "b"}}}, service="api")


def test_host_network_is_refused() -> None:
    """A service on the host's network would answer at the same port on both sides."""
    with pytest.raises(TargetError, match="network_mode 'host'"):
        _isolated({"services": {"web": {"image": "a", "network_mode": "host"}}})


@pytest.mark.parametrize("label", ["base-1", "Base 1/x", "é", "a" * 200, "-", "run_7"])
def test_project_names_are_valid_and_ours(label: str) -> None:
    """Any label gives a name that compose takes and that the sweep knows as perfci's."""
    assert re.fullmatch(docker.PROJECT_PATTERN, stack.project_name(label))


def test_different_labels_have_different_projects() -> None:
    """Labels that differ only in what a name cannot hold stay apart."""
    labels = ["a b", "a-b", "A-b", "a/b", "a" * 60, "a" * 61]
    assert len({stack.project_name(label) for label in labels}) == len(labels)


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ({}, ""),
        ({"NanoCpus": 1_500_000_000, "Memory": 536_870_912, "CpuQuota": 0, "CpusetCpus": ""}, " (1.5 cores, 512 MB)"),
        ({"CpuQuota": 50_000, "CpuPeriod": 0}, " (0.5 cores)"),
        ({"CpuQuota": -1, "CpusetCpus": "0,2"}, " (cores 0,2)"),
    ],
)
def test_limits_of_a_container_are_told(host: dict[str, Any], told: str) -> None:
    """As the engine knows them, in whichever way they were given."""
    assert compose.limits_of({"HostConfig": host}) == told
