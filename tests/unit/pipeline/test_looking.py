"""Whole runs that end as soon as they are decided: which rounds are still measured, and what the verdict is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfci import store
from perfci.errors import ExitCode, TargetError
from perfci.model import Round, RoundKind, SeriesVerdict, Side, Step, Verdict
from perfci.pipeline.compare import compare
from perfci.pipeline.plan import Overrides
from perfci.pipeline.ports import Ports
from perfci.pipeline.request import Counting, Request
from perfci.pipeline.run import Result, run
from tests.builders import a_census, some_rounds
from tests.fakes.replay import Recorded, project
from tests.unit.pipeline.conftest import run_git

Runs = Callable[..., tuple[Result, Recorded]]
SLOWER = {"GET /tickets/": 1.6}


@pytest.fixture
def measured(tmp_path: Path, ports: Ports) -> Runs:
    """Runs a project with this schedule on recorded rounds."""
    folder = ports.root

    def runs(recorded: Recorded, *, paired: str = "", clock: Iterator[float] | None = None, **asked: Any) -> Any:
        project(folder, paired=paired)
        run_git(folder, "add", "-A")
        run_git(folder, "commit", "-q", "--allow-empty", "-m", "schedule")
        request = Request(**{"profile": "tickets", "base": "main", **asked})
        used = replace(ports, rig=recorded.rig)
        return run(request, used if clock is None else replace(used, clock=lambda: next(clock))), recorded

    return runs


def rounds(**changes: Any) -> tuple[Round, ...]:
    """Twelve quiet blocks of turns and load."""
    return some_rounds(**{"blocks": 12, "scatter": 0.003, **changes})


def of(recorded: Recorded, word: str) -> list[str]:
    """The blocks in which this step was done, "load" on either side once."""
    return list(dict.fromkeys(step.split()[-1] for step in recorded.steps if step.startswith(f"{word} ")))


def test_nothing_changed_and_that_is_soon_known(measured: Runs) -> None:
    """Turns until they are settled; load in two blocks from the first look on, the second of which needs no turns."""
    result, recorded = measured(Recorded(rounds=rounds()))
    assert (result.outcome.verdict, result.exit_code) == (Verdict.PASS, ExitCode.OK)
    assert of(recorded, "duet") == ["1", "2", "3"]
    assert of(recorded, "load") == ["3", "4"]
    assert of(recorded, "stop") == ["1", "2", "3", "4"]
    stored = store.load(result.folder)
    assert stored.complete
    assert stored.fingerprint.plan is not None
    assert stored.fingerprint.plan.duration_s == 8.0


def test_a_large_regression_is_red_before_any_load(measured: Runs) -> None:
    """Nothing that follows could make the whole green again."""
    result, recorded = measured(Recorded(rounds=rounds(slower=SLOWER)))
    assert (result.outcome.verdict, result.exit_code) == (Verdict.REGRESSION, ExitCode.REGRESSION)
    assert of(recorded, "duet") == of(recorded, "stop") == ["1", "2", "3"]
    assert of(recorded, "load") == []


def test_load_waits_while_turns_look_like_a_regression(measured: Runs) -> None:
    """The next look may be red, and load would have measured nothing that counts."""
    result, recorded = measured(Recorded(rounds=rounds(scatter=0.01, slower={"GET /tickets/": 1.05})))
    assert result.outcome.verdict is Verdict.REGRESSION
    assert of(recorded, "duet") == ["1", "2", "3", "4"]
    assert of(recorded, "load") == []


@pytest.mark.parametrize(("paired", "loaded"), [("", ["5", "6"]), (', time = "9h"', ["3", "4"])])
def test_load_has_its_blocks_however_turns_look(measured: Runs, paired: str, loaded: list[str]) -> None:
    """The last two at the latest; where the time is bounded, it does not wait at all, since it might not come."""
    suspicious = rounds(scatter=0.05, slower={"GET /tickets/": 1.04}, rng_seed=3)
    result, recorded = measured(Recorded(rounds=suspicious), paired=f'blocks = "3-6"{paired}')
    assert result.outcome.verdict is Verdict.INCONCLUSIVE
    assert of(recorded, "load")[:2] == loaded


def test_whoever_wants_to_know_all_of_it_keeps_going(measured: Runs) -> None:
    """The regression stays one, and the other series are settled."""
    result, recorded = measured(Recorded(rounds=rounds(slower=SLOWER)), overrides=Overrides(keep_going=True))
    assert result.outcome.verdict is Verdict.REGRESSION
    assert of(recorded, "load")[:2] == ["3", "4"]
    open_series = [
        decision
        for decision in result.outcome.decisions
        if decision.comparison.kind is RoundKind.DUET and decision.verdict is SeriesVerdict.INCONCLUSIVE
    ]
    assert not open_series


MORE_QUERIES = {Side.BASE: a_census(1), Side.CANDIDATE: a_census(21)}


def test_more_work_is_red_before_any_time_is_measured(measured: Runs) -> None:
    """The census ends the run, and the report says that times are unknown and how to have them."""
    recorded = Recorded(rounds=rounds(), census=MORE_QUERIES)
    result, recorded = measured(recorded, census=Counting.AUTO)
    assert (result.outcome.verdict, result.exit_code) == (Verdict.REGRESSION, ExitCode.REGRESSION)
    assert of(recorded, "stop") == ["census"]
    stored = store.load(result.folder)
    assert stored.complete
    assert stored.rounds == ()
    (note,) = stored.incidents
    assert "no times were measured" in note
    for document in ("report.txt", "report.md"):
        assert "no times were measured" in " ".join((result.folder / document).read_text().split())


@pytest.mark.parametrize(
    ("paired", "asked"), [("", {"overrides": Overrides(keep_going=True)}), ("blocks = 4, load_blocks = 0", {})]
)
def test_more_work_ends_no_run_that_is_to_be_measured_whole(measured: Runs, paired: str, asked: dict[str, Any]) -> None:
    """With --keep-going, and with a fixed number of blocks, all times are measured beside the regression."""
    recorded = Recorded(rounds=rounds(), census=MORE_QUERIES)
    result, recorded = measured(recorded, paired=paired, census=Counting.AUTO, **asked)
    assert result.outcome.verdict is Verdict.REGRESSION
    assert len(of(recorded, "duet")) >= 3
    assert store.load(result.folder).incidents == ()


def test_the_same_work_ends_nothing(measured: Runs) -> None:
    """Equal counts leave the verdict to the clocks."""
    recorded = Recorded(rounds=rounds(), census=dict.fromkeys(Side, a_census(1)))
    result, recorded = measured(recorded, census=Counting.AUTO)
    assert result.outcome.verdict is Verdict.PASS
    assert of(recorded, "duet") == ["1", "2", "3"]


def test_what_scatters_takes_all_blocks(measured: Runs) -> None:
    """And is told to be open after that."""
    result, recorded = measured(Recorded(rounds=rounds(scatter=0.3)))
    assert result.outcome.verdict is Verdict.INCONCLUSIVE
    assert of(recorded, "duet") == [str(number) for number in range(1, 13)]
    assert len(of(recorded, "load")) <= 4


def test_what_only_load_shows_is_found(measured: Runs) -> None:
    """Turns are settled as unchanged; load goes on while something under it looks like a regression."""
    both = [
        replace(round_, endpoints=slower.endpoints) if round_.kind is RoundKind.LOAD else round_
        for round_, slower in zip(rounds(), rounds(slower={"GET /tickets/": 2.0}), strict=True)
    ]
    result, recorded = measured(Recorded(rounds=both))
    assert result.outcome.verdict is Verdict.REGRESSION
    assert "under load" in result.outcome.reason
    assert of(recorded, "duet") == ["1", "2", "3"]
    assert len(of(recorded, "load")) > 1


def test_what_is_open_gets_the_turns_of_what_is_settled(measured: Runs) -> None:
    """From the first look on; a fixed number of blocks shares its turns evenly."""
    restless = "GET /tickets/[id]"
    mixed = [
        replace(round_, endpoints={**round_.endpoints, restless: other.endpoints[restless]})
        for round_, other in zip(rounds(), rounds(scatter=0.025), strict=True)
    ]
    _, recorded = measured(Recorded(rounds=mixed))
    assert recorded.settled[:3] == [frozenset()] * 3
    assert recorded.settled[-1] == {"GET /tickets/", "POST /tickets/"}
    _, fixed = measured(Recorded(rounds=mixed), paired="blocks = 5")
    assert set(fixed.settled) == {frozenset()}


@pytest.mark.parametrize(
    ("paired", "start_s", "turns_s"),
    [("", 2, 5.0), ("", 7, 7.0), ("", 60, 10.0), ('duet = "4s"', 60, 4.0), ('duet = "4s", blocks = 3', 60, 4.0)],
)
def test_turns_take_as_long_as_the_first_start(measured: Runs, paired: str, start_s: int, turns_s: float) -> None:
    """In all blocks alike, and from 5 to 10 s, unless the scenario says how long."""
    recorded = Recorded(rounds=rounds())

    def clock() -> float:
        """Seconds that pass only while sides start."""
        return float(start_s * sum(step.startswith("start base") for step in recorded.steps))

    measured(recorded, paired=paired, clock=iter(clock, None))
    assert recorded.turns_s == [turns_s] * 3


def test_a_fixed_number_of_blocks_stays_one(measured: Runs) -> None:
    """As configured, or as asked for on the command line; nothing is looked at before the end."""
    for asked in ({"paired": "blocks = 5"}, {"overrides": Overrides.model_validate({"blocks": "5"})}):
        result, recorded = measured(Recorded(rounds=rounds(slower=SLOWER)), **asked)
        assert of(recorded, "duet") == ["1", "2", "3", "4", "5"]
        assert of(recorded, "load") == ["1", "2", "3", "4"]
        assert store.load(result.folder).looks is None


def test_load_alone_is_looked_at_as_well(measured: Runs) -> None:
    """Without turns each block has load, and that is what the looks are at."""
    result, recorded = measured(Recorded(rounds=rounds(slower=SLOWER)), paired='duet = 0, blocks = "3-8"')
    assert result.outcome.verdict is Verdict.REGRESSION
    assert of(recorded, "duet") == []
    assert of(recorded, "load") == ["1", "2", "3"]


def test_no_block_begins_that_would_end_after_the_time(measured: Runs) -> None:
    """The bound holds for a run that is not decided, and the report says that it was the reason."""
    ticks = iter(range(0, 100_000, 2))
    result, recorded = measured(Recorded(rounds=rounds(scatter=0.3)), paired='time = "2m"', clock=ticks)
    assert 2 <= len(of(recorded, "duet")) < 12
    (note,) = [text for text in store.load(result.folder).incidents if "paired.time" in text]
    assert note == f"ended after {len(of(recorded, 'duet'))} blocks: the run may take 120 s (paired.time)"


@pytest.mark.parametrize("changes", [{}, {"slower": SLOWER}, {"slower": {"GET /tickets/": 1.03}}, {"scatter": 0.1}])
def test_a_stored_run_is_judged_as_it_was(measured: Runs, ports: Ports, changes: dict[str, Any]) -> None:
    """The looks are part of the run."""
    result, _ = measured(Recorded(rounds=rounds(**changes)))
    again = compare(None, result.folder, config_file=ports.root / "perfci.toml").outcome
    assert again.verdict is result.outcome.verdict
    assert again.decisions == result.outcome.decisions
    assert any(decision.looks for decision in again.decisions)


def test_a_block_starts_while_the_last_one_stops(measured: Runs) -> None:
    """Nothing of it runs any more once something is measured, nor in the end; what it took longer is told."""
    result, recorded = measured(Recorded(rounds=rounds(), overlapping=True), clock=iter(range(100_000)))
    assert recorded.steps[2:14] == [
        *("start base 1", "seed base 1", "start candidate 1", "seed candidate 1", "duet 1"),
        *("start candidate 2", "seed candidate 2", "start base 2", "seed base 2", "stop 1", "duet 2"),
        "start base 3",
    ]
    assert recorded.steps[-1] == "stop 4"
    stops = [(timing.block, timing.seconds) for timing in result.timings if timing.step is Step.STOP]
    assert stops == [("1", 1), ("2", 1), ("3", 1), ("4", 1)]
    assert store.load(result.folder).timings == result.timings


@pytest.mark.parametrize("step", ["start base 2", "seed candidate 3", "duet 2"])
def test_a_block_that_fails_waits_for_the_one_that_still_stops(measured: Runs, step: str) -> None:
    """Whatever goes wrong beside it."""
    recorded = Recorded(rounds=rounds(), overlapping=True, faults={step: TargetError("exited with 1")})
    result, recorded = measured(recorded)
    assert result.exit_code is ExitCode.NOT_MEASURED
    begun = {each.split()[-1] for each in recorded.steps if each.startswith("start")}
    assert set(of(recorded, "stop")) == begun


def test_every_step_of_a_run_is_timed(measured: Runs) -> None:
    """With a clock that goes on by a second whenever it is read; what was measured is in run.json, and adds up."""
    result, _ = measured(Recorded(rounds=rounds()), clock=iter(range(100_000)))
    known = store.load(result.folder).timings
    assert known == result.timings
    steps = [(timing.step, timing.block) for timing in known]
    assert steps[:6] == [
        *((Step.PREPARE, ""), (Step.PREPARE, "")),
        *((Step.START, "1"), (Step.SEED, "1"), (Step.TURNS, "1"), (Step.STOP, "1")),
    ]
    assert steps[-4:] == [(Step.START, "4"), (Step.SEED, "4"), (Step.LOAD, "4"), (Step.STOP, "4")]
    ends = [timing.began_s + timing.seconds for timing in known]
    assert ends == sorted(ends)
    assert sum(timing.seconds for timing in known) <= ends[-1]
