"""Counts against counts: certain where they are the same every time, tested where they are not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from perfci.judge import judge
from perfci.judge.census.accept import to_commit
from perfci.judge.policy import DEFAULT
from perfci.judge.stats import welch
from perfci.model import (
    Baseline,
    BudgetRule,
    Census,
    CommittedCensus,
    CounterSource,
    CulpritKind,
    Decision,
    EndpointCensus,
    GatePolicy,
    Outcome,
    Reference,
    Role,
    RoundKind,
    Run,
    SeriesVerdict,
    Side,
    Tally,
    Verdict,
)
from tests.builders import (
    COUNT,
    LIST,
    SOURCES,
    USER,
    a_baseline,
    a_census,
    a_counted_run,
    a_fingerprint,
    a_machine,
    a_paired_run,
    a_plan,
    a_run,
    a_statement,
    a_subject,
    a_tally,
    an_endpoint_census,
)

LEAN = a_census()
N_PLUS_ONE = a_census(20)


def judged(run: Run, *, committed: CommittedCensus | None = None, policy: GatePolicy = DEFAULT) -> Outcome:
    """Side by side, or against what is committed."""
    if committed is None:
        return judge(run, baseline=None, policy=policy, subject=a_subject())
    baseline = Baseline(location="baselines/tickets-smoke", runs=(), census=committed)
    return judge(run, baseline=baseline, policy=policy, subject=a_subject(reference=Reference.BASELINE))


def committed(census: Census, **changes: Any) -> CommittedCensus:
    """What `baseline record` would write."""
    found = to_commit(a_run(census={Side.CANDIDATE: census}), DEFAULT)
    assert found is not None
    return replace(found, **changes)


def decide(counter: str, base: Tally | float, candidate: Tally | float, **kwargs: Any) -> Decision:
    """The decision on one counter of one endpoint."""
    name = counter.replace("/", "_", 1)
    sides = [Census(endpoints={"GET /": an_endpoint_census(**{name: v})}, sources=SOURCES) for v in (base, candidate)]
    found = {d.comparison.series.metric.name: d for d in judged(a_counted_run(*sides), **kwargs).decisions}
    return found[counter]


@pytest.mark.parametrize(
    ("counter", "base", "candidate", "verdict"),
    [
        ("db/statements", 4, 23, "regression"),
        ("db/statements", 3, 4, "regression"),
        ("db/statements", 0, 1, "regression"),
        ("db/statements", 4, 4, "equivalent"),
        ("db/statements", 4, 3, "improvement"),
        ("cache/commands", 1, 2, "regression"),
        ("cache/misses", 0, 1, "regression"),
        ("response/failures", 0, 1, "regression"),
        ("db/rows", 100, 109, "equivalent"),
        ("db/rows", 100, 110, "regression"),
        ("db/rows", 0, 1, "regression"),
        ("db/blocks", 11, 13, "regression"),
        ("db/blocks", 3, 4, "below budget"),
        ("response/bytes", 5000, 5499, "equivalent"),
        ("response/bytes", 5000, 5500, "regression"),
        ("response/bytes", 20, 40, "below budget"),
        ("response/bytes", 5000, 2500, "improvement"),
        ("db/packets_in", 6, 27, "regression"),
        ("db/packets_in", 6, 7, "below budget"),
        ("db/bytes_out", 1000, 1200, "regression"),
    ],
)
def test_constant_counts(counter: str, base: float, candidate: float, verdict: str) -> None:
    """Any further statement, command or miss; a tenth of rows, blocks, bytes and packets, above a floor. No p."""
    decision = decide(counter, base, candidate)
    assert decision.verdict == verdict
    assert (decision.p_adjusted, decision.comparison.p_worse) == (None, None)


def test_an_n_plus_one_is_red_and_named() -> None:
    """With the statement, its calls, and the statement whose rows it follows; the first of all reasons."""
    outcome = judged(a_counted_run(candidate=N_PLUS_ONE))
    assert outcome.verdict is Verdict.REGRESSION
    assert outcome.reason.startswith("GET /tickets/ has 19 more db/statements in every request (3 -> 22) (n+1: ")
    worst = outcome.decisions[0].comparison
    assert worst.series.metric.name == "db/statements"
    assert (worst.base, worst.candidate) == (3, 22)
    (culprit,) = worst.culprits
    assert (culprit.kind, culprit.before, culprit.after) == (CulpritKind.N_PLUS_ONE, 1, 20)
    assert culprit.what == "SELECT … FROM users WHERE users.id = ?"
    assert culprit.beside == "SELECT … FROM tickets ORDER BY tickets.id LIMIT ?"
    assert "SELECT … FROM users" in outcome.reason


def test_an_n_plus_one_behind_a_query_of_several_texts_is_named() -> None:
    """A list whose filters change its text sends each text in some of the requests: it is their rows together."""
    lists = [
        a_statement(LIST.replace("ORDER", f"WHERE tickets.{column} = $2 ORDER"), calls=0.25, rows=6.5)
        for column in ("status", "category", "priority", "department")
    ]
    sides = [
        Census(endpoints={"GET /tickets/": an_endpoint_census(*lists, *further)}, sources=SOURCES)
        for further in ((), (a_statement(USER, calls=25, rows=25),))
    ]
    worst = judged(a_counted_run(*sides)).decisions[0].comparison
    assert worst.culprits[0].kind is CulpritKind.N_PLUS_ONE
    assert worst.culprits[0].beside.startswith("SELECT … FROM tickets WHERE ")


def test_a_red_time_comes_before_work() -> None:
    """What users wait for is the headline; the endpoint that only does more work is counted beside it."""
    run = a_paired_run(
        changes={"census": {Side.BASE: LEAN, Side.CANDIDATE: N_PLUS_ONE}}, slower={"POST /tickets/": 60.0}
    )
    outcome = judged(run)
    red = [each for each in outcome.decisions if each.counts and each.verdict is SeriesVerdict.REGRESSION]
    kinds = [decision.comparison.kind is RoundKind.CENSUS for decision in red]
    assert kinds == sorted(kinds)
    assert {True, False} == set(kinds)
    assert outcome.reason.startswith("POST /tickets/ is ")
    assert outcome.reason.endswith(" (and 1 more red endpoint)")


def test_work_takes_nothing_from_the_times() -> None:
    """The same decisions on times, to the last digit, with and without a census beside them."""
    run = a_paired_run(slower={"GET /tickets/": 1.03})
    census = {Side.BASE: a_census(), Side.CANDIDATE: a_census()}
    without, beside = judged(run), judged(replace(run, census=census))
    times = tuple(d for d in beside.decisions if d.comparison.kind is not RoundKind.CENSUS)
    assert (times, beside.family, beside.verdict) == (without.decisions, without.family, without.verdict)


def test_the_same_work_passes_where_only_work_was_counted() -> None:
    """Then the constant counters decide, and "equivalent" is certain."""
    outcome = judged(a_counted_run())
    assert outcome.verdict is Verdict.PASS
    assert not outcome.findings
    assert {d.verdict for d in outcome.decisions} == {SeriesVerdict.EQUIVALENT}


def test_the_machine_does_not_matter_the_data_and_the_load_do() -> None:
    """Against what was committed: red on any machine; not compared with other data, load or scenario."""
    elsewhere = a_fingerprint(machine=a_machine(cpu_model="another", cores=64))
    red = a_run(rounds=(), census={Side.CANDIDATE: N_PLUS_ONE}, fingerprint=elsewhere)
    assert judged(red, committed=committed(LEAN)).verdict is Verdict.REGRESSION
    for changes, message in (
        ({"fingerprint": a_fingerprint(seed_digest="other")}, "another seed"),
        ({"fingerprint": a_fingerprint(plan=a_plan(digest="other"))}, "another locustfile"),
        ({"fingerprint": a_fingerprint(plan=a_plan(tags=("x",)))}, "another user classes or tags"),
        ({"fingerprint": a_fingerprint(plan=a_plan(environment={"A": "1"}))}, "another environment"),
        ({"scenario": "other"}, "another profile or scenario"),
    ):
        outcome = judged(replace(red, **changes), committed=committed(LEAN))
        assert outcome.verdict is Verdict.NO_BASELINE
        assert {d.verdict for d in outcome.decisions} == {SeriesVerdict.NOT_COMPARED}
        assert message in outcome.findings[0].message
    slower = a_fingerprint(plan=a_plan(users=99, duration_s=5.0, warmup_s=0.0))
    assert judged(replace(red, fingerprint=slower), committed=committed(LEAN)).verdict is Verdict.REGRESSION


def test_sides_on_different_data_are_not_compared() -> None:
    """A change of the seed changes the work of everything, and is no regression."""
    other = replace(N_PLUS_ONE, seed_digest="other")
    outcome = judged(a_counted_run(replace(LEAN, seed_digest="one"), other))
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert "counted on different data" in outcome.findings[0].message


@pytest.mark.parametrize(
    ("base", "candidate", "verdict"),
    [
        (a_tally(40, 5), a_tally(60, 6), "regression"),
        (a_tally(60, 6), a_tally(40, 5), "improvement"),
        (a_tally(40, 5), a_tally(41, 5), "below budget"),
        (a_tally(40, 0.5), a_tally(40.2, 0.5), "equivalent"),
        (a_tally(40, 5), a_tally(40, 5), "equivalent"),
        (a_tally(40), a_tally(42, 9), "below budget"),
        (a_tally(40, 1), a_tally(43.9, 1), "below budget"),
        (a_tally(40, 9), a_tally(45, 9), "inconclusive"),
    ],
)
def test_work_that_depends_on_data(base: Tally, candidate: Tally, verdict: str) -> None:
    """Red needs a test and the budget; the same mean and spread of as many requests is the same work."""
    decision = decide("db/rows", base, candidate)
    assert decision.verdict == verdict
    assert decision.comparison.p_worse is not None


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 60), st.integers(3, 60))
def test_welch_is_scipys(seed: int, first: int, second: int) -> None:
    """The same p-values and interval as from the requests themselves."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(10, 1, first), rng.normal(11, 3, second)
    found = welch.difference(*(welch.Sample(len(x), x.mean(), x.var(ddof=1)) for x in (a, b)))
    reference = stats.ttest_ind(b, a, equal_var=False, alternative="greater")
    interval = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert found.p_greater == pytest.approx(reference.pvalue, rel=1e-6)
    assert found.p_greater + found.p_smaller == pytest.approx(1.0)
    assert (found.interval(0.95).low, found.interval(0.95).high) == pytest.approx((interval.low, interval.high))


def test_the_family_of_varying_counts_is_corrected() -> None:
    """What one counter alone would show, two hundred of the same kind do not, and a tenth of alpha is theirs."""
    before, after = a_tally(40, 5), a_tally(47.5, 5)

    def p_of(count: int) -> float:
        sides = [
            Census(endpoints={f"GET /{n}": an_endpoint_census(db_rows=rows) for n in range(count)}, sources=SOURCES)
            for rows in (before, after)
        ]
        decision = next(
            d for d in judged(a_counted_run(*sides)).decisions if d.comparison.series.metric.name == "db/rows"
        )
        assert decision.p_adjusted is not None
        assert decision.comparison.p_worse is not None
        return decision.p_adjusted / decision.comparison.p_worse

    assert p_of(1) == pytest.approx(10)
    assert p_of(20) == pytest.approx(200)


COUNTS = st.sampled_from(["db/statements", "db/rows", "db/blocks", "response/bytes", "api/packets_in", "cache/misses"])
TALLIES = st.builds(
    lambda mean, spread, requests: Tally(requests=requests, mean=float(mean), spread=spread),
    st.integers(0, 5000),
    st.sampled_from([0.0, 0.0, 1.0, 30.0]),
    st.integers(3, 50),
)
ENDPOINTS = st.dictionaries(
    st.sampled_from(["GET /a", "GET /b", "POST /c"]),
    st.builds(
        lambda counters: EndpointCensus(requests=20, counters=counters), st.dictionaries(COUNTS, TALLIES, max_size=4)
    ),
    min_size=1,
    max_size=3,
)
MIRROR = {SeriesVerdict.REGRESSION: SeriesVerdict.IMPROVEMENT, SeriesVerdict.IMPROVEMENT: SeriesVerdict.REGRESSION}


@settings(max_examples=30, deadline=None)
@given(ENDPOINTS)
def test_work_against_itself_is_equivalent(endpoints: dict[str, EndpointCensus]) -> None:
    """Every counter, whatever it was."""
    census = Census(endpoints=endpoints)
    assert {d.verdict for d in judged(a_counted_run(census, census)).decisions} <= {SeriesVerdict.EQUIVALENT}


@settings(max_examples=30, deadline=None)
@given(TALLIES, TALLIES)
def test_any_further_is_mirrored(first: Tally, second: Tally) -> None:
    """What is a regression one way is an improvement the other way, where no share of the base is allowed."""
    there, back = decide("db/statements", first, second).verdict, decide("db/statements", second, first).verdict
    assert back is MIRROR.get(there, there) or {there, back} <= {SeriesVerdict.EQUIVALENT, SeriesVerdict.INCONCLUSIVE}


@settings(max_examples=25, deadline=None)
@given(ENDPOINTS, ENDPOINTS, st.randoms())
def test_the_order_of_endpoints_carries_no_meaning(
    base: dict[str, EndpointCensus], candidate: dict[str, EndpointCensus], rng: Any
) -> None:
    """Shuffled, the outcome is the same."""
    shuffled = dict(rng.sample(list(candidate.items()), len(candidate)))
    outcomes = [judged(a_counted_run(Census(endpoints=base), Census(endpoints=c))) for c in (candidate, shuffled)]
    assert outcomes[0] == outcomes[1]


def test_what_a_source_never_counted_is_zero() -> None:
    """The first command to a cache that was there all along is one more, not something new."""
    asks = replace(LEAN, endpoints={"GET /tickets/": an_endpoint_census(cache_commands=1)})
    never = replace(LEAN, endpoints={"GET /tickets/": an_endpoint_census()})
    red = judged(a_counted_run(never, asks)).decisions[0]
    assert (red.verdict, red.comparison.base, red.comparison.candidate) == (SeriesVerdict.REGRESSION, 0.0, 1.0)


@pytest.mark.parametrize("lost", ["base", "candidate"])
def test_what_a_side_could_not_see_is_not_compared(lost: str) -> None:
    """Without the source on one side there is no zero: the reason names it."""
    without = (CounterSource(name="cache", kind="redis", found=False, note="no redis-cli"),)
    sides = {
        name: Census(
            endpoints={"GET /": an_endpoint_census(**({} if name == lost else {"cache_commands": 3}))},
            sources=without if name == lost else SOURCES,
        )
        for name in ("base", "candidate")
    }
    found = next(
        d for d in judged(a_counted_run(**sides)).decisions if d.comparison.series.metric.name == "cache/commands"
    )
    assert found.verdict is SeriesVerdict.NOT_COMPARED
    assert f"on the {'candidate' if lost == 'base' else 'reference'} only" in found.reason


def test_two_requests_are_not_every_time() -> None:
    """A count that was seen twice is not called constant, and not compared."""
    decision = decide("db/statements", a_tally(4, requests=2), a_tally(9, requests=2))
    assert decision.verdict is SeriesVerdict.NOT_COMPARED
    assert "seen in 2 requests only" in decision.reason


def test_what_was_not_counted_is_said() -> None:
    """Unreached, new and missing endpoints, and counts that only one side has."""
    new = {"GET /new": an_endpoint_census()}
    left = {"GET /tickets/[id]": LEAN.endpoints["GET /tickets/[id]"]}
    candidate = replace(LEAN, endpoints=left | new, unreached=("POST /tickets/",))
    messages = " ".join(f.message for f in judged(a_counted_run(LEAN, candidate)).findings)
    for part in ("often enough: POST /tickets/", "on the reference only: GET /tickets/", "New endpoints", "GET /new"):
        assert part in messages
    nothing = judged(a_run(census={}), committed=committed(LEAN))
    assert "nothing was counted on the candidate" in nothing.findings[-1].message
    alone = a_run(census={Side.CANDIDATE: LEAN})
    runs = judge(alone, baseline=a_baseline(), policy=DEFAULT, subject=a_subject(reference=Reference.BASELINE))
    assert any("no census.json" in f.message for f in runs.findings)


def test_without_stored_runs_equal_work_is_no_pass_for_the_times() -> None:
    """Times that have nothing to be compared with are said, and the work beside them; a regression of it is red."""
    run = a_run(census={Side.CANDIDATE: LEAN})
    outcome = judged(run, committed=committed(LEAN))
    assert outcome.verdict is Verdict.NO_BASELINE
    assert "counts of work are as accepted" in outcome.reason
    red = judged(replace(run, census={Side.CANDIDATE: N_PLUS_ONE}), committed=committed(LEAN))
    assert red.verdict is Verdict.REGRESSION


def with_written(before: Census | None, after: Census | None) -> Run:
    """A red run whose change wrote *after* where *before* stood."""
    sides = {Side.BASE: before, Side.CANDIDATE: after}
    return replace(
        a_counted_run(candidate=N_PLUS_ONE),
        committed={side: committed(c) for side, c in sides.items() if c is not None},
    )


def test_what_the_change_writes_is_accepted() -> None:
    """Shown, not red, and it says so; also where no census was committed before."""
    for before in (LEAN, None):
        outcome = judged(with_written(before, N_PLUS_ONE))
        assert outcome.verdict is Verdict.PASS
        assert outcome.reason.endswith("; 3 counts of work grew and are accepted")
        worst = outcome.decisions[0]
        assert worst.verdict is SeriesVerdict.ACCEPTED
        assert worst.reason.endswith("accepted: this change writes it into census.json")
        assert worst.comparison.culprits


@pytest.mark.parametrize(
    ("before", "after"),
    [(LEAN, LEAN), (N_PLUS_ONE, N_PLUS_ONE), (LEAN, a_census(10)), (LEAN, a_census(30)), (LEAN, None), (None, None)],
    ids=["untouched", "was there before", "less than was measured", "more than was measured", "removed", "none"],
)
def test_what_the_change_does_not_write_is_red(before: Census | None, after: Census | None) -> None:
    """Only the very count that was measured, and only where the change itself wrote it."""
    assert judged(with_written(before, after)).verdict is Verdict.REGRESSION


def test_acceptance_can_be_turned_off_and_needs_the_same_data() -> None:
    """A strict project is told in red; a file of another seed accepts nothing."""
    run = with_written(LEAN, N_PLUS_ONE)
    assert judged(run, policy=replace(DEFAULT, accept_census=False)).verdict is Verdict.REGRESSION
    other = replace(run.committed[Side.CANDIDATE], census=replace(N_PLUS_ONE, seed_digest="other"))
    assert judged(replace(run, committed={Side.CANDIDATE: other})).verdict is Verdict.REGRESSION


def test_budgets_are_by_counter_source_and_endpoint() -> None:
    """The most special one holds; counters that nobody knows are told until a project says more."""

    def policy(name: str, **changes: Any) -> GatePolicy:
        return replace(DEFAULT, budgets=(*DEFAULT.budgets, BudgetRule(metric=name, **changes)))

    assert decide("db/statements", 4, 5, policy=policy("statements", change=0.5)).verdict is SeriesVerdict.BELOW_BUDGET
    assert decide("db/statements", 4, 5, policy=policy("db/statements", floor=2)).verdict == "below budget"
    assert decide("db/statements", 4, 5, policy=policy("other/statements", change=0.5)).verdict == "regression"
    own = decide("metrics/orm_loads", 4, 9)
    assert own.comparison.budget.role is Role.ADVISORY
    counts = decide("metrics/orm_loads", 4, 9, policy=policy("metrics/orm_loads", role=Role.GUARDING))
    assert (counts.verdict, counts.comparison.budget.role) == (SeriesVerdict.REGRESSION, Role.REQUIRED)


def test_only_what_is_told_never_turns_red() -> None:
    """Fewer hits of a cache are shown; the misses count."""
    decision = decide("cache/hits", 3, 0)
    assert (decision.verdict, decision.comparison.budget.role) == (SeriesVerdict.REGRESSION, Role.ADVISORY)
    assert decision.reason.endswith("; advisory")


def test_a_commit_changes_only_where_work_does() -> None:
    """Within the budget the old number stays, so that small steps add up; own counters are not committed."""
    old = {"GET /": an_endpoint_census(db_rows=100, response_bytes=5000, metrics_own=3)}
    new = {"GET /": an_endpoint_census(db_rows=109, response_bytes=9000, metrics_own=4)}
    first = committed(Census(endpoints=old, sources=SOURCES))
    run = a_run(census={Side.CANDIDATE: Census(endpoints=new, sources=SOURCES)})
    found = to_commit(run, DEFAULT, first)
    assert found is not None
    counters = found.census.endpoints["GET /"].counters
    assert (counters["db/rows"].mean, counters["response/bytes"].mean) == (100, 9000)
    assert "metrics/own" not in counters
    anew = to_commit(replace(run, fingerprint=a_fingerprint(seed_digest="other")), DEFAULT, first)
    assert anew is not None
    assert anew.census.endpoints["GET /"].counters["db/rows"].mean == 109


def test_a_commit_holds_no_literals() -> None:
    """Whatever the database left in."""
    secret = an_endpoint_census(a_statement("SELECT a FROM t WHERE name = 'secret'"))
    assert "secret" not in repr(committed(Census(endpoints={"GET /": secret})))


@pytest.mark.parametrize(
    ("counter", "before", "after", "kinds"),
    [
        ("db/statements", [a_statement()], [a_statement(), a_statement(COUNT, rows=1)], ["new"]),
        ("db/statements", [a_statement()], [a_statement(calls=2, rows=20)], ["more calls"]),
        ("db/statements", [a_statement()], [a_statement(), a_statement(USER, 20, rows=20)], ["n+1"]),
        ("db/statements", [a_statement()], [a_statement(), a_statement(USER, 8, rows=8)], ["n+1"]),
        ("db/statements", [a_statement(rows=1)], [a_statement(rows=1), a_statement(USER, 20, rows=20)], ["new"]),
        ("db/blocks", [a_statement(blocks=11)], [a_statement(blocks=13)], ["plan"]),
        ("db/rows", [a_statement(rows=20)], [a_statement(rows=2000)], ["plan"]),
        (
            "db/statements",
            [a_statement()],
            [a_statement(), a_statement(COUNT, rows=1), a_statement(USER, 20, rows=20)],
            ["n+1", "new"],
        ),
    ],
)
def test_culprits(counter: str, before: list[Any], after: list[Any], kinds: list[str]) -> None:
    """New statements, more calls, calls that follow rows, and other plans, the worst first."""
    sides = [Census(endpoints={"GET /": an_endpoint_census(*side)}, sources=SOURCES) for side in (before, after)]
    found = next(d for d in judged(a_counted_run(*sides)).decisions if d.comparison.series.metric.name == counter)
    assert [culprit.kind for culprit in found.comparison.culprits] == kinds


def test_a_lost_cache_is_the_first_culprit() -> None:
    """Whether its lookups miss or nobody asks it any more; the statement that it saved comes second."""
    warm = an_endpoint_census(cache_commands=1, cache_hits=1, cache_misses=0)
    for cold in ({"cache_commands": 2, "cache_hits": 0, "cache_misses": 1}, {}):
        census = Census(endpoints={"GET /": an_endpoint_census(a_statement(), **cold)}, sources=SOURCES)
        run = a_counted_run(Census(endpoints={"GET /": warm}, sources=SOURCES), census)
        worst = judged(run).decisions[0].comparison
        assert worst.series.metric.name == "db/statements"
        assert [culprit.kind for culprit in worst.culprits] == [CulpritKind.CACHE, CulpritKind.NEW]
        assert (worst.culprits[0].before, worst.culprits[0].after) == (1, 0)


def test_payload_and_round_trips_are_named() -> None:
    """Where no statement explains it: the answer itself, or the packets to another service."""
    sides = [
        Census(endpoints={"GET /": an_endpoint_census(**changes)}, sources=SOURCES)
        for changes in ({"response_bytes": 5000, "api_packets_in": 6}, {"response_bytes": 10_000, "api_packets_in": 27})
    ]
    found = {d.comparison.series.metric.name: d.comparison.culprits for d in judged(a_counted_run(*sides)).decisions}
    assert [c.kind for c in found["response/bytes"]] == [CulpritKind.PAYLOAD]
    assert [(c.kind, c.before, c.after) for c in found["api/packets_in"]] == [(CulpritKind.ROUND_TRIPS, 6, 27)]


def test_what_was_asked_more_often_by_chance_is_no_culprit() -> None:
    """A statement that only some requests send: one side lost a request of theirs to a health check."""
    sides = []
    for size, requests, mean, spread in ((5000, 20, 0.25, 0.44), (10_000, 19, 0.42, 0.51)):
        some = replace(a_statement(COUNT), calls=Tally(requests=requests, mean=mean, spread=spread))
        endpoint = an_endpoint_census(some, response_bytes=size, api_bytes_out=size)
        sides.append(Census(endpoints={"GET /": endpoint}, sources=SOURCES))
    found = {d.comparison.series.metric.name: d.comparison.culprits for d in judged(a_counted_run(*sides)).decisions}
    assert [c.kind for c in found["api/bytes_out"]] == [CulpritKind.PAYLOAD]


def test_statements_of_other_spelling_are_the_same() -> None:
    """Another version of the database numbers its parameters in another way; a longer list is no new statement."""
    texts = ("SELECT a FROM t WHERE b IN ($1, $2)", "SELECT a FROM t WHERE b IN ($1 , $2, $3) /* trace 5 */")
    sides = [
        Census(endpoints={"GET /": an_endpoint_census(a_statement(text, rows=rows))}, sources=SOURCES)
        for text, rows in zip(texts, (20, 40), strict=True)
    ]
    rows = next(d for d in judged(a_counted_run(*sides)).decisions if d.comparison.series.metric.name == "db/rows")
    assert [culprit.kind for culprit in rows.comparison.culprits] == [CulpritKind.PLAN]


def test_lines_neither_come_nor_go_where_no_work_changed() -> None:
    """A rare write is in one run of the same code and not in the next; an endpoint is missed now and then."""
    rare, none = a_tally(0.05, 0.22, requests=20), a_tally(4.0, requests=20)
    kept = a_tally(2.0, requests=20)

    def counted(unreached: tuple[str, ...] = (), **endpoints: Any) -> Run:
        made = {f"GET /{name}": an_endpoint_census(**counters) for name, counters in endpoints.items()}
        return a_run(census={Side.CANDIDATE: Census(endpoints=made, sources=SOURCES, unreached=unreached)})

    with_it = counted(a={"db_statements": none, "db_writes": rare}, b={"db_statements": kept})
    without = counted(a={"db_statements": none}, unreached=("GET /b",))
    first, second = to_commit(with_it, DEFAULT), to_commit(without, DEFAULT)
    assert first is not None
    assert second is not None
    again = to_commit(without, DEFAULT, first)
    assert again is not None
    assert again.census.endpoints == first.census.endpoints
    other = to_commit(counted(a={"db_statements": none, "db_writes": rare}), DEFAULT, second)
    assert other is not None
    assert other.census.endpoints == second.census.endpoints
    gone = to_commit(counted(a={"db_statements": none}), DEFAULT, first)
    assert gone is not None
    assert set(gone.census.endpoints) == {"GET /a"}
