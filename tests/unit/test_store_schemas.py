"""The published JSON Schemas: they are those of the code, and accept what perfci writes and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from perfci import store
from perfci.judge.census.accept import to_commit
from perfci.judge.policy import DEFAULT
from perfci.judge.readiness import readiness_of
from perfci.model import Slo
from perfci.report import overview_json, render, trend_json
from perfci.store import history, history_json
from tests.builders import a_counted_run
from tests.golden.outcomes import OUTCOMES
from tests.schemas import FOLDER, FORMATS, text
from tests.unit.report.test_assessment import measured, outcome_of
from tests.unit.report.test_trend import a_trend
from tests.unit.test_store_files import STORED
from tests.unit.test_store_formats import a_full_run
from tests.unit.test_store_history import a_full_row, some_changes

ROOT = Path(__file__).parents[2]


def problems(schema: str, content: object) -> list[str]:
    """What the published *schema* finds wrong with *content*."""
    validator = Draft202012Validator(json.loads((FOLDER / schema).read_text()))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(content)]


@pytest.mark.parametrize("name", FORMATS)
def test_schemas_are_those_of_the_code(name: str) -> None:
    """A change of a format is a change of its published schema, which its reviewers see."""
    assert (FOLDER / name).read_text() == text(name), "write them anew: python -m tests.schemas"
    Draft202012Validator.check_schema(json.loads(text(name)))


def test_every_published_schema_has_a_format() -> None:
    """Nothing old lies around."""
    assert {path.name for path in FOLDER.iterdir()} == set(FORMATS)


def _schema_of(file: Path) -> str:
    if file.name == store.CENSUS:
        return "census.schema.json"
    if file.name == history.MARKER_FILE:
        return "history.schema.json"
    if file.name == "changes.json":
        return "history-changes.schema.json"
    return "result.schema.json" if file.name == "result.json" else "run.schema.json"


FILES = [*sorted((ROOT / "baselines").glob("*/*.json")), *sorted((STORED / "schema-1").glob("*/*.json"))]
FILES += sorted((STORED / "history-1").rglob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_stored_files_are_valid(file: Path) -> None:
    """Those that are committed as a baseline, and those that are kept as they were written once."""
    assert problems(_schema_of(file), json.loads(file.read_text())) == []


def _run(folder: Path) -> Any:
    store.save(a_full_run(), folder / "run.json")
    return json.loads((folder / "run.json").read_text())


def _census(folder: Path) -> Any:
    committed = to_commit(a_counted_run(), DEFAULT)
    assert committed is not None
    store.save_census(committed, folder / "census.json")
    return json.loads((folder / "census.json").read_text())


def _result(_: Path) -> Any:
    return json.loads(render("json", OUTCOMES["work"]()))


def _changes(_: Path) -> Any:
    return history_json.CHANGES.fields(history_json.ChangesDocument.from_model(some_changes()))


def _trend(_: Path) -> Any:
    return json.loads(trend_json.document([a_trend()]))


def _overview(_: Path) -> Any:
    outcomes = {"shop:slow": outcome_of(measured(700.0), Slo(metric="p95", limit=100.0))}
    return json.loads(overview_json.document(outcomes, {"shop": readiness_of(outcomes)}))


def _row(_: Path) -> Any:
    return history_json.ROW.fields(history_json.RowDocument.from_model(a_full_row()))


WRITTEN = pytest.mark.parametrize(
    ("schema", "write"),
    [
        ("run.schema.json", _run),
        ("census.schema.json", _census),
        ("result.schema.json", _result),
        ("history-row.schema.json", _row),
        ("history-changes.schema.json", _changes),
        ("trend.schema.json", _trend),
        ("overview.schema.json", _overview),
    ],
    ids=["run", "census", "result", "row", "changes", "trend", "overview"],
)


@WRITTEN
def test_written_files_are_valid(tmp_path: Path, schema: str, write: Callable[[Path], Any]) -> None:
    """Whatever perfci writes today, with each of its fields."""
    assert problems(schema, write(tmp_path)) == []


REQUIRED = ("profile", "verdict", "commit", "lines", "scenarios")
"""Of each format one key."""


@WRITTEN
@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.update(comment="a calm day"),
        lambda content: content.pop(
            next(key for key in ("profile", "verdict", "commit", "lines", "scenarios") if key in content)
        ),
        lambda content: content.update({next(key for key in content if key.startswith("schema")): 99}),
        lambda content: content.update(perfci=1),
    ],
    ids=["unknown-key", "missing-key", "other-number", "no-version"],
)
def test_other_files_are_not(
    tmp_path: Path, schema: str, write: Callable[[Path], Any], spoil: Callable[[Any], object]
) -> None:
    """An unknown or a missing key, another schema number, a version that is none."""
    content = write(tmp_path)
    spoil(content)
    assert len(problems(schema, content)) == 1
