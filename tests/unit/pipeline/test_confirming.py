"""`perfci run --confirm RUN` measures again what was red in a run, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfci import store
from perfci.config import Against
from perfci.errors import ConfigError
from perfci.model import Census, Round, RoundKind, Run, SeriesVerdict, Side, Verdict
from perfci.pipeline.ports import Ports
from perfci.pipeline.request import Counting, Request
from perfci.pipeline.run import Result, run
from tests.builders import a_census, a_paired_run, some_rounds
from tests.fakes.replay import Recorded
from tests.fakes.replay import project as write_project
from tests.unit.pipeline.conftest import run_git

Confirms = Callable[..., tuple[Result, Recorded]]

LIST = "GET /tickets/"
SLOWER = {LIST: 1.5}


def rounds(**changes: Any) -> tuple[Round, ...]:
    """Rounds for as many blocks as a run may have."""
    return some_rounds(blocks=12, **changes)


@pytest.fixture
def confirms(ports: Ports, tmp_path: Path) -> Confirms:
    """Runs a repetition of *first* on recorded rounds, in a project with one commit."""
    project = tmp_path / "project"
    write_project(project, paired="load_blocks = 4")
    run_git(project, "init", "-q", "-b", "main")
    run_git(project, "add", ".")
    run_git(project, "commit", "-q", "-m", "one")

    def runs(first: Run, recorded: Recorded, **asked: Any) -> tuple[Result, Recorded]:
        store.save(first, tmp_path / "first/run.json")
        request = Request(**{"profile": "tickets", "base": "main", "confirm": tmp_path / "first", **asked})
        return run(request, replace(ports, rig=recorded.rig)), recorded

    return runs


def of(recorded: Recorded, kind: str) -> list[str]:
    """What was done of one kind, in order."""
    return [step.split()[-1] for step in recorded.steps if step.startswith(f"{kind} ")]


def first(*, turns: float = 1.0, load: float = 1.0, census: dict[Side, Census] | None = None) -> Run:
    """A run of both sides whose list of tickets takes so many times as long in turns, and under load."""
    made = {RoundKind.DUET: rounds(slower={LIST: turns}), RoundKind.LOAD: rounds(slower={LIST: load})}
    chosen = tuple(each for kind, kept in made.items() for each in kept if each.kind is kind)
    return replace(a_paired_run(), rounds=chosen, census=census or {})


def test_red_turns_are_repeated_without_load_and_census(confirms: Confirms) -> None:
    """The other kinds of rounds were not red."""
    result, recorded = confirms(first(turns=1.5), Recorded(rounds=rounds(slower=SLOWER)), census=Counting.AUTO)
    assert result.outcome.verdict is Verdict.REGRESSION
    assert of(recorded, "duet")
    assert of(recorded, "load") == []
    assert "census" not in recorded.steps
    assert any("repeats what was red" in each.message for each in result.outcome.findings)


def test_red_load_is_repeated_without_turns(confirms: Confirms) -> None:
    """In as many blocks as had load before, at the most."""
    result, recorded = confirms(first(load=1.5), Recorded(rounds=rounds(slower=SLOWER)))
    assert result.outcome.verdict is Verdict.REGRESSION
    assert of(recorded, "duet") == []
    assert 2 <= len(set(of(recorded, "stop"))) <= 4


def test_red_work_is_counted_again_and_nothing_is_timed(confirms: Confirms) -> None:
    """Counts need no clock."""
    census = {Side.BASE: a_census(1), Side.CANDIDATE: a_census(21)}
    red = replace(first(), census=census, rounds=())
    result, recorded = confirms(red, Recorded(rounds=rounds(), census=census), census=Counting.AUTO)
    assert result.outcome.verdict is Verdict.REGRESSION
    assert of(recorded, "duet") == of(recorded, "load") == []


def test_nothing_else_counts(confirms: Confirms) -> None:
    """Another endpoint that is slower this time decides nothing."""
    result, _ = confirms(first(turns=1.5), Recorded(rounds=rounds(slower={"POST /tickets/": 1.5})))
    counting = {each.comparison.series.endpoint for each in result.outcome.decisions if each.counts}
    assert "POST /tickets/" not in counting
    assert LIST in counting
    assert not [
        each
        for each in result.outcome.decisions
        if each.counts and each.verdict is SeriesVerdict.REGRESSION and each.comparison.series.endpoint == LIST
    ]


def test_one_red_again_does_not_end_it_before_the_other_is_settled(confirms: Confirms) -> None:
    """A series that was given no time would be called not confirmed."""
    both = {LIST: 1.5, "POST /tickets/": 1.06}
    red = replace(a_paired_run(), rounds=rounds(slower=both))
    result, _ = confirms(red, Recorded(rounds=rounds(slower=both, rng_seed=7)))
    named = {
        each.comparison.series.endpoint: each.verdict
        for each in result.outcome.decisions
        if each.counts and each.comparison.series.metric.name == "service_time"
    }
    assert named[LIST] is named["POST /tickets/"] is SeriesVerdict.REGRESSION


def test_a_run_without_a_red_series_is_measured_whole(confirms: Confirms) -> None:
    """It is said, too."""
    result, recorded = confirms(first(), Recorded(rounds=rounds()))
    assert result.outcome.verdict is Verdict.PASS
    assert of(recorded, "duet")
    assert any("no series is red" in each.message for each in result.outcome.findings)


def test_stored_runs_are_compared_with_again(confirms: Confirms) -> None:
    """Without accepted runs nothing was red; nothing is started side by side."""
    single = replace(a_paired_run(), rounds=some_rounds(kinds=(RoundKind.LOAD,), sides=(Side.CANDIDATE,), blocks=4))
    recorded = Recorded(rounds=some_rounds(kinds=(RoundKind.LOAD,), sides=(Side.CANDIDATE,), blocks=5))
    result, _ = confirms(single, recorded, base="", against=Against.BASELINE)
    assert result.outcome.verdict is Verdict.NO_BASELINE


def test_a_run_of_another_scenario_is_refused(confirms: Confirms) -> None:
    """Before anything is started."""
    with pytest.raises(ConfigError, match="measured tickets:evening, and tickets:smoke is to be measured again"):
        confirms(replace(first(), scenario="evening"), Recorded(rounds=rounds()))


def test_a_run_outside_the_workspace_is_refused(confirms: Confirms, ports: Ports, tmp_path: Path) -> None:
    """A step of the Action reads nothing else of the runner."""
    workspace = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path / "project")}
    store.save(first(), tmp_path / "first/run.json")
    request = Request(profile="tickets", confirm=tmp_path / "first", against=Against.BASELINE)
    job = replace(ports, environ={**ports.environ, **workspace, "GITHUB_EVENT_NAME": "schedule"})
    with pytest.raises(ConfigError, match="lies outside the workspace"):
        run(request, job)
