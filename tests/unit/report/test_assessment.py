"""Grades, readiness, advice and capacity, by the table of the documents: at every edge."""

import json
import re
from dataclasses import replace

import pytest

from perfci.judge import judge
from perfci.judge.assessment import FAILURES, RESPONSE_MS, assess, band, grade_of
from perfci.judge.policy import DEFAULT
from perfci.judge.readiness import readiness_of
from perfci.metrics.registry import measure
from perfci.model import (
    Assessment,
    Band,
    Level,
    Outcome,
    Reference,
    Round,
    Second,
    Slo,
    TargetHealth,
    Verdict,
    Weight,
)
from perfci.report import FORMATS, overview, overview_json, terminal
from perfci.report import assessment as words
from perfci.report.view import View
from tests.builders import (
    START,
    a_finding,
    a_fingerprint,
    a_gauge,
    a_plan,
    a_round,
    a_run,
    a_subject,
    an_outcome,
    an_slo_result,
    some_requests,
)

LIMITS = a_subject(reference=Reference.LIMITS)


@pytest.mark.parametrize(
    ("value", "edges", "name"),
    [
        (499.9, RESPONSE_MS, Band.EXCELLENT),
        (500.0, RESPONSE_MS, Band.GOOD),
        (1000.0, RESPONSE_MS, Band.ACCEPTABLE),
        (2000.0, RESPONSE_MS, Band.POOR),
        (5000.0, RESPONSE_MS, Band.FAILING),
        (0.0, FAILURES, Band.EXCELLENT),
        (0.001, FAILURES, Band.GOOD),
        (0.005, FAILURES, Band.ACCEPTABLE),
        (0.01, FAILURES, Band.POOR),
        (0.05, FAILURES, Band.FAILING),
    ],
)
def test_a_value_at_an_edge_is_of_the_next_band(value: float, edges: tuple[float, ...], name: Band) -> None:
    """As "<" in the documents' table says."""
    assert band(value, edges) is name


E, G, A, P, F = Band


@pytest.mark.parametrize(
    ("bands", "letter"),
    [
        ((E, E, E), "A"),
        ((E, E, G), "B+"),
        ((E, G, G), "B+"),
        ((G, G, G), "B"),
        ((G, G, A), "C+"),
        ((A, A, A), "C"),
        ((A, A, P), "D"),
        ((P, P, P), "D"),
        ((E, E, F), "F"),
    ],
)
def test_the_letter_is_the_mean_of_the_points(bands: tuple[Band, ...], letter: str) -> None:
    """And anything beyond poor is an F."""
    named = dict(zip(("response", "failures", "throughput"), bands, strict=True))
    assert grade_of(named, died=False, failed=False) == letter


def test_a_broken_limit_leaves_a_c_at_most_and_a_death_an_f() -> None:
    """Whatever the values; where nothing was measured there is no letter."""
    best = {"response": E, "failures": E}
    assert grade_of(best, died=False, failed=True) == "C"
    assert grade_of({"response": P, "failures": P}, died=False, failed=True) == "D"
    assert grade_of(best, died=True, failed=False) == "F"
    assert grade_of({}, died=False, failed=False) == ""


def measured(latency_ms: float, *, failures: int = 0, seconds: float = 10.0, count: int = 2000) -> Round:
    """A load round of so many requests."""
    requests = some_requests({"GET /": [latency_ms] * count}, failed=range(failures), every_s=seconds / count)
    return a_round(duration_s=seconds, endpoints=measure(requests, windows=[(START, START + seconds)]), seconds=())


def outcome_of(round_: Round, *slos: Slo) -> Outcome:
    """What the judge says of one round against limits."""
    plan = a_plan(duration_s=round_.duration_s)
    run = a_run(rounds=(round_,), fingerprint=a_fingerprint(plan=plan))
    return judge(run, baseline=None, policy=replace(DEFAULT, slos=slos), subject=LIMITS)


def test_throughput_is_graded_by_the_floor_of_the_scenario() -> None:
    """Its floor is the documents' 150 requests a second; without one a small plan is not blamed for being small."""
    slow = measured(20.0, seconds=100.0)  # 20 requests a second
    floor = Slo(metric="throughput", limit=14.0)
    graded = outcome_of(slow, floor).assessment
    assert graded is not None
    assert graded.bands["throughput"] is Band.EXCELLENT
    bare = outcome_of(slow, Slo(metric="p95", limit=100.0)).assessment
    assert bare is not None
    assert "throughput" not in bare.bands
    assert bare.grade == "A"


def test_each_advice_names_the_limit_that_asks_for_it() -> None:
    """Nothing is advised where every limit is held."""
    held = outcome_of(measured(20.0), Slo(metric="p95", limit=100.0)).assessment
    broken = outcome_of(measured(20.0), Slo(metric="p95", limit=10.0), Slo(metric="throughput", limit=900.0)).assessment
    assert held is not None
    assert broken is not None
    assert held.recommendations == ()
    assert [str(each.cause) for each in broken.recommendations] == [
        "p95 of (all endpoints)",
        "throughput of (all endpoints)",
    ]


def test_capacity_is_what_the_last_level_bore() -> None:
    """With the share of each core, and in words."""
    seconds = tuple(
        Second(at_s=at, users=there, requests=2 * there, failures=0, p95_ms=50.0 if there < 300 else 900.0)
        for at, there in enumerate([100] * 10 + [200] * 10 + [300] * 10)
    )
    outcome = outcome_of(replace(measured(20.0), seconds=seconds), Slo(metric="p95", limit=500.0))
    assert outcome.assessment is not None
    capacity = outcome.assessment.capacity
    assert capacity is not None
    assert (capacity.users, capacity.per_second, capacity.cores, capacity.broke) == (200, 400.0, 4, True)
    shown = dict(words.lines(outcome))
    assert shown["Capacity"] == "200 users, 400 requests/s, 100 for each core; plan for 70 % of it"
    (analysis,) = (text for _, text in words.lines(outcome) if text.startswith("breaking point"))
    assert "p95 of 300 users is 900 ms" in analysis
    levels = "100 users 200/s in 50 ms, 200 users 400/s in 50 ms, 300 users 600/s in 900 ms"
    assert analysis.endswith(f"throughput and p95: {levels}")


def test_a_run_that_is_compared_has_no_grade() -> None:
    """Grades are of absolute values."""
    run = a_run(rounds=(measured(20.0),))
    assert judge(run, baseline=None, policy=DEFAULT, subject=a_subject()).assessment is None
    assert assess(a_run(rounds=()), (), (), DEFAULT) is None


def graded(grade: str, verdict: Verdict = Verdict.PASS, **bands: Band) -> Outcome:
    """An outcome with this grade."""
    known = {"response": E, "failures": E, **bands}
    return an_outcome(verdict=verdict, slos=(), assessment=Assessment(grade=grade, bands=known))


@pytest.mark.parametrize(
    ("outcomes", "level", "reason"),
    [
        ([graded("A"), graded("B+")], Level.READY, ""),
        ([graded("A"), graded("B")], Level.NEEDS_OPTIMISATION, "b has grade B"),
        ([graded("A"), graded("C+")], Level.NEEDS_OPTIMISATION, "b has grade C+"),
        ([graded("A"), graded("C")], Level.NOT_READY, "b has grade C"),
        ([graded("A"), graded("F")], Level.NOT_READY, "b has grade F"),
        ([graded("A"), graded("B+", failures=P)], Level.NEEDS_OPTIMISATION, "1 % or more"),
        ([graded("A"), graded("D", failures=F)], Level.NOT_READY, "5 % or more"),
        ([graded("A"), graded("B+", Verdict.INCONCLUSIVE)], Level.NEEDS_OPTIMISATION, "b: inconclusive"),
        ([graded("A"), graded("", Verdict.INVALID)], Level.NOT_READY, "b is invalid"),
        ([graded("A"), graded("B+", response=A)], Level.NEEDS_OPTIMISATION, "responses of b are acceptable"),
        ([graded("A"), graded("B+", response=G)], Level.READY, ""),
    ],
)
def test_the_worst_criterion_decides(outcomes: list[Outcome], level: Level, reason: str) -> None:
    """Over all scenarios of a system, with the reason."""
    found = readiness_of(dict(zip("ab", outcomes, strict=True)))
    assert found.level is level
    assert reason in "; ".join(map(str, found.reasons))


def test_a_leak_and_a_death_are_not_ready() -> None:
    """Whatever the grade."""
    leak = an_slo_result(slo=Slo(metric="memory_growth", limit=0.1), held=False)
    leak = replace(leak, metric=replace(leak.metric, name="memory_growth"))
    assert readiness_of({"a": replace(graded("A"), slos=(leak,))}).level is Level.NOT_READY
    dead = outcome_of(
        replace(measured(20.0), target=TargetHealth(alive=False, restarts=0)), Slo(metric="p95", limit=100.0)
    )
    assert dead.verdict is Verdict.SLO_BREACH
    assert readiness_of({"a": dead}).level is Level.NOT_READY


def test_a_leak_that_nobody_excluded_is_not_ready_yet() -> None:
    """A round too short to tell promises nothing, although the limit only warns; one that holds it does."""
    open_ = an_slo_result(slo=Slo(metric="connection_growth", limit=0.1), held=False, rounds=0)
    open_ = replace(open_, metric=replace(open_.metric, name="connection_growth"))
    found = readiness_of({"a": replace(graded("A"), slos=(open_,))})
    assert found.level is Level.NEEDS_OPTIMISATION
    assert list(map(str, found.reasons)) == ["a does not show whether connection_growth is within its limit"]
    held = replace(open_, held=True, rounds=1)
    assert readiness_of({"a": replace(graded("A"), slos=(held,))}).level is Level.READY


def test_the_overview_has_a_row_for_each_limit() -> None:
    """PASS, FAIL, WARN and OPEN, the grade, the advice and the readiness, as text and as JSON."""
    fast = outcome_of(measured(20.0), Slo(metric="p95", limit=100.0), Slo(metric="availability", limit=0.99))
    slow = outcome_of(measured(700.0), Slo(metric="p95", limit=100.0))
    outcomes = {"shop:fast": fast, "shop:slow": slow}
    ready = {"shop": readiness_of(outcomes)}
    text = overview.table(outcomes, ready, width=120, colour=False)
    rows = [line.split() for line in text.splitlines()]
    assert [row[0] for row in rows if row and row[0] in {"PASS", "FAIL", "WARN", "OPEN", "advice"}] == [
        *("PASS", "OPEN", "FAIL", "advice"),
    ]
    assert "shop is not ready: shop:slow has grade C" in text
    document = json.loads(overview_json.document(outcomes, ready))
    assert document["scenarios"]["shop:slow"]["grade"] == "C"
    assert [limit["result"] for limit in document["scenarios"]["shop:fast"]["limits"]] == ["PASS", "OPEN"]


def test_the_overview_says_how_a_scenario_can_be_measured() -> None:
    """Where one could not, the next step stands below its reason."""
    invalid = an_outcome(
        verdict=Verdict.INVALID, findings=(a_finding(weight=Weight.INVALID, hint="give a longer one"),)
    )
    lines = overview.table({"shop:stress": invalid}, {}, width=100, colour=False).splitlines()
    assert any(line.split(maxsplit=1) == ["next", "give a longer one"] for line in lines)


@pytest.mark.parametrize("fmt", ["html", "markdown", "terminal"])
def test_a_run_against_limits_has_one_side(fmt: str) -> None:
    """No table has a column and no chart a key for a base: nothing was compared."""
    run = a_run(rounds=(a_round(gauges={"process/memory": a_gauge(88.0, 91.0, unit="MB")}),))
    outcome = judge(run, baseline=None, policy=DEFAULT, subject=LIMITS)
    view = View(outcome=outcome, run=run)
    text = terminal.render(outcome, verbose=True) if fmt == "terminal" else FORMATS[fmt].render(view)
    assert "process/memory" in text
    assert not re.search(r"(Base, |Highest base|\bBase +Candidate|<i></i>base)", text)
    assert re.search(r"(Candidate, highest|Highest candidate)", text)
    both = replace(outcome, subject=a_subject())
    text = (
        terminal.render(both, verbose=True) if fmt == "terminal" else FORMATS[fmt].render(View(outcome=both, run=run))
    )
    assert re.search(r"(Base, highest|Highest base)", text)
