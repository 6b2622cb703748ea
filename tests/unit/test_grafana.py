"""The dashboards and provisioning files fit the formats that Grafana publishes; Grafana itself is not run here.

The classic dashboard model and its limits are those of Grafana's documentation ("Dashboard JSON model") and of its
schema of dashboards; provisioning is that of "Provision Grafana". Only what these files use is allowed: a misspelt key,
which Grafana would pass over in silence, is a failure.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy/monitoring/grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
UID = r"^[a-zA-Z0-9_-]{8,40}$"
RELATIVE = r"^now(-\d+[smhdwMy])?(/[smhdwMy])?$"
UNITS = ("short", "percentunit", "s", "bytes", "ops", "reqps", "none", "ms", "decbytes", "cps")
FROM_SCHEMA_VERSION, TO_SCHEMA_VERSION = 36, 39
"""36 is the first with references to data sources by uid; 39 is that of Grafana 11.3, which compose.yaml names."""


def _table(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object that has the *required* keys, perhaps the *optional* ones, and no others."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


TEXT = {"type": "string", "minLength": 1}
SOURCE = _table({"type": {"const": "prometheus"}, "uid": {"type": "string", "minLength": 1, "maxLength": 40}})
TARGET = _table(
    {"refId": {"type": "string", "pattern": "^[A-Z]$"}, "expr": TEXT, "legendFormat": TEXT}, {"datasource": SOURCE}
)
GRID = _table(
    {
        "x": {"type": "integer", "minimum": 0, "exclusiveMaximum": 24},
        "y": {"type": "integer", "minimum": 0},
        "w": {"type": "integer", "exclusiveMinimum": 0, "maximum": 24},
        "h": {"type": "integer", "exclusiveMinimum": 0},
    }
)
DEFAULTS = _table({"unit": {"enum": list(UNITS)}}, {"min": {"type": "number"}, "max": {"type": "number"}})
PANEL = _table(
    {
        "id": {"type": "integer", "minimum": 1},
        "type": {"enum": ["timeseries", "stat", "gauge", "table"]},
        "title": TEXT,
        "gridPos": GRID,
        "datasource": SOURCE,
        "fieldConfig": _table({"defaults": DEFAULTS, "overrides": {"type": "array", "maxItems": 0}}),
        "targets": {"type": "array", "items": TARGET, "minItems": 1},
    },
    {"description": TEXT},
)
DASHBOARD = _table(
    {
        "uid": {"type": "string", "pattern": UID},
        "title": TEXT,
        "schemaVersion": {"type": "integer", "minimum": FROM_SCHEMA_VERSION, "maximum": TO_SCHEMA_VERSION},
        "version": {"type": "integer", "minimum": 0},
        "editable": {"type": "boolean"},
        "refresh": {"type": "string", "pattern": r"^\d+[smh]$"},
        "time": _table(
            {"from": {"type": "string", "pattern": RELATIVE}, "to": {"type": "string", "pattern": RELATIVE}}
        ),
        "timezone": {"enum": ["utc", "browser"]},
        "tags": {"type": "array", "items": TEXT},
        "panels": {"type": "array", "items": PANEL, "minItems": 1},
    }
)
PROVIDERS = _table(
    {
        "apiVersion": {"const": 1},
        "providers": {
            "type": "array",
            "minItems": 1,
            "items": _table(
                {
                    "name": TEXT,
                    "type": {"const": "file"},
                    "options": _table({"path": {"type": "string", "pattern": "^/"}}),
                },
                {
                    "orgId": {"type": "integer"},
                    "folder": {"type": "string"},
                    "folderUid": {"type": "string"},
                    "disableDeletion": {"type": "boolean"},
                    "updateIntervalSeconds": {"type": "integer", "minimum": 1},
                    "allowUiUpdates": {"type": "boolean"},
                },
            ),
        },
    }
)
SOURCES = _table(
    {
        "apiVersion": {"const": 1},
        "datasources": {
            "type": "array",
            "minItems": 1,
            "items": _table(
                {
                    "name": TEXT,
                    "uid": {"type": "string", "pattern": UID},
                    "type": {"const": "prometheus"},
                    "access": {"enum": ["proxy", "direct"]},
                    "url": {"type": "string", "pattern": "^https?://"},
                },
                {
                    "isDefault": {"type": "boolean"},
                    "editable": {"type": "boolean"},
                    "jsonData": _table({}, {"timeInterval": {"type": "string", "pattern": r"^\d+s$"}}),
                },
            ),
        },
    }
)


def _problems(schema: dict[str, Any], content: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(content)]


def _provisioned(name: str) -> Any:
    return yaml.safe_load((GRAFANA / "provisioning" / name).read_text())


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: str(file.stem))
def test_a_dashboard_is_of_the_published_model(file: Path) -> None:
    """Every key is one of the model, every value one that it allows."""
    assert _problems(DASHBOARD, json.loads(file.read_text())) == []


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: str(file.stem))
def test_variables_of_a_query_are_those_that_grafana_fills_in(file: Path) -> None:
    """A dashboard without variables of its own has the built-in ones alone; legends name labels that a sum has left."""
    for panel in json.loads(file.read_text())["panels"]:
        for target in panel["targets"]:
            assert set(re.findall(r"\$\w+", target["expr"])) <= {"$__rate_interval", "$__interval", "$__range"}
            left = re.findall(r"\bby \(([^)]*)\)", target["expr"])
            labels = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert not left or labels <= set(re.split(r",\s*", left[0])), panel["title"]


@pytest.mark.parametrize(
    ("name", "schema"), [("dashboards/demo.yml", PROVIDERS), ("datasources/prometheus.yml", SOURCES)]
)
def test_provisioning_is_of_the_published_format(name: str, schema: dict[str, Any]) -> None:
    """Version 1, with the keys that Grafana reads."""
    assert _problems(schema, _provisioned(name)) == []


def test_what_is_provisioned_is_where_grafana_looks() -> None:
    """Compose mounts both folders where the image reads them, and the provider names the one of the dashboards."""
    volumes = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["grafana"]["volumes"]
    mounts = {volume.split(":")[1]: ROOT / volume.split(":")[0] for volume in volumes}
    assert mounts["/etc/grafana/provisioning"].resolve() == GRAFANA / "provisioning"
    (provider,) = _provisioned("dashboards/demo.yml")["providers"]
    assert mounts[provider["options"]["path"]].resolve() == GRAFANA / "dashboards"


def test_every_panel_asks_the_one_source() -> None:
    """By its uid, which no other source has; uids of dashboards and numbers of panels are unique, too."""
    (source,) = _provisioned("datasources/prometheus.yml")["datasources"]
    contents = [json.loads(file.read_text()) for file in DASHBOARDS]
    assert len({content["uid"] for content in contents}) == len(contents) > 1
    for content in contents:
        assert {panel["datasource"]["uid"] for panel in content["panels"]} == {source["uid"]}
        assert len({panel["id"] for panel in content["panels"]}) == len(content["panels"])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.update(schemaversion=39),
        lambda content: content.update(uid="short"),
        lambda content: content["panels"][0].update(dataSource={}),
        lambda content: content["panels"][0]["gridPos"].update(w=25),
        lambda content: content["panels"][0]["targets"][0].pop("expr"),
    ],
    ids=["key", "uid", "panel", "grid", "target"],
)
def test_what_grafana_would_not_take_is_found(spoil: Any) -> None:
    """The check can fail."""
    content = json.loads(DASHBOARDS[0].read_text())
    spoil(content)
    assert len(_problems(DASHBOARD, content)) == 1
