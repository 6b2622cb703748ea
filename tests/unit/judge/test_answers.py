"""The same kind of answer came, or it is no pass: sizes, statuses, content types, and what is asked no more."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfci.judge import judge
from perfci.judge.answers.judging import judge_answers
from perfci.judge.policy import DEFAULT
from perfci.judge.validity.case import case_of
from perfci.metrics.answers import size_classes
from perfci.model import (
    ALL_ENDPOINTS,
    Answers,
    Baseline,
    Census,
    EndpointRound,
    Finding,
    GatePolicy,
    Outcome,
    Reference,
    Round,
    RoundKind,
    Run,
    SeriesVerdict,
    Side,
    Verdict,
    Weight,
)
from tests.builders import a_comparison, a_paired_run, a_run, a_subject, a_tally, an_endpoint_census, an_endpoint_round

pytestmark = pytest.mark.kind("I")

NAME = "GET /tickets/"
JSON, HTML = "application/json; ; HTTP/1.1", "text/html; ; HTTP/1.1"


def answers(
    sizes: list[int], *, statuses: Mapping[int, int] | None = None, form: Mapping[str, int] | str = JSON, **more: Any
) -> Answers:
    """What a round was answered, of bodies with these sizes."""
    classes = Counter(size_classes(np.array(sizes, dtype=np.int64)).tolist())
    return Answers(
        statuses=statuses or {200: len(sizes)},
        sizes=dict(classes),
        median_bytes=float(np.median(sizes)) if sizes else None,
        forms={form: len(sizes)} if isinstance(form, str) else form,
        **more,
    )


def answered(run: Run, base: Answers, candidate: Answers, *kinds: RoundKind, name: str = NAME) -> Run:
    """The run with these answers in every round of the kinds (all, if none is given)."""
    said = {Side.BASE: base, Side.CANDIDATE: candidate}

    def with_answers(round_: Round) -> Round:
        return (
            replace(round_, answers={**round_.answers, name: said[round_.side]})
            if round_.kind in (kinds or RoundKind)
            else round_
        )

    return replace(run, rounds=tuple(map(with_answers, run.rounds)))


def judged(run: Run, policy: GatePolicy = DEFAULT) -> Outcome:
    return judge(run, baseline=None, policy=policy, subject=a_subject())


def found(outcome: Outcome) -> dict[str, Finding]:
    return {
        finding.code: finding
        for finding in outcome.findings
        if finding.code.startswith(("answers-", "endpoints-", "failures-"))
    }


LONG, SHORT = [4000] * 40, [12] * 40


def test_a_smaller_answer_is_never_an_improvement() -> None:
    """Sooner, because empty: told with its numbers, the series is open, and so is the whole."""
    run = answered(a_paired_run(slower={NAME: 0.6}), answers(LONG), answers(SHORT))
    outcome = judged(run)
    assert outcome.verdict is Verdict.INCONCLUSIVE
    finding = found(outcome)["answers-differ"]
    assert finding.weight is Weight.INCONCLUSIVE
    assert finding.message == f"{NAME}: the candidate's answers are 99.7 % smaller (4,000 -> 12 bytes at the median)"
    assert f'accept_answers = ["{NAME}"]' in finding.hint
    touched = [
        decision for decision in outcome.decisions if decision.comparison.series.endpoint in {NAME, ALL_ENDPOINTS}
    ]
    assert not [decision for decision in touched if decision.verdict is SeriesVerdict.IMPROVEMENT]
    assert any(
        "faster" in decision.reason and "but its answers are 99.7 % smaller" in decision.reason for decision in touched
    )


def test_what_became_smaller_elsewhere_leaves_an_improvement_alone() -> None:
    """Another endpoint's improvement is one, although the whole cannot pass."""
    other = "POST /tickets/"
    outcome = judged(answered(a_paired_run(slower={other: 0.6}), answers(LONG), answers(SHORT)))
    improved = {
        decision.comparison.series.endpoint
        for decision in outcome.decisions
        if decision.verdict is SeriesVerdict.IMPROVEMENT
    }
    assert other in improved


def test_an_accepted_difference_passes_and_is_told_first() -> None:
    """A pattern in the policy; the improvement is one, with that word beside it."""
    run = answered(a_paired_run(slower={NAME: 0.6}), answers(LONG), answers(SHORT))
    outcome = judged(run, replace(DEFAULT, accept_answers=("GET *",)))
    assert outcome.verdict is Verdict.PASS
    assert found(outcome)["answers-accepted"].weight is Weight.NOTICE
    improved = [decision for decision in outcome.decisions if decision.verdict is SeriesVerdict.IMPROVEMENT]
    assert improved
    assert all("which is accepted" in decision.reason for decision in improved)


def test_a_regression_stays_one() -> None:
    """Slower, with other answers: red."""
    assert (
        judged(answered(a_paired_run(slower={NAME: 1.6}), answers(LONG), answers(SHORT))).verdict is Verdict.REGRESSION
    )


@pytest.mark.parametrize(
    ("base", "candidate", "said"),
    [
        (answers(LONG), answers([9000] * 40), "are 2.2 times as large (4,000 -> 9,000 bytes at the median)"),
        (answers(LONG), answers([6500] * 40), "are 62 % larger (4,000 -> 6,500 bytes at the median)"),
        (answers([0] * 40), answers([300] * 40), "are no longer empty (0 -> 300 bytes at the median)"),
        (answers(LONG), answers(LONG, statuses={204: 40}), "have another status in 100 % (200 -> 204)"),
        (
            answers(LONG),
            answers(LONG, statuses={200: 30, 202: 10}),
            "have another status in 25 % (200 -> 202)",
        ),
        (
            answers(LONG),
            answers(LONG, form=HTML),
            "have another content type in 100 % (application/json -> text/html)",
        ),
        (
            answers(LONG),
            answers(LONG, form="application/json; gzip; HTTP/1.1"),
            "have another compression in 100 % (none -> gzip)",
        ),
        (
            answers(LONG),
            answers(LONG, form="application/json; ; HTTP/1.1, closed"),
            "have another protocol in 100 % (HTTP/1.1 -> HTTP/1.1, closed)",
        ),
    ],
)
def test_other_kinds_of_answers_are_told(base: Answers, candidate: Answers, said: str) -> None:
    """Sizes, statuses, and what the headers say."""
    outcome = judged(answered(a_paired_run(), base, candidate))
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert found(outcome)["answers-differ"].message == f"{NAME}: the candidate's answers {said}"


@pytest.mark.parametrize(
    ("base", "candidate"),
    [
        (answers([400] * 40), answers([150] * 40)),  # 250 bytes
        (answers(LONG), answers([2001] * 40)),  # half
        (answers([4000 + n for n in range(40)]), answers([4017 - n for n in range(40)])),  # a token
        (answers(LONG, statuses={200: 1000}), answers(LONG, statuses={200: 995, 304: 5})),  # half a percent
        (answers(LONG, statuses={200: 40}), answers(LONG, statuses={200: 39, 302: 1})),  # now and then
        (answers([100, 9000] * 20), answers([9000, 100, 9000] * 13)),  # either of two bodies: the median falls on one
        (answers(LONG, failures={500: 3}), answers(LONG, failures={500: 5})),
    ],
)
def test_small_or_lucky_differences_are_none(base: Answers, candidate: Answers) -> None:
    """Below half or 256 bytes, below 1 %, and single odd answers."""
    outcome = judged(answered(a_paired_run(blocks=3), base, candidate))
    assert not found(outcome)
    assert outcome.verdict is Verdict.PASS


def test_a_single_answer_proves_nothing() -> None:
    """One on each side, and quite another one: too few to tell."""
    assert not found(judged(answered(a_paired_run(blocks=2), answers([4000]), answers([12]))))


def test_what_grows_under_load_alone_is_what_the_faster_side_was_sent() -> None:
    """Turns asked the same of both sides, and their answers are alike; smaller ones are told all the same."""
    run = answered(a_paired_run(), answers(LONG), answers(LONG), RoundKind.DUET)
    assert not found(judged(answered(run, answers(LONG), answers([9000] * 40), RoundKind.LOAD)))
    assert "answers-differ" in found(judged(answered(run, answers(LONG), answers(SHORT), RoundKind.LOAD)))
    loaded = a_paired_run(kinds=(RoundKind.LOAD,))
    assert "answers-differ" in found(judged(answered(loaded, answers(LONG), answers([9000] * 40))))


def test_failures_of_another_kind_are_a_warning() -> None:
    """How often is the failure rate's; that they fail in another way is told."""
    base, candidate = answers(LONG, failures={404: 20}), answers(LONG, failures={500: 20})
    finding = found(judged(answered(a_paired_run(), base, candidate)))["failures-differ"]
    assert finding.weight is Weight.WARNING
    assert finding.message == f"Requests fail in another way: {NAME} (404 -> 500)"


def test_of_endpoints_that_are_not_required_it_is_only_told() -> None:
    """No pass rests on them."""
    run = answered(a_paired_run(), answers(LONG), answers(SHORT))
    findings = {
        required: judge_answers(case_of(run, None, DEFAULT), [a_comparison(endpoint=NAME)] * required).findings
        for required in (False, True)
    }
    assert [finding.weight for finding in findings[False]] == [Weight.NOTICE]
    assert [finding.weight for finding in findings[True]] == [Weight.INCONCLUSIVE]


# Endpoints of one side


def without(run: Run, name: str, side: Side) -> Run:
    def left(round_: Round) -> Round:
        return replace(round_, endpoints={each: seen for each, seen in round_.endpoints.items() if each != name})

    return replace(run, rounds=tuple(left(round_) if round_.side is side else round_ for round_ in run.rounds))


def test_an_endpoint_that_is_gone_cannot_pass_unless_that_is_accepted() -> None:
    """It may be what became slow."""
    run = without(a_paired_run(), NAME, Side.CANDIDATE)
    outcome = judged(run)
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert found(outcome)["endpoints-missing"].message == f"The candidate got no request to {NAME}; the reference did"
    accepted = judged(run, replace(DEFAULT, accept_answers=(NAME,)))
    assert accepted.verdict is Verdict.PASS
    assert found(accepted)["endpoints-missing"].weight is Weight.NOTICE
    assert judged(without(a_paired_run(), NAME, Side.BASE)).verdict is Verdict.PASS


# Stored runs, and the census


def test_what_only_the_bases_locust_file_asks_cannot_pass_unless_that_is_accepted() -> None:
    """The change edits the load: nobody knows how fast that endpoint is now. What both files ask is not named."""
    run = replace(a_paired_run(), base_endpoints=("GET /old", NAME))
    outcome = judged(run)
    assert outcome.verdict is Verdict.INCONCLUSIVE
    dropped = found(outcome)["endpoints-dropped"]
    assert (dropped.weight, outcome.reason) == (Weight.INCONCLUSIVE, dropped.message)
    assert "GET /old" in dropped.message
    assert NAME not in dropped.message
    accepted = judged(run, replace(DEFAULT, accept_answers=("GET /o*",)))
    assert accepted.verdict is Verdict.PASS
    assert found(accepted)["endpoints-dropped"].weight is Weight.NOTICE
    assert found(judged(a_paired_run())) == {}


def stored_and_now(before: Answers | None, now: Answers) -> Outcome:
    loaded = a_run()

    def with_answers(run: Run, said: Answers | None) -> Run:
        return replace(
            run, rounds=tuple(replace(round_, answers={NAME: said} if said else {}) for round_ in run.rounds)
        )

    stored = tuple(replace(with_answers(loaded, before), id=f"run-{number}") for number in range(3))
    baseline = Baseline(location="baselines/x", runs=stored)
    subject = a_subject(reference=Reference.BASELINE)
    return judge(with_answers(loaded, now), baseline=baseline, policy=DEFAULT, subject=subject)


def test_stored_runs_know_what_they_were_answered() -> None:
    """The same comparison; those of before it was kept are compared without it, which is noted."""
    assert not found(stored_and_now(answers(LONG), answers(LONG)))
    differs = stored_and_now(answers(LONG), answers(SHORT))
    assert (differs.verdict, found(differs)["answers-differ"].weight) == (Verdict.INCONCLUSIVE, Weight.INCONCLUSIVE)
    unknown = stored_and_now(None, answers(SHORT))
    assert unknown.verdict is Verdict.PASS
    assert found(unknown)["answers-unknown"].weight is Weight.WARNING


@pytest.mark.parametrize(("after", "expected"), [(12.0, True), (3900.0, False)])
def test_the_census_sees_smaller_bodies_where_no_round_noted_them(after: float, expected: bool) -> None:
    """Counted on both sides; the counter itself is no improvement either."""
    censuses = {
        side: Census(endpoints={NAME: an_endpoint_census(response_bytes=a_tally(size))})
        for side, size in ((Side.BASE, 4000.0), (Side.CANDIDATE, after))
    }
    outcome = judged(replace(a_paired_run(), census=censuses))
    assert ("answers-differ" in found(outcome)) is expected
    (counted,) = (
        decision for decision in outcome.decisions if decision.comparison.series.metric.name == "response/bytes"
    )
    assert counted.verdict is not SeriesVerdict.IMPROVEMENT


# What fails on both sides


@pytest.mark.parametrize(
    ("failures", "code", "verdict"),
    [
        (240, "mostly-failing", Verdict.INVALID),
        (100, "partly-failing", Verdict.PASS),
        (10, "", Verdict.PASS),
    ],
)
def test_a_load_that_fails_on_both_sides_proves_little(failures: int, code: str, verdict: Verdict) -> None:
    """Most of it: invalid; a part: told first; whatever the sides share."""
    run = a_paired_run()
    errors = {f"{NAME}: 404 Not Found": 9, f"{NAME}: 500": 2}
    rounds = tuple(
        replace(
            round_,
            endpoints={name: an_endpoint_round(failures=failures, kind=round_.kind) for name in round_.endpoints},
            errors=errors,
        )
        for round_ in run.rounds
    )
    outcome = judged(replace(run, rounds=rounds))
    assert outcome.verdict is verdict
    findings = [finding for finding in outcome.findings if finding.code in {"mostly-failing", "partly-failing"}]
    assert [finding.code for finding in findings] == ([code] if code else [])
    if findings:
        assert f"({failures / 4:.0f} % and {failures / 4:.0f} %)" in findings[0].message
        assert "404 Not Found" in findings[0].hint


def test_what_one_side_fails_is_told_by_the_failure_rate_alone() -> None:
    """Nothing is said twice."""
    run = a_paired_run()

    def failing(round_: Round) -> EndpointRound:
        return an_endpoint_round(failures=300 if round_.side is Side.CANDIDATE else 0, kind=round_.kind)

    rounds = tuple(
        replace(round_, endpoints={name: failing(round_) for name in round_.endpoints}) for round_ in run.rounds
    )
    outcome = judged(replace(run, rounds=rounds))
    assert outcome.verdict is Verdict.REGRESSION
    assert not {"mostly-failing", "partly-failing"} & {finding.code for finding in outcome.findings}


# An unchanged service


@dataclass(frozen=True)
class Service:
    """What it answers, drawn by chance for each request."""

    bodies: list[int]
    statuses: list[int]
    forms: list[str]
    most: int  # requests in a round

    def drawn(self, rng: random.Random) -> Answers:
        """The answers of one round."""
        count = rng.randint(1, self.most)
        return answers(
            [rng.choice(self.bodies) + rng.randint(0, 30) for _ in range(count)],
            statuses=Counter(rng.choice(self.statuses) for _ in range(count)),
            form=Counter(rng.choice(self.forms) for _ in range(count)),
            failures=Counter(rng.choice([404, 500]) for _ in range(rng.randint(0, 5))),
        )


SERVICES = st.builds(
    Service,
    bodies=st.lists(st.sampled_from([0, 2, 40, 900, 4000, 100_000]), min_size=1, max_size=4),
    statuses=st.lists(st.sampled_from([200, 201, 204, 302]), min_size=1, max_size=3),
    forms=st.lists(st.sampled_from([JSON, HTML]), min_size=1, max_size=2),
    most=st.integers(1, 60),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SERVICES, st.integers(1, 8), st.integers(0, 10_000))
def test_an_unchanged_service_never_trips_it(service: Service, blocks: int, rng_seed: int) -> None:
    """Whatever it answers, and in whatever mixture: drawn alike for both sides, nothing is said."""
    rng = random.Random(rng_seed)
    run = a_paired_run(blocks=blocks)
    rounds = (replace(round_, answers={name: service.drawn(rng) for name in (NAME, "GET /x")}) for round_ in run.rounds)
    assert not found(judged(replace(run, rounds=tuple(rounds))))
