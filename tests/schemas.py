"""Writes the JSON Schemas of the stored files from their document types: `python -m tests.schemas`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from perfci.report import overview_json, result_json, trend_json
from perfci.schema.stored import Format
from perfci.store import census_json, history_json, run_json

FOLDER = Path(__file__).parents[1] / "docs" / "schemas"
FORMATS: Mapping[str, Format[Any]] = {
    "run.schema.json": run_json.FORMAT,
    "census.schema.json": census_json.FORMAT,
    "result.schema.json": result_json.FORMAT,
    "history.schema.json": history_json.MARKER,
    "history-row.schema.json": history_json.ROW,
    "history-changes.schema.json": history_json.CHANGES,
    "trend.schema.json": trend_json.FORMAT,
    "overview.schema.json": overview_json.FORMAT,
}


def text(name: str) -> str:
    """The content of the schema file *name*."""
    return json.dumps(FORMATS[name].json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file in FORMATS:
        (FOLDER / file).write_text(text(file), encoding="utf-8")
        print(FOLDER / file)
