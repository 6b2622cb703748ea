"""
Files that were written once are read for ever, with the verdict that they had.

Each folder `tests/data/stored/schema-N` holds files of one real job, as perfci wrote them with schema number N, except
that the machine has another name. They are never written anew: what a change of a format does to them, it does to
the files that users have committed.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from perfci import store
from perfci.model import RoundKind, Side, Verdict
from perfci.pipeline.compare import compare
from perfci.report import result_json
from perfci.store.files import write_atomically
from tests.schemas import FORMATS

ROOT = Path(__file__).parents[2]
STORED = ROOT / "tests" / "data" / "stored"
NUMBERS = sorted(STORED.glob("schema-*"))

by_number = pytest.mark.parametrize("folder", NUMBERS, ids=lambda folder: folder.name)


@by_number
def test_a_run_of_both_sides_is_judged_as_ever(folder: Path, tmp_path: Path) -> None:
    """Turns, load and counts of a candidate whose list of tickets takes eight times as long."""
    run = store.load(folder / "paired")
    assert {round_.kind for round_ in run.rounds} == {RoundKind.DUET, RoundKind.LOAD}
    assert set(run.census) == set(Side)
    outcome = compare(None, folder / "paired", config_file=tmp_path / "none.toml").outcome
    assert outcome.verdict is Verdict.REGRESSION
    assert outcome.reason.startswith("GET /tickets/ is 524 % slower")


@by_number
def test_a_run_against_a_baseline_is_judged_as_ever(folder: Path, tmp_path: Path) -> None:
    """Load and counts against one accepted run and its census: far too little for a verdict."""
    baseline = store.load_baseline(folder / "baseline", like=store.load(folder / "single"))
    assert len(baseline.runs) == 1
    assert baseline.census is not None
    outcome = compare(folder / "baseline", folder / "single", config_file=tmp_path / "none.toml").outcome
    assert outcome.verdict is Verdict.INCONCLUSIVE


@by_number
@pytest.mark.parametrize(("name", "verdict"), [("paired", Verdict.REGRESSION), ("single", Verdict.INCONCLUSIVE)])
def test_a_result_says_what_it_said(folder: Path, name: str, verdict: Verdict) -> None:
    """The verdict, and each decision."""
    data = (folder / name / "result.json").read_bytes()
    outcome = result_json.read(data)
    written = json.loads(data)
    assert outcome.verdict is verdict
    assert [(decision.comparison.series.endpoint, decision.verdict) for decision in outcome.decisions] == [
        (decision["endpoint"], decision["verdict"]) for decision in written["decisions"]
    ]


def _without_version(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text())
    del content["perfci"]
    return content


def test_files_from_before_they_named_their_writer_are_read(tmp_path: Path) -> None:
    """The first files of schema 1 did not say which perfci wrote them."""
    for name in ("paired/run.json", "baseline/census.json", "paired/result.json"):
        whole = STORED / "schema-1" / name
        (tmp_path / whole.name).write_text(json.dumps(_without_version(whole)))
    assert store.load(tmp_path) == store.load(STORED / "schema-1" / "paired")
    assert store.load_census(tmp_path / "census.json") == store.load_census(STORED / "schema-1/baseline/census.json")
    read = result_json.read((tmp_path / "result.json").read_bytes())
    assert read == result_json.read((STORED / "schema-1/paired/result.json").read_bytes())


def test_half_of_a_surrogate_pair_in_a_name_is_replaced(tmp_path: Path) -> None:
    """JSON can name one, and no report could be written of it; a pair is a character, and a backslash stays one."""
    whole = (STORED / "schema-1/paired/run.json").read_bytes()
    (tmp_path / "run.json").write_bytes(whole.replace(b"GET /tickets/", rb"GET \ud800 \ud83d\ude00 \\ud800"))
    names = {name for round_ in store.load(tmp_path).rounds for name in round_.endpoints}
    assert "GET \ufffd \U0001f600 \\ud800" in names


def test_a_path_that_is_no_utf_8_keeps_no_report_from_being_written(tmp_path: Path) -> None:
    """Python has the bytes of such a path as halves of surrogate pairs."""
    write_atomically(tmp_path / "report.txt", "RUN is /caf\udce9")
    assert (tmp_path / "report.txt").read_text() == "RUN is /caf?"


@pytest.mark.parametrize(
    "file", sorted((ROOT / "baselines").glob("*/*.json")), ids=lambda file: str(file.relative_to(ROOT))
)
def test_the_baselines_of_this_repository_are_read(file: Path) -> None:
    """Whatever was committed here."""
    if file.name == store.CENSUS:
        assert store.load_census(file).census.endpoints
    else:
        assert store.load(file).rounds


@pytest.mark.parametrize("name", FORMATS)
def test_every_number_has_its_way_and_its_files(name: str) -> None:
    """A new schema number comes with a migration from the one before; the files of that stay here."""
    known = FORMATS[name]
    assert set(known.migrations) == set(range(1, known.schema))
    assert {f"schema-{number}" for number in range(1, known.schema + 1)} <= {folder.name for folder in NUMBERS}
