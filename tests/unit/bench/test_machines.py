"""Simulated machines do what their figures say, and their verdicts are the public door's."""

from dataclasses import replace

import numpy as np
import pytest

from bench.jobs import REQUEST_SD, Plan, World, effects_of, job
from bench.machines import cell, table
from perfci.model import ALL_ENDPOINTS, Side, Verdict

STILL = World(endpoints=2, requests=2500, job_sd=0.0, round_sd=0.0, process_sd=0.0)


def logs(world: World, *, blocks: int = 400, jobs: int = 1, metric: str = "gmean") -> np.ndarray:
    """Of the first endpoint: jobs x rounds."""
    rng, plan = np.random.default_rng(7), Plan(stored=1, blocks=blocks)
    runs = [job(world, plan, np.zeros(world.endpoints), rng, number=number) for number in range(jobs)]
    return np.log([[round_.endpoints["GET /0"].values[metric] for round_ in run.rounds] for run in runs])


def test_only_requests_scatter_where_the_machine_stands_still() -> None:
    """A round's metric scatters by what is left of its requests: little in the mean, more in the tail."""
    expected = REQUEST_SD / np.sqrt(STILL.requests)
    assert logs(STILL).std() == pytest.approx(expected, rel=0.15)
    assert logs(STILL, metric="p95").std() == pytest.approx(2.11 * expected, rel=0.15)


def test_machines_differ_by_their_figure() -> None:
    """Between jobs, not within one."""
    seen = logs(replace(STILL, job_sd=0.15), blocks=4, jobs=300)
    assert seen.mean(axis=1).std() == pytest.approx(0.15, rel=0.15)
    assert seen.std(axis=1).mean() < 0.02


def test_the_state_of_a_machine_lasts() -> None:
    """Rounds that follow each other are alike by the correlation, and a drift goes one way."""
    alike = logs(replace(STILL, round_sd=0.1, correlation=0.6), blocks=800)[0]
    assert np.corrcoef(alike[:-1], alike[1:])[0, 1] == pytest.approx(0.6, abs=0.1)
    drifting = logs(replace(STILL, drift_sd=0.1), blocks=20, jobs=150)
    assert (drifting[:, -1] - drifting[:, 0]).std() == pytest.approx(0.1, rel=0.25)


def test_what_few_requests_cannot_resolve_is_absent() -> None:
    """As in a real round."""
    run = job(World(requests=5), Plan(blocks=2), np.zeros(4), np.random.default_rng(1), number=0)
    assert all("p95" not in round_.endpoints["GET /0"].values for round_ in run.rounds)
    assert all("throughput" in round_.endpoints[ALL_ENDPOINTS].values for round_ in run.rounds)


def test_sides_take_turns_to_be_first() -> None:
    """A drift must not favour one of them."""
    run = job(World(), Plan(blocks=2), np.zeros(4), np.random.default_rng(1), number=0)
    assert [(round_.block, round_.side) for round_ in run.rounds] == [
        (1, Side.BASE),
        (1, Side.CANDIDATE),
        (2, Side.CANDIDATE),
        (2, Side.BASE),
    ]


def test_the_effect_is_the_candidate_s() -> None:
    """On one endpoint, or on every one."""
    assert np.count_nonzero(effects_of(World(), Plan(blocks=2, effect=0.1))) == 1
    assert np.expm1(effects_of(World(), Plan(blocks=2, effect=0.1, everywhere=True))) == pytest.approx([0.1] * 4)


@pytest.mark.parametrize("plan", [Plan(blocks=4), Plan(stored=3, blocks=3)], ids=["paired", "baseline"])
def test_a_doubling_is_found_and_nothing_is_not(plan: Plan) -> None:
    """The whole verdict, on a quiet machine; twice the same."""
    world = World(endpoints=2, job_sd=0.01, same_machine=True)
    doubled = replace(plan, effect=1.0, everywhere=True)
    found = [cell("quiet", world, setup, trials=4, rng_seed=1) for setup in (plan, doubled, doubled)]
    assert [found_cell.share(Verdict.REGRESSION) for found_cell in found] == [0.0, 1.0, 1.0]
    assert found[1] == found[2]
    assert "+100 % all" in table(found)


def test_a_slower_type_with_a_name_is_never_compared() -> None:
    """Where the fingerprint tells the types apart, half as fast is no regression."""
    world = World(endpoints=2, job_sd=0.0, slow_share=0.5, slow_by=1.0, slow_named=True)
    found = cell("types", world, Plan(stored=1, blocks=3), trials=8, rng_seed=1)
    assert found.share(Verdict.REGRESSION) == 0.0
    assert found.share(Verdict.INCONCLUSIVE) > 0.0
