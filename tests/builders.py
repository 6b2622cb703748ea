"""
Plausible values of the model for tests: `a_round()` is whole and believable, `a_round(block=3)` changes one thing.

Numbers come from a seeded generator, so that the same call always gives the same value.
"""

import math
import random
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from perfci.metrics.registry import METRICS
from perfci.model import (
    ALL_ENDPOINTS,
    Alert,
    Baseline,
    Budget,
    BudgetRule,
    Census,
    Comparison,
    CounterSource,
    Decision,
    EndpointCensus,
    EndpointRound,
    Fingerprint,
    GatePolicy,
    Gauge,
    GeneratorHealth,
    Histogram,
    Interval,
    LoadPlan,
    Machine,
    Metric,
    Outcome,
    Reference,
    Replicate,
    Requests,
    Role,
    Round,
    RoundKind,
    Run,
    Second,
    Series,
    SeriesVerdict,
    Side,
    Slo,
    SloResult,
    Statement,
    Subject,
    Tally,
    TargetHealth,
    Verdict,
    Weight,
    WordedFinding,
    WordedReason,
)

ENDPOINTS: Mapping[str, float] = {"GET /tickets/": 4.1, "GET /tickets/[id]": 2.3, "POST /tickets/": 6.0}
"""Endpoints of a small service with their typical service time in ms."""

HEAD = "f00dfeed" * 5
BASE = "ba5eba11" * 5
START = 1_795_000_000.0  # seconds since the epoch


def a_metric(name: str = "service_time", **changes: Any) -> Metric:
    """A metric of the registry, a latency if there is none of this name; its meaning is none that may change."""
    metric = METRICS.get(name, METRICS["service_time"])
    described: dict[str, Any] = {"name": name, "meaning": f"What {name} means, in one sentence.", **changes}
    return replace(metric, **described)


def a_series(endpoint: str = "GET /tickets/", metric: str = "service_time") -> Series:
    """One metric of one endpoint."""
    return Series(endpoint=endpoint, metric=a_metric(metric))


def some_requests(
    latencies_ms: Mapping[str, Sequence[float]] | None = None,
    *,
    failed: Iterable[int] = (),
    start_s: float = START,
    every_s: float = 0.01,
) -> Requests:
    """Requests sent *every_s* seconds in the order given; *failed* holds the indexes of those that failed."""
    chosen = latencies_ms or {name: [typical] * 50 for name, typical in ENDPOINTS.items()}
    names = tuple(chosen)
    rows = [(names.index(name), value) for name, values in chosen.items() for value in values]
    bad = set(failed)
    return Requests(
        names=names,
        start_s=array("d", [start_s + every_s * number for number in range(len(rows))]),
        latency_ms=array("d", [value for _, value in rows]),
        endpoint=array("I", [index for index, _ in rows]),
        failed=array("B", [int(number in bad) for number in range(len(rows))]),
        status=array("H", [500 if number in bad else 200 for number in range(len(rows))]),
        size=array("Q", [1024] * len(rows)),
    )


def an_endpoint_round(
    typical_ms: float = 4.1, *, requests: int = 400, failures: int = 0, kind: RoundKind = RoundKind.LOAD
) -> EndpointRound:
    """What a round saw of one endpoint whose typical latency is *typical_ms*."""
    latencies = {"trimmed_gmean": 1.0, "gmean": 1.01, "mean": 1.06, "p50": 0.98, "p95": 1.9, "p99": 2.8}
    values = {"failure_rate": failures / requests if requests else 0.0}
    if requests > failures:
        if kind is RoundKind.DUET:
            values["service_time"] = typical_ms
        values |= {name: typical_ms * factor for name, factor in latencies.items()}
    if kind is RoundKind.LOAD:
        values["throughput"] = (requests - failures) / 20.0
    return EndpointRound(
        requests=requests, failures=failures, values=values, histogram=_spread(typical_ms, requests - failures)
    )


def _spread(typical_ms: float, successes: int) -> Histogram:
    """Latencies from a fifth below a typical one to a third above it; cheap, since tests make thousands of these."""
    fifth, middle = successes // 5, round(50 * math.log(typical_ms))  # a bin is 2 % wide
    if not fifth:
        return Histogram(f"{middle}: {successes}" if successes > 0 else "")
    return Histogram(f"{middle - 10}: {fifth} -4 {fifth} -4 {successes - 4 * fifth} -4 {fifth} -9 {fifth}")


def some_endpoints(
    *, kind: RoundKind = RoundKind.LOAD, typical: Mapping[str, float] = ENDPOINTS, requests: int = 400
) -> dict[str, EndpointRound]:
    """Every endpoint of *typical*, and the line for all of them in a load round."""
    endpoints = {name: an_endpoint_round(value, kind=kind, requests=requests) for name, value in typical.items()}
    if kind is RoundKind.LOAD and typical:
        mean = sum(typical.values()) / len(typical)
        endpoints[ALL_ENDPOINTS] = an_endpoint_round(mean, requests=requests * len(typical))
    return endpoints


def some_seconds(*, count: int = 20, users: int = 10, requests: int = 60, p95_ms: float = 8.0) -> tuple[Second, ...]:
    """The lines of a quiet round."""
    return tuple(
        Second(
            at_s=at,
            users=users,
            requests=requests + at % 5,
            failures=0,
            p95_ms=p95_ms + 0.1 * (at % 7),
            p50_ms=p95_ms / 2,
        )
        for at in range(count)
    )


def a_generator(**changes: Any) -> GeneratorHealth:
    """A healthy load generator."""
    health = GeneratorHealth(
        cpu_share=0.21,
        run_delay_share=0.02,
        loop_lag_p99_ms=4.0,
        users_wanted=10,
        users_reached=10,
        exceptions=0,
        complete=True,
    )
    return replace(health, **changes)


def a_round(**changes: Any) -> Round:
    """A load round of the candidate in block 1."""
    kind = changes.get("kind", RoundKind.LOAD)
    defaults: dict[str, Any] = {
        "kind": kind,
        "side": Side.CANDIDATE,
        "block": 1,
        "number": 1,
        "started_at": START,
        "duration_s": 20.0,
        "warmup_s": 3.0,
        "endpoints": some_endpoints(kind=kind),
        "seconds": some_seconds() if kind is RoundKind.LOAD else (),
        "generator": a_generator(),
        "target": TargetHealth(alive=True, restarts=0),
    }
    return Round(**defaults | changes)


def a_machine(**changes: Any) -> Machine:
    """A hosted runner."""
    machine = Machine(
        cpu_model="AMD EPYC 7763 64-Core Processor",
        cores=4,
        memory_mb=15_990,
        system="Linux",
        kernel="6.8.0-1017-azure",
        id="5d41402abc4b2a76",
    )
    return replace(machine, **changes)


def a_plan(**changes: Any) -> LoadPlan:
    """Ten users for twenty seconds."""
    plan = LoadPlan(
        locustfile="load_tests/tickets.py",
        user_classes=("Agent",),
        tags=(),
        users=10,
        spawn_rate=5.0,
        duration_s=20.0,
        warmup_s=3.0,
        environment={},
        digest="9e107d9d372bb682",
    )
    return replace(plan, **changes)


def a_fingerprint(**changes: Any) -> Fingerprint:
    """Where and with what a run was measured."""
    fingerprint = Fingerprint(
        machine=a_machine(),
        plan=a_plan(),
        seed_digest="e4d909c290d0fb1c",
        target_kind="compose",
        target={Side.BASE: "api@sha256:1111", Side.CANDIDATE: "api@sha256:2222"},
        versions={"perfci": "1.0.0", "python": "3.12.4", "locust": "2.46.0"},
    )
    return replace(fingerprint, **changes)


def a_run(**changes: Any) -> Run:
    """One job that measured the candidate alone, in four load rounds."""
    defaults: dict[str, Any] = {
        "id": "20261121-101500-f00dfeed",
        "created_at": "2026-11-21T10:15:00Z",
        "profile": "tickets",
        "scenario": "smoke",
        "commits": {Side.BASE: "", Side.CANDIDATE: HEAD},
        "fingerprint": a_fingerprint(),
        "rounds": some_rounds(blocks=4, kinds=(RoundKind.LOAD,), sides=(Side.CANDIDATE,)),
        "complete": True,
    }
    return Run(**defaults | changes)


def some_rounds(
    *,
    blocks: int = 8,
    kinds: Sequence[RoundKind] = (RoundKind.DUET, RoundKind.LOAD),
    sides: Sequence[Side] = (Side.BASE, Side.CANDIDATE),
    typical: Mapping[str, float] = ENDPOINTS,
    slower: Mapping[str, float] | None = None,
    scatter: float = 0.005,
    level: float = 1.0,
    rng_seed: int = 1,
) -> tuple[Round, ...]:
    """
    The rounds of a run: each kind and side once in every block.

    *slower* multiplies an endpoint's latencies on the candidate; *scatter* is the standard deviation of the log of
    every value; *level* multiplies everything, as another machine would.
    """
    rng = random.Random(rng_seed)
    rounds = []
    for block in range(1, blocks + 1):
        for kind in kinds:
            for side in sides:
                factors = (slower or {}) if side is Side.CANDIDATE else {}
                values = {
                    name: value * level * factors.get(name, 1.0) * rng.lognormvariate(0.0, scatter)
                    for name, value in typical.items()
                }
                rounds.append(
                    a_round(
                        kind=kind,
                        side=side,
                        block=block,
                        started_at=START + 60.0 * block + 25.0 * (kind is RoundKind.LOAD),
                        endpoints=some_endpoints(kind=kind, typical=values),
                    )
                )
    return tuple(rounds)


def a_paired_run(*, changes: Mapping[str, Any] | None = None, **rounds: Any) -> Run:
    """One job that measured base and candidate in eight blocks; *rounds* go to `some_rounds`."""
    defaults: dict[str, Any] = {
        "commits": {Side.BASE: BASE, Side.CANDIDATE: HEAD},
        "rounds": some_rounds(**rounds),
    }
    return a_run(**defaults | dict(changes or {}))


def a_baseline(*, runs: int = 3, scatter: float = 0.03, same_machine: bool = True, rng_seed: int = 7) -> Baseline:
    """Accepted runs whose levels differ by *scatter* (standard deviation of the log), as jobs do."""
    rng = random.Random(rng_seed)
    stored = []
    for number in range(1, runs + 1):
        machine = a_machine() if same_machine else a_machine(id=f"machine-{number}")
        stored.append(
            a_run(
                id=f"202611{number:02d}-090000-0badcafe",
                created_at=f"2026-11-{number:02d}T09:00:00Z",
                commits={Side.BASE: "", Side.CANDIDATE: f"{number:02d}" * 20},
                fingerprint=a_fingerprint(machine=machine),
                rounds=some_rounds(
                    blocks=4,
                    kinds=(RoundKind.LOAD,),
                    sides=(Side.CANDIDATE,),
                    level=rng.lognormvariate(0.0, scatter),
                    rng_seed=rng_seed + number,
                ),
            )
        )
    return Baseline(location="baselines/tickets-smoke", runs=tuple(stored))


def a_budget(**changes: Any) -> Budget:
    """That of the service time in a duet."""
    return replace(Budget(role=Role.REQUIRED, change=0.03, margin=0.06, floor=0.05), **changes)


def a_rule(**changes: Any) -> BudgetRule:
    """A rule that says all of `a_budget`."""
    return BudgetRule(**asdict(a_budget()) | changes)


def a_policy(**changes: Any) -> GatePolicy:
    """A small policy for both references."""
    on_load: dict[str, Any] = {"reference": Reference.REF, "kind": RoundKind.LOAD, "role": Role.GUARDING}
    budgets = (
        a_rule(reference=Reference.REF, kind=RoundKind.DUET, metric="service_time"),
        a_rule(metric="p95", change=0.25, margin=0.5, floor=2.0, **on_load),
        a_rule(metric="failure_rate", change=0.001, margin=0.01, floor=0.0, **on_load),
        a_rule(
            reference=Reference.BASELINE,
            kind=RoundKind.LOAD,
            metric="trimmed_gmean",
            change=0.1,
            margin=0.2,
            floor=1.0,
        ),
    )
    policy = GatePolicy(alpha=0.01, confidence=0.95, budgets=budgets, slos=(), min_requests=10)
    return replace(policy, **changes)


def a_comparison(**changes: Any) -> Comparison:
    """A series that stayed where it was, seen in eight blocks; `endpoint=` and `metric=` are short for `series=`."""
    endpoint, metric = changes.pop("endpoint", "GET /tickets/"), changes.pop("metric", "service_time")
    comparison = Comparison(
        series=a_series(endpoint, metric),
        kind=RoundKind.DUET,
        budget=a_budget(),
        base=4.1,
        candidate=4.11,
        change=Interval(estimate=0.0024, low=-0.004, high=0.0088),
        p_worse=0.21,
        p_better=0.79,
        standard_error=0.0027,
        smallest_detectable=0.013,
        replicates=tuple(
            Replicate(label=f"block {block}", base=4.1 + 0.01 * (block % 3), candidate=4.11 + 0.01 * (block % 4))
            for block in range(1, 9)
        ),
    )
    return replace(comparison, **changes)


def a_slower_comparison(**changes: Any) -> Comparison:
    """A series that became 61 % slower."""
    slower: dict[str, Any] = {
        "candidate": 6.6,
        "change": Interval(estimate=0.61, low=0.58, high=0.64),
        "p_worse": 1e-8,
        "p_better": 1.0,
        "replicates": tuple(
            Replicate(label=f"block {block}", base=4.1 + 0.01 * (block % 3), candidate=6.6 + 0.02 * (block % 4))
            for block in range(1, 9)
        ),
    }
    return a_comparison(**slower | changes)


def _worded(changes: dict[str, Any]) -> dict[str, Any]:
    """The changes, where a reason may be a text."""
    reasons = {"because": WordedReason(changes["reason"])} if "reason" in changes else {}
    return {**{name: value for name, value in changes.items() if name != "reason"}, **reasons}


def a_decision(**changes: Any) -> Decision:
    """An endpoint that stayed within its margin."""
    decision = Decision(
        comparison=a_comparison(),
        verdict=SeriesVerdict.EQUIVALENT,
        p_adjusted=1.0,
        because=WordedReason(
            "GET /tickets/ is unchanged (service time 4.10 -> 4.11 ms, 95 % interval -0.4..+0.9 %, 8 blocks)"
        ),
    )
    return replace(decision, **_worded(changes))


def a_regression(**changes: Any) -> Decision:
    """An endpoint that became 61 % slower."""
    decision = Decision(
        comparison=a_slower_comparison(),
        verdict=SeriesVerdict.REGRESSION,
        p_adjusted=3e-8,
        because=WordedReason(
            "GET /tickets/ is 61 % slower (service time 4.10 -> 6.60 ms, 95 % interval +58..+64 %, 8 blocks)"
        ),
    )
    return replace(decision, **_worded(changes))


def a_finding(**changes: Any) -> WordedFinding:
    """A warning about the machine."""
    finding = WordedFinding(
        code="generator-starved",
        weight=Weight.WARNING,
        message="The load generator waited for a core 34 % of the time in round 2 of block 5.",
        hint="Use a runner with more cores, or fewer users.",
    )
    return replace(finding, **changes)


def an_slo(**changes: Any) -> Slo:
    """p95 of everything within 200 ms."""
    return replace(Slo(metric="p95", limit=200.0), **changes)


def an_slo_result(**changes: Any) -> SloResult:
    """An SLO that was held in every round."""
    result = SloResult(
        slo=an_slo(),
        metric=a_metric("p95"),
        rounds=8,
        rounds_within=8,
        worst=142.0,
        held=True,
        because=WordedReason("8/8 rounds within 200 ms"),
    )
    return replace(result, **_worded(changes))


def a_gauge(*points: float | None, unit: str = "", **changes: Any) -> Gauge:
    """A number that was read once a second."""
    known = [point for point in points if point is not None]
    numbers = {"mean": sum(known) / len(known), "low": min(known), "high": max(known), "p95": max(known)}
    return Gauge(**{"unit": unit, "points": points, **numbers, **changes})


def an_alert(**changes: Any) -> Alert:
    """More than ninety connections for three seconds."""
    alert = Alert(name="connections", gauge="db/connections", limit=90.0, upper=True, seconds=3.0)
    return replace(alert, **changes)


def a_subject(**changes: Any) -> Subject:
    """A pull request against main."""
    subject = Subject(
        profile="tickets",
        scenario="smoke",
        reference=Reference.REF,
        reference_name="main (ba5eba1)",
        base_commit=BASE,
        head_commit=HEAD,
        machine="AMD EPYC 7763 64-Core Processor, 4 cores, 16 GB, Linux 6.8.0-1017-azure",
        load="10 users, 20 s after 3 s of warm-up, 8 blocks",
    )
    return replace(subject, **changes)


def an_outcome(**changes: Any) -> Outcome:
    """A pass over three unchanged endpoints."""
    decisions = tuple(a_decision(comparison=a_comparison(endpoint=name)) for name in ENDPOINTS)
    outcome = Outcome(
        verdict=Verdict.PASS,
        because=WordedReason("No regression: 3 of 3 required series are equivalent to main (ba5eba1)."),
        subject=a_subject(),
        decisions=decisions,
        slos=(),
        findings=(),
        family=3,
        alpha=0.01,
    )
    return replace(outcome, **_worded(changes))


def a_red_outcome(**changes: Any) -> Outcome:
    """One endpoint 61 % slower, the others unchanged."""
    names = list(ENDPOINTS)[1:]
    red: dict[str, Any] = {
        "verdict": Verdict.REGRESSION,
        "because": a_regression().because,
        "decisions": (a_regression(), *(a_decision(comparison=a_comparison(endpoint=name)) for name in names)),
    }
    return an_outcome(**red | changes)


def a_tally(mean: float = 4.0, spread: float = 0.0, *, requests: int = 20) -> Tally:
    """The same in each of twenty requests."""
    return Tally(requests=requests, mean=mean, spread=spread)


LIST = "SELECT tickets.id, tickets.title, tickets.body FROM tickets ORDER BY tickets.id LIMIT $1"
USER = "SELECT users.id, users.name, users.email FROM users WHERE users.id = $1"
COUNT = "SELECT count(*) FROM tickets"


def a_statement(text: str = LIST, calls: float = 1.0, rows: float = 20.0, blocks: float = 5.0) -> Statement:
    """One statement of the database, the same in every request."""
    return Statement(source="db", text=text, calls=a_tally(calls), rows=a_tally(rows), blocks=a_tally(blocks))


def an_endpoint_census(*statements: Statement, **counters: Tally | float) -> EndpointCensus:
    """
    What one endpoint did: its statements, their sums, and *counters*: `db_rows` is "db/rows".

    A plain number is the same in every request.
    """
    of = {
        "db/statements": sum(statement.calls.mean for statement in statements),
        "db/rows": sum(statement.rows.mean for statement in statements if statement.rows),
        "db/blocks": sum(statement.blocks.mean for statement in statements if statement.blocks),
    }
    given = {name.replace("_", "/", 1): value for name, value in counters.items()}
    known = {name: a_tally(value) if isinstance(value, int | float) else value for name, value in (of | given).items()}
    return EndpointCensus(requests=20, counters=dict(sorted(known.items())), statements=statements)


SOURCES = tuple(
    CounterSource(name=name, kind=kind, found=True)
    for name, kind in (("db", "postgresql"), ("db", "network"), ("cache", "redis"), ("response", "response"))
)


def a_census(calls: int = 1, **changes: Any) -> Census:
    """A list of twenty tickets that asks for its user *calls* times, and one ticket."""
    users = a_statement(USER, calls, rows=calls, blocks=3 * calls)
    endpoints = {
        "GET /tickets/": an_endpoint_census(a_statement(), users, a_statement(COUNT, rows=1), response_bytes=5123),
        "GET /tickets/[id]": an_endpoint_census(
            a_statement(USER, rows=1, blocks=3), response_bytes=a_tally(600.2, 3.1)
        ),
    }
    return replace(Census(endpoints=endpoints, sources=SOURCES), **changes)


def a_counted_run(base: Census | None = None, candidate: Census | None = None, **changes: Any) -> Run:
    """One job that counted the work of both sides, which is the same unless told otherwise."""
    census = {Side.BASE: base or a_census(), Side.CANDIDATE: candidate or a_census()}
    return a_run(**{"census": census, "rounds": (), "commits": {Side.BASE: BASE, Side.CANDIDATE: HEAD}} | changes)
