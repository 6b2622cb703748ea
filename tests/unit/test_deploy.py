"""What is in `deploy/` fits the command line, the image, and what an orchestrator demands."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from perfci.cli.worker import command

ROOT = Path(__file__).parents[2]
VARIABLES = {str(parameter.envvar) for parameter in command.params if parameter.envvar}
DASHBOARDS = sorted((ROOT / "deploy/monitoring/grafana/dashboards").glob("*.json"))
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
    assert NEEDED <= {variable["name"] for variable in container["env"]} <= VARIABLES
    assert all(isinstance(variable["value"], str) for variable in container["env"])
    assert f"USER {spec['securityContext']['runAsUser']}:{spec['securityContext']['runAsGroup']}" in _dockerfile()
    assert container["securityContext"]["readOnlyRootFilesystem"]
    (mount,) = container["volumeMounts"]
    assert "XDG_STATE_HOME=" + mount["mountPath"] + "/" in _dockerfile()
    assert spec["volumes"] == [{"name": mount["name"], "emptyDir": {}}]
    assert "cpu" not in container["resources"]["limits"]


@pytest.mark.parametrize("image", ["deploy", "deploy/monitoring"])
def test_the_image_gets_what_it_copies(image: str) -> None:
    """The ignore file lets in each path that the Dockerfile copies, and each of them exists."""
    text = (ROOT / image / "Dockerfile").read_text()
    copied = [path for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE) for path in line.split()]
    sources = {path.rstrip("/") for path in copied}
    let_in = re.findall(r"^!(.+)$", (ROOT / image / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert sorted(path for path in sources if not any(path.startswith(f"{other}/") for other in sources)) == sorted(
        let_in
    )
    assert all((ROOT / path).exists() for path in sources)


def test_the_image_of_the_profiles_has_what_the_extra_has() -> None:
    """One list of packages, in two files."""
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["load-testing"]
    lines = (ROOT / "deploy/monitoring/requirements.txt").read_text().splitlines()
    needed = {line.split("#")[0].strip() for line in lines} - {""}
    own = {name for name in needed if name.startswith("prometheus-client")}  # perfci itself needs it
    assert needed - own == set(extra)


def test_the_monitoring_services_start_on_demand_alone() -> None:
    """Without the profile there is the demo and nothing else; with it all of it, on this machine alone."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    watched = {name for name, service in services.items() if service.get("profiles") == ["monitoring"]}
    assert watched == {"locust-master", "locust-worker", "seed", "prometheus", "grafana"}
    assert set(services) - watched == {"api", "db", "cache"}
    assert services["locust-worker"]["deploy"]["replicas"] == 2
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert {port.rpartition(":")[2] for port in ports} == {"8000", "8089", "9090", "3000"}
    mounted = [volume.split(":")[0] for name in watched for volume in services[name].get("volumes", [])]
    assert all((ROOT / path).exists() for path in mounted)


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: str(path.stem))
def test_a_dashboard_asks_the_provisioned_source(dashboard: Path) -> None:
    """Each panel has its own number and place, a unit, and questions for the one source that Grafana is given."""
    (source,) = _yaml("monitoring/grafana/provisioning/datasources/prometheus.yml")["datasources"]
    content = json.loads(dashboard.read_text())
    panels = content["panels"]
    assert content["uid"] == f"demo-{dashboard.stem}"
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert {panel["datasource"]["uid"] for panel in panels} == {source["uid"]}
    assert all(panel["targets"] and panel["fieldConfig"]["defaults"]["unit"] for panel in panels)
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(places) == len(set(places))
    assert all(x < 24 for x, _ in places)
