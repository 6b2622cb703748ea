"""From runs to verdicts: what the gate says, and what it must never say."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from perfci.judge import judge
from perfci.judge.compare.series import against_baseline, paired
from perfci.judge.gate import worst_first
from perfci.judge.policy import DEFAULT
from perfci.metrics.registry import METRICS
from perfci.model import (
    ALL_ENDPOINTS,
    Baseline,
    Comparison,
    EndpointRound,
    Interval,
    Outcome,
    Reference,
    Role,
    Round,
    RoundKind,
    Run,
    SeriesVerdict,
    Side,
    Slo,
    Verdict,
)
from tests.builders import (
    ENDPOINTS,
    a_comparison,
    a_decision,
    a_fingerprint,
    a_machine,
    a_paired_run,
    a_round,
    a_run,
    a_subject,
    an_endpoint_round,
    some_rounds,
)

SLOWER = {"GET /tickets/": 1.61}
STORED = a_subject(reference=Reference.BASELINE, reference_name="3 runs of baselines/tickets-smoke")


def judged(run: Run, **changes: object) -> Outcome:
    return judge(run, baseline=None, policy=replace(DEFAULT, **changes), subject=a_subject())  # type: ignore[arg-type]


def beside(run: Run, baseline: Baseline | None) -> Outcome:
    return judge(run, baseline=baseline, policy=DEFAULT, subject=STORED)


def find(comparisons: tuple[Comparison, ...], endpoint: str, metric: str) -> Comparison:
    (found,) = [
        comparison
        for comparison in comparisons
        if (comparison.series.endpoint, comparison.series.metric.name) == (endpoint, metric)
    ]
    return found


def service_times(run: Run) -> dict[str, Comparison]:
    wanted = [comparison for comparison in paired(run, DEFAULT) if comparison.series.metric.name == "service_time"]
    return {comparison.series.endpoint: comparison for comparison in wanted}


def swapped(run: Run) -> Run:
    other = {Side.BASE: Side.CANDIDATE, Side.CANDIDATE: Side.BASE}
    return replace(run, rounds=tuple(replace(round_, side=other[round_.side]) for round_ in run.rounds))


def edited(run: Run, side: Side, endpoint: str, seen: EndpointRound | None) -> Run:
    """The run with one endpoint of one side replaced, or removed, in every round."""

    def edit(round_: Round) -> Round:
        kept = {name: value for name, value in round_.endpoints.items() if name != endpoint}
        return (
            replace(round_, endpoints=kept if seen is None else kept | {endpoint: seen})
            if round_.side is side
            else round_
        )

    return replace(run, rounds=tuple(edit(round_) for round_ in run.rounds))


# The whole


def test_identical_sides_pass() -> None:
    """Noise alone is green, and every required series is settled."""
    outcome = judged(a_paired_run())
    assert outcome.verdict is Verdict.PASS
    assert outcome.further_blocks is None
    assert outcome.family == 13  # per endpoint and together: service time, trimmed mean, p95; and the throughput of all


def test_a_slower_endpoint_is_named_first_with_its_numbers() -> None:
    """The sentence names the endpoint, the size, both values, the interval and the blocks."""
    outcome = judged(a_paired_run(slower=SLOWER, scatter=0.0))
    assert outcome.verdict is Verdict.REGRESSION
    assert outcome.reason.startswith(
        "GET /tickets/ is 61 % slower (service time 4.10 -> 6.60 ms, 95 % interval +61..+61 %, 8 blocks)"
    )
    assert outcome.decisions[0].comparison.series.endpoint == "GET /tickets/"


@pytest.mark.parametrize(
    ("verdict", "order"),
    [
        (SeriesVerdict.INCONCLUSIVE, [0.1, 0.02, -0.03, -0.2]),
        (SeriesVerdict.EQUIVALENT, [0.1, 0.02, -0.03, -0.2]),
        (SeriesVerdict.IMPROVEMENT, [-0.2, 0.1, -0.03, 0.02]),
    ],
)
def test_of_one_verdict_the_worst_stands_first(verdict: SeriesVerdict, order: list[float]) -> None:
    """What became faster is not worse than what became slower, however large the change; an improvement is by size."""
    changes = [Interval(estimate=size, low=size, high=size) for size in (-0.03, 0.02, -0.2, 0.1)]
    decisions = [a_decision(verdict=verdict, comparison=a_comparison(change=change)) for change in changes]
    found = [each.comparison.change for each in sorted(decisions, key=worst_first)]
    assert [change.estimate for change in found if change] == order


def test_a_faster_endpoint_is_an_improvement_and_passes() -> None:
    """Getting better is no reason to stop."""
    outcome = judged(a_paired_run(slower={"GET /tickets/": 0.7}))
    assert outcome.verdict is Verdict.PASS
    assert "improved" in outcome.reason
    assert outcome.decisions[0].verdict is SeriesVerdict.IMPROVEMENT


def test_a_change_below_the_budget_is_not_red_however_certain() -> None:
    """One and a half percent, seen beyond doubt, stay within a budget of 2 %."""
    run = a_paired_run(slower=dict.fromkeys(ENDPOINTS, 1.015), scatter=0.001)
    assert find(paired(run, DEFAULT), "POST /tickets/", "service_time").p_worse < 1e-6  # type: ignore[operator]
    assert judged(run).verdict is Verdict.PASS


def test_a_change_below_the_floor_is_not_red() -> None:
    """Half of a hundredth of a millisecond is nobody's regression."""
    run = a_paired_run(typical={"GET /a": 0.010, "GET /b": 0.012}, slower={"GET /a": 1.5}, scatter=0.001)
    assert judged(run).verdict is Verdict.PASS


def test_noise_that_hides_everything_is_inconclusive_and_says_how_much_is_missing() -> None:
    """An interval wider than the margin claims nothing."""
    outcome = judged(a_paired_run(scatter=0.08, kinds=(RoundKind.DUET,)))
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert outcome.further_blocks is not None
    assert "more blocks would settle it" in outcome.reason


def test_a_guard_that_cannot_be_settled_does_not_hold_up_the_whole() -> None:
    """Noisy load beside a quiet duet is reported, and passes."""
    duet = some_rounds(kinds=(RoundKind.DUET,))
    load = some_rounds(kinds=(RoundKind.LOAD,), scatter=0.5)
    outcome = judged(a_paired_run(changes={"rounds": duet + load}))
    assert outcome.verdict is Verdict.PASS
    assert any(decision.verdict is SeriesVerdict.INCONCLUSIVE for decision in outcome.decisions)


def test_one_block_compares_no_clock() -> None:
    """Without scatter there is no evidence: cannot tell, and how many blocks are needed."""
    outcome = judged(a_paired_run(blocks=1, slower={"GET /tickets/": 3.0}))
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert "1 usable block: at least 2 are needed" in outcome.reason


def test_equal_values_in_every_block_are_handled() -> None:
    """No variance at all is neither a crash nor infinite certainty."""
    assert judged(a_paired_run(scatter=0.0)).verdict is Verdict.PASS
    assert judged(a_paired_run(scatter=0.0, slower=SLOWER)).verdict is Verdict.REGRESSION


def test_without_duets_the_load_decides() -> None:
    """A paired run of load rounds only can still pass and fail."""
    load = (RoundKind.LOAD,)
    assert judged(a_paired_run(kinds=load)).verdict is Verdict.PASS
    assert judged(a_paired_run(kinds=load, slower={"GET /tickets/": 2.0})).verdict is Verdict.REGRESSION


def test_what_only_informs_never_counts() -> None:
    """A change of an advisory metric is shown as such and leaves the whole green."""
    run = a_paired_run(kinds=(RoundKind.DUET, RoundKind.LOAD))

    def slow_p50(round_: Round) -> Round:
        if round_.side is Side.BASE or round_.kind is RoundKind.DUET:
            return round_
        endpoints = {
            name: replace(seen, values={**seen.values, "p50": seen.values["p50"] * 3})
            for name, seen in round_.endpoints.items()
        }
        return replace(round_, endpoints=endpoints)

    outcome = judged(replace(run, rounds=tuple(slow_p50(round_) for round_ in run.rounds)))
    assert outcome.verdict is Verdict.PASS
    assert outcome.decisions[0].verdict is SeriesVerdict.REGRESSION
    assert outcome.decisions[0].comparison.budget.role is Role.ADVISORY
    assert outcome.decisions[0].reason.endswith("advisory")


def test_new_failures_are_red_and_one_burst_is_not() -> None:
    """Two percent of failures in every block are shown; as many in one block may have been the machine."""
    failing = edited(a_paired_run(), Side.CANDIDATE, "POST /tickets/", an_endpoint_round(6.0, failures=8))
    outcome = judged(failing)
    assert outcome.verdict is Verdict.REGRESSION
    assert "POST /tickets/ under load fails more often (failure rate 0.00 -> 2.00 %" in outcome.reason + " ".join(
        decision.reason for decision in outcome.decisions
    )
    burst = tuple(
        after if after.block == 3 else before
        for before, after in zip(a_paired_run().rounds, failing.rounds, strict=True)
    )
    assert judged(a_paired_run(changes={"rounds": burst})).verdict is not Verdict.REGRESSION


def test_times_of_those_that_still_succeed_are_not_compared() -> None:
    """Where many requests began to fail, quick survivors are no improvement."""

    def failing(round_: Round) -> Round:
        seen = round_.endpoints["GET /tickets/"]
        fast = {name: value / 2 if METRICS[name].unit == "ms" else value for name, value in seen.values.items()}
        worse = replace(seen, failures=seen.requests // 4, values=fast)
        return replace(round_, endpoints={**round_.endpoints, "GET /tickets/": worse})

    run = a_paired_run()
    rounds = tuple(failing(round_) if round_.side is Side.CANDIDATE else round_ for round_ in run.rounds)
    outcome = judged(replace(run, rounds=rounds))
    assert outcome.verdict is Verdict.REGRESSION
    clocks = [
        decision
        for decision in outcome.decisions
        if decision.comparison.series.endpoint == "GET /tickets/" and decision.comparison.series.metric.unit == "ms"
    ]
    assert {decision.verdict for decision in clocks} == {SeriesVerdict.NOT_COMPARED}
    assert "25.0 % of the candidate's requests failed, 0.0 % of the reference's" in clocks[0].reason


def test_endpoints_of_one_side_are_listed_and_not_compared() -> None:
    """A new endpoint has nothing to be compared with, and does not disturb the others."""
    run = edited(a_paired_run(), Side.BASE, "POST /tickets/", None)
    comparison = service_times(run)["POST /tickets/"]
    assert comparison.change is None
    assert comparison.note == "new: only the candidate got requests to it"
    assert judged(run).verdict is Verdict.PASS


def test_too_few_requests_are_listed_with_their_number() -> None:
    """Clocks of six requests in a round are not compared, on both sides alike."""
    run = a_paired_run()
    few = an_endpoint_round(6.0, requests=6, kind=RoundKind.DUET)
    for side in Side:
        run = edited(run, side, "POST /tickets/", few)
    comparison = service_times(run)["POST /tickets/"]
    assert comparison.change is None
    assert "6 in one round, at least 10" in comparison.note


def test_a_candidate_too_slow_to_be_asked_often_does_not_escape() -> None:
    """Few requests on the candidate alone are still compared."""
    few = an_endpoint_round(60.0, requests=6, kind=RoundKind.DUET)
    assert service_times(edited(a_paired_run(), Side.CANDIDATE, "POST /tickets/", few))["POST /tickets/"].change


def test_the_headline_does_not_depend_on_the_request_mix() -> None:
    """Ten times as many requests of the slow endpoint move no series."""
    mixed = edited(a_paired_run(scatter=0.0), Side.CANDIDATE, "POST /tickets/", an_endpoint_round(6.0, requests=4000))
    headline = find(paired(mixed, DEFAULT), ALL_ENDPOINTS, "trimmed_gmean")
    assert headline.change is not None
    assert headline.change.estimate == pytest.approx(0.0, abs=1e-12)


def test_blocks_are_averaged_before_they_are_compared() -> None:
    """Repeating each round inside its block adds no evidence."""
    run = a_paired_run(scatter=0.02)
    doubled = replace(run, rounds=run.rounds + tuple(replace(round_, number=2) for round_ in run.rounds))
    once, twice = service_times(run)["GET /tickets/"], service_times(doubled)["GET /tickets/"]
    assert twice.p_worse == pytest.approx(once.p_worse)
    assert len(twice.replicates) == 8


@pytest.mark.parametrize("quiet", [1, 20])
def test_quiet_endpoints_do_not_hide_a_red_one(quiet: int) -> None:
    """More series cost a correction, and no more than that."""
    typical = dict(ENDPOINTS) | {f"GET /quiet/{number}": 5.0 for number in range(quiet)}
    run = a_paired_run(typical=typical, slower={"GET /tickets/": 1.1}, scatter=0.01)
    assert judged(run).verdict is Verdict.REGRESSION


# Against a baseline


def a_wide_run(*, scatter: float = 0.02, rng_seed: int = 1, slower: Mapping[str, float] | None = None) -> Run:
    """One side, twelve endpoints."""
    typical = {f"GET /{number}": 40.0 + number for number in range(12)}
    rounds = some_rounds(
        blocks=4,
        kinds=(RoundKind.LOAD,),
        sides=(Side.CANDIDATE,),
        typical=typical,
        scatter=scatter,
        rng_seed=rng_seed,
        slower=slower,
    )
    return a_run(id=f"run-{rng_seed}", rounds=rounds)


def stored(count: int, *, same_machine: bool = True) -> Baseline:
    runs = [a_wide_run(rng_seed=100 + number) for number in range(count)]
    if not same_machine:
        runs = [
            replace(run, fingerprint=a_fingerprint(machine=a_machine(id=f"other-{number}")))
            for number, run in enumerate(runs)
        ]
    return Baseline(location="baselines/x", runs=tuple(runs))


@pytest.mark.parametrize(
    ("runs", "same_machine", "factor", "found"),
    [
        (1, False, 1.7, True),
        (1, False, 1.3, False),
        (3, True, 1.35, True),
        (3, False, 1.2, False),
        (10, True, 1.15, True),
        (10, True, 1.03, False),
    ],
)
def test_what_a_baseline_can_find(*, runs: int, same_machine: bool, factor: float, found: bool) -> None:
    """One of twelve endpoints becomes slower: the more stored runs, the less it takes."""
    outcome = beside(a_wide_run(slower={"GET /3": factor}), stored(runs, same_machine=same_machine))
    assert (outcome.verdict is Verdict.REGRESSION) == found


@pytest.mark.parametrize("machine", [0.75, 1.0, 1.4])
def test_a_machine_that_was_faster_or_slower_hides_no_endpoint(machine: float) -> None:
    """What all other endpoints show is the machine's; what one endpoint shows beside them is its own."""
    slower = {f"GET /{number}": machine * (1.6 if number == 3 else 1.0) for number in range(12)}
    outcome = beside(a_wide_run(slower=slower), stored(1, same_machine=False))
    assert outcome.verdict is Verdict.REGRESSION
    assert outcome.decisions[0].comparison.series.endpoint == "GET /3"
    assert "slower relative to the other endpoints" in outcome.reason
    red = [decision for decision in outcome.decisions if decision.verdict is SeriesVerdict.REGRESSION]
    assert {decision.comparison.series.endpoint for decision in red} == {"GET /3"}


def test_what_only_failed_to_become_faster_is_not_slower() -> None:
    """Eleven endpoints improve by 30 %; the twelfth stays where it was, and is no regression."""
    slower = {f"GET /{number}": 0.7 for number in range(11)}
    outcome = beside(a_wide_run(slower=slower), stored(8))
    verdicts = {
        decision.comparison.series.endpoint: decision.verdict
        for decision in outcome.decisions
        if decision.comparison.series.metric.name == "trimmed_gmean"
    }
    assert verdicts["GET /11"] is SeriesVerdict.INCONCLUSIVE
    assert verdicts[ALL_ENDPOINTS] is SeriesVerdict.IMPROVEMENT
    assert outcome.verdict is Verdict.INCONCLUSIVE


def test_ten_stored_runs_find_ten_percent_on_everything() -> None:
    """A change of the whole service by 10 % stands out of a scatter of 3 %."""
    slower = {f"GET /{number}": 1.10 for number in range(12)}
    assert beside(a_wide_run(scatter=0.03, slower=slower), stored(10)).verdict is Verdict.REGRESSION


def test_no_stored_run_is_said_and_not_green() -> None:
    """Nothing to compare with has a verdict of its own."""
    assert beside(a_run(), None).verdict is Verdict.NO_BASELINE


def test_only_the_newest_ten_runs_count() -> None:
    """Old runs describe another service."""
    baseline = stored(12)
    comparison = find(against_baseline(a_wide_run(), baseline, DEFAULT), "GET /0", "trimmed_gmean")
    labels = [replicate.label for replicate in comparison.replicates]
    assert labels == [*(run.id for run in baseline.runs[2:]), "run-1"]


# SLOs


@pytest.mark.parametrize(
    ("slo", "verdict", "reason"),
    [
        (Slo(metric="p95", limit=200.0), Verdict.PASS, "8/8 rounds within 200 ms"),
        (Slo(metric="p95", limit=5.0), Verdict.SLO_BREACH, "0/8 rounds within 5.00 ms"),
        (Slo(metric="throughput", limit=10.0), Verdict.PASS, "8/8 rounds within 10.0 /s"),
        (Slo(metric="throughput", limit=999.0), Verdict.SLO_BREACH, "0/8 rounds within 999 /s"),
        (Slo(metric="failure_rate", limit=0.01), Verdict.PASS, "8/8 rounds within 1.00 %"),
        (Slo(metric="p95", limit=9.0, endpoint="GET /nowhere"), Verdict.INCONCLUSIVE, "no round could be held against"),
    ],
)
def test_slos_are_judged_in_every_round(slo: Slo, verdict: Verdict, reason: str) -> None:
    """A limit holds in every round or is breached; one that no round could tell is not green."""
    outcome = judged(a_paired_run(), slos=(slo,))
    assert outcome.verdict is verdict
    assert outcome.slos[0].reason.startswith(reason)


def test_rounds_in_which_everything_failed_are_within_no_limit() -> None:
    """No latency because of failures is a breach, not a gap."""
    dead = an_endpoint_round(4.0, requests=50, failures=50)
    run = edited(a_paired_run(), Side.CANDIDATE, "GET /tickets/", dead)
    outcome = judged(run, slos=(Slo(metric="p95", limit=1000.0, endpoint="GET /tickets/"),))
    assert not outcome.slos[0].held
    assert outcome.verdict is Verdict.REGRESSION  # its failures come first


def test_the_judge_changes_nothing_it_is_given() -> None:
    """Same input twice, same outcome twice."""
    run = a_paired_run(slower=SLOWER)
    assert judged(run) == judged(run)
    assert a_round() == a_round()
