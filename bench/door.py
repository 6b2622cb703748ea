"""Judges a trial through the judge's public interface, with the default policy, as users do."""

from dataclasses import asdict, replace
from functools import cache

from bench.corpora import Take
from bench.resampling import Answer, Trial
from perfci.judge import judge
from perfci.judge.budgets import by_metric
from perfci.judge.policy import DEFAULT
from perfci.judge.sequential import Standing, look
from perfci.model import (
    Baseline,
    BudgetRule,
    Fingerprint,
    GatePolicy,
    GeneratorHealth,
    LoadPlan,
    LookPlan,
    Machine,
    Reference,
    Role,
    Round,
    RoundKind,
    Run,
    Side,
    Subject,
    TargetHealth,
)

HEALTHY = GeneratorHealth(
    cpu_share=0.2,
    run_delay_share=0.0,
    loop_lag_p99_ms=2.0,
    users_wanted=20,
    users_reached=20,
    exceptions=0,
    complete=True,
)
ALIVE = TargetHealth(alive=True, restarts=0)
_FINGERPRINT = Fingerprint(
    machine=Machine(cpu_model="recorded", cores=2, memory_mb=8192, system="Linux", kernel="", id="recorded"),
    plan=LoadPlan(
        locustfile="corpus",
        user_classes=(),
        tags=(),
        users=20,
        spawn_rate=20.0,
        duration_s=20.0,
        warmup_s=3.0,
        environment={},
    ),
    seed_digest="",
    target_kind="command",
    target={},
    versions={},
)


def lean(policy: GatePolicy) -> GatePolicy:
    """The default *policy* without advisory series: the same verdict in half the time."""
    return replace(
        policy,
        budgets=tuple(
            BudgetRule(reference=reference, kind=kind, metric=name, **asdict(budget))
            for reference in Reference
            for kind in RoundKind
            for name, budget in by_metric(policy.budgets, reference, kind).items()
            if budget.role is not Role.ADVISORY
        ),
    )


_LEAN = lean(DEFAULT)


def perfci(trial: Trial, policy: GatePolicy = _LEAN) -> str:
    """The verdict on the whole."""
    reference = Reference.BASELINE if trial.history else Reference.REF
    candidate = _rounds(trial.kind, Side.CANDIDATE, trial.candidate)
    if trial.history:
        runs = tuple(
            _run(f"stored-{number}", _rounds(trial.kind, Side.CANDIDATE, stored))
            for number, stored in enumerate(trial.base)
        )
        run, baseline = _run("candidate", candidate), Baseline(location="corpus", runs=runs)
    else:
        run, baseline = _run("candidate", (*_rounds(trial.kind, Side.BASE, trial.base[0]), *candidate)), None
    return judge(run, baseline=baseline, policy=policy, subject=_subject(reference)).verdict.value


def sequential(first: int, trial: Trial, policy: GatePolicy = _LEAN) -> Answer:
    """The verdict on the whole where it is judged after each block from the *first* on, until it is decided."""
    most = len(trial.candidate)
    plan = LookPlan(first=first, most={trial.kind: most})
    base, candidate = (
        _rounds(trial.kind, Side.BASE, trial.base[0]),
        _rounds(trial.kind, Side.CANDIDATE, trial.candidate),
    )
    standing = Standing()
    for blocks in range(first, most + 1):
        run = replace(_run("candidate", (*base[:blocks], *candidate[:blocks])), looks=plan)
        standing = look(standing, run, plan, policy, block=blocks)
        if standing.red or not standing.is_open(trial.kind):
            break
    outcome = judge(run, baseline=None, policy=policy, subject=_subject(Reference.REF), standing=standing)
    return Answer(outcome.verdict.value, blocks)


@cache
def _subject(reference: Reference) -> Subject:
    return Subject(
        profile="corpus",
        scenario="trial",
        reference=reference,
        reference_name="the reference",
        base_commit="",
        head_commit="",
        machine="",
        load="",
    )


def _run(name: str, rounds: tuple[Round, ...]) -> Run:
    return Run(
        id=name,
        created_at="2026-01-01T00:00:00Z",
        profile="corpus",
        scenario="trial",
        commits={},
        fingerprint=_FINGERPRINT,
        rounds=rounds,
        complete=True,
    )


def _rounds(kind: RoundKind, side: Side, takes: tuple[Take, ...]) -> tuple[Round, ...]:
    return tuple(replace(_template(kind, side, take), block=number) for number, take in enumerate(takes, start=1))


@cache
def _template(kind: RoundKind, side: Side, take: Take) -> Round:
    return Round(
        kind=kind,
        side=side,
        block=0,
        number=1,
        started_at=0.0,
        duration_s=20.0,
        warmup_s=3.0,
        endpoints=take.endpoints,
        generator=HEALTHY,
        target=ALIVE,
    )
