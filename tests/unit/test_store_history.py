"""A history in a folder: what is added stays, and what cannot be read is named."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from perfci.errors import ResultError
from perfci.model import (
    Acceptance,
    Alarm,
    ChangePoint,
    Changes,
    Found,
    HistoryRow,
    Interval,
    LineName,
    RoundKind,
    SeriesName,
)
from perfci.store import history
from perfci.store.history import Files
from perfci.store.history_folder import HistoryFolder
from perfci.store.history_json import ROW, RowDocument
from tests.unit.test_store_formats import unset

STORED = Path(__file__).parents[1] / "data" / "stored"
HISTORIES = sorted(STORED.glob("history-*"))


def a_series_name(metric: str = "trimmed_gmean", endpoint: str = "GET /tickets/") -> SeriesName:
    """A series under load."""
    return SeriesName(kind=RoundKind.LOAD, endpoint=endpoint, metric=metric)


def a_full_row(run: str = "20261121-101500-f00d", *, created_at: str = "2026-11-21T10:15:00Z") -> HistoryRow:
    """A row in which no field is empty, and none has its default."""
    return HistoryRow(
        run=run,
        created_at=created_at,
        commit="f00dfeed" * 5,
        machine="AMD EPYC 7763 64-Core Processor, 4 cores",
        machine_id="5d41402abc4b2a76",
        conditions="9e107d9d372bb682",
        values={a_series_name(): 4.125, a_series_name("p95"): 8.5},
        url="https://github.example/octo/shop/actions/runs/7",
        excluded="others took 40 % of the processors",
        acceptances=(an_acceptance(),),
    )


def an_acceptance() -> Acceptance:
    """Somebody accepted a series in a comment."""
    return Acceptance(
        series="GET /tickets/ service time",
        commit="0ddba115" * 5,
        by="octo",
        at="2026-11-20T10:00:00Z",
        why="The audit costs it.",
        url="https://github.example/octo/shop/pull/7#issuecomment-1",
    )


def some_changes() -> Changes:
    """What was found along one line, with no field empty."""
    change = Interval(estimate=0.2, low=0.18, high=0.22)
    moved: dict[str, Any] = {"run": "b", "before": 4.0, "after": 4.8, "change": change, "p_value": 1e-9}
    found = Found(change_points=(ChangePoint(**moved),), alarms=(Alarm(**moved),))
    return Changes(rows=2, last="b", lines={LineName(series=a_series_name(), conditions="9e10"): found})


def add(place: HistoryFolder, row: HistoryRow, text: str = "{}\n") -> bool:
    """Add *row*, with a run that nothing here reads."""

    def change(files: Files) -> dict[str, str]:
        return history.added(files, "tickets", "smoke", [(row, text)])

    return place.update(change, message="one run")


def test_every_field_of_a_row_is_kept(tmp_path: Path) -> None:
    """Whoever adds a field to a row gives it to the format, too, and to the row of this test."""
    row = a_full_row()
    assert list(unset(row, "row")) == []
    place = HistoryFolder(tmp_path / "history")
    assert add(place, row)
    assert history.rows(place.files(), "tickets", "smoke") == [row]
    assert history.scenarios(place.files()) == [("tickets", "smoke")]


def test_everything_that_was_found_is_kept(tmp_path: Path) -> None:
    """Change points and alarms of each line, with their numbers to the last digit."""
    place = HistoryFolder(tmp_path)
    add(place, a_full_row())
    assert history.changes(place.files(), "tickets", "smoke") is None
    place.update(lambda _: history.changed("tickets", "smoke", some_changes()), message="found")
    assert list(unset(some_changes(), "changes")) == []
    assert history.changes(place.files(), "tickets", "smoke") == some_changes()


def test_rows_are_in_the_order_of_their_time_whatever_the_order_of_arrival(tmp_path: Path) -> None:
    """A job that waited for a runner pushes later than one that began after it; months have files of their own."""
    place = HistoryFolder(tmp_path)
    for run, created_at in (
        ("c", "2026-12-01T00:00:00Z"),
        ("a", "2026-11-01T00:00:00Z"),
        ("b", "2026-11-20T00:00:00Z"),
    ):
        add(place, a_full_row(run, created_at=created_at))
    assert [row.run for row in history.rows(place.files(), "tickets", "smoke")] == ["a", "b", "c"]
    assert [path for path in place.files().paths() if path.endswith(".jsonl")] == [
        "tickets/smoke/2026-11.jsonl",
        "tickets/smoke/2026-12.jsonl",
    ]


def test_two_writers_of_a_folder_lose_nothing(tmp_path: Path) -> None:
    """Twenty runs by four writers at once: each row is there once."""

    def write(writer: int) -> None:
        for number in range(5):
            add(HistoryFolder(tmp_path), a_full_row(f"run-{writer}-{number}"))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = history.rows(HistoryFolder(tmp_path).files(), "tickets", "smoke")
    assert sorted(row.run for row in rows) == sorted(
        f"run-{writer}-{number}" for writer in range(4) for number in range(5)
    )


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """Nothing is written beside files that are not perfci's."""
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ResultError, match=r"no history\.json: it is no history of perfci's"):
        add(HistoryFolder(tmp_path), a_full_row())
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == ["thesis.tex"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"schema": 1', r"2026-11\.jsonl:2 is not JSON"),
        ('{"schema": 9}', r"2026-11\.jsonl:2 has schema 9"),
        ('{"schema": 1, "perfci": "0.1.0", "run": "x"}', r"2026-11\.jsonl:2 cannot be used"),
        ("[]", "it has no schema number"),
        ("", "is not JSON"),
    ],
)
def test_a_damaged_row_is_named(tmp_path: Path, line: str, message: str) -> None:
    """By its file and its line, as for every other stored file."""
    place = HistoryFolder(tmp_path)
    add(place, a_full_row())
    index = tmp_path / "tickets/smoke/2026-11.jsonl"
    index.write_text(f"{index.read_text()}{line}\n")
    with pytest.raises(ResultError, match=message):
        history.rows(place.files(), "tickets", "smoke")


def test_a_value_keeps_six_digits() -> None:
    """A row stays short: nothing is measured more precisely."""
    document = RowDocument.from_model(
        HistoryRow(
            run="a",
            created_at="2026-11-21T10:15:00Z",
            commit="",
            machine="",
            machine_id="",
            conditions="",
            values={a_series_name(): 4.123456789},
        )
    )
    assert json.dumps(ROW.fields(document)["values"]) == '{"load": {"GET /tickets/": {"trimmed_gmean": 4.12346}}}'


@pytest.mark.parametrize("folder", HISTORIES, ids=lambda folder: folder.name)
def test_histories_that_were_written_once_are_read_for_ever(folder: Path) -> None:
    """Each `history-N` holds what perfci wrote with schema number N; it is never written anew."""
    files = HistoryFolder(folder).files()
    (row,) = history.rows(files, "shop", "lists")
    assert row.run == "20261128-120822-1419"
    assert len(row.values) > 1
    assert all(value >= 0 for value in row.values.values())
    assert sum(path.endswith("1419.json") for path in files.paths()) == 1


def test_there_is_a_stored_history() -> None:
    """The test above has something to read."""
    assert HISTORIES
