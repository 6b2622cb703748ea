"""Measures whole verdicts on simulated machines, with the default policy: `python -m bench.machines`."""

import argparse
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from math import sqrt

import numpy as np

from bench.cells import Cell
from bench.jobs import ROUND_S, Plan, World, effects_of, job
from perfci.judge import judge
from perfci.judge.policy import DEFAULT
from perfci.model import Baseline, Reference, Subject, Verdict


def subject(plan: Plan) -> Subject:
    """The subject of a simulated run."""
    return Subject(
        profile="simulated",
        scenario=plan.mode,
        reference=Reference.BASELINE if plan.stored else Reference.REF,
        reference_name="the reference",
        base_commit="",
        head_commit="",
        machine="",
        load="",
    )


def verdict(world: World, plan: Plan, rng: np.random.Generator) -> Verdict:
    """Simulate and judge one run."""
    effects = effects_of(world, plan)
    stored = [job(world, plan, 0.0 * effects, rng, number=number) for number in range(1, plan.stored + 1)]
    run = job(world, plan, effects, rng, number=0)
    baseline = Baseline(location="simulated", runs=tuple(stored)) if stored else None
    return judge(run, baseline=baseline, policy=DEFAULT, subject=subject(plan)).verdict


def cell(scenario: str, world: World, plan: Plan, *, trials: int, rng_seed: int) -> Cell:
    """
    Verdicts of *trials* independent trials.

    The machines are the same for every effect (the random numbers do not depend on it), so that effects compare well.
    """
    where = zlib.crc32(f"{scenario} {plan.mode} {plan.blocks} {plan.stored} {plan.duet}".encode())
    found = Counter(verdict(world, plan, np.random.default_rng([rng_seed, where, trial])) for trial in range(trials))
    return Cell(
        corpus=scenario,
        mode=plan.mode,
        rule="perfci",
        effect=plan.change,
        replicates=plan.stored or plan.blocks,
        rounds=plan.blocks if plan.stored else 1,
        seconds=ROUND_S,
        counts={each.value: count for each, count in found.items()},
        note="with a duet in each block" if plan.duet else "",
    )


_RESTLESS, _QUIET = 0.06 / sqrt(2), 0.02 / sqrt(2)  # of one run: 6 and 2 % between two

WORLDS: Mapping[str, World] = {
    "machines 15 %": World(),
    "machines 15 % between two": World(job_sd=0.15 / sqrt(2)),
    "same machine, 6 % between two": World(job_sd=_RESTLESS, same_machine=True),
    "same machine, 2 % between two": World(job_sd=_QUIET, same_machine=True),
    "machines 15 %, half of it each endpoint's own": World(own_share=0.5),
    "40 % of machines 20 % slower": World(job_sd=0.03, slow_share=0.4),
    "40 % of machines 20 % slower, by another name": World(job_sd=0.03, slow_share=0.4, slow_named=True),
    "drift of 10 % in a job": World(drift_sd=0.10),
    "rounds alike by 0.6": World(round_sd=0.04, correlation=0.6),
    "3 of 10 rounds 15 % slower": World(slow_rounds=0.3),
    "1 % of requests fail": World(failing=0.01),
    "1 endpoint": World(endpoints=1),
    "20 endpoints": World(endpoints=20),
    "100 endpoints": World(endpoints=100),
    "5 requests": World(requests=5),
    "50 requests": World(requests=50),
    "5,000 requests": World(requests=5000),
}
"""Simulated worlds, by their peculiarity."""

_FULL = tuple(WORLDS)[:4]
_EFFECTS = (0.05, 0.10, 0.20, 0.60, 1.00)


def _plans(scenario: str) -> Iterator[Plan]:
    """All effects and sizes for the first scenarios; for the others, enough to see what they break."""
    for stored in (1, 3, 8, 10) if scenario in _FULL else (1, 8):
        yield from _with_effects(Plan(stored=stored, blocks=5), _EFFECTS if scenario in _FULL else (0.20, 1.00))
    for blocks in (3, 8) if scenario == _FULL[0] else ():
        yield from _with_effects(Plan(stored=8, blocks=blocks), _EFFECTS)
    yield from _with_effects(Plan(blocks=8), _EFFECTS if scenario == _FULL[0] else (0.05, 0.10))
    for blocks in (4, 8) if scenario == _FULL[0] else ():
        yield from _with_effects(Plan(blocks=blocks, duet=True), (0.03, *_EFFECTS))


def _with_effects(plan: Plan, effects: Sequence[float]) -> Iterator[Plan]:
    yield plan
    for effect in effects:
        yield from (replace(plan, effect=effect, everywhere=everywhere) for everywhere in (False, True))


def simulate(trials: int, rng_seed: int, *, mode: str = "", scenario: str = "") -> list[Cell]:
    """
    Every cell whose mode begins with *mode* and whose scenario begins with *scenario*.

    On all cores; the same numbers on any number of them.
    """
    wanted = [
        (name, world, plan)
        for name, world in WORLDS.items()
        if name.startswith(scenario)
        for plan in _plans(name)
        if plan.mode.startswith(mode)
    ]
    with ProcessPoolExecutor() as processes:
        return list(processes.map(partial(cell, trials=trials, rng_seed=rng_seed), *zip(*wanted, strict=True)))


def table(cells: Sequence[Cell]) -> str:
    """One line per cell, with intervals for independent trials."""
    head = f"{'machines':46} {'mode':8} size  change     {'regression':>20} cannot tell invalid   pass"
    return "\n".join([head, *map(_row, cells)])


def _row(cell: Cell) -> str:
    low, high = cell.interval(Verdict.REGRESSION)
    red, open_, invalid, passed = (
        100 * cell.share(each) for each in (Verdict.REGRESSION, Verdict.INCONCLUSIVE, Verdict.INVALID, Verdict.PASS)
    )
    size = (
        f"{cell.replicates}x{cell.rounds}" if cell.mode == "baseline" else f"{cell.replicates}{'d' * bool(cell.note)}"
    )
    return (
        f"{cell.corpus:46} {cell.mode:8} {size:5} {cell.effect:10} {red:5.1f} ({100 * low:4.1f}..{100 * high:5.1f})"
        f" {open_:10.1f} {invalid:7.1f} {passed:6.1f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--rng-seed", type=int, default=1)
    parser.add_argument("--mode", default="", help="baseline, paired")
    parser.add_argument("--scenario", default="", help="the beginning of its name")
    given = parser.parse_args()
    print(table(simulate(given.trials, given.rng_seed, mode=given.mode, scenario=given.scenario)))


if __name__ == "__main__":
    main()
