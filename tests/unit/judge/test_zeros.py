"""A zero is held against a side only if it is no chance at the reference's own rate, for the load that was offered."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

import pytest

from perfci.judge import judge
from perfci.judge.policy import DEFAULT
from perfci.judge.slo import judge_slos
from perfci.judge.stats import rare
from perfci.judge.validity import findings
from perfci.model import (
    ALL_ENDPOINTS,
    Baseline,
    EndpointRound,
    Finding,
    Outcome,
    Quantity,
    Reference,
    Round,
    RoundKind,
    Run,
    Second,
    SeriesVerdict,
    Side,
    Slo,
    Verdict,
    Weight,
)
from tests.builders import a_fingerprint, a_generator, a_paired_run, a_plan, a_round, a_run, a_subject

pytestmark = pytest.mark.kind("H")

WARMUP_S = 2.0
Waits = Callable[[random.Random], float]


@dataclass(frozen=True)
class Profile:
    """Users with their waits, and the endpoints that each task asks for with its weight."""

    users: int
    wait: Waits
    endpoints: Mapping[str, float] = field(default_factory=lambda: {"GET /things": 1.0})
    duration_s: int = 3
    blocks: int = 2
    journey: int = 1  # requests in a row, a second apart, before each wait
    spawn_s: float = 0.0  # between the starts of two users
    failing: float = 0.0  # share of the requests
    raising: float = 0.0  # share of the tasks


PROFILES = {
    "think 3 to 15 s": Profile(4, lambda rng: rng.uniform(3, 15)),
    "think 3 to 15 s, long rounds": Profile(4, lambda rng: rng.uniform(3, 15), duration_s=12, blocks=4),
    "one user": Profile(1, lambda rng: rng.expovariate(0.3), duration_s=6, blocks=4),
    "in step": Profile(30, lambda _: 10.0, duration_s=8, blocks=4, spawn_s=0.05),
    "in step, and slower than a round": Profile(30, lambda _: 17.0, duration_s=12, blocks=3, spawn_s=0.02),
    "journeys": Profile(3, lambda rng: rng.uniform(10, 60), duration_s=12, blocks=4, journey=8),
    "rare endpoints": Profile(
        10,
        lambda rng: rng.uniform(0.2, 1.0),
        {"GET /": 100.0, "GET /a": 10.0, **{f"GET /rare/{number}": 0.5 for number in range(8)}},
        duration_s=12,
        blocks=2,
    ),
    "failing": Profile(
        5, lambda rng: rng.uniform(1, 5), {"GET /": 3.0, "GET /a": 1.0}, duration_s=8, blocks=3, failing=0.2
    ),
    "raising": Profile(2, lambda rng: rng.uniform(5, 20), duration_s=8, blocks=3, raising=0.3),
    "Poisson": Profile(6, lambda rng: rng.expovariate(0.15), {"GET /": 2.0, "GET /a": 1.0}, duration_s=6, blocks=6),
}


def simulated_requests(profile: Profile, rng: random.Random) -> Iterator[tuple[float, str, bool]]:
    """When, what, and whether it failed; an empty name is a task that raised before any request."""
    end = profile.duration_s
    names, weights = zip(*profile.endpoints.items(), strict=True)
    for user in range(profile.users):
        at = user * profile.spawn_s - WARMUP_S - rng.uniform(0.0, 0.3)
        while at < end:
            for _ in range(profile.journey):
                if 0 <= at < end:
                    raised = rng.random() < profile.raising
                    yield at, "" if raised else rng.choices(names, weights)[0], rng.random() < profile.failing
                at += 1.0 if profile.journey > 1 else 0.004
            at += profile.wait(rng)


def a_load(profile: Profile, side: Side, block: int, rng: random.Random) -> Round:
    """A load round, as its users happened to ask; latencies hardly scatter, since clocks are not what is looked at."""
    made = sorted(simulated_requests(profile, rng))
    requests = [request for request in made if request[1]]
    seconds = Counter(int(at) for at, _, _ in requests)
    endpoints = {}
    for name in sorted({name for _, name, _ in requests}):
        failed = [failure for _, each, failure in requests if each == name]
        endpoints[name] = an_endpoint(
            [4.0 * rng.lognormvariate(0, 0.01) for _ in failed], sum(failed), profile.duration_s
        )
    if requests:
        everything = [4.0 * rng.lognormvariate(0, 0.01) for _ in requests]
        endpoints[ALL_ENDPOINTS] = an_endpoint(
            everything, sum(failure for _, _, failure in requests), profile.duration_s
        )
    return a_round(
        side=side,
        block=block,
        started_at=1000.0 * block + 100.0 * (side is Side.CANDIDATE),
        duration_s=float(profile.duration_s),
        endpoints=endpoints,
        seconds=tuple(
            Second(at_s=at, users=profile.users, requests=seconds[at], failures=0, p95_ms=5.0 if seconds[at] else None)
            for at in range(profile.duration_s)
        ),
        generator=a_generator(
            users_wanted=profile.users,
            users_reached=profile.users,
            exceptions=sum(not name for _, name, _ in made),
        ),
    )


def an_endpoint(latencies: Sequence[float], failures: int, seconds: float) -> EndpointRound:
    good = sorted(latencies)[: len(latencies) - failures]
    values = {"failure_rate": failures / len(latencies), "throughput": len(good) / seconds}
    if good:
        values |= {"trimmed_gmean": sum(good) / len(good), "mean": sum(good) / len(good)}
    return EndpointRound(requests=len(latencies), failures=failures, values=values)


def a_simulated_run(
    profile: Profile, rng: random.Random, *, sides: Sequence[Side] = tuple(Side), name: str = ""
) -> Run:
    """Both sides, or one, are the same service."""
    rounds = [a_load(profile, side, block, rng) for block in range(1, profile.blocks + 1) for side in sides]
    plan = a_plan(users=profile.users, duration_s=float(profile.duration_s), warmup_s=WARMUP_S)
    return a_run(rounds=tuple(rounds), fingerprint=a_fingerprint(plan=plan), **({"id": name} if name else {}))


def outcomes(profile: Profile, rng: random.Random) -> Iterator[Outcome]:
    """A hundred runs side by side, and fifty beside stored runs."""
    policy = replace(DEFAULT, slos=(Slo(metric="mean", limit=200.0, endpoint="GET /*"),))
    for number in range(100):
        run = a_simulated_run(profile, rng)
        yield judge(run, baseline=None, policy=policy, subject=a_subject())
        if number % 2:
            stored = [a_simulated_run(profile, rng, sides=[Side.CANDIDATE], name=f"run-{n}") for n in range(3)]
            baseline = Baseline(location="baselines/x", runs=tuple(stored))
            run = replace(run, rounds=tuple(round_ for round_ in run.rounds if round_.side is Side.CANDIDATE))
            yield judge(run, baseline=baseline, policy=policy, subject=a_subject(reference=Reference.BASELINE))


@pytest.mark.no_cover  # a trace of 1,500 judgements takes as long as the judgements, and shows no further line
@pytest.mark.parametrize("name", PROFILES)
def test_identical_sides_with_rare_requests_are_never_red(name: str) -> None:
    """In 1,500 runs over all profiles no finding, no SLO and no rate blames the candidate; others stay within alpha."""
    red = 0
    for outcome in outcomes(PROFILES[name], random.Random(f"zeros {name}")):
        blamed = [finding.message for finding in outcome.findings if finding.weight is Weight.REGRESSION]
        assert not blamed
        assert all(slo.held or not slo.rounds for slo in outcome.slos), outcome.reason
        worse = [
            decision
            for decision in outcome.decisions
            if decision.counts and decision.verdict is SeriesVerdict.REGRESSION
        ]
        assert not any(decision.comparison.series.metric.quantity is Quantity.RATE for decision in worse), (
            outcome.reason
        )
        red += outcome.verdict is Verdict.REGRESSION
    assert red <= 1  # of 150


def weights(found: Sequence[Finding]) -> dict[str, Weight]:
    return {finding.code: finding.weight for finding in found}


def without(run: Run, name: str, *sides: Side) -> Run:
    """Nobody answers the endpoint any more on these sides."""

    def quiet(round_: Round) -> Round:
        left = {each: measured for each, measured in round_.endpoints.items() if each != name}
        return replace(round_, endpoints=left) if round_.side in sides else round_

    return replace(run, rounds=tuple(map(quiet, run.rounds)))


OFTEN = Profile(20, lambda rng: rng.uniform(0.1, 0.5), {"GET /": 5.0, "GET /a": 1.0}, duration_s=12, blocks=3)


@pytest.mark.parametrize("side", Side)
def test_an_endpoint_that_was_asked_often_and_then_no_more_is_told(side: Side) -> None:
    """About a hundred requests in each round of one side, and none on the other: gone, or new."""
    run = without(a_simulated_run(OFTEN, random.Random(3)), "GET /a", side)
    outcome = judge(run, baseline=None, policy=DEFAULT, subject=a_subject())
    found = {finding.code: finding.message for finding in outcome.findings}
    expected = "endpoints-missing" if side is Side.CANDIDATE else "endpoints-new"
    assert "GET /a" in found[expected]
    assert len(found.keys() & {"endpoints-missing", "endpoints-new"}) == 1


def test_a_candidate_that_falls_silent_under_load_is_red() -> None:
    """In one of three rounds, and in all of them; in either mode."""
    rng = random.Random(4)
    run = a_simulated_run(OFTEN, rng)
    stored = Baseline(
        location="x",
        runs=(a_simulated_run(OFTEN, rng, sides=[Side.CANDIDATE]), a_simulated_run(OFTEN, rng, sides=[Side.CANDIDATE])),
    )
    for blocks, code in (({2}, "silent-round"), ({1, 2, 3}, "no-answer")):
        mute = [
            replace(round_, endpoints={}, seconds=())
            if round_.side is Side.CANDIDATE and round_.block in blocks
            else round_
            for round_ in run.rounds
        ]
        assert weights(findings(replace(run, rounds=tuple(mute)), None)) == {code: Weight.REGRESSION}
        alone = tuple(round_ for round_ in mute if round_.side is Side.CANDIDATE)
        assert weights(findings(replace(run, rounds=alone), stored)) == {code: Weight.REGRESSION}


def rare_rounds(*counts: Sequence[int]) -> Run:
    """A run with so many requests in the rounds of each block, the base first."""
    return a_run(
        rounds=tuple(
            a_round(
                side=side,
                block=block,
                started_at=1000.0 * block,
                endpoints={"GET /": an_endpoint([4.0] * count, 0, 20.0)} if count else {},
                seconds=(),
            )
            for block, pair in enumerate(counts, 1)
            for side, count in zip(Side, pair, strict=True)
        )
    )


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (rare_rounds((1, 1), (1, 0)), {"silent-round": Weight.WARNING}),
        (rare_rounds((0, 1), (2, 1)), {"silent-round": Weight.WARNING}),
        (rare_rounds((1, 0), (2, 0)), {"no-requests": Weight.INVALID}),  # nothing was measured: it proves nothing
        (rare_rounds((400, 400), (400, 0)), {"silent-round": Weight.REGRESSION}),
        (rare_rounds((400, 400), (0, 400)), {"silent-round": Weight.INVALID}),
        (rare_rounds((400, 0), (400, 0)), {"no-answer": Weight.REGRESSION}),
    ],
)
def test_the_more_requests_were_due_the_more_a_silent_round_says(run: Run, expected: dict[str, Weight]) -> None:
    """One request on the base and none on the candidate is chance; four hundred and none are not."""
    found = {code: weight for code, weight in weights(findings(run, None)).items() if code != "few-requests"}
    assert found == expected


def test_a_warning_tells_what_to_do_about_rounds_without_requests() -> None:
    """It is the load that is too thin."""
    (found,) = (finding for finding in findings(rare_rounds((1, 1), (1, 0)), None) if finding.code == "silent-round")
    assert found.message == "In 1 of 4 rounds no request was made: which may be chance, since few were due"
    assert "more users" in found.hint


@pytest.mark.parametrize(
    ("base", "candidate", "expected"),
    [
        ((400, 0), (400, 400), Weight.REGRESSION),
        ((2, 0), (2, 2), Weight.INVALID),
        ((400, 300), (3, 3), Weight.INVALID),  # most of them fail on the base, too
    ],
)
def test_a_few_failures_are_no_everything(base: tuple[int, int], candidate: tuple[int, int], expected: Weight) -> None:
    """Two failures of two are what a service may do by chance that failed none of two before."""
    rounds = tuple(
        a_round(side=side, block=block, endpoints={"GET /": an_endpoint([4.0] * requests, failures, 20.0)})
        for block in (1, 2)
        for side, (requests, failures) in zip(Side, (base, candidate), strict=True)
    )
    assert weights(findings(a_run(rounds=rounds), None))["everything-failed"] is expected


def test_an_endpoint_whose_few_requests_failed_is_told_but_not_red() -> None:
    """Three of three, where the reference has three that did not; with a hundred there, it is red."""
    for there, expected in ((3, Weight.WARNING), (100, Weight.REGRESSION)):
        run = a_run(
            rounds=tuple(
                a_round(
                    side=side,
                    endpoints={
                        "GET /": an_endpoint([4.0] * 400, 0, 20.0),
                        "GET /a": an_endpoint(
                            [4.0] * (there if side is Side.BASE else 3), 3 * (side is Side.CANDIDATE), 20.0
                        ),
                    },
                )
                for side in Side
            )
        )
        found = weights(findings(run, None))
        assert expected in {found.get("endpoint-broken"), found.get("endpoint-failed")}
        assert (expected is Weight.REGRESSION) == (Weight.REGRESSION in found.values())


def test_one_task_that_raised_where_none_was_due_is_not_the_candidates() -> None:
    """A task that asked for nothing and raised is one of one; on the base two of two did not."""
    run = rare_rounds((1, 1), (1, 0))
    raised = [
        replace(round_, endpoints={}, generator=a_generator(exceptions=1)) if round_.side is Side.CANDIDATE else round_
        for round_ in run.rounds
    ]
    assert Weight.REGRESSION not in weights(findings(replace(run, rounds=tuple(raised)), None)).values()


def test_users_that_asked_once_instead_of_twice_were_not_held_up() -> None:
    """All rounds of a side have the same few requests, and so no scatter: that is luck, not certainty."""

    def few(requests: int) -> dict[str, EndpointRound]:
        return {name: an_endpoint([4.0] * requests, 0, 20.0) for name in ("GET /", ALL_ENDPOINTS)}

    run = a_run(
        rounds=tuple(
            a_round(side=side, block=block, endpoints=few(2 if side is Side.BASE else 1), seconds=())
            for block in (1, 2)
            for side in Side
        )
    )
    assert "users-held-up" not in weights(findings(run, None))


def test_a_round_whose_one_request_failed_breaches_no_limit_on_times() -> None:
    """One of a hundred fails, and is a round of its own; where everything fails, no round is within the limit."""

    def rounds(*seen_rounds: EndpointRound) -> Run:
        return a_run(
            rounds=tuple(a_round(block=n, endpoints={"GET /a": measured}) for n, measured in enumerate(seen_rounds, 1))
        )

    policy = replace(DEFAULT, slos=(Slo(metric="mean", limit=200.0, endpoint="GET /a"),))
    lucky = judge_slos(rounds(*[an_endpoint([4.0], 0, 20.0)] * 40, an_endpoint([4.0], 1, 20.0)), policy)
    assert (lucky[0].held, lucky[0].reason) == (True, "40/40 rounds within 200 ms, 1 could not tell")
    dead = judge_slos(rounds(*[an_endpoint([4.0], 1, 20.0)] * 4), policy)
    assert (dead[0].held, dead[0].rounds) == (False, 4)


def test_users_in_step_are_silent_together() -> None:
    """Thirty users that come every nine seconds leave eight in which three hundred others would have asked."""
    every = tuple(
        Second(at_s=at, users=30, requests=30 if at % 9 == 0 else 0, failures=0, p95_ms=5.0) for at in range(27)
    )
    run = a_paired_run(kinds=(RoundKind.LOAD,))
    run = replace(run, rounds=tuple(replace(round_, seconds=every) for round_ in run.rounds))
    assert "stalled" not in weights(findings(run, None))


# The formulas


def test_the_chance_of_none_is_the_binomials_and_the_negative_binomials() -> None:
    """By hand: one of two exposures, a third of three, clusters of two, rates of a gamma distribution."""
    assert rare.chance_of_none(1, there=1, here=1) == pytest.approx(0.5)
    assert rare.chance_of_none(4, there=2, here=1) == pytest.approx((2 / 3) ** 4)
    assert rare.chance_of_none(4, there=2, here=1, clusters=2) == pytest.approx((2 / 3) ** 2)
    assert rare.chance_of_none(80, there=2, here=1, shape=4) == pytest.approx((1 + 40 / 4) ** -4)
    assert rare.chance_of_none(0, there=2, here=1) == 1.0


def test_the_chance_of_none_is_what_simulated_sides_show() -> None:
    """Given two or five requests on two sides of one rate, none on one of them comes about as often as is said."""
    rng = random.Random(5)
    for events in (2, 5):
        none = sum(all(rng.random() < 2 / 3 for _ in range(events)) for _ in range(20_000)) / 20_000
        assert rare.chance_of_none(events, there=2, here=1) == pytest.approx(none, rel=0.1)


def test_dispersion_tells_users_in_step_from_independent_ones() -> None:
    """Independent seconds have an index near 1; thirty requests each tenth second, one near thirty and above."""
    rng = random.Random(6)
    independent = [[float(sum(rng.random() < 0.1 for _ in range(30))) for _ in range(60)] for _ in range(3)]
    assert rare.index_of_dispersion(independent) < 2.0
    assert rare.index_of_dispersion([[30.0 if at % 10 == 0 else 0.0 for at in range(60)]]) > 20.0
    assert rare.index_of_dispersion([]) == 1.0


def test_rates_that_differ_have_a_shape_and_equal_ones_none() -> None:
    """A coefficient of variation of one is shape one; what scatters less than counts do is one rate."""
    assert rare.shape_of_rates([400, 401, 399]) == inf
    assert rare.shape_of_rates([100.0, 0.0, 200.0, 100.0]) == pytest.approx(100**2 / (20000 / 3 - 100), rel=1e-9)
    assert rare.shape_of_rates([5]) == inf
