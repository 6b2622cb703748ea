"""Judging and accepting stored runs."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfci import store
from perfci.config import FailOn, GateTable
from perfci.errors import ConfigError, ExitCode, ResultError
from perfci.judge import judge
from perfci.model import Outcome, Reference, RoundKind, Run, Side, TargetHealth, Verdict
from perfci.pipeline.baseline import record
from perfci.pipeline.compare import compare, configured_fail_on
from perfci.pipeline.policy import policy_of
from tests.builders import BASE, HEAD, a_baseline, a_paired_run, a_round, a_run, some_rounds
from tests.unit.pipeline.conftest import CONFIG

SLOWER = {"GET /tickets/": 2.5}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A project's configuration file."""
    path = tmp_path / "project" / "perfci.toml"
    path.parent.mkdir()
    path.write_text(CONFIG)
    return path


def _save(run: Run, folder: Path) -> Path:
    store.save(run, folder / "run.json")
    return folder


def _candidate(**rounds: Any) -> Run:
    kinds: Any = {"kinds": (RoundKind.LOAD,), "sides": (Side.CANDIDATE,)}
    return a_run(rounds=some_rounds(blocks=4, **kinds, **rounds))


def test_a_run_that_measured_both_sides_is_judged_again(tmp_path: Path, config: Path) -> None:
    """From its file alone, with the verdict that it had when it was measured."""
    red = a_paired_run(slower={"GET /tickets/": 1.5})
    outcome = compare(None, _save(red, tmp_path / "run"), config_file=config).outcome
    assert outcome.verdict is Verdict.REGRESSION
    assert (outcome.subject.reference, outcome.subject.reference_name) == (Reference.REF, BASE[:7])
    assert (outcome.subject.base_commit, outcome.subject.head_commit) == (BASE, HEAD)
    assert outcome == judge(red, baseline=None, policy=policy_of(GateTable()), subject=outcome.subject)
    assert compare(None, _save(a_paired_run(), tmp_path / "same"), config_file=config).outcome.verdict is Verdict.PASS


def test_two_runs(tmp_path: Path, config: Path) -> None:
    """One run against one other: a doubling is found, the same again is not called worse."""
    base = _save(_candidate(rng_seed=3), tmp_path / "base")
    red = compare(base, _save(_candidate(slower=SLOWER), tmp_path / "red"), config_file=config).outcome
    assert red.verdict is Verdict.REGRESSION
    assert red.subject.reference_name == f"1 run in {base}"
    same = compare(base / "run.json", _save(_candidate(), tmp_path / "same"), config_file=config).outcome
    assert same.verdict in {Verdict.PASS, Verdict.INCONCLUSIVE}


def test_a_folder_of_runs(tmp_path: Path, config: Path) -> None:
    """Accepted runs anywhere, however their files are called."""
    for number, run in enumerate(a_baseline(runs=6).runs):
        store.save(run, tmp_path / "accepted" / f"{number}.json")
    outcome = compare(
        tmp_path / "accepted", _save(_candidate(slower=SLOWER), tmp_path / "run"), config_file=config
    ).outcome
    assert outcome.verdict is Verdict.REGRESSION
    assert outcome.subject.reference_name.startswith("6 runs in ")


def test_the_stored_baseline_of_its_scenario(tmp_path: Path, config: Path) -> None:
    """One path alone, of a run of one side: what was accepted below the project's `baselines` is the reference."""
    run = _save(_candidate(slower=SLOWER), tmp_path / "run")
    nothing = compare(None, run, config_file=config).outcome
    assert (nothing.verdict, nothing.subject.reference_name) == (
        Verdict.NO_BASELINE,
        "0 runs in baselines/tickets-smoke",
    )
    for accepted in a_baseline(runs=5).runs:
        store.record(accepted, config.parent / "baselines")
    found = compare(None, run, config_file=config).outcome
    assert (found.verdict, found.subject.reference_name) == (Verdict.REGRESSION, "5 runs in baselines/tickets-smoke")


def test_a_paired_run_against_stored_runs(tmp_path: Path, config: Path) -> None:
    """Named a base, its own base side is not looked at."""
    base = _save(_candidate(rng_seed=3), tmp_path / "base")
    run = _save(a_paired_run(slower={"GET /tickets/": 1.5}), tmp_path / "run")
    assert compare(base, run, config_file=config).outcome.subject.reference is Reference.BASELINE


def test_the_policy_is_that_of_the_configuration(tmp_path: Path, config: Path) -> None:
    """Where there is one; without it the defaults judge, on any laptop."""
    turns = a_paired_run(slower={"GET /tickets/": 1.5}, kinds=(RoundKind.DUET,))
    run = _save(turns, tmp_path / "run")
    config.write_text(CONFIG + "[gate.budget.ref.duet.service_time]\nchange = 2.0\n")
    assert compare(None, run, config_file=config).outcome.verdict is Verdict.PASS
    assert compare(None, run, config_file=tmp_path / "none.toml").outcome.verdict is Verdict.REGRESSION


def test_which_verdicts_fail_is_the_configurations(config: Path, tmp_path: Path) -> None:
    """As the file says; without one, a regression does."""
    config.write_text('fail_on = "inconclusive"\n' + CONFIG)
    assert configured_fail_on(config) is FailOn.INCONCLUSIVE
    assert configured_fail_on(tmp_path / "none.toml") is FailOn.REGRESSION


def test_nothing_to_compare_with_is_a_usage_error(tmp_path: Path) -> None:
    """Without a configuration nobody knows where baselines are."""
    run = _save(_candidate(), tmp_path / "run")
    with pytest.raises(ConfigError, match="nothing to compare it with") as caught:
        compare(None, run, config_file=tmp_path / "none.toml")
    assert caught.value.hint == "perfci compare BASE CANDIDATE"


def test_paths_without_a_run_are_usage_errors(tmp_path: Path, config: Path) -> None:
    """An empty folder as the base is not "no baseline": somebody meant something."""
    run = _save(_candidate(), tmp_path / "run")
    (tmp_path / "empty").mkdir()
    for base in ("empty", "none"):
        with pytest.raises(ResultError, match=f"there is no run (in|at) {re.escape(str(tmp_path / base))}") as caught:
            compare(tmp_path / base, run, config_file=config)
        assert caught.value.exit_code is ExitCode.USAGE
    with pytest.raises(ResultError, match="there is no run at"):
        compare(run, tmp_path / "none", config_file=config)


def test_judging_twice_says_the_same(tmp_path: Path, config: Path) -> None:
    """Same files, same verdict, to the last digit."""
    base, run = _save(_candidate(rng_seed=3), tmp_path / "base"), _save(_candidate(slower=SLOWER), tmp_path / "run")
    outcomes: list[Outcome] = [compare(base, run, config_file=config).outcome for _ in range(2)]
    assert outcomes[0] == outcomes[1]


def test_a_good_run_is_accepted(tmp_path: Path, config: Path) -> None:
    """Into the baselines folder of the project, wherever the run lies."""
    (path,) = record(_save(_candidate(), tmp_path / "run"), config_file=config)
    assert path.parent == config.parent.resolve() / "baselines" / "tickets-smoke"
    assert compare(
        None, _save(_candidate(rng_seed=5), tmp_path / "next"), config_file=config
    ).outcome.subject.reference_name == ("1 run in baselines/tickets-smoke")


DEAD = tuple(replace(round_, target=TargetHealth(alive=False, restarts=0)) for round_ in _candidate().rounds)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (a_paired_run(), "measured two sides by turns"),
        (replace(_candidate(), complete=False), "The run ended before all planned rounds were measured"),
        (replace(_candidate(), rounds=()), "No round of the candidate was measured"),
        (replace(_candidate(), rounds=(a_round(endpoints={}),)), "No request to the candidate completed"),
        (replace(_candidate(), rounds=DEAD), "died or restarted while measured"),
    ],
    ids=["paired", "incomplete", "empty", "no-requests", "died"],
)
def test_a_bad_run_is_refused(tmp_path: Path, config: Path, run: Run, message: str) -> None:
    """What cannot be believed does not become what later runs are measured by; no file is written."""
    with pytest.raises(ConfigError, match=f"run {run.id} .*{message}") as caught:
        record(_save(run, tmp_path / "run"), config_file=config)
    assert caught.value.exit_code is ExitCode.USAGE
    assert not (config.parent / "baselines").exists()


def test_a_run_is_accepted_once(tmp_path: Path, config: Path) -> None:
    """The second time is refused."""
    folder = _save(_candidate(), tmp_path / "run")
    record(folder, config_file=config)
    with pytest.raises(ConfigError, match="is already part of the baseline"):
        record(folder, config_file=config)


def test_baselines_stay_in_the_project(tmp_path: Path, config: Path) -> None:
    """A configuration that points elsewhere is refused before anything is written."""
    config.write_text('baselines = "../elsewhere"\n' + CONFIG)
    with pytest.raises(ConfigError, match="lies outside the project"):
        record(_save(_candidate(), tmp_path / "run"), config_file=config)
    assert not (tmp_path / "elsewhere").exists()
