"""Runs on disk: what was saved is loaded, a crash loses nothing, and nothing damaged is believed."""

import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfci import store
from perfci.errors import ConfigError, ExitCode, ResultError
from perfci.model import Answers, EndpointRound, RoundKind, Run, Schedule, Side, TargetHealth
from tests.builders import (
    a_fingerprint,
    a_gauge,
    a_generator,
    a_machine,
    a_paired_run,
    a_plan,
    a_round,
    a_run,
    some_rounds,
    some_seconds,
)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
COUNTS = st.integers(0, 2**53)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
ENDPOINTS = st.dictionaries(
    TEXTS,
    st.builds(
        lambda requests, share, values: EndpointRound(requests=requests, failures=int(requests * share), values=values),
        st.integers(0, 10_000),
        st.floats(0, 1),
        st.dictionaries(TEXTS, NUMBERS, max_size=3),
    ),
    max_size=3,
)
ROUNDS = st.builds(
    a_round,
    kind=st.sampled_from(RoundKind),
    side=st.sampled_from(Side),
    block=st.integers(1, 100),
    started_at=NUMBERS,
    endpoints=ENDPOINTS,
    seconds=st.one_of(st.just(()), st.builds(some_seconds, count=st.integers(1, 3), users=COUNTS)),
    generator=st.builds(a_generator, cpu_share=NUMBERS, exceptions=COUNTS, complete=st.booleans()),
    target=st.builds(TargetHealth, alive=st.booleans(), restarts=COUNTS, note=TEXTS),
    errors=st.dictionaries(TEXTS, COUNTS, max_size=3),
    gauges=st.dictionaries(TEXTS, st.builds(a_gauge, st.integers(-999, 999), st.none(), unit=TEXTS), max_size=2),
    answers=st.dictionaries(
        TEXTS,
        st.builds(
            Answers,
            statuses=st.dictionaries(st.integers(0, 65535), COUNTS, max_size=2),
            sizes=st.dictionaries(st.integers(0, 256), COUNTS, max_size=2),
            median_bytes=st.none() | st.floats(0, 1e12),
            forms=st.dictionaries(TEXTS, COUNTS, max_size=2),
        ),
        max_size=2,
    ),
)
RUNS = st.builds(
    a_run,
    profile=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,20}", fullmatch=True),
    commits=st.dictionaries(st.sampled_from(Side), TEXTS),
    fingerprint=st.builds(
        a_fingerprint,
        machine=st.builds(a_machine, cpu_model=TEXTS, cores=COUNTS),
        plan=st.builds(a_plan, tags=st.lists(TEXTS, max_size=2).map(tuple), environment=st.dictionaries(TEXTS, TEXTS)),
        target=st.dictionaries(st.sampled_from(Side), TEXTS),
    ),
    rounds=st.lists(ROUNDS, max_size=3).map(tuple),
    complete=st.booleans(),
    incidents=st.lists(TEXTS, max_size=2).map(tuple),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RUNS)
def test_what_was_saved_is_loaded(tmp_path: Path, run: Run) -> None:
    """Any run: every number, every text in any script, every empty field."""
    store.save(run, tmp_path / "run.json")
    assert store.load(tmp_path / "run.json") == run
    assert store.load(tmp_path) == run


def test_the_same_run_gives_the_same_file(tmp_path: Path) -> None:
    """Files that are committed differ only where the runs do."""
    for name in ("one.json", "two.json"):
        store.save(a_paired_run(), tmp_path / name)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert stat.S_IMODE((tmp_path / "one.json").stat().st_mode) == 0o644


class Crash(BaseException):
    """What no handler expects: the end of the process in mid-write."""


def _crash(*_: object, **__: object) -> NoReturn:
    raise Crash


@pytest.mark.parametrize(
    "break_it",
    [
        lambda patch: patch.setattr(json, "dumps", _crash),
        lambda patch: patch.setattr(Path, "replace", _crash),
        lambda patch: patch.setattr(Path, "chmod", _crash),
        lambda patch: patch.setattr(os, "fdopen", _crash),
    ],
    ids=["serialising", "replacing", "chmod", "opening"],
)
def test_a_crash_while_writing_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, break_it: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """The old run is whole, and no half-written file lies beside it."""
    path = tmp_path / "run.json"
    store.save(a_run(), path)
    with monkeypatch.context() as patch:
        break_it(patch)
        with pytest.raises(Crash):
            store.save(a_run(id="other"), path)
    assert store.load(path) == a_run()
    assert os.listdir(tmp_path) == ["run.json"]  # noqa: PTH208  # hidden files, too
    store.save(a_run(id="other"), path)
    assert store.load(path).id == "other"


def _stored(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    store.save(a_run(**changes), tmp_path / "whole.json")
    content: dict[str, Any] = json.loads((tmp_path / "whole.json").read_text())
    return content


def _refused(path: Path) -> ResultError:
    with pytest.raises(ResultError) as caught:
        store.load(path)
    assert caught.value.exit_code is ExitCode.USAGE
    assert str(path) in str(caught.value)
    return caught.value


def test_a_file_that_was_cut_off_is_refused_wherever(tmp_path: Path) -> None:
    """No prefix of a run is a run."""
    _stored(tmp_path, rounds=())
    whole = (tmp_path / "whole.json").read_bytes().rstrip()
    path = tmp_path / "run.json"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert "is not JSON" in str(_refused(path))
    path.write_bytes(whole)
    store.load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "it has no schema number"),
        (b"null", "it has no schema number"),
        (b'"schema"', "it has no schema number"),
        (b"{}", "it has no schema number"),
        (b'{"schema": 2}', "has schema 2, this perfci reads 1"),
        (b'{"schema": "1"}', "has schema '1', this perfci reads 1"),
        (b'{"schema": true}', "has schema True, this perfci reads 1"),
        (b'{"schema": [1]}', "has schema [1], this perfci reads 1"),
        (b'{"schema": null}', "has schema None, this perfci reads 1"),
        (b'{"schema": 1}', "rounds: is required"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """Empty, binary, nested without end, another document, another schema: the file is named, and what it is."""
    path = tmp_path / "run.json"
    path.write_bytes(content)
    assert message in str(_refused(path))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("key", ["duration_s", "started_at"])
def test_numbers_that_are_none_are_refused(tmp_path: Path, number: str, key: str) -> None:
    """No comparison ever sees an infinite duration."""
    content = _stored(tmp_path)
    content["rounds"][0][key] = "HERE"
    path = tmp_path / "run.json"
    path.write_text(json.dumps(content).replace('"HERE"', number))
    message = (
        f"  rounds.0.{key}: input should be a finite number" if "999" in number else f"{number} is no measured number"
    )
    assert message in str(_refused(path))


@pytest.mark.parametrize(
    ("requests", "failures"), [(-1, 0), (10, -1), (10, 11), (-5, -6)], ids=["requests", "failures", "more", "both"]
)
def test_counts_that_cannot_be_are_refused(tmp_path: Path, requests: int, failures: int) -> None:
    """Negative, or more failures than requests."""
    endpoint = {"GET /tickets/": EndpointRound(requests=requests, failures=failures, values={})}
    store.save(a_run(rounds=(a_round(endpoints=endpoint),)), tmp_path / "run.json")
    assert f"'GET /tickets/' counts {failures} failures of {requests} requests" in str(_refused(tmp_path / "run.json"))


def test_a_schedule_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """Nothing due, or more missed than that; one that can be is read as it was written."""
    file = tmp_path / "run.json"
    kept = Schedule(due=10.5, late=3, missed=0.5, overslept=1, late_s=0.2)
    for due, refused in ((10.5, False), (0.0, True), (2.0, True)):
        measured = a_round(generator=a_generator(schedule=replace(kept, due=due)))
        store.save(a_run(rounds=(measured,)), file)
        if refused:
            assert "missed more than was due" in str(_refused(file))
        else:
            assert store.load(file).rounds == (measured,)


def test_a_run_with_the_former_name_of_a_metric_is_the_same_run(tmp_path: Path) -> None:
    """So that baselines that were recorded by an earlier version go on being compared."""
    run, file = a_paired_run(), tmp_path / "run.json"
    store.save(run, file)
    file.write_text(file.read_text().replace('"trimmed_gmean"', '"trimmed_mean"'))
    assert "trimmed_mean" in file.read_text()
    assert store.load(file) == run


@pytest.mark.parametrize("error", [-0.01, 1e9])
def test_a_standard_error_that_cannot_be_is_refused(tmp_path: Path, error: float) -> None:
    """Below zero, or beyond all logs; a run from before there were any is read as ever."""
    file = tmp_path / "run.json"
    seen = EndpointRound(
        requests=9, failures=0, values={"trimmed_gmean": 4.0}, standard_errors={"trimmed_gmean": error}
    )
    store.save(a_run(rounds=(a_round(endpoints={"GET /": seen}),)), file)
    assert "'GET /' has a standard error that no log can have" in str(_refused(file))
    store.save(a_run(rounds=(a_round(endpoints={"GET /": replace(seen, standard_errors={})}),)), file)
    content = json.loads(file.read_text())
    del content["rounds"][0]["endpoints"]["GET /"]["standard_errors"]
    file.write_text(json.dumps(content))
    assert store.load(file).rounds[0].endpoints["GET /"].standard_errors == {}


@pytest.mark.parametrize("changes", [{"statuses": {200: -1}}, {"forms": {"x": 2**60}}, {"median_bytes": -1.0}])
def test_answers_that_cannot_be_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Counts and sizes below nothing; a run from before answers were kept is read as ever."""
    file = tmp_path / "run.json"
    seen = Answers(statuses={200: 3}, median_bytes=7.0)
    store.save(a_run(rounds=(a_round(answers={"GET /": replace(seen, **changes)}),)), file)
    assert "'GET /' was answered less often than never" in str(_refused(file))
    store.save(a_run(rounds=(a_round(answers={"GET /": seen}),)), file)
    assert store.load(file).rounds[0].answers == {"GET /": seen}
    content = json.loads(file.read_text())
    del content["rounds"][0]["answers"]
    file.write_text(json.dumps(content))
    assert store.load(file).rounds[0].answers == {}


def test_a_gauge_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """A mean above everything that was seen; a run from before there were gauges is read as ever."""
    file = tmp_path / "run.json"
    store.save(a_run(rounds=(a_round(gauges={"pool": a_gauge(1, 2, mean=3)}),)), file)
    assert "the gauge 'pool' has a mean beyond what was seen" in str(_refused(file))
    store.save(a_run(rounds=(a_round(),)), file)
    content = json.loads(file.read_text())
    del content["rounds"][0]["gauges"]
    file.write_text(json.dumps(content))
    assert store.load(file).rounds == (a_round(),)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("comment", "recorded on a calm day"),
        ("rounds.0.comment", "the first"),
        ("rounds.0.kind", "stress"),
        ("rounds.0.side", "head"),
        ("rounds.0.block", "first"),
        ("rounds.0.duration_s", None),
        ("rounds.0.generator", {}),
        ("rounds", {"0": 1}),
        ("fingerprint.machine", "fast"),
        ("commits", []),
        ("complete", "perhaps"),
    ],
)
def test_values_of_a_wrong_kind_are_refused_with_their_place(tmp_path: Path, place: str, value: object) -> None:
    """The place is in the message."""
    content = _stored(tmp_path)
    inner: Any = content
    *way, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    for step in way:
        inner = inner[step]
    inner[last] = value
    (tmp_path / "run.json").write_text(json.dumps(content))
    assert f"  {place}" in str(_refused(tmp_path / "run.json"))


def test_a_huge_file_is_not_even_read(tmp_path: Path) -> None:
    """A hole of a gigabyte costs neither time nor memory."""
    path = tmp_path / "run.json"
    with path.open("wb") as file:
        file.truncate(2**30)
    assert "is larger than 64 MiB" in str(_refused(path))


def test_a_missing_run_is_told_where_runs_come_from(tmp_path: Path) -> None:
    """Neither a path nor a folder without a run is a crash."""
    assert "there is no run at" in str(_refused(tmp_path / "none"))
    assert "perfci run" in _refused(tmp_path).hint


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is the system's own."""
    store.save(a_run(), tmp_path / "run.json")

    def denied(_: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert "cannot be read: Permission denied" in str(_refused(tmp_path / "run.json"))


def _record(root: Path, *numbers: int, cores: int = 4) -> None:
    for number in numbers:
        fingerprint = a_fingerprint(machine=a_machine(cores=cores, id=f"machine-{number}"))
        store.record(
            a_run(id=f"run-{number}", created_at=f"2026-11-{number:02}T09:00:00Z", fingerprint=fingerprint), root
        )


def _ids(root: Path, *, cores: int = 4) -> list[str]:
    like = a_run(fingerprint=a_fingerprint(machine=a_machine(cores=cores)))
    folder = store.baseline_folder(root, "tickets", "smoke")
    return [run.id for run in store.load_baseline(folder, like=like).runs]


def test_a_baseline_is_the_newest_ten_of_the_same_class(tmp_path: Path) -> None:
    """Older ones, and those of another class, stay behind; the newest comes last."""
    _record(tmp_path, *reversed(range(1, 14)))
    _record(tmp_path, 20, 21, cores=2)
    assert _ids(tmp_path) == [f"run-{number}" for number in range(4, 14)]
    assert _ids(tmp_path, cores=2) == ["run-20", "run-21"]


def test_without_its_own_class_a_run_meets_all(tmp_path: Path) -> None:
    """So that the judge can say what is different, instead of that there is nothing."""
    _record(tmp_path, 1, 2)
    assert _ids(tmp_path, cores=64) == ["run-1", "run-2"]


def test_a_baseline_without_runs_is_a_value(tmp_path: Path) -> None:
    """No folder, an empty one, or one with a census only: absent, not broken."""
    folder = store.baseline_folder(tmp_path, "tickets", "smoke")
    assert store.load_baseline(folder, like=a_run()).runs == ()
    folder.mkdir()
    (folder / "README.md").write_text("how to record")
    found = store.load_baseline(folder, like=a_run())
    assert found.runs == ()
    assert found.location == f"{tmp_path.name}/tickets-smoke"


def test_one_damaged_file_is_named(tmp_path: Path) -> None:
    """A baseline is not quietly made of the files that happen to be whole."""
    _record(tmp_path, 1, 2)
    bad = store.baseline_folder(tmp_path, "tickets", "smoke") / "bad.json"
    bad.write_text("{")
    with pytest.raises(ResultError, match=r"bad\.json is not JSON"):
        _ids(tmp_path)


def test_recording_keeps_what_is_compared(tmp_path: Path) -> None:
    """All but the lines of the charts, in a file whose name sorts by time."""
    gauge = a_gauge(0.4, 0.6, unit="cores")
    run = a_run(rounds=tuple(replace(round_, gauges={"api/cpu": gauge}) for round_ in a_run().rounds))
    (path,) = store.record(run, tmp_path)
    assert path == tmp_path / "tickets-smoke" / f"20261121T101500-{run.id}.json"
    kept = {"api/cpu": replace(gauge, points=())}
    assert store.load(path) == replace(
        run, rounds=tuple(replace(round_, seconds=(), stretches=(), gauges=kept) for round_ in run.rounds)
    )
    assert any(round_.seconds for round_ in run.rounds)


def test_a_run_is_recorded_once(tmp_path: Path) -> None:
    """The second time is refused and changes nothing."""
    (path,) = store.record(a_run(), tmp_path)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="is already part of the baseline"):
        store.record(a_run(incidents=("other",)), tmp_path)
    assert path.read_bytes() == before


def test_half_a_run_is_not_recorded(tmp_path: Path) -> None:
    """What ended before its time says nothing about later runs."""
    half = a_run(complete=False, rounds=some_rounds(blocks=1))
    with pytest.raises(ConfigError, match="is not complete and cannot become a baseline") as caught:
        store.record(half, tmp_path)
    assert caught.value.exit_code is ExitCode.USAGE
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change", [{"profile": "../../evil"}, {"scenario": "x/../../../evil"}, {"id": "/../../../evil"}, {"id": "a\0b"}]
)
def test_a_run_cannot_choose_where_it_is_recorded(tmp_path: Path, change: dict[str, str]) -> None:
    """A run file from elsewhere is data: its names lead nowhere."""
    root = tmp_path / "project" / "baselines"
    root.mkdir(parents=True)
    with pytest.raises(ResultError):
        store.record(a_run(**change), root)
    assert [file for file in tmp_path.rglob("*.json") if not file.is_relative_to(root)] == []


def test_a_path_that_the_system_refuses_is_told(tmp_path: Path) -> None:
    """Whatever the system says of a path ends in one message."""
    with pytest.raises(ResultError, match="cannot be read: File name too long"):
        store.load(tmp_path / ("x" * 300))


@pytest.mark.parametrize("value", [10**400, 10**30])
def test_counts_without_end_are_refused(tmp_path: Path, value: int) -> None:
    """JSON knows integers that no computation survives."""
    store.save(a_run(), tmp_path / "run.json")
    content = json.loads((tmp_path / "run.json").read_text())
    content["rounds"][0]["endpoints"]["GET /tickets/"]["requests"] = value
    (tmp_path / "run.json").write_text(json.dumps(content))
    with pytest.raises(ResultError):
        store.load(tmp_path)
