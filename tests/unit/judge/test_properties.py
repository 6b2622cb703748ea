"""What must hold for every measurement, whatever its numbers."""

import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfci import store
from perfci.judge import judge
from perfci.judge.policy import DEFAULT
from perfci.model import (
    ALL_ENDPOINTS,
    Baseline,
    Decision,
    EndpointRound,
    Outcome,
    Reference,
    Role,
    Round,
    RoundKind,
    Run,
    SeriesVerdict,
    Side,
    Verdict,
)
from perfci.report import render, result_json
from tests.builders import a_paired_run, a_run, a_subject, some_rounds

pytestmark = pytest.mark.no_cover  # a trace of hundreds of judgements takes as long, and shows hardly a further line

EXAMPLES = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
EXPLAINED = {"service_time", "trimmed_gmean"}
Key = tuple[str, str, str]
MIRROR = {
    SeriesVerdict.REGRESSION: SeriesVerdict.IMPROVEMENT,
    SeriesVerdict.IMPROVEMENT: SeriesVerdict.REGRESSION,
}
DIRECTED = (SeriesVerdict.BELOW_BUDGET, SeriesVerdict.INCONCLUSIVE)


@dataclass(frozen=True)
class Measurement:
    """A paired run of any shape, far above every floor; `printed` so that hypothesis can show what failed."""

    endpoints: int
    blocks: int
    scatter: float
    slower: float
    failing: float
    explained: float  # of the scatter between rounds, by that among the requests
    rng_seed: int

    def run(self) -> Run:
        typical = {f"GET /{number}": 300.0 * (number + 1) for number in range(self.endpoints)}
        run = a_paired_run(
            blocks=self.blocks,
            typical=typical,
            slower={"GET /0": self.slower},
            scatter=self.scatter,
            rng_seed=self.rng_seed,
        )
        rng = random.Random(self.rng_seed)
        return replace(run, rounds=tuple(self._explained(self._failing(round_, rng), rng) for round_ in run.rounds))

    def _explained(self, round_: Round, rng: random.Random) -> Round:
        """What the requests tell of their own scatter, each endpoint as well as its requests can."""
        changes = {
            name: replace(seen, standard_errors={metric: self._error(rng) for metric in EXPLAINED & seen.values.keys()})
            for name, seen in round_.endpoints.items()
        }
        return with_endpoints(round_, changes)

    def _error(self, rng: random.Random) -> float:
        return self.explained * self.scatter * rng.uniform(0.7, 1.3)

    def _failing(self, round_: Round, rng: random.Random) -> Round:
        """Some requests of the candidate's first endpoint fail."""
        seen = round_.endpoints["GET /0"]
        share = self.failing * rng.random() if round_.side is Side.CANDIDATE else 0.0
        failures = int(share * seen.requests)
        values = {**seen.values, "failure_rate": failures / seen.requests}
        return with_endpoints(round_, {"GET /0": replace(seen, failures=failures, values=values)})


def with_endpoints(round_: Round, changes: Mapping[str, EndpointRound]) -> Round:
    return replace(round_, endpoints={**round_.endpoints, **changes})


MEASUREMENTS = st.builds(
    Measurement,
    endpoints=st.integers(1, 5),
    blocks=st.integers(2, 9),
    scatter=st.floats(0.002, 0.3),
    slower=st.floats(0.7, 1.5),
    failing=st.sampled_from([0.0, 0.0, 0.01, 0.5]),
    explained=st.sampled_from([0.0, 0.5, 1.0]),
    rng_seed=st.integers(0, 10_000),
)


def judged(run: Run) -> Outcome:
    return judge(run, baseline=None, policy=DEFAULT, subject=a_subject())


def beside(run: Run, stored: Sequence[Run]) -> Outcome:
    subject = a_subject(reference=Reference.BASELINE)
    return judge(run, baseline=Baseline(location="x", runs=tuple(stored)), policy=DEFAULT, subject=subject)


def by_series(outcome: Outcome) -> dict[Key, Decision]:
    return {
        (
            decision.comparison.series.endpoint,
            decision.comparison.series.metric.name,
            decision.comparison.kind,
        ): decision
        for decision in outcome.decisions
    }


def verdicts(outcome: Outcome) -> dict[Key, SeriesVerdict]:
    return {key: decision.verdict for key, decision in by_series(outcome).items()}


def rounds_edited(run: Run, edit: Callable[[Round], Round]) -> Run:
    return replace(run, rounds=tuple(map(edit, run.rounds)))


def copied(run: Run, times: int) -> Run:
    """The same blocks again, as further blocks."""
    most = max(round_.block for round_ in run.rounds)
    copies = [
        replace(round_, block=round_.block + copy * most, started_at=round_.started_at + 10_000.0 * copy)
        for copy in range(times)
        for round_ in run.rounds
    ]
    return replace(run, rounds=tuple(copies))


@EXAMPLES
@given(MEASUREMENTS)
def test_a_side_against_itself_passes(measured: Measurement) -> None:
    """
    The same rounds on both sides, failures and all: nothing changed, whatever the noise.

    Where requests scatter so much that rounds cannot agree so well but by luck, it may be left open, never red.
    """
    candidate = [round_ for round_ in measured.run().rounds if round_.side is Side.CANDIDATE]
    both = tuple(replace(round_, side=side) for round_ in candidate for side in Side)
    outcome = judged(replace(measured.run(), rounds=both))
    assert outcome.verdict in ({Verdict.PASS, Verdict.INCONCLUSIVE} if measured.explained else {Verdict.PASS})
    assert not {SeriesVerdict.REGRESSION, SeriesVerdict.IMPROVEMENT} & set(verdicts(outcome).values())


@EXAMPLES
@given(MEASUREMENTS, st.integers(1, 10))
def test_a_run_against_itself_stored_is_not_red(measured: Measurement, runs: int) -> None:
    """Once or ten times."""
    rounds = tuple(
        round_ for round_ in measured.run().rounds if round_.side is Side.CANDIDATE and round_.kind is RoundKind.LOAD
    )
    run = a_run(rounds=rounds)
    outcome = beside(run, [replace(run, id=f"run-{number}") for number in range(runs)])
    assert outcome.verdict in {Verdict.PASS, Verdict.INCONCLUSIVE}


@EXAMPLES
@given(MEASUREMENTS)
def test_swapping_the_sides_mirrors_the_result(measured: Measurement) -> None:
    """
    What was worse is better by the inverse ratio, with the same certainty; every verdict turns over.

    But for one: what may be better by any amount is no worse, and stays open where it may be worse.
    """
    other = {Side.BASE: Side.CANDIDATE, Side.CANDIDATE: Side.BASE}
    there = by_series(judged(measured.run()))
    back = by_series(judged(rounds_edited(measured.run(), lambda round_: replace(round_, side=other[round_.side]))))
    assert there.keys() == back.keys()
    for key, decision in there.items():
        mirrored = back[key]
        if decision.verdict in DIRECTED:
            assert mirrored.verdict in DIRECTED, key
        else:
            assert mirrored.verdict is MIRROR.get(decision.verdict, decision.verdict), key
        assert decision.comparison.p_worse == pytest.approx(mirrored.comparison.p_better)
        before, after = decision.comparison.change, mirrored.comparison.change
        if before is None or after is None:
            assert before is after
        elif key[1] == "failure_rate":
            assert (before.low, before.high) == pytest.approx((-after.high, -after.low))
        else:
            assert (1 + before.low) * (1 + after.high) == pytest.approx(1.0)


@EXAMPLES
@given(MEASUREMENTS, st.floats(1.0, 100.0))
def test_scaling_all_latencies_changes_nothing(measured: Measurement, factor: float) -> None:
    """Well above the floors only ratios matter."""

    def scaled(round_: Round) -> Round:
        counts = {"failure_rate", "throughput"}
        return with_endpoints(
            round_,
            {
                name: replace(seen, values={k: v if k in counts else v * factor for k, v in seen.values.items()})
                for name, seen in round_.endpoints.items()
            },
        )

    before, after = judged(measured.run()), judged(rounds_edited(measured.run(), scaled))
    assert before.verdict is after.verdict
    assert verdicts(before) == verdicts(after)
    for key, decision in by_series(before).items():
        if decision.p_adjusted is not None:
            assert decision.p_adjusted == pytest.approx(by_series(after)[key].p_adjusted, rel=1e-6, abs=1e-12)


@EXAMPLES
@given(MEASUREMENTS, st.randoms(use_true_random=False))
def test_the_order_of_rounds_and_endpoints_changes_nothing(measured: Measurement, rng: random.Random) -> None:
    """Nor do the numbers of the blocks, or what the endpoints are called."""
    run = measured.run()
    blocks = sorted({round_.block for round_ in run.rounds})
    numbers = dict(zip(blocks, rng.sample(blocks, len(blocks)), strict=True))
    names = sorted({name for round_ in run.rounds for name in round_.endpoints} - {ALL_ENDPOINTS})
    called = {**dict(zip(names, rng.sample(names, len(names)), strict=True)), ALL_ENDPOINTS: ALL_ENDPOINTS}

    def renamed(round_: Round) -> Round:
        pairs = [(called[name], seen) for name, seen in round_.endpoints.items()]
        return replace(round_, block=numbers[round_.block], endpoints=dict(rng.sample(pairs, len(pairs))))

    shuffled = rounds_edited(run, renamed)
    shuffled = replace(shuffled, rounds=tuple(rng.sample(shuffled.rounds, len(shuffled.rounds))))
    before, after = judged(run), judged(shuffled)
    assert before.verdict is after.verdict
    assert {(called[e], m, k): verdict for (e, m, k), verdict in verdicts(before).items()} == verdicts(after)


@EXAMPLES
@given(MEASUREMENTS, st.permutations(range(6)))
def test_the_order_of_stored_runs_changes_nothing(measured: Measurement, order: list[int]) -> None:
    """Up to the ten that count."""
    rounds = tuple(
        round_ for round_ in measured.run().rounds if round_.kind is RoundKind.LOAD and round_.side is Side.CANDIDATE
    )
    stored = [
        a_run(
            id=f"run-{number}",
            rounds=some_rounds(
                blocks=3,
                kinds=(RoundKind.LOAD,),
                sides=(Side.CANDIDATE,),
                typical={name: 400.0 for name in rounds[0].endpoints if name != ALL_ENDPOINTS},
                scatter=measured.scatter,
                rng_seed=measured.rng_seed + number,
            ),
        )
        for number in range(6)
    ]
    before = beside(a_run(rounds=rounds), stored)
    after = beside(a_run(rounds=rounds), [stored[number] for number in order])
    assert (before.verdict, verdicts(before)) == (after.verdict, verdicts(after))


@EXAMPLES
@given(MEASUREMENTS, st.integers(1, 10))
def test_quiet_endpoints_turn_nothing_green_beyond_the_correction(measured: Measurement, quiet: int) -> None:
    """What is red with room for the larger family stays red, and no estimate moves."""
    run = measured.run()
    names = [f"GET /quiet/{number}" for number in range(quiet)]
    extra = a_paired_run(
        blocks=measured.blocks,
        typical=dict.fromkeys(names, 500.0),
        scatter=measured.scatter,
        rng_seed=measured.rng_seed + 1,
    )
    joined = [
        with_endpoints(round_, {name: other.endpoints[name] for name in names})
        for round_, other in zip(run.rounds, extra.rounds, strict=True)
    ]
    before, after = judged(run), judged(replace(run, rounds=tuple(joined)))
    larger = after.family / max(1, before.family)
    later = by_series(after)
    for key, decision in by_series(before).items():
        if key[0] == ALL_ENDPOINTS or decision.comparison.change is None or decision.p_adjusted is None:
            continue
        change = later[key].comparison.change
        assert change is not None
        assert change.estimate == pytest.approx(decision.comparison.change.estimate)
        # Variance is lent between series, which moves a p-value of few blocks by itself: hence the room of ten.
        if decision.verdict is SeriesVerdict.REGRESSION and decision.p_adjusted * larger * 10 < after.alpha:
            assert later[key].verdict is SeriesVerdict.REGRESSION, key


@EXAMPLES
@given(MEASUREMENTS)
def test_the_same_rounds_twice_over_never_widen_an_interval(measured: Measurement) -> None:
    """As further blocks they narrow it; inside their blocks they are no evidence at all."""
    run = measured.run()
    again = [replace(round_, number=2, started_at=round_.started_at + 1000.0) for round_ in run.rounds]
    once, inside = by_series(judged(run)), by_series(judged(replace(run, rounds=(*run.rounds, *again))))
    further = by_series(judged(copied(run, 2)))
    for key, decision in once.items():
        change, twice = decision.comparison.change, further[key].comparison.change
        if change is None or twice is None or key[1] == "failure_rate":
            continue  # counts of failures add up inside a block, too
        assert twice.high - twice.low <= (change.high - change.low) * (1 + 1e-9), key
        if not measured.failing:  # twice as many may take an endpoint's times out, and what they lent to the others
            assert inside[key].comparison.p_worse == pytest.approx(decision.comparison.p_worse)


@EXAMPLES
@given(MEASUREMENTS)
def test_as_many_further_blocks_as_were_asked_for_settle_the_series(measured: Measurement) -> None:
    """
    If they look like those that were there, and the change stays too small to matter: what the advice assumes.

    Of one endpoint, since more of them lend each other variance, and the less the more blocks there are.
    """
    measured = replace(measured, endpoints=1)
    run = measured.run()
    for key, decision in by_series(judged(run)).items():
        change, wanted = decision.comparison.change, measured.blocks + (decision.further_blocks or 0)
        small = change is not None and abs(change.estimate) < decision.comparison.budget.change
        if decision.further_blocks and small and wanted <= 12 * measured.blocks:
            enough = judged(copied(run, -(-wanted // measured.blocks)))
            assert by_series(enough)[key].verdict is not SeriesVerdict.INCONCLUSIVE, key


@EXAMPLES
@given(MEASUREMENTS)
def test_a_run_that_was_stored_is_judged_as_before(measured: Measurement) -> None:
    """Written as JSON and read again: the same outcome; and its own document keeps the verdict and the family."""
    run = measured.run()
    with tempfile.TemporaryDirectory() as folder:
        store.save(run, Path(folder) / "run.json")
        again = judged(store.load(Path(folder) / "run.json"))
    before = judged(run)
    assert again == before
    read = result_json.read(render("json", before).encode())
    assert (read.verdict, read.reason, read.family) == (before.verdict, before.reason, before.family)
    assert verdicts(read) == verdicts(before)


@EXAMPLES
@given(MEASUREMENTS)
def test_green_rests_on_something(measured: Measurement) -> None:
    """A pass has at least one required series that was compared, and none of them open or red."""
    outcome = judged(measured.run())
    deciding = [decision.verdict for decision in outcome.decisions if decision.comparison.budget.role is Role.REQUIRED]
    if outcome.verdict is Verdict.PASS:
        assert set(deciding) & {SeriesVerdict.EQUIVALENT, SeriesVerdict.IMPROVEMENT, SeriesVerdict.BELOW_BUDGET}
        assert not set(deciding) & {SeriesVerdict.REGRESSION, SeriesVerdict.INCONCLUSIVE}
