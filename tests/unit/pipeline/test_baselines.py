"""The accepted runs as a whole: what is there, what a refresh changes, and what nobody reads any more."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfci import store
from perfci.errors import ConfigError
from perfci.model import Run
from perfci.pipeline.baseline import record
from perfci.pipeline.baselines import listed, prune, refresh, shown, summary
from tests.builders import a_run, some_rounds
from tests.unit.pipeline.conftest import CONFIG


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A project's configuration file."""
    path = tmp_path / "project" / "perfci.toml"
    path.parent.mkdir()
    path.write_text(CONFIG)
    return path


def _run(number: int, **changes: Any) -> Run:
    return a_run(id=f"run-{number}", created_at=f"2026-11-{number:02}T10:15:00Z", **changes)


def _stored(folder: Path, run: Run) -> Path:
    path = folder / run.id
    store.save(run, path / "run.json")
    return path


def _slower(number: int) -> Run:
    run = _run(number)
    rounds = tuple(
        replace(
            made,
            endpoints={
                name: replace(endpoint, values={metric: 2 * value for metric, value in endpoint.values.items()})
                for name, endpoint in made.endpoints.items()
            },
        )
        for made in run.rounds
    )
    return replace(run, rounds=rounds)


def _ids(config: Path) -> list[str]:
    return [each.run.id for each in shown("tickets", config).runs]


def test_what_is_there_is_listed(config: Path, tmp_path: Path) -> None:
    """By scenario, oldest first, with what tells runs apart."""
    assert listed(config) == []
    for number in (2, 1):
        record(_stored(tmp_path, _run(number)), config_file=config)
    (accepted,) = listed(config)
    assert accepted.name == "tickets-smoke"
    assert _ids(config) == ["run-1", "run-2"]
    day, run_id, commit, machine, times = summary(accepted.runs[0])
    assert (day, run_id) == ("2026-11-01T10:15:00", "run-1")
    assert all((commit, machine, times))


def test_a_scenario_without_a_run_says_so(config: Path) -> None:
    """With the way to get one."""
    with pytest.raises(ConfigError, match="no accepted run of tickets:smoke"):
        shown("tickets", config)


def test_a_refresh_takes_the_place_of_what_was_there(config: Path, tmp_path: Path) -> None:
    """And says by how much each series moves."""
    record(_stored(tmp_path, _run(1)), config_file=config)
    done = refresh([_stored(tmp_path, _slower(number)) for number in (5, 6)], config)
    assert _ids(config) == ["run-5", "run-6"]
    assert len(done.removed) == 1
    assert "2 runs take the place of 1" in done.table
    assert "+100.0 %" in done.table


def test_runs_that_are_not_valid_are_left_out(config: Path, tmp_path: Path) -> None:
    """A refresh is made of the others; where none is left, nothing is touched."""
    record(_stored(tmp_path, _run(1)), config_file=config)
    broken = _stored(tmp_path, replace(_run(7), rounds=some_rounds(blocks=2)))
    done = refresh([broken, _stored(tmp_path, _run(8))], config)
    assert _ids(config) == ["run-8"]
    assert "two sides" in done.refused[0]
    assert "left out" in done.table
    with pytest.raises(ConfigError, match="none of the runs can be accepted"):
        refresh([broken], config)
    assert _ids(config) == ["run-8"]


def test_other_machines_keep_their_runs(config: Path, tmp_path: Path) -> None:
    """A refresh on one class of machines says nothing about the others."""
    machine = a_run().fingerprint.machine
    assert machine is not None
    other = replace(a_run().fingerprint, machine=replace(machine, cores=64))
    record(_stored(tmp_path, _run(1, fingerprint=other)), config_file=config)
    refresh([_stored(tmp_path, _run(2))], config)
    assert _ids(config) == ["run-1", "run-2"]


def test_a_refresh_with_a_run_that_is_there_changes_nothing_of_it(config: Path, tmp_path: Path) -> None:
    """It stays, and the rest goes."""
    runs = [_stored(tmp_path, _run(number)) for number in (1, 2)]
    for run in runs:
        record(run, config_file=config)
    refresh([runs[1]], config)
    assert _ids(config) == ["run-2"]


def test_several_scenarios_are_not_mixed(config: Path, tmp_path: Path) -> None:
    """One baseline at a time."""
    runs = [_stored(tmp_path, _run(1)), _stored(tmp_path, _run(2, scenario="soak"))]
    with pytest.raises(ConfigError, match="several scenarios"):
        refresh(runs, config)


def test_what_nobody_reads_is_pruned(config: Path, tmp_path: Path) -> None:
    """The oldest beyond those that are kept; a dry run removes none."""
    for number in range(1, 5):
        record(_stored(tmp_path, _run(number)), config_file=config)
    files = prune(config, keep=2, dry_run=True)
    assert len(_ids(config)) == 4
    assert prune(config, keep=2, dry_run=False) == files
    assert _ids(config) == ["run-3", "run-4"]
