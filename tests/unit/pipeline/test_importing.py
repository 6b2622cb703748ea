"""`perfci import`: files of other tools as runs, in a folder or in the baseline, each measurement once."""

from pathlib import Path

import pytest

from perfci import store
from perfci.pipeline import imported
from tests.fakes.shell import Perfci
from tests.unit.pipeline.test_imported import RECORDED, side, summary


def test_files_become_one_run_that_other_commands_take(perfci: Perfci, tmp_path: Path) -> None:
    """Three summaries of k6 are three blocks; the run is in the folder that is printed, and compared by its id."""
    side(tmp_path / "files", [1.0, 1.01, 0.99])
    code, out, err = perfci("import", "files", "--profile", "shop:rush")
    assert (code, err) == (0, "")
    assert out.startswith("k6: 3 files, 3,000 requests of 1 endpoints -> .perfci/runs/")
    folder = Path(out.partition("-> ")[2].splitlines()[0])
    run = store.load(folder)
    assert (run.name, [each.block for each in run.rounds]) == ("shop:rush", [1, 2, 3])
    code, out, _ = perfci("compare", "files", folder.name)
    assert (code, "k6" in out) == (0, True)


def test_files_become_accepted_runs_of_the_baseline(perfci: Perfci, tmp_path: Path) -> None:
    """Each is one run; a later file is judged against them, without naming them."""
    (tmp_path / "perfci.toml").write_text(
        '[target]\nkind = "external"\nurl = "http://127.0.0.1:1"\n'
        '[profiles.shop]\nlocustfile = "shop.py"\n[profiles.shop.scenarios.smoke]\n'
    )
    side(tmp_path / "before", [1.0, 1.01, 0.99, 1.005, 1.02, 0.98, 0.995, 1.015, 0.985])
    code, out, err = perfci("import", "before", "--to", "baselines")
    assert (code, err) == (0, "")
    assert len(list((tmp_path / "baselines/imported-file").glob("*.json"))) == out.count("-> ") == 9
    summary(tmp_path, 77, times=1.5)
    code, out, _ = perfci("compare", "77.json")
    assert (code, "REGRESSION" in out) == (10, True)
    summary(tmp_path / "before", 78, times=1.001)
    code, _, err = perfci("import", "before", "--to", "baselines")
    assert len(list((tmp_path / "baselines/imported-file").glob("*.json"))) == 9
    assert (code, "already part of the baseline" in err) == (2, True)


def test_the_files_of_one_run_of_locust_are_one_measurement(perfci: Perfci, tmp_path: Path) -> None:
    """Statistics, history and failures of one `--csv` prefix: the times of the first, the users of the second."""
    for name in ("locust_stats.csv", "locust_stats_history.csv", "locust_failures.csv"):
        (tmp_path / name).write_bytes((RECORDED / name).read_bytes())
    (measurement,) = imported.find(tmp_path)
    assert {each.name: each.requests for each in measurement.result.aggregates} == {
        "POST /fast": 28,
        "GET /slow": 72,
        "GET broken, with a comma": 20,
    }
    assert (measurement.result.users, measurement.result.duration_s) == (2, 2.0)
    assert not any(note.startswith("the file has") for note in measurement.result.notes)
    assert (
        "3 files" in perfci("import", ".")[1]
        or len(store.load(next((tmp_path / ".perfci/runs").iterdir())).rounds) == 1
    )


def test_early_locust_keeps_its_percentiles_in_a_file_of_their_own(tmp_path: Path) -> None:
    """Before 1.0: PREFIX_requests.csv and PREFIX_distribution.csv are put together by the names of the endpoints."""
    (tmp_path / "run_requests.csv").write_text(
        '"Method","Name","# requests","# failures","Median response time","Average response time"\n'
        '"GET","/",10,1,12,13\n"None","Aggregated",10,1,12,13\n'
    )
    (tmp_path / "run_distribution.csv").write_text(
        '"Name","# requests","50%","66%","95%","100%"\n"GET /",10,12,13,19,40\n"Aggregated",10,12,13,19,40\n'
    )
    (measurement,) = imported.find(tmp_path)
    (aggregate,) = measurement.result.aggregates
    assert (aggregate.name, aggregate.failures, aggregate.quantiles_ms) == ("GET /", 1, {0.5: 12, 0.66: 13, 0.95: 19})


def test_two_formats_of_one_measurement_are_no_replicates(perfci: Perfci, tmp_path: Path) -> None:
    """The CSV and the JSON of one run in one folder would count it twice."""
    for name in ("locust_stats.csv", "locust.json"):
        (tmp_path / name).write_bytes((RECORDED / name).read_bytes())
    code, _, err = perfci("import", ".")
    assert (code, "files of 2 formats" in err) == (2, True)
    assert not (tmp_path / ".perfci").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("import", "missing.csv"), "No such file"),
        (("import", "notes.txt"), "is no file that perfci knows: it begins with 'hello'"),
        (("import", "empty"), "empty has no file of a format that perfci knows"),
        (("import", "one.json", "--profile", "../x"), "cannot be the profile of a run"),
        (("import", "one.json", "--to", "taken"), "taken holds a run already"),
        (("import", "cut.json", "one.json"), "cut.json"),
        (("import", "one.json", "one.json"), "has the same content twice"),
        (("import", "vegeta.bin"), "vegeta encode -to csv"),
    ],
)
def test_what_cannot_be_imported_is_one_error(
    perfci: Perfci, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """Exit code 2, one message with the next step, and nothing is written."""
    (tmp_path / "notes.txt").write_text("hello\n")
    (tmp_path / "empty").mkdir()
    whole = summary(tmp_path, 1, times=1).rename(tmp_path / "one.json").read_text()
    (tmp_path / "cut.json").write_text(whole[:-20])
    (tmp_path / "vegeta.bin").write_bytes((RECORDED / "vegeta.bin").read_bytes())
    assert perfci("import", "one.json", "--to", "taken")[0] == 0
    before = sorted(tmp_path.rglob("*"))
    code, out, err = perfci(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "next: " in err
    assert sorted(tmp_path.rglob("*")) == before
