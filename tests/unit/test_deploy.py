"""What is in `deploy/` fits the command line, the image, and what an orchestrator demands."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from perfci.cli.worker import command

ROOT = Path(__file__).parents[2]
VARIABLES = {str(parameter.envvar) for parameter in command.params if parameter.envvar}
NEEDED = {"PERFCI_PROFILE", "PERFCI_MASTER"}


def _yaml(name: str) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load((ROOT / "deploy" / name).read_text())
    return loaded


def _dockerfile() -> str:
    return (ROOT / "deploy/Dockerfile").read_text()


def test_compose_starts_workers() -> None:
    """Each variable is one that the command reads, what it needs is demanded, and the project is where it looks."""
    worker = _yaml("compose.yaml")["services"]["worker"]
    assert worker["command"] == "worker"
    assert set(worker["environment"]) <= VARIABLES
    assert {name for name, value in worker["environment"].items() if ":?" in value} == NEEDED
    assert (ROOT / "deploy" / worker["build"]["context"] / worker["build"]["dockerfile"]).is_file()
    assert worker["volumes"][0].endswith(":/project:ro")
    assert "WORKDIR /project" in _dockerfile()


def test_kubernetes_starts_workers() -> None:
    """A Deployment whose selector finds its own pods, which may do nothing but work, write to /tmp and end in time."""
    deployment = _yaml("kubernetes.yaml")
    assert (deployment["apiVersion"], deployment["kind"]) == ("apps/v1", "Deployment")
    spec = deployment["spec"]["template"]["spec"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert spec["topologySpreadConstraints"][0]["labelSelector"] == deployment["spec"]["selector"]
    (container,) = spec["containers"]
    assert container["args"] == ["worker"]
    assert NEEDED <= {one["name"] for one in container["env"]} <= VARIABLES
    assert all(isinstance(one["value"], str) for one in container["env"])
    assert f"USER {spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}" in _dockerfile()
    assert container["securityContext"]["readOnlyRootFilesystem"]
    (mount,) = container["volumeMounts"]
    assert "XDG_STATE_HOME=" + mount["mountPath"] + "/" in _dockerfile()
    assert spec["volumes"] == [{"name": mount["name"], "emptyDir": {}}]
    assert "cpu" not in container["resources"]["limits"]


def test_the_image_gets_what_it_copies() -> None:
    """The ignore file lets in each path that the Dockerfile copies, and each of them exists."""
    sources = [path for line in re.findall(r"^COPY (.+) \S+$", _dockerfile(), re.MULTILINE) for path in line.split()]
    let_in = re.findall(r"^!(.+)$", (ROOT / "deploy/Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert sorted(sources) == sorted(let_in)
    assert all((ROOT / path).exists() for path in sources)
