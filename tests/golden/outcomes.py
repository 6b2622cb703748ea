"""One outcome for each thing that a gate can say."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from perfci.judge.acceptance import with_accepted
from perfci.judge.limits.quantities import QUANTITIES
from perfci.model import (
    BASE_UNAVAILABLE,
    Acceptance,
    Analysis,
    Assessment,
    Band,
    Better,
    Capacity,
    Culprit,
    CulpritKind,
    Decision,
    GaugeChange,
    GaugeLevel,
    Interval,
    Metric,
    Outcome,
    Quantity,
    Recommendation,
    Reference,
    Remark,
    Replicate,
    Role,
    RoundKind,
    Scale,
    Series,
    SeriesVerdict,
    Verdict,
    Weight,
    WordedReason,
    reweighed,
)
from perfci.sentences.acceptance import AcceptanceNotAllowed
from perfci.sentences.headline import headline
from tests.builders import (
    ENDPOINTS,
    a_budget,
    a_comparison,
    a_decision,
    a_finding,
    a_red_outcome,
    a_regression,
    a_subject,
    an_outcome,
    an_slo,
    an_slo_result,
)


def a_guard(endpoint: str, **changes: object) -> Decision:
    """A tail under load: watched, not settled."""
    budget = a_budget(role=Role.GUARDING, change=0.25, margin=0.5, floor=2.0)
    comparison = a_comparison(
        endpoint=endpoint,
        metric="p95",
        kind=RoundKind.LOAD,
        budget=budget,
        base=7.9,
        candidate=8.2,
        change=Interval(estimate=0.038, low=-0.11, high=0.21),
        smallest_detectable=0.24,
    )
    decision = a_decision(comparison=comparison, reason=f"p95 of {endpoint} is unchanged")
    return replace(decision, **changes)  # type: ignore[arg-type]


def failures(endpoint: str = "POST /tickets/") -> Decision:
    """A share that rose from nothing."""
    comparison = a_comparison(
        endpoint=endpoint,
        metric="failure_rate",
        kind=RoundKind.LOAD,
        budget=a_budget(role=Role.GUARDING, change=0.001, margin=0.01, floor=0.0),
        base=0.0,
        candidate=0.0213,
        change=Interval(estimate=0.0213, low=0.0152, high=0.0291),
        smallest_detectable=0.004,
        replicates=(Replicate(label="block 1", base=0.0, candidate=0.02),),
    )
    reason = f"{endpoint} fails in 2.1 % of requests, 0 % before"
    return a_decision(comparison=comparison, verdict=SeriesVerdict.REGRESSION, p_adjusted=2e-6, reason=reason)


def counted(
    counter: str,
    base: float,
    candidate: float,
    *culprits: Culprit,
    endpoint: str = "GET /tickets/",
    verdict: SeriesVerdict = SeriesVerdict.REGRESSION,
    share: float = 0.0,
) -> Decision:
    """A counter that is the same in every request."""
    metric = Metric(
        quantity=Quantity.COUNT,
        name=counter,
        unit="",
        better=Better.LOWER,
        scale=Scale.DIFFERENCE,
        portable=True,
        exact=True,
        meaning=f"{counter} for one request.",
    )
    difference = candidate - base
    comparison = a_comparison(
        series=Series(endpoint=endpoint, metric=metric),
        kind=RoundKind.CENSUS,
        budget=a_budget(role=Role.GUARDING, change=share, margin=0.1, floor=0.0),
        base=base,
        candidate=candidate,
        change=Interval(estimate=difference, low=difference, high=difference),
        p_worse=None,
        p_better=None,
        standard_error=None,
        smallest_detectable=None,
        replicates=(),
        culprits=culprits,
    )
    accepted = "; accepted: this change writes it into census.json" if verdict is SeriesVerdict.ACCEPTED else ""
    reason = f"{endpoint}: {base:g} -> {candidate:g} {counter} in every request{accepted}"
    return a_decision(comparison=comparison, verdict=verdict, p_adjusted=None, reason=reason)


USERS = "SELECT … FROM users WHERE users.id = ?"
TICKETS = "SELECT … FROM tickets ORDER BY tickets.id LIMIT ?"


def statements() -> Decision:
    """An N+1."""
    culprit = Culprit(kind=CulpritKind.N_PLUS_ONE, what=USERS, before=1, after=20, beside=TICKETS)
    return counted("db/statements", 4, 23, culprit)


def varying() -> Decision:
    """Rows that depend on the data, tested on the requests."""
    decision = counted("db/rows", 12.4, 31.25, verdict=SeriesVerdict.INCONCLUSIVE, endpoint="GET /search", share=0.1)
    comparison = replace(
        decision.comparison,
        change=Interval(estimate=18.85, low=2.1, high=35.6),
        p_worse=0.0042,
        p_better=0.9958,
        standard_error=8.3,
    )
    reason = "GET /search: 12.4 -> 31.2 db/rows a request on average can neither be called changed nor unchanged"
    return replace(decision, comparison=comparison, p_adjusted=0.084, because=WordedReason(reason))


def work() -> Outcome:
    """Every way in which work grows, with what caused it; some of it accepted, some of it less than before."""
    cache = Culprit(kind=CulpritKind.CACHE, what="cache/hits", before=1, after=0, unit="hits")
    new = Culprit(kind=CulpritKind.NEW, what="SELECT … FROM teams WHERE teams.id = ?", before=0, after=1)
    more = Culprit(kind=CulpritKind.MORE_CALLS, what="UPDATE users SET seen = ? WHERE id = ?", before=1, after=2)
    plan = Culprit(kind=CulpritKind.PLAN, what=TICKETS, before=11, after=130, unit="blocks")
    payload = Culprit(kind=CulpritKind.PAYLOAD, what="response/bytes", before=5123, after=10311, unit="bytes")
    trips = Culprit(kind=CulpritKind.ROUND_TRIPS, what="api/packets_in", before=6, after=27, unit="packets")
    decisions = (
        statements(),
        counted("db/statements", 2, 3, cache, new, endpoint="GET /teams/[id]"),
        counted("db/rows", 40, 59, share=0.1),
        counted("db/blocks", 11, 130, plan, endpoint="GET /reports", share=0.1),
        counted("db/blocks", 14, 71, share=0.1),
        counted("response/bytes", 5123, 10311, payload, endpoint="GET /export", share=0.1),
        counted("api/packets_in", 6, 27, trips, endpoint="GET /upstream", share=0.1),
        counted("db/statements", 3, 4, more, endpoint="POST /login", verdict=SeriesVerdict.ACCEPTED),
        counted("db/statements", 9, 2, endpoint="GET /users/", verdict=SeriesVerdict.IMPROVEMENT),
        *an_outcome().decisions,
        varying(),
        counted("db/statements", 2, 2, endpoint="GET /tickets/[id]", verdict=SeriesVerdict.EQUIVALENT),
    )
    finding = a_finding(
        code="census-unreached", message="Not counted, because not reached often enough: DELETE /tickets/[id]", hint=""
    )
    return an_outcome(
        verdict=Verdict.REGRESSION,
        reason=str(headline(decisions, ())),
        decisions=decisions,
        findings=(finding,),
        remarks=(
            Remark(name="Folded", text="1,103 names are GET /product?id={value}; apart: <b>GET /product?id=`@octo`"),
            Remark(name="Work", text="counted by response, db (postgresql); not found: cache (redis): no answer"),
        ),
    )


def passed() -> Outcome:
    """Nothing changed; the tails are watched, and one number is for information."""
    guard = a_guard("GET /tickets/")
    budget = replace(guard.comparison.budget, role=Role.ADVISORY)
    advisory = replace(guard, comparison=replace(guard.comparison, budget=budget))
    return an_outcome(
        decisions=(*an_outcome().decisions, *map(a_guard, ENDPOINTS), advisory), slos=(an_slo_result(),), family=6
    )


def regression() -> Outcome:
    """One endpoint slower, with the statements that explain it, and another one failing."""
    red = a_red_outcome()
    decisions = (a_regression(), statements(), failures(), *red.decisions[1:], a_guard("GET /tickets/"))
    return a_red_outcome(
        reason=str(headline(decisions, ())),
        decisions=decisions,
        slos=(an_slo_result(),),
        findings=(a_finding(),),
        family=6,
    )


def accepted() -> Outcome:
    """Slower on purpose, as somebody who may decide it says; another one's words accept nothing."""
    found = regression()
    label = found.decisions[0].comparison.series.label
    url = "https://git.example/octo/shop/pull/7#issuecomment-1"
    acceptance = Acceptance(
        series=label,
        commit="f00d" * 10,
        by="octo",
        at="2026-11-20T10:00:00Z",
        why="the *audit* trail costs it",
        url=url,
    )
    outcome = with_accepted(found, [acceptance]).noting(AcceptanceNotAllowed(authors=("mallory",)))
    return replace(
        outcome,
        because=WordedReason(outcome.reason),
        decisions=tuple(replace(each, because=WordedReason(each.reason)) for each in outcome.decisions),
        findings=tuple(reweighed(each, each.weight) for each in outcome.findings),
    )


def improvement() -> Outcome:
    """One endpoint faster."""
    faster = a_comparison(
        base=4.1, candidate=2.02, change=Interval(estimate=-0.507, low=-0.52, high=-0.49), p_worse=1.0, p_better=1e-9
    )
    decision = a_decision(
        comparison=faster, verdict=SeriesVerdict.IMPROVEMENT, reason="GET /tickets/ is 51 % faster (4.10 -> 2.02 ms)"
    )
    return an_outcome(
        reason="No regression; GET /tickets/ is 51 % faster.", decisions=(decision, *an_outcome().decisions[1:])
    )


def inconclusive() -> Outcome:
    """Too much noise to tell."""
    noisy = a_comparison(
        change=Interval(estimate=0.031, low=-0.09, high=0.16), smallest_detectable=0.17, p_worse=0.3, p_better=0.7
    )
    decision = a_decision(
        comparison=noisy,
        verdict=SeriesVerdict.INCONCLUSIVE,
        reason="GET /tickets/ may be anything from 9 % faster to 16 % slower",
        further_blocks=14,
    )
    return an_outcome(
        verdict=Verdict.INCONCLUSIVE,
        reason="Cannot tell: 1 of 3 required series is not settled.",
        decisions=(decision, *an_outcome().decisions[1:]),
        further_blocks=14,
    )


def invalid() -> Outcome:
    """The generator had no core to run on."""
    finding = a_finding(weight=Weight.INVALID, message="The load generator waited for a core 61 % of the time.")
    decisions = tuple(
        replace(
            d,
            verdict=SeriesVerdict.NOT_COMPARED,
            comparison=replace(d.comparison, change=None, note="invalid measurement"),
        )
        for d in an_outcome().decisions
    )
    return an_outcome(
        verdict=Verdict.INVALID,
        reason="The measurement is invalid: the load generator was starved.",
        decisions=decisions,
        findings=(finding,),
    )


def cannot_compare() -> Outcome:
    """The base was named, and could not be had."""
    message = "the base 1a2b3c4 is not in the local git: this clone is shallow"
    finding = a_finding(
        code=BASE_UNAVAILABLE,
        weight=Weight.INVALID,
        message=message,
        hint="check out two commits: actions/checkout with `fetch-depth: 2`",
    )
    return an_outcome(verdict=Verdict.INVALID, reason=message, decisions=(), findings=(finding,), family=0)


def edited() -> Outcome:
    """The change edits what it is measured with, and took an endpoint out of the profile."""
    findings = (
        a_finding(
            code="load-changed",
            weight=Weight.NOTICE,
            message="this change edits load_tests/tickets.py: both sides were driven by its own version",
            hint='`load = "base"` in perfci.toml drives both sides with the base\'s',
        ),
        a_finding(
            code="endpoints-gone",
            weight=Weight.INCONCLUSIVE,
            message="1 endpoint of the base's profile is not asked any more: DELETE /tickets/[id]",
            hint="",
        ),
        a_finding(),
    )
    return an_outcome(verdict=Verdict.INCONCLUSIVE, reason=findings[1].message, findings=findings)


def no_baseline() -> Outcome:
    """The first run."""
    subject = a_subject(reference=Reference.BASELINE, reference_name="", base_commit="")
    return an_outcome(
        verdict=Verdict.NO_BASELINE,
        reason="There is nothing to compare with: baselines/tickets-smoke holds no run.",
        subject=subject,
        decisions=(),
        slos=(an_slo_result(),),
        family=0,
    )


def watched() -> tuple[GaugeChange, ...]:
    """Both sides, a gauge that only the candidate has, and one that somebody named as he liked."""

    def level(mean: float, high: float) -> GaugeLevel:
        return GaugeLevel(mean=mean, low=mean / 2, high=high)

    return (
        GaugeChange(name="api/cpu", unit="cores", base=level(0.412, 0.58), candidate=level(0.4391, 0.61)),
        GaugeChange(name="api/memory", unit="MB", base=level(88.12, 91.4), candidate=level(1088.5, 1190.2)),
        GaugeChange(name="db/connections", unit="", base=level(18.25, 20), candidate=level(61.5, 97)),
        GaugeChange(name="pool", unit="<b>@all|", base=None, candidate=level(0.0, 0.0)),
        GaugeChange(name="x|y](http://evil) `@octo`", unit="", base=level(2, 3), candidate=None),
    )


def slo_breach() -> Outcome:
    """A limit was not held, and neither was an alert; another one only warns."""
    metric = Metric(
        quantity=Quantity.COUNT,
        name="db/connections for 3 s",
        unit="",
        better=Better.LOWER,
        scale=Scale.RATIO,
        portable=False,
        exact=True,
        meaning="The level that db/connections kept for 3 s.",
    )
    alert = an_slo_result(
        slo=an_slo(metric=metric.name, endpoint="(target)", limit=90.0),
        metric=metric,
        rounds=4,
        rounds_within=3,
        worst=95.0,
        held=False,
        reason="3/4 rounds within 90; connections: db/connections was above 90 for 6 s in block 2 of the candidate",
    )
    evidence = "api/memory was above 1000 MB for 18 s in block 1 of the candidate (1190 at most)"
    warning = a_finding(code="alert", message=f"fat: {evidence}; on the base in 0 of 4 rounds", hint="")
    breach = an_slo_result(
        slo=an_slo(endpoint="GET /tickets/[id]", limit=200.0),
        rounds_within=5,
        worst=1320.0,
        held=False,
        reason="5/8 rounds within 200 ms, the worst 1,320 ms",
    )
    return an_outcome(
        verdict=Verdict.SLO_BREACH,
        reason="p95 of GET /tickets/[id] is above 200 ms in 3 of 8 rounds.",
        slos=(breach, an_slo_result(), alert),
        findings=(warning,),
        gauges=watched(),
    )


def limits() -> Outcome:
    """A stress test against limits alone: graded, with its breaking point and what to do."""
    held = an_slo_result(slo=an_slo(endpoint="GET /tickets/", limit=500.0), rounds=1, rounds_within=1, worst=210.0)
    breach = an_slo_result(
        slo=an_slo(metric="breaking_point", endpoint="(all endpoints)", limit=200.0),
        metric=QUANTITIES["breaking_point"],
        rounds=1,
        rounds_within=0,
        worst=150.0,
        held=False,
        reason="150 users [150, 200], at least 200 were asked for",
    )
    return an_outcome(
        verdict=Verdict.SLO_BREACH,
        reason="The breaking point is below 200 users: 150 [150, 200].",
        subject=a_subject(reference=Reference.LIMITS),
        decisions=(),
        slos=(held, breach),
        assessment=Assessment(
            grade="C+",
            bands={"response": Band.ACCEPTABLE, "failures": Band.GOOD},
            analyses=(
                Analysis(
                    metric=QUANTITIES["breaking_point"],
                    value=150.0,
                    low=150.0,
                    high=200.0,
                    evidence=WordedReason("p95 broke <first>"),
                ),
            ),
            recommendations=(
                Recommendation(
                    cause=WordedReason("breaking point"), advice="what gave way first is the bottleneck: relieve it"
                ),
            ),
            capacity=Capacity(users=150, per_second=412.5, cores=2, broke=True),
        ),
    )


OUTCOMES: Mapping[str, Callable[[], Outcome]] = {
    "pass": passed,
    "regression": regression,
    "accepted": accepted,
    "work": work,
    "improvement": improvement,
    "inconclusive": inconclusive,
    "invalid": invalid,
    "cannot_compare": cannot_compare,
    "edited": edited,
    "no_baseline": no_baseline,
    "slo_breach": slo_breach,
    "limits": limits,
}
