"""
Simulates jobs on machines that no corpus contains.

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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p, sqrt

import numpy as np
import numpy.typing as npt

from bench.door import ALIVE, HEALTHY
from perfci.model import (
    ALL_ENDPOINTS,
    EndpointRound,
    Fingerprint,
    LoadPlan,
    Machine,
    Round,
    RoundKind,
    Run,
    Side,
)

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

ROUND_S = 20.0
LEVELS_MS = (30.0, 300.0)
REQUEST_SD = 0.5
SAMPLED = 0.9  # share of the scatter of a duet's blocks that its requests explain (0.75 to 1.1 on recorded turns)
IN_SERVICE = 0.1  # share of its time that a user waits for answers: by so much of its log does throughput follow


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Service and machines; every `sd` is that of a log, every `by` a relative change."""

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
    """The schedule of a simulated run, and the candidate's change."""

    blocks: int  # of a run; each has one load round a side
    stored: int = 0  # runs of the baseline; none: paired
    duet: bool = False  # each block has a duet, too
    effect: float = 0.0  # relative
    everywhere: bool = False  # or in one endpoint

    @property
    def mode(self) -> str:
        """The mode, as cells name it."""
        return "baseline" if self.stored else "paired"

    @property
    def change(self) -> str:
        """The change, as cells name it."""
        where = "all" if self.everywhere else "one"
        return f"+{100 * self.effect:.0f} % {where}" if self.effect else "none"


@dataclass(frozen=True, slots=True)
class _Estimator:
    """How a metric follows the latencies, for log-normal ones with `REQUEST_SD`."""

    level: float  # log, beside the geometric mean's
    rounds: float  # scatter of its rounds, beside the geometric mean's
    error: float  # standard error over the root of the requests, in `REQUEST_SD`
    likeness: float  # correlation of that error with the geometric mean's
    needs: int  # requests


_ESTIMATORS: Mapping[str, _Estimator] = {
    "trimmed_gmean": _Estimator(0.0, 1.0, 1.03, 0.97, 1),
    "gmean": _Estimator(0.0, 1.0, 1.0, 1.0, 1),
    "mean": _Estimator(0.125, 1.0, 1.066, 0.938, 1),
    "p50": _Estimator(0.0, 1.0, 1.253, 0.798, 2),
    "p95": _Estimator(0.822, 2.0, 2.113, 0.473, 20),
    "p99": _Estimator(1.163, 2.0, 3.733, 0.268, 100),
}
_LEVEL, _ROUNDS, _ERROR, _LIKENESS, _NEEDS = (
    np.array([getattr(estimator, name) for estimator in _ESTIMATORS.values()])
    for name in ("level", "rounds", "error", "likeness", "needs")
)
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
    """Logs of the machine's speed, round by round in order of time."""
    state = np.empty(rounds)
    state[0] = rng.normal()
    for at in range(1, rounds):
        state[at] = world.correlation * state[at - 1] + sqrt(1 - world.correlation**2) * rng.normal()
    line = world.drift_sd * rng.normal() * np.linspace(-0.5, 0.5, rounds)
    mode = (rng.random(rounds) < world.slow_rounds) * log1p(world.slow_rounds_by)
    return line + mode + world.round_sd * state


def effects_of(world: World, plan: Plan) -> Floats:
    """The candidate's effect on the log of each endpoint; a single slower endpoint is in the middle."""
    touched = np.arange(world.endpoints) == world.endpoints // 2
    return np.where(touched | plan.everywhere, log1p(plan.effect), 0.0)


def _order(plan: Plan) -> list[tuple[Side, int]]:
    """Side and block of each load round, in order of time: ABBA for two sides."""
    if plan.stored:
        return [(Side.CANDIDATE, block) for block in range(1, plan.blocks + 1)]
    pairs = [(Side.BASE, Side.CANDIDATE), (Side.CANDIDATE, Side.BASE)]
    return [(side, block) for block in range(1, plan.blocks + 1) for side in pairs[(block - 1) % 2]]


def job(world: World, plan: Plan, effects: Floats, rng: np.random.Generator, *, number: int) -> Run:
    """Simulate one job on a machine of its own; *effects* are the candidate's, on the log of each endpoint."""
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
    known = _standard_errors(rng, requests - failures)
    rounds = [
        _round(*where, _lines(*of_round), RoundKind.LOAD)
        for where, of_round in zip(order, zip(requests, failures, latencies, rates, known, strict=True), strict=True)
    ]
    if plan.duet:
        rounds += _duets(world, plan, np.log(level) + machine, effects, rng)
    return _run(world, plan, rounds, slow=slow, number=number)


def _errors(rng: np.random.Generator, requests: Counts) -> Floats:
    """Errors of every metric (last axis), by the number of requests that it is computed from."""
    common = rng.normal(size=(*requests.shape, 1))
    own = rng.normal(size=(*requests.shape, len(_ESTIMATORS)))
    mixed = _LIKENESS * common + np.sqrt(1 - _LIKENESS**2) * own
    errors: Floats = REQUEST_SD * _ERROR * mixed / np.sqrt(np.maximum(requests, 1))[:, :, None]
    return errors


def _standard_errors(rng: np.random.Generator, requests: Counts) -> Floats:
    """The standard error of the first metric, as its requests estimate it."""
    df = np.maximum(requests - 1, 1)
    errors = REQUEST_SD * _ERROR[0] * np.sqrt(rng.chisquare(df) / df / np.maximum(requests, 1))
    return np.where(requests > 1, errors, 0.0)


def _lines(
    requests: Counts, failures: Counts, latencies: Floats, rates: Floats, standard_errors: Floats
) -> dict[str, EndpointRound]:
    """The endpoints of one load round, and all of them together."""
    seen = {}
    columns = (table.tolist() for table in (requests, failures, latencies, rates, standard_errors))
    for number, (asked, failed, values, rate, error) in enumerate(zip(*columns, strict=True)):
        if not asked:
            continue
        known = {
            name: value
            for (name, how), value in zip(_ESTIMATORS.items(), values, strict=True)
            if asked - failed >= how.needs
        }
        shares = {"throughput": rate, "failure_rate": failed / asked}
        seen[f"GET /{number}"] = EndpointRound(
            requests=asked, failures=failed, values=known | shares, standard_errors={next(iter(_ESTIMATORS)): error}
        )
    asked, failed = int(requests.sum()), int(failures.sum())
    if asked:
        together = {"throughput": float(rates.sum()), "failure_rate": failed / asked}
        seen[ALL_ENDPOINTS] = EndpointRound(requests=asked, failures=failed, values=together)
    return seen


def _duets(world: World, plan: Plan, centre: Floats, effects: Floats, rng: np.random.Generator) -> list[Round]:
    """A duet in every block; starts scatter nearly as much as requests do, as in recorded turns."""
    rounds = []
    for block in range(1, plan.blocks + 1):
        for side in Side:
            slower = effects if side is Side.CANDIDATE else 0.0
            times = np.exp(centre + slower + world.duet_sd / sqrt(2) * rng.normal(size=world.endpoints)).tolist()
            seen = {
                f"GET /{number}": EndpointRound(
                    requests=100,
                    failures=0,
                    values={"service_time": time, "failure_rate": 0.0},
                    standard_errors={"service_time": SAMPLED * world.duet_sd / sqrt(2)},
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
        generator=HEALTHY,
        target=ALIVE,
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
