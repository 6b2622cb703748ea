"""What a run's endpoints are called in the end: other answers stay apart, and stored names are found."""

import random
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfci.metrics.names import answered, folded
from perfci.model import (
    Answered,
    Baseline,
    Census,
    CommittedCensus,
    EndpointCensus,
    EndpointName,
    Requests,
    Round,
    Side,
)
from perfci.pipeline.endpoints import CHANCE, Naming, apart
from perfci.pipeline.stored_names import aligned
from perfci.rig.load.inside.perfci_endpoints import template
from tests.builders import START, a_round, a_run, an_endpoint_round, some_requests

pytestmark = pytest.mark.kind("I")

OK, GONE, BROKEN = "200", "failed with 404", "failed with 500"


def answers_of(answers: int = 12, *kinds: str, size: int = 1000, spread: int = 0) -> Answered:
    """So many answers of these kinds; the successes between *size* and *size* + *spread*."""
    kinds = kinds or (OK,)
    good = answers if not any(kind.startswith("failed") for kind in kinds) else answers * (OK in kinds)
    return Answered(
        answers=answers,
        kinds=frozenset(kinds),
        bytes_=size * good,
        successes=good,
        smallest=size if good else None,
        largest=size + spread if good else None,
    )


def names(count: int = 10, /, **special: Any) -> dict[str, dict[Side, Answered]]:
    """So many ordinary names, and some others: an answer for both sides, or a pair of base and candidate."""
    found = {f"GET /i/{number}": dict.fromkeys(Side, answers_of()) for number in range(count)}
    for name, answers in special.items():
        pair = answers if isinstance(answers, tuple) else (answers, answers)
        found[f"GET /i/{name}"] = dict(zip(Side, pair, strict=True))
    return found


@pytest.mark.parametrize(
    ("special", "because"),
    [
        (answers_of(12, GONE), GONE),
        (answers_of(12, "204"), "204"),
        (answers_of(size=50_000), "larger answers"),
        (answers_of(size=100), "smaller answers"),
        ((answers_of(), answers_of(12, BROKEN)), f"{BROKEN} on the candidate"),
        ((answers_of(12, GONE), answers_of()), f"{GONE} on the base"),
        ((answers_of(), answers_of(size=2)), "smaller answers on the candidate"),
        (answers_of(12, OK, GONE), ""),  # sometimes this, sometimes that: the share of failures tells
        (answers_of(2, GONE), ""),  # too few to say so
        (answers_of(size=1900), ""),
        (answers_of(size=100, spread=900), ""),
        ((answers_of(), answers_of(12, OK, BROKEN)), ""),
        ((answers_of(5), answers_of(5, BROKEN)), ""),  # that few may all have failed by chance, among so many names
    ],
)
def test_names_that_are_answered_otherwise_stay_apart(special: Any, because: str) -> None:
    """By status, by size; also where only one side answers otherwise, as soon as chance cannot be the cause."""
    assert apart(names(x=special)) == ({"GET /i/x": because} if because else {})


def test_a_change_of_all_names_sets_none_apart() -> None:
    """The endpoint as a whole answers otherwise then, and its own numbers show it."""
    changed = {name: {Side.BASE: answers_of(), Side.CANDIDATE: answers_of(12, BROKEN)} for name in names()}
    assert apart(changed) == {}
    shrunk = {name: {Side.BASE: answers_of(), Side.CANDIDATE: answers_of(size=2)} for name in names()}
    assert apart(shrunk) == {}
    assert apart({"GET /i/1": {Side.CANDIDATE: answers_of(12, GONE)}}) == {}


def test_one_side_alone_is_enough() -> None:
    """In a comparison with stored runs there is no other."""
    alone = {name: {Side.CANDIDATE: sides[Side.CANDIDATE]} for name, sides in names(x=answers_of(3, GONE)).items()}
    assert apart(alone) == {"GET /i/x": GONE}


@given(st.data())
def test_no_order_of_names_changes_who_is_apart(data: st.DataObject) -> None:
    """Nor of the rounds that were put together."""
    kinds = st.sampled_from(
        [answers_of(), answers_of(12, GONE), answers_of(size=9000), answers_of(12, OK, GONE), answers_of(2)]
    )
    found = {f"GET /i/{number}": dict.fromkeys(Side, data.draw(kinds)) for number in range(6)}
    order = data.draw(st.permutations(sorted(found)))
    assert apart({name: found[name] for name in order}) == apart(found)


def test_identical_sides_that_fail_at_random_set_no_name_apart_by_side() -> None:
    """One that was chosen because it failed on one side would pass for that side's regression."""
    rng = random.Random(7)

    def drawn() -> Answered:
        failures = sum(rng.random() < 0.2 for _ in range(6))
        return answers_of(6, *({OK} if failures < 6 else set()), *({BROKEN} if failures else set()))

    runs = [apart({f"GET /i/{n}": {side: drawn() for side in Side} for n in range(300)}) for _ in range(100)]
    assert sum(any("on the" in because for because in found.values()) for found in runs) <= 100 * 10 * CHANCE


def _round(side: Side, *endpoints: str) -> Round:
    return a_round(side=side, endpoints={name: an_endpoint_round() for name in endpoints}, errors={}, answers={})


def _named(special: dict[str, dict[Side, Answered]], **changes: Any) -> Any:
    """A run of one round a side whose names are *special*, settled."""
    naming = Naming()
    templates = {name: template(name) for name in special}
    rounds = []
    for side in Side:
        own = {name: sides[side] for name, sides in special.items() if side in sides}
        measured = _round(side, *sorted({templates[name] for name in own}), *changes.get("others", ()))
        rounds.append(measured)
        naming.add(side, own, templates, partial(_again, measured, templates))
    return naming.settled(a_run(rounds=tuple(rounds), incidents=changes.get("incidents", ())))


def _again(measured: Round, templates: dict[str, str], called: Mapping[str, str]) -> Round:
    own = {called[name] for name in templates}
    return replace(measured, endpoints={name: an_endpoint_round() for name in own})


def test_a_template_is_as_general_as_its_names() -> None:
    """One name keeps its own, in the rounds, in their errors, in what went wrong."""
    run = _named({"GET /i/7": dict.fromkeys(Side, answers_of())}, incidents=("too little time for GET /i/{id}",))
    assert [set(round_.endpoints) for round_ in run.rounds] == [{"GET /i/7"}] * 2
    assert run.incidents == ("too little time for GET /i/7",)
    assert run.folded == ()


def test_a_group_that_is_apart_is_measured_by_itself() -> None:
    """A single name by its own, several by what they have in common; and the run says which and why."""
    run = _named(names(**{"77": answers_of(12, GONE), "78": answers_of(12, GONE), "79": answers_of(size=90_000)}))
    expected = {"GET /i/{id}", "GET /i/{id} (failed with 404)", "GET /i/79"}
    assert [set(round_.endpoints) for round_ in run.rounds] == [expected] * 2
    assert [(group.endpoint, group.names, group.because) for group in run.folded] == [
        ("GET /i/79", 1, "larger answers"),
        ("GET /i/{id}", 10, ""),
        ("GET /i/{id} (failed with 404)", 2, GONE),
    ]


def test_a_name_that_is_taken_is_not_given_twice() -> None:
    """The locustfile may have given by hand the very name that a template would be called."""
    run = _named({"GET /i/7": dict.fromkeys(Side, answers_of())}, others=("GET /i/7",))
    assert [set(round_.endpoints) for round_ in run.rounds] == [{"GET /i/7", "GET /i/{id}"}] * 2


def test_folded_requests_keep_their_order() -> None:
    """The k-th request of an endpoint is still the k-th: turns are paired by it."""
    requests = some_requests({"GET /i/1": [1.0, 2.0], "GET /x": [3.0], "GET /i/2": [4.0]})
    grouped = folded(requests, {"GET /i/1": "GET /i/{id}", "GET /i/2": "GET /i/{id}"})
    assert grouped.names == ("GET /i/{id}", "GET /x")
    assert list(grouped.endpoint) == [0, 0, 1, 0]
    assert list(grouped.latency_ms) == [1.0, 2.0, 3.0, 4.0]
    assert folded(requests, {}) == requests


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 999)), max_size=30))
def test_what_a_name_was_answered_is_counted(rows: list[tuple[int, bool, int]]) -> None:
    """For each name of a template by itself, within the windows; other names are not looked at."""
    base = some_requests({f"GET /i/{n}": [1.0] for n in range(4)})
    requests = _requests(base, rows)
    found = answered(requests, windows=[(START, START + 1e6)])
    assert set(found) == {f"GET /i/{n}" for n, _, _ in rows if n < 3}
    for name, counted in found.items():
        own = [(bad, size) for n, bad, size in rows if f"GET /i/{n}" == name]
        good = [size for bad, size in own if not bad]
        assert (counted.answers, counted.successes, counted.bytes_) == (len(own), len(good), sum(good))
        assert (counted.smallest, counted.largest) == (min(good, default=None), max(good, default=None))
        assert counted.kinds == {"failed with 500" if bad else "200" for bad, _ in own}
    assert answered(requests, windows=[(0.0, 1.0)]) == {}


def _requests(base: Requests, rows: list[tuple[int, bool, int]]) -> Requests:
    count = len(rows)
    cycled = some_requests({"GET /x": [1.0] * max(count, 1)})
    return replace(
        base,
        start_s=cycled.start_s[:count],
        latency_ms=cycled.latency_ms[:count],
        endpoint=type(base.endpoint)("I", [n for n, _, _ in rows]),
        failed=type(base.failed)("B", [bad for _, bad, _ in rows]),
        status=type(base.status)("H", [500 if bad else 200 for _, bad, _ in rows]),
        size=type(base.size)("Q", [size for _, _, size in rows]),
        endpoints={f"GET /i/{n}": "GET /i/{id}" for n in range(3)},
    )


def _stored(*endpoints: str) -> Baseline:
    census = Census(endpoints={name: EndpointCensus(requests=5, counters={}) for name in endpoints})
    committed = CommittedCensus(profile="tickets", scenario="smoke", load="", census=census)
    return Baseline(location="baselines", runs=(a_run(rounds=(_round(Side.CANDIDATE, *endpoints),)),), census=committed)


@pytest.mark.parametrize(
    ("stored", "here", "found"),
    [
        ("GET /i/7", "GET /i/{id}", "GET /i/{id}"),  # one name then, several now
        ("GET /i/{id}", "GET /i/7", "GET /i/7"),  # and the other way round
        ("GET GET /x", "GET /x", "GET /x"),
        ("GET /i/7", "GET /i/8", "GET /i/8"),
        ("GET /i/7", "GET /i/7", "GET /i/7"),
        ("GET /shop/a/basket", "GET basket", "GET basket"),
        ("GET /other", "GET /i/7", "GET /other"),
    ],
)
def test_stored_endpoints_are_found_under_their_names_of_today(stored: str, here: str, found: str) -> None:
    """Runs and counts that were accepted before names were folded, or by a run that saw other names."""
    run = a_run(rounds=(_round(Side.CANDIDATE, here),))
    own = [EndpointName(match="GET /shop/*/basket", name="GET basket")]
    _, baseline, notes = aligned(run, _stored(stored), own)
    assert baseline is not None
    assert baseline.census is not None
    assert set(baseline.runs[0].rounds[0].endpoints) == set(baseline.census.census.endpoints) == {found}
    assert notes == ()


def test_what_was_stored_by_each_name_is_not_put_together() -> None:
    """Quantiles of several cannot be made one: it is told, with what to do."""
    run = a_run(rounds=(_round(Side.CANDIDATE, "GET /i/{id}", "GET /x"),))
    _, baseline, (finding,) = aligned(run, _stored("GET /i/7", "GET /i/8", "GET /x"), [])
    assert baseline is not None
    assert set(baseline.runs[0].rounds[0].endpoints) == {"GET /i/7", "GET /i/8", "GET /x"}
    assert finding.code == "endpoints-stored-apart"
    assert "GET /i/{id} (2 stored names)" in finding.message
    assert "accept a new run" in finding.hint
