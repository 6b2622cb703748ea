"""Files of other tools, compared."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from perfci.importers import FORMATS
from perfci.model import SeriesVerdict, Verdict
from perfci.pipeline.compare import compare
from perfci.report.view import View
from tests.fakes.shell import Perfci

ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "tests" / "data" / "foreign"
NONE = Path("no-such-perfci.toml")


def summary(folder: Path, number: int, *, times: float, failed: int = 0) -> Path:
    """A summary of k6 with 1,000 requests."""
    values = {"avg": 20 * times, "min": 5 * times, "med": 18 * times, "max": 90 * times, "p(95)": 60 * times}
    metrics = {
        "http_req_duration": values,
        "http_req_failed": {"passes": failed, "fails": 1000 - failed, "value": failed / 1000},
        "http_reqs": {"count": 1000, "rate": 100},
    }
    folder.mkdir(exist_ok=True)
    file = folder / f"{number}.json"
    file.write_text(json.dumps({"metrics": metrics, "state": {"testRunDurationMs": 10_000}}), encoding="utf-8")
    return file


def side(folder: Path, levels: Sequence[float]) -> Path:
    """A folder with a file for each of these levels."""
    for number, level in enumerate(levels):
        summary(folder, number, times=level)
    return folder


def compared(base: Path, candidate: Path) -> View:
    """Without a configuration."""
    return compare(base, candidate, config_file=NONE)


@pytest.fixture
def on_command_line(perfci: Perfci) -> Callable[..., tuple[int, str, str]]:
    """`perfci compare` with these paths, without a configuration."""
    return lambda *paths: perfci("compare", *map(str, paths), "--config", str(NONE))


def test_two_single_files_are_shown_and_never_a_regression(tmp_path: Path) -> None:
    """Ten times slower, and every second request failed: one file a side proves neither, and the report says why."""
    view = compared(summary(tmp_path, 1, times=1), summary(tmp_path, 2, times=10, failed=500))
    assert view.outcome.verdict is Verdict.INCONCLUSIVE
    assert {decision.verdict for decision in view.outcome.decisions} == {SeriesVerdict.NOT_COMPARED}
    p95 = next(each.comparison for each in view.outcome.decisions if each.comparison.series.metric.name == "p95")
    assert [p95.base, p95.candidate] == pytest.approx([60, 600])
    assert "1 of the 3 files" in p95.note


def test_several_files_of_a_side_are_its_replicates(tmp_path: Path) -> None:
    """Half as slow again is a regression where the files of the reference hardly scatter; no change is none."""
    base = side(tmp_path / "base", [1.0, 1.01, 0.99, 1.005, 1.02, 0.98, 0.995, 1.015, 0.985])
    worse = compared(base, side(tmp_path / "worse", [1.5, 1.52, 1.49])).outcome
    same = compared(base, side(tmp_path / "same", [1.0, 1.01, 0.99])).outcome
    assert worse.verdict is Verdict.REGRESSION
    assert same.verdict is not Verdict.REGRESSION
    assert "p50" in worse.reason


def test_slos_hold_single_files_to_their_limits(tmp_path: Path, perfci: Perfci) -> None:
    """An SLO of perfci.toml is breached by one file alone: exit code 10."""
    config = tmp_path / "perfci.toml"
    config.write_text(
        '[target]\nkind = "external"\nurl = "http://127.0.0.1:1"\n'
        '[profiles.p]\nlocustfile = "l.py"\n[profiles.p.scenarios.s]\nusers = 1\nduration = "1s"\n'
        '[[gate.slo]]\nmetric = "p95"\nlimit = 100\n',
        encoding="utf-8",
    )
    files = [summary(tmp_path, number, times=times) for number, times in ((1, 1.0), (2, 2.0))]
    code, out, _ = perfci("compare", *map(str, files), "--config", str(config))
    assert (code, "SLO BREACH" in out) == (10, True)


def test_requests_of_a_file_are_reduced_as_perfcis_own(tmp_path: Path) -> None:
    """Every metric of a load round, with the histogram that reports draw."""
    del tmp_path
    view = compared(RECORDED / "hey.csv", RECORDED / "vegeta-results.csv")
    assert view.run is not None
    (measured,) = view.run.rounds
    seen = measured.endpoints["GET http://127.0.0.1:18765/slow"]
    assert (seen.requests, seen.histogram is not None) == (20, True)
    assert {"trimmed_gmean", "p50", "throughput"} <= seen.values.keys()


def test_what_a_file_does_not_tell_is_a_warning(on_command_line: Callable[..., tuple[int, str, str]]) -> None:
    """Locust's rounding stands in the report, and which tool measured."""
    code, out, _ = on_command_line(RECORDED / "locust_stats.csv", RECORDED / "locust.json")
    text = " ".join(out.split())
    assert (code, "Locust rounds the times" in text, "Measured by Locust" in text) == (0, True, True)


def test_files_of_two_tools_are_no_replicates(
    tmp_path: Path, on_command_line: Callable[..., tuple[int, str, str]]
) -> None:
    """One side is one tool's."""
    for name in ("hey.txt", "wrk.txt"):
        (tmp_path / name).write_bytes((RECORDED / name).read_bytes())
    code, _, error = on_command_line(RECORDED / "wrk.txt", tmp_path)
    assert (code, "hey and wrk" in error) == (2, True)


@pytest.mark.parametrize("name", ["locust_failures.csv", "vegeta.bin"])
def test_a_file_without_a_request_is_refused(name: str, on_command_line: Callable[..., tuple[int, str, str]]) -> None:
    """Failures alone, or what perfci cannot read: one error, exit code 2."""
    code, _, error = on_command_line(RECORDED / "wrk.txt", RECORDED / name)
    assert (code, "next:" in error) == (2, True)


def test_the_documentation_names_every_format() -> None:
    """Whoever adds a format adds it to the table."""
    page = (ROOT / "docs" / "other-tools.md").read_text(encoding="utf-8").lower()
    for found in FORMATS:
        assert found.name.split()[0].lower() in page


def test_failing_fast_is_no_win(tmp_path: Path) -> None:
    """Half of the requests fail, and the rest take half as long: that is a regression, and no improvement anywhere."""
    levels = [1.0, 1.01, 0.99, 1.005, 1.02, 0.98, 0.995, 1.015, 0.985]
    base = side(tmp_path / "base", levels)
    for number, level in enumerate([0.5, 0.51, 0.49]):
        summary(tmp_path / "failing", number, times=level, failed=500)
    outcome = compared(base, tmp_path / "failing").outcome
    assert outcome.verdict is Verdict.REGRESSION
    assert SeriesVerdict.IMPROVEMENT not in {decision.verdict for decision in outcome.decisions}


def test_zero_requests_are_refused(tmp_path: Path, on_command_line: Callable[..., tuple[int, str, str]]) -> None:
    """A side that asked for nothing is neither fast nor unchanged."""
    empty = tmp_path / "empty_stats.csv"
    empty.write_text(
        "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Requests/s,50%,95%\n"
        "GET,/,0,0,0,0.0,0.0,N/A,N/A\n,Aggregated,0,0,0,0.0,0.0,N/A,N/A\n"
    )
    code, _, error = on_command_line(RECORDED / "locust_stats.csv", empty)
    assert (code, "has no measured request" in error) == (2, True)
