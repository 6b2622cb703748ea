"""Jobs drawn from the blocks of identical sides: what they are made of, how they are judged, and what is counted."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from bench.identical import CONFIG, ROOT, Pair, Pool, draw, main, resample, smokes
from perfci.judge.policy import DEFAULT
from perfci.model import RoundKind, Side, Verdict
from perfci.pipeline.plan import Overrides, Plan, plan_of
from perfci.store import RunFolder, save
from tests.builders import a_paired_run, a_policy, an_slo

SMOKE = "saas:baseline-smoke"  # six blocks of turns, three of them with load


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The plan of that smoke."""
    return plan_of(CONFIG, SMOKE, Overrides(), root=ROOT)


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Two recorded runs of four blocks."""
    return Pool.of([a_paired_run(blocks=4, rng_seed=number) for number in (1, 2)])


def _times(pair: Pair) -> dict[Side, float]:
    return {side: measured.endpoints["GET /tickets/"].values["service_time"] for side, measured in pair.items()}


def test_each_profile_has_one_smoke_side_by_side() -> None:
    """Those that a pull request measures."""
    profiles = [name.partition(":")[0] for name in smokes(CONFIG)]
    assert profiles == ["tickets", "platform", "saas", "crm", "contact-center"]


def test_no_block_is_drawn_twice_and_sides_change_by_chance(pool: Pool) -> None:
    """Each recorded pair is there once, as it was or swapped, and its rounds say which side they now are."""
    recorded = [_times(pair) for pair in pool.pairs[RoundKind.DUET]]
    drawn = draw(pool.pairs[RoundKind.DUET], np.random.default_rng(1))
    assert all(measured.side is side for pair in drawn for side, measured in pair.items())
    kept = [times for times in map(_times, drawn) if times in recorded]
    swapped = [{Side.BASE: pair[Side.CANDIDATE], Side.CANDIDATE: pair[Side.BASE]} for pair in map(_times, drawn)]
    back = [times for times in swapped if times in recorded]
    assert kept
    assert back
    assert sorted(map(repr, kept + back)) == sorted(map(repr, recorded))


def test_a_job_of_identical_sides_passes(pool: Pool, plan: Plan) -> None:
    """The same random numbers give the same job; what differs by half of a percent is no regression."""
    verdicts = [resample(pool, plan, DEFAULT, np.random.default_rng(number)) for number in (1, 2, 3)]
    assert Verdict.REGRESSION not in verdicts
    assert verdicts == [resample(pool, plan, DEFAULT, np.random.default_rng(number)) for number in (1, 2, 3)]


def test_a_limit_is_held_against_a_drawn_job(pool: Pool, plan: Plan) -> None:
    """A red one is seen whatever made it red."""
    policy = a_policy(slos=(an_slo(limit=0.001),))
    assert resample(pool, plan, policy, np.random.default_rng(1)) is Verdict.SLO_BREACH


def test_a_pool_says_what_it_lacks(plan: Plan) -> None:
    """One run of four blocks is no job of six; a load round without the other side counts for nothing."""
    run = a_paired_run(blocks=4)
    assert Pool.of([run]).lacks(plan) == "4 of 6 blocks of duet"
    assert not Pool.of([run, run]).lacks(plan)
    halved = [each for each in run.rounds if each.side is Side.BASE or each.kind is RoundKind.DUET]
    assert "0 of 3 blocks of load" in Pool.of([replace(run, rounds=tuple(halved))]).lacks(plan)


def test_what_was_recorded_and_drawn_is_not_made_again(tmp_path: Path) -> None:
    """A call with the same folder reads the runs and the drawn verdicts; a red one is an exit code."""
    for number in (1, 2):
        folder = tmp_path / f"saas-baseline-smoke-{number}"
        folder.mkdir()
        save(a_paired_run(blocks=4, rng_seed=number), RunFolder(folder).run)
        RunFolder(folder).result.write_text(json.dumps({"verdict": "pass"}))
    arguments = ["--only", SMOKE, "--runs", "2", "--trials", "3", "--jobs", "1", "--output", str(tmp_path)]
    first = CliRunner().invoke(main, arguments)
    assert (first.exit_code, "0 red of 2 (2 pass) | 8 duet + 8 load | 0 red of 3" in first.output) == (0, True)
    kept = json.loads((tmp_path / "resampled.json").read_text())
    (tmp_path / "resampled.json").write_text(json.dumps({key: {"regression": 3} for key in kept}))
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 1
    assert "3 red of 3" in again.output
