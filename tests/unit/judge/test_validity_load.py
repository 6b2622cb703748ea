"""Whether the load was the one that was asked for, and whether it stood still; on made rounds and on real ones."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfci.judge import judge
from perfci.judge.policy import DEFAULT
from perfci.judge.validity import findings
from perfci.model import (
    ALL_ENDPOINTS,
    Baseline,
    EndpointRound,
    Finding,
    Round,
    RoundKind,
    Run,
    Second,
    SeriesVerdict,
    Side,
    Slo,
    TargetHealth,
    Verdict,
    Weight,
)
from tests.builders import (
    START,
    a_fingerprint,
    a_generator,
    a_paired_run,
    a_plan,
    a_run,
    a_subject,
    an_endpoint_round,
    some_rounds,
    some_seconds,
)

pytestmark = pytest.mark.kind("E")

LOAD = (RoundKind.LOAD,)
Edit = Callable[[Round], Round]


def edited(run: Run, edit: Edit, *sides: Side, blocks: Sequence[int] = range(1, 100)) -> Run:
    """The run with *edit* done to the load rounds of some sides and blocks."""

    def maybe(round_: Round) -> Round:
        touched = round_.side in sides and round_.block in blocks and round_.kind is RoundKind.LOAD
        return edit(round_) if touched else round_

    return replace(run, rounds=tuple(map(maybe, run.rounds)))


def weights(found: tuple[Finding, ...]) -> dict[str, Weight]:
    return {finding.code: finding.weight for finding in found}


def changed(**changes: Any) -> Edit:
    return lambda round_: replace(round_, **changes)


def of_generator(**changes: Any) -> Edit:
    return lambda round_: replace(round_, generator=round_.generator and replace(round_.generator, **changes))


def with_endpoints(**changes: EndpointRound | None) -> Edit:
    """`GET_x` is "GET /x"; None takes it out."""
    named = {name.replace("_", " /", 1): seen for name, seen in changes.items()}

    def edit(round_: Round) -> Round:
        merged = {**round_.endpoints, **named}
        return replace(round_, endpoints={name: seen for name, seen in merged.items() if seen is not None})

    return edit


def a_load_run(**rounds: Any) -> Run:
    return a_paired_run(kinds=LOAD, typical={"GET /a": 5.0, "GET /b": 8.0, "GET /c": 3.0}, **rounds)


# Stalls


def silent(since: int, until: int) -> tuple[Second, ...]:
    def quiet(second: Second) -> Second:
        return replace(second, requests=0, failures=0, p95_ms=None) if since <= second.at_s < until else second

    return tuple(map(quiet, some_seconds()))


STALL = changed(seconds=silent(13, 20))


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        ([Side.CANDIDATE], Weight.REGRESSION),
        ([Side.BASE], Weight.INVALID),
        ([Side.BASE, Side.CANDIDATE], Weight.INVALID),
    ],
)
def test_users_that_all_wait_are_a_stall(sides: list[Side], expected: Weight) -> None:
    """One round of eight is enough: who hangs for seven seconds has the rest of its latencies to be proud of."""
    (found,) = findings(edited(a_load_run(), STALL, *sides, blocks=[3]), None)
    assert (found.code, found.weight) == ("stalled", expected)
    assert "7 s" in found.message


def test_a_generator_that_stood_still_itself_is_no_stall_of_the_service() -> None:
    """Its event loop tells."""
    asleep = edited(edited(a_load_run(), STALL, Side.CANDIDATE), of_generator(loop_lag_max_ms=6900.0), Side.CANDIDATE)
    assert weights(findings(asleep, None)) == {"generator-stood-still": Weight.INVALID}


@pytest.mark.parametrize(
    "seconds",
    [
        silent(3, 6),  # short
        tuple(
            replace(second, requests=0 if second.at_s % 10 > 3 else 1) for second in some_seconds()
        ),  # hardly any requests
        tuple(
            replace(second, requests=0 if 1 <= second.at_s < 7 else 9, p95_ms=4000.0) for second in some_seconds()
        ),  # slow
        (),  # a stored run keeps no seconds
    ],
)
def test_a_pause_that_the_load_explains_is_none(seconds: tuple[Second, ...]) -> None:
    """Short ones, rare requests, and answers that take as long themselves."""
    run = edited(a_load_run(), changed(seconds=seconds), Side.CANDIDATE)
    assert "stalled" not in weights(findings(run, None))


# Users


def test_users_that_gave_up_are_seen_after_they_had_come() -> None:
    """All came, four went: only the candidate's did, so it is red."""
    run = edited(a_load_run(), of_generator(users_kept=6), Side.CANDIDATE, blocks=[2])
    assert weights(findings(run, None)) == {"users-not-reached": Weight.REGRESSION}


def fewer(share: float) -> Edit:
    def edit(round_: Round) -> Round:
        seen = round_.endpoints[ALL_ENDPOINTS]
        return with_endpoints(**{ALL_ENDPOINTS: replace(seen, requests=round(seen.requests * share))})(round_)

    return edit


def test_users_held_up_by_what_no_latency_shows_are_a_regression() -> None:
    """A third fewer requests with the same latencies: something that was never recorded took the time."""
    run = edited(a_load_run(), fewer(0.66), Side.CANDIDATE)
    (found,) = findings(run, None)
    assert (found.code, found.weight) == ("users-held-up", Weight.REGRESSION)
    assert "34 % less often" in found.message
    late = edited(run, of_generator(loop_lag_p99_ms=90.0), Side.CANDIDATE)
    assert weights(findings(late, None)) == {"users-held-up": Weight.INVALID}


@pytest.mark.parametrize("share", [0.9, 1.5])
def test_a_little_fewer_requests_or_more_hold_nobody_up(share: float) -> None:
    """What is small belongs to the throughput's budget, and more requests to nobody."""
    assert findings(edited(a_load_run(), fewer(share), Side.CANDIDATE), None) == ()


def test_slow_answers_explain_fewer_requests() -> None:
    """Ten users at 167 ms a cycle: 100 ms more per answer make the requests fewer, and hold up nobody else."""

    def slow(round_: Round) -> Round:
        seen = round_.endpoints[ALL_ENDPOINTS]
        values = {**seen.values, "mean": seen.values["mean"] + 100.0}
        return with_endpoints(
            **{ALL_ENDPOINTS: replace(seen, requests=round(200 / (200 / 1200 + 0.1)), values=values)}
        )(round_)

    assert findings(edited(a_load_run(), slow, Side.CANDIDATE), None) == ()


# Endpoints and their mix


def test_endpoints_of_the_candidate_alone_are_named() -> None:
    """Not red by themselves; those of the reference alone are told with the answers."""
    run = edited(a_load_run(), with_endpoints(GET_z=an_endpoint_round()), Side.CANDIDATE)
    (found,) = (finding for finding in findings(run, None) if finding.code == "endpoints-new")
    assert found.weight is Weight.WARNING
    assert "GET /z" in found.message


def test_an_endpoint_too_rare_to_be_missed_is_not() -> None:
    """Eight requests on one side and none on the other may be luck."""
    run = edited(a_load_run(), with_endpoints(GET_z=an_endpoint_round(requests=1)), Side.CANDIDATE)
    assert "endpoints-new" not in weights(findings(run, None))


def test_without_a_common_endpoint_nothing_is_green() -> None:
    """Every endpoint was renamed: cannot tell."""
    renamed = with_endpoints(GET_a=None, GET_b=None, GET_c=None, GET_z=an_endpoint_round())
    run = edited(a_load_run(), renamed, Side.CANDIDATE)
    outcome = judge(run, baseline=None, policy=DEFAULT, subject=a_subject())
    assert outcome.verdict is Verdict.INCONCLUSIVE


def test_a_moved_mix_is_told_and_moves_no_verdict() -> None:
    """The slow endpoint three times as often: a warning, and the mean over all endpoints stays where it was."""
    run = a_load_run(scatter=0.001)
    mixed = edited(run, with_endpoints(GET_b=an_endpoint_round(8.0, requests=1200)), *Side)
    mixed = edited(mixed, with_endpoints(GET_b=an_endpoint_round(8.0, requests=400)), Side.BASE)
    (found,) = findings(mixed, None)
    assert (found.code, found.weight) == ("mix-moved", Weight.WARNING)
    assert "GET /b (33 -> 60 %)" in found.message
    assert judge(mixed, baseline=None, policy=DEFAULT, subject=a_subject()).verdict is Verdict.PASS


def test_too_few_requests_are_named_and_never_green_alone() -> None:
    """Nine requests a round everywhere: nothing decides; at one endpoint: a warning."""
    rare = an_endpoint_round(requests=9)
    run = edited(a_load_run(), with_endpoints(GET_a=rare, GET_b=rare, GET_c=rare), *Side)
    outcome = judge(run, baseline=None, policy=DEFAULT, subject=a_subject())
    assert outcome.verdict is Verdict.INCONCLUSIVE
    (found,) = findings(edited(a_load_run(), with_endpoints(GET_a=rare), *Side), None)
    assert (found.code, found.weight) == ("few-requests", Weight.WARNING)
    assert "1 of 3 endpoints" in found.message


def test_too_few_turns_are_named_although_there_was_load_enough() -> None:
    """The turns decide; what was asked once, at the start of a user, is none of their business."""
    for requests, codes in ((9, ["few-requests"]), (1, []), (10, [])):
        rare = with_endpoints(**{"GET /tickets/": an_endpoint_round(requests=requests)})
        run = a_paired_run()
        rounds = tuple(rare(round_) if round_.kind is RoundKind.DUET else round_ for round_ in run.rounds)
        assert [finding.code for finding in findings(replace(run, rounds=rounds), None)] == codes, requests


# Failures


def test_fast_failures_are_no_win() -> None:
    """Half of the requests fail at once, the rest are twice as fast: red by the failures, and the times are marked."""
    fast = replace(an_endpoint_round(2.5, failures=200))
    run = edited(a_load_run(), with_endpoints(GET_a=fast), Side.CANDIDATE)
    outcome = judge(run, baseline=None, policy=DEFAULT, subject=a_subject())
    assert outcome.verdict is Verdict.REGRESSION
    assert "failures-grown" in weights(outcome.findings)
    failing = [decision for decision in outcome.decisions if decision.verdict is SeriesVerdict.REGRESSION]
    assert {decision.comparison.series.metric.name for decision in failing} == {"failure_rate", "throughput"}


@pytest.mark.parametrize("requests", [3, 400])
def test_one_endpoint_that_never_succeeds_is_red_however_rare(requests: int) -> None:
    """Three failures of three prove little by chance, and enough for a reader."""
    dead = an_endpoint_round(requests=requests, failures=requests)
    (found,) = (
        finding
        for finding in findings(edited(a_load_run(), with_endpoints(GET_a=dead), Side.CANDIDATE), None)
        if finding.weight is not Weight.WARNING
    )
    assert (found.code, found.weight) == ("endpoint-failed", Weight.REGRESSION)
    both = findings(edited(a_load_run(), with_endpoints(GET_a=dead), *Side), None)
    assert weights(both)["endpoint-broken"] is Weight.WARNING


def test_a_burst_of_failures_is_luck() -> None:
    """One bad round of eight is no growth."""
    run = edited(a_load_run(), with_endpoints(GET_a=an_endpoint_round(failures=300)), Side.CANDIDATE, blocks=[2])
    assert findings(run, None) == ()


def test_a_silent_round_between_others_is_the_candidates() -> None:
    """It answered in seven rounds, and in one not at all."""
    empty = changed(endpoints={}, seconds=())
    run = edited(a_load_run(), empty, Side.CANDIDATE, blocks=[5])
    assert weights(findings(run, None)) == {"silent-round": Weight.REGRESSION}
    assert weights(findings(edited(a_load_run(), empty, *Side, blocks=[5]), None))["silent-round"] is Weight.INVALID


# Records and clocks


@pytest.mark.parametrize(
    ("edit", "code", "weight"),
    [
        (changed(duration_s=11.0), "round-cut", Weight.INVALID),
        (of_generator(clock_step_s=-3.0), "clock-stepped", Weight.INVALID),
        (changed(started_at=START), "clock-overlap", Weight.WARNING),
        (with_endpoints(GET_a=replace(an_endpoint_round(), values={"mean": -4.0})), "clock-absurd", Weight.INVALID),
        (with_endpoints(GET_a=replace(an_endpoint_round(), values={"p99": 1e9})), "clock-absurd", Weight.INVALID),
    ],
)
def test_damaged_records_and_clocks_that_were_set(edit: Edit, code: str, weight: Weight) -> None:
    """In single rounds, of either side: never the candidate's regression."""
    for side in Side:
        assert weights(findings(edited(a_load_run(), edit, side, blocks=[2, 3]), None))[code] is weight


@pytest.mark.parametrize("step_s", [-0.004, 0.1, -0.128])
def test_a_clock_that_is_slewed_has_not_jumped(step_s: float) -> None:
    """What NTP corrects smoothly is no step, however short the round."""
    run = edited(a_load_run(), of_generator(clock_step_s=step_s), *Side)
    run = edited(run, changed(duration_s=0.01), *Side)
    assert "clock-stepped" not in weights(findings(run, None))


ENDED = of_generator(ended_early="runner.quit() in shop.py, line 7, after 0.1 s", complete=False)


def test_a_file_that_ends_the_load_on_the_candidate_alone_is_its_regression() -> None:
    """Nothing else is said of such rounds, whose records are incomplete for the same reason."""
    run = edited(a_load_run(), ENDED, Side.CANDIDATE)
    found = findings(run, None)
    assert weights(found) == {"load-ended": Weight.REGRESSION}
    assert "runner.quit() in shop.py, line 7, after 0.1 s" in found[0].message


@pytest.mark.parametrize(
    ("sides", "blocks"),
    [(tuple(Side), range(1, 100)), ((Side.BASE,), range(1, 100)), ((Side.CANDIDATE,), (2,))],
    ids=["both", "base", "one of several rounds"],
)
def test_a_file_that_ends_the_load_is_invalid_else(sides: tuple[Side, ...], blocks: Sequence[int]) -> None:
    """On both sides, on the base, or now and then: with the cause, and nobody is to blame."""
    found = findings(edited(a_load_run(), ENDED, *sides, blocks=blocks), None)
    assert weights(found) == {"load-ended": Weight.INVALID}
    assert "runner.quit() in shop.py" in found[0].message


def test_a_duet_cut_short_is_told() -> None:
    """It scatters more, and proves what it proves; half as long is no cut: others went on for rare endpoints."""
    run = a_paired_run(kinds=(RoundKind.DUET,))
    longest = max(round_.duration_s for round_ in run.rounds)
    for share, expected in ((0.5, {}), (0.3, {"duet-cut": Weight.WARNING})):
        length = share * longest
        cut = replace(
            run,
            rounds=tuple(replace(round_, duration_s=length) if round_.block == 4 else round_ for round_ in run.rounds),
        )
        assert weights(findings(cut, None)) == expected


# Drift


def drifting(factor: float) -> Edit:
    """The second half of every round at *factor* times the first's level, with a little noise between the rounds."""

    def edit(round_: Round) -> Round:
        noise = 1 + 0.02 * (round_.block % 3)
        seconds = [
            replace(s, p95_ms=(s.p95_ms or 8.0) * (factor * noise if s.at_s >= 10 else 1.0)) for s in round_.seconds
        ]
        return replace(round_, seconds=tuple(seconds))

    return edit


@pytest.mark.parametrize(
    ("factor", "sides", "expected"),
    [
        (0.6, [Side.BASE, Side.CANDIDATE], {"warmup-not-over": Weight.INVALID}),
        (0.6, [Side.CANDIDATE], {"warmup-not-over": Weight.WARNING}),
        (0.9, [Side.BASE, Side.CANDIDATE], {}),
        (1.6, [Side.BASE, Side.CANDIDATE], {"slows-down": Weight.WARNING}),
        (1.6, [Side.CANDIDATE], {"slows-down": Weight.WARNING}),
    ],
)
def test_rounds_that_drift(factor: float, sides: list[Side], expected: dict[str, Weight]) -> None:
    """Faster on both sides: the warm-up was not over. Slower: something grows."""
    found = findings(edited(a_load_run(), drifting(factor), *sides), None)
    assert weights(found) == expected
    if found:
        assert found[0].message.startswith(
            "Both sides" if len(sides) == 2 else "The candidate, and not the other side,"
        )


def test_one_drifting_round_is_noise() -> None:
    """A neighbour that left half-way through a round."""
    assert findings(edited(a_load_run(), drifting(0.3), *Side, blocks=[4]), None) == ()


def test_a_machine_that_became_slower_is_told() -> None:
    """Pairs bear it; what is absolute does not."""
    early, late = some_rounds(blocks=4), some_rounds(blocks=8, level=1.5)[len(some_rounds(blocks=4)) :]
    (found,) = findings(a_paired_run(changes={"rounds": early + late}), None)
    assert (found.code, found.weight) == ("level-moved", Weight.WARNING)
    assert "Both sides became 5" in found.message


# Names in the policy


def test_a_limit_on_an_endpoint_that_does_not_exist_is_named() -> None:
    """A typo must not pass for a limit that holds."""
    policy = replace(DEFAULT, slos=(Slo(metric="p95", limit=1.0, endpoint="GET /aa"),))
    (found,) = findings(a_load_run(), None, policy)
    assert (found.code, found.weight) == ("endpoint-unknown", Weight.WARNING)
    assert "'GET /aa'" in found.message
    assert "GET /a" in found.hint


# Real rounds

NOISE = {
    (row["variant"], row["round"]): row
    for row in json.loads((Path(__file__).parents[2] / "data/noise.json").read_text())
}
"""
108 real load rounds of one service on a machine where other work ran beside them at times, one after the other: `a1`,
`a2`, `a3` are the service as it is, `b05`, `b10`, `b20` the same with 5, 10 and 20 % longer latencies.
"""
VARIANTS = ("a1", "a2", "a3", "b05", "b10", "b20")


def a_real_round(variant: str, number: int, side: Side) -> Round:
    seen = NOISE[variant, number]
    endpoints = {
        name: EndpointRound(
            requests=count, failures=0, values={**values, "failure_rate": 0.0, "throughput": count / 17}
        )
        for name, (count, values) in seen["endpoints"].items()
    }
    seconds = tuple(
        Second(at_s=at, users=20, requests=count, failures=0, p95_ms=p95)
        for at, (count, p95) in enumerate(seen["seconds"])
    )
    return Round(
        kind=RoundKind.LOAD,
        side=side,
        block=number,
        number=1,
        started_at=START + seen["started_s"],
        duration_s=17.0,
        warmup_s=3.0,
        endpoints=endpoints,
        seconds=seconds,
        generator=a_generator(users_wanted=20, users_reached=20),
        target=TargetHealth(alive=True, restarts=0),
    )


def a_real_run(numbers: range, **variants: str) -> Run:
    rounds = [a_real_round(name, number, Side(side)) for number in numbers for side, name in variants.items()]
    plan = a_plan(duration_s=17.0, users=20)
    return a_run(id="-".join(variants.values()), fingerprint=a_fingerprint(plan=plan), rounds=tuple(rounds))


@pytest.mark.parametrize("blocks", [3, 6, 18])
@pytest.mark.parametrize(
    ("base", "candidate"), [("a1", "a2"), ("a3", "a2"), ("b05", "b10"), ("a1", "b20"), ("b20", "a3")]
)
def test_ordinary_noise_has_no_findings(base: str, candidate: str, blocks: int) -> None:
    """All 108 rounds, side by side and against stored runs."""
    for start in range(1, 19, blocks):
        numbers = range(start, start + blocks)
        assert findings(a_real_run(numbers, base=base, candidate=candidate), None) == ()
        stored = Baseline(location="baselines/x", runs=(a_real_run(numbers, candidate=base),))
        assert findings(a_real_run(numbers, candidate=candidate), stored) == ()


def test_every_real_round_is_looked_at() -> None:
    """Which is what the test above is worth."""
    assert set(NOISE) == {(variant, number) for variant in VARIANTS for number in range(1, 19)}
