"""`perfci trend` as a user calls it: runs are pushed into a folder, one after the other, and a change is told."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from perfci import store
from perfci.model import RoundKind, Side
from tests.builders import ENDPOINTS, a_run, some_rounds
from tests.fakes.shell import Perfci


def push_nights(perfci: Perfci, folder: Path, *, nights: int, slower_from: int) -> None:
    """A run each night; from one night on the list of tickets takes half as long again."""
    runs = []
    for night in range(1, nights + 1):
        factor = 1.5 if night >= slower_from else 1.0
        run = replace(
            a_run(),
            id=f"202611{night:02d}-030000-f00d",
            created_at=f"2026-11-{night:02d}T03:00:00Z",
            commits={Side.BASE: "", Side.CANDIDATE: f"{night:02d}" * 20},
            rounds=some_rounds(
                blocks=4,
                kinds=(RoundKind.LOAD,),
                sides=(Side.CANDIDATE,),
                typical={**ENDPOINTS, "GET /tickets/": ENDPOINTS["GET /tickets/"] * factor},
                rng_seed=night,
            ),
        )
        store.save(run, folder / run.id / "run.json")
        runs.append(str(folder / run.id))
    assert perfci("history", "push", "--folder", "history", *runs[:-1])[0] == 0
    assert perfci("history", "push", "--folder", "history", runs[-1])[0] == 0


def test_a_slower_endpoint_is_told_with_its_commit(perfci: Perfci, tmp_path: Path) -> None:
    """In the text for people, and for programs the series alone that they ask for."""
    push_nights(perfci, tmp_path / "runs", nights=16, slower_from=12)
    code, text, err = perfci("trend", "tickets", "--folder", "history")
    assert (code, err) == (0, "")
    change = next(line for line in text.splitlines() if "GET /tickets/ " in line and line.startswith("2026-11-12"))
    assert "1212121" in change
    assert "+50 %" in change
    assert not [line for line in text.splitlines() if "▲" in line]
    asked = ("trend", "tickets:smoke", "--folder", "history", "--series", "GET /tickets/ *gmean", "--format", "json")
    code, text, _ = perfci(*asked)
    (line,) = json.loads(text)["scenarios"][0]["lines"]
    assert code == 0
    assert [event["run"] for event in line["changes"]] == ["20261112-030000-f00d"]
    assert line["changes"][0]["commit"] == "12" * 20


def test_a_recorded_baseline_accepts_a_change(perfci: Perfci, tmp_path: Path) -> None:
    """Whoever records a run that was measured after the change accepts the new level."""
    (tmp_path / "perfci.toml").write_text(
        '[target]\nkind = "external"\nurl = "http://127.0.0.1:1"\n'
        '[profiles.tickets]\nlocustfile = "tickets.py"\n[profiles.tickets.scenarios.smoke]\n'
    )
    push_nights(perfci, tmp_path / "runs", nights=16, slower_from=12)
    assert "nobody" in perfci("trend", "--folder", "history")[1]
    assert perfci("baseline", "record", "runs/20261113-030000-f00d")[0] == 0
    assert "baseline run" in perfci("trend", "--folder", "history", "--series", "GET /tickets/")[1]


def test_a_lost_list_of_changes_is_found_again(perfci: Perfci, tmp_path: Path) -> None:
    """`changes.json` saves time, and nothing else depends on it."""
    push_nights(perfci, tmp_path / "runs", nights=16, slower_from=12)
    before = perfci("trend", "--folder", "history")
    (tmp_path / "history/tickets/smoke/changes.json").unlink()
    assert perfci("trend", "--folder", "history") == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("trend", "--folder", "nothing"), "has no run of any profile: it has no run"),
        (("trend", "shop", "--folder", "history"), "has no run of shop: it has tickets:smoke"),
        (("trend", "--folder", "history", "--series", "p77"), "tickets:smoke has no series 'p77'"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(
    perfci: Perfci, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """Exit code 2, one message, and what could be asked instead."""
    push_nights(perfci, tmp_path / "runs", nights=2, slower_from=9)
    code, out, err = perfci(*arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_a_run_of_another_tool_is_no_part_of_a_history(perfci: Perfci, tmp_path: Path) -> None:
    """Its file names neither commit nor machine, so that nothing could be said about it later."""
    (tmp_path / "results_stats.csv").write_text("Type,Name,Request Count,Failure Count\nGET,/,10,0\n")
    code, _, err = perfci("history", "push", "--folder", "history", "results_stats.csv")
    assert code == 2
    assert "results_stats.csv" in err
