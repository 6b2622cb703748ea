"""
Machines that no corpus holds: simulated runs, judged whole by the public door with the default policy.

Simulated are the metrics of a round. The log of a metric of one endpoint in one round is the sum of

- the endpoint's level, and the candidate's effect on it;
- the machine of the job: its type, a factor common to all endpoints, and a smaller one of each endpoint's own;
- the state of that machine in this round, common to all endpoints: a straight line through the job, a first-order
  autoregression, a second mode;
- the luck of the freshly started process, of the endpoint's own, block by block;
- the scatter of the requests over the root of their number: the standard errors of mean and quantiles of log-normal
  latencies, with their correlations (A. W. van der Vaart, "Asymptotic statistics", 1998, chapter 21).

In a duet most of the machine's state cancels, and what is left of both is one figure per start.
The figures of `World` are those of published jobs on hosted machines (15 % between jobs) and of recorded rounds of 20 s
of 740 requests an endpoint (2.6 to 3.7 % between two, in the geometric mean; 2.0 % in all endpoints together).
"""

import argparse
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from math import log1p, sqrt

import numpy as np
import numpy.typing as npt

from bench.cells import Cell
from perfci.judge import judge
from perfci.judge.policy import DEFAULT
from perfci.model import (
    ALL_ENDPOINTS,
    Baseline,
    EndpointRound,
    Fingerprint,
    GeneratorHealth,
    LoadPlan,
    Machine,
    Reference,
    Round,
    RoundKind,
    Run,
    Side,
    Subject,
    TargetHealth,
    Verdict,
)

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

ROUND_S = 20.0
LEVELS_MS = (30.0, 300.0)
REQUEST_SD = 0.5
IN_SERVICE = 0.1  # share of its time that a user waits for answers: by so much of its log does throughput follow


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Service and machines; every `sd` is of a log, every `by` a relative change."""

    endpoints: int = 4
    requests: float = 400.0  # expected, for one endpoint in one round
    failing: float = 0.0  # share of them
    job_sd: float = 0.15  # of one job's level, common to all endpoints
    own_share: float = 0.2  # of `job_sd`: each endpoint's own part
    same_machine: bool = False  # the fingerprint tells all runs to be of one machine
    slow_share: float = 0.0  # of the machines, of a slower type
    slow_by: float = 0.20
    slow_named: bool = False  # the fingerprint tells the types apart
    drift_sd: float = 0.0  # from the first to the last round of a job
    round_sd: float = 0.014  # common to all endpoints
    correlation: float = 0.0  # of the machine's state in two rounds, one after the other
    slow_rounds: float = 0.0  # share of the rounds in the slow mode
    slow_rounds_by: float = 0.15
    process_sd: float = 0.010  # of one endpoint, start by start
    duet_sd: float = 0.010  # of the log ratio of both sides after one start, of one endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured, and what the candidate does to it."""

    blocks: int  # of a run; each has one load round a side
    stored: int = 0  # runs of the baseline; none: paired
    duet: bool = False  # each block has a duet, too
    effect: float = 0.0  # relative
    everywhere: bool = False  # or in one endpoint

    @property
    def mode(self) -> str:
        """As the cells call it."""
        return "baseline" if self.stored else "paired"

    @property
    def change(self) -> str:
        """As the cells call it."""
        where = "all" if self.everywhere else "one"
        return f"+{100 * self.effect:.0f} % {where}" if self.effect else "none"


@dataclass(frozen=True, slots=True)
class _Estimator:
    """How a metric follows the latencies, for the log-normal ones of `REQUEST_SD`."""

    level: float  # log, beside the geometric mean's
    rounds: float  # scatter of its rounds, beside the geometric mean's
    error: float  # standard error over the root of the requests, in `REQUEST_SD`
    likeness: float  # correlation of that error with the geometric mean's
    needs: int  # requests


_ESTIMATORS: Mapping[str, _Estimator] = {
    "trimmed_mean": _Estimator(0.0, 1.0, 1.03, 0.97, 1),
    "gmean": _Estimator(0.0, 1.0, 1.0, 1.0, 1),
    "mean": _Estimator(0.125, 1.0, 1.066, 0.938, 1),
    "p50": _Estimator(0.0, 1.0, 1.253, 0.798, 2),
    "p95": _Estimator(0.822, 2.0, 2.113, 0.473, 20),
    "p99": _Estimator(1.163, 2.0, 3.733, 0.268, 100),
}
_LEVEL, _ROUNDS, _ERROR, _LIKENESS, _NEEDS = (
    np.array([getattr(one, name) for one in _ESTIMATORS.values()])
    for name in ("level", "rounds", "error", "likeness", "needs")
)
_HEALTHY = GeneratorHealth(
    cpu_share=0.2,
    run_delay_share=0.0,
    loop_lag_p99_ms=2.0,
    users_wanted=20,
    users_reached=20,
    exceptions=0,
    complete=True,
)
_ALIVE = TargetHealth(alive=True, restarts=0)
_PLAN = LoadPlan(
    locustfile="simulated",
    user_classes=(),
    tags=(),
    users=20,
    spawn_rate=20.0,
    duration_s=20.0,
    warmup_s=3.0,
    environment={},
)


def _states(world: World, rounds: int, rng: np.random.Generator) -> Floats:
    """Of the machine, round by round in the order of time: logs."""
    state = np.empty(rounds)
    state[0] = rng.normal()
    for at in range(1, rounds):
        state[at] = world.correlation * state[at - 1] + sqrt(1 - world.correlation**2) * rng.normal()
    line = world.drift_sd * rng.normal() * np.linspace(-0.5, 0.5, rounds)
    mode = (rng.random(rounds) < world.slow_rounds) * log1p(world.slow_rounds_by)
    return line + mode + world.round_sd * state


def _effects(world: World, plan: Plan) -> Floats:
    """Of the candidate, on the log of each endpoint; the one endpoint is in the middle."""
    touched = np.arange(world.endpoints) == world.endpoints // 2
    return np.where(touched | plan.everywhere, log1p(plan.effect), 0.0)


def _order(plan: Plan) -> list[tuple[Side, int]]:
    """Side and block of each load round, in the order of time: ABBA where there are two sides."""
    if plan.stored:
        return [(Side.CANDIDATE, block) for block in range(1, plan.blocks + 1)]
    pairs = [(Side.BASE, Side.CANDIDATE), (Side.CANDIDATE, Side.BASE)]
    return [(side, block) for block in range(1, plan.blocks + 1) for side in pairs[(block - 1) % 2]]


def job(world: World, plan: Plan, effects: Floats, rng: np.random.Generator, *, number: int) -> Run:
    """One job on a machine of its own; *effects* are the candidate's, on the log of each endpoint."""
    order = _order(plan)
    slow = rng.random() < world.slow_share
    level = np.geomspace(*LEVELS_MS, world.endpoints)
    machine = world.job_sd * (rng.normal() + world.own_share * rng.normal(size=world.endpoints))
    machine += slow * log1p(world.slow_by)
    slower = np.array([effects if side is Side.CANDIDATE else 0.0 * effects for side, _ in order])
    noise = _states(world, len(order), rng)[:, None] + world.process_sd * rng.normal(size=slower.shape)
    requests = rng.poisson(world.requests, size=slower.shape)
    failures = rng.binomial(requests, world.failing)
    centre = np.log(level) + machine + slower
    errors = _errors(rng, requests - failures)
    latencies = np.exp(centre[:, :, None] + _LEVEL + noise[:, :, None] * _ROUNDS + errors)
    rates = (requests - failures) / ROUND_S * np.exp(-IN_SERVICE * (machine + slower + noise).mean(axis=1))[:, None]
    rounds = [
        _round(*where, _lines(*of_round), RoundKind.LOAD)
        for where, of_round in zip(order, zip(requests, failures, latencies, rates, strict=True), strict=True)
    ]
    if plan.duet:
        rounds += _duets(world, plan, np.log(level) + machine, effects, rng)
    return _run(world, plan, rounds, slow=slow, number=number)


def _errors(rng: np.random.Generator, requests: Counts) -> Floats:
    """Of every metric (the last axis), by the requests that it was computed from."""
    common = rng.normal(size=(*requests.shape, 1))
    own = rng.normal(size=(*requests.shape, len(_ESTIMATORS)))
    mixed = _LIKENESS * common + np.sqrt(1 - _LIKENESS**2) * own
    errors: Floats = REQUEST_SD * _ERROR * mixed / np.sqrt(np.maximum(requests, 1))[:, :, None]
    return errors


def _lines(requests: Counts, failures: Counts, latencies: Floats, rates: Floats) -> dict[str, EndpointRound]:
    """What one load round saw of each endpoint, and of all of them."""
    seen = {}
    rows = zip(requests.tolist(), failures.tolist(), latencies.tolist(), rates.tolist(), strict=True)
    for number, (asked, failed, values, rate) in enumerate(rows):
        if not asked:
            continue
        known = {
            name: value
            for (name, how), value in zip(_ESTIMATORS.items(), values, strict=True)
            if asked - failed >= how.needs
        }
        shares = {"throughput": rate, "failure_rate": failed / asked}
        seen[f"GET /{number}"] = EndpointRound(requests=asked, failures=failed, values=known | shares)
    asked, failed = int(requests.sum()), int(failures.sum())
    if asked:
        together = {"throughput": float(rates.sum()), "failure_rate": failed / asked}
        seen[ALL_ENDPOINTS] = EndpointRound(requests=asked, failures=failed, values=together)
    return seen


def _duets(world: World, plan: Plan, centre: Floats, effects: Floats, rng: np.random.Generator) -> list[Round]:
    """A duet in every block; how far one start scatters includes how far its requests do."""
    rounds = []
    for block in range(1, plan.blocks + 1):
        for side in Side:
            slower = effects if side is Side.CANDIDATE else 0.0
            times = np.exp(centre + slower + world.duet_sd / sqrt(2) * rng.normal(size=world.endpoints)).tolist()
            seen = {
                f"GET /{number}": EndpointRound(
                    requests=100, failures=0, values={"service_time": time, "failure_rate": 0.0}
                )
                for number, time in enumerate(times)
            }
            rounds.append(_round(side, block, seen, RoundKind.DUET))
    return rounds


def _round(side: Side, block: int, endpoints: Mapping[str, EndpointRound], kind: RoundKind) -> Round:
    return Round(
        kind=kind,
        side=side,
        block=block,
        number=1,
        started_at=0.0,
        duration_s=ROUND_S,
        warmup_s=3.0,
        endpoints=endpoints,
        generator=_HEALTHY,
        target=_ALIVE,
    )


def _run(world: World, plan: Plan, rounds: Sequence[Round], *, slow: bool, number: int) -> Run:
    machine = Machine(
        cpu_model="slower" if slow and world.slow_named else "usual",
        cores=4,
        memory_mb=16_000,
        system="Linux",
        kernel="6.8",
        id="" if world.same_machine else str(number),
    )
    fingerprint = Fingerprint(
        machine=machine, plan=_PLAN, seed_digest="", target_kind="command", target={}, versions={"locust": "2"}
    )
    return Run(
        id=f"run-{number}",
        created_at=f"2026-01-01T00:{number:02d}:00Z",
        profile="simulated",
        scenario=plan.mode,
        commits={},
        fingerprint=fingerprint,
        rounds=tuple(rounds),
        complete=True,
    )


_SUBJECT = Subject(
    profile="simulated",
    scenario="simulated",
    reference=Reference.REF,
    reference_name="the reference",
    base_commit="",
    head_commit="",
    machine="",
    load="",
)


def verdict(world: World, plan: Plan, rng: np.random.Generator) -> Verdict:
    """Measure and judge once."""
    effects = _effects(world, plan)
    stored = [job(world, plan, 0.0 * effects, rng, number=number) for number in range(1, plan.stored + 1)]
    run = job(world, plan, effects, rng, number=0)
    baseline = Baseline(location="simulated", runs=tuple(stored)) if stored else None
    reference = Reference.BASELINE if stored else Reference.REF
    return judge(run, baseline=baseline, policy=DEFAULT, subject=replace(_SUBJECT, reference=reference)).verdict


def cell(scenario: str, world: World, plan: Plan, *, trials: int, rng_seed: int) -> Cell:
    """
    Verdicts on *trials* independent trials.

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
"""What the trials are made of, by what is odd about it."""

_FULL = tuple(WORLDS)[:4]
_EFFECTS = (0.05, 0.10, 0.20, 0.60, 1.00)


def _plans(scenario: str) -> Iterator[Plan]:
    """All effects and sizes for the first scenarios; for the odd ones, enough to see what they break."""
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
    """One line a cell; the intervals are those of a share of independent trials."""
    head = f"{'machines':46} {'mode':8} size  change     {'regression':>20} cannot tell invalid   pass"
    return "\n".join([head, *map(_row, cells)])


def _row(one: Cell) -> str:
    low, high = one.interval(Verdict.REGRESSION)
    red, open_, invalid, passed = (
        100 * one.share(each) for each in (Verdict.REGRESSION, Verdict.INCONCLUSIVE, Verdict.INVALID, Verdict.PASS)
    )
    size = f"{one.replicates}x{one.rounds}" if one.mode == "baseline" else f"{one.replicates}{'d' * bool(one.note)}"
    return (
        f"{one.corpus:46} {one.mode:8} {size:5} {one.effect:10} {red:5.1f} ({100 * low:4.1f}..{100 * high:5.1f})"
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
