"""Trials are what a job could have measured: neighbours, never a round twice, the same for the same seed."""

from itertools import chain

import numpy as np
import pytest

from bench import resampling
from bench.corpora import DuetCorpus, LoadCorpus, take
from bench.resampling import ALL, NONE, ONE, Spec, Trial


def trials(spec: Spec, corpus: LoadCorpus | DuetCorpus, count: int = 40) -> list[Trial]:
    """*count* trials from all blocks."""
    draw, rng = resampling._draw(spec, corpus), np.random.default_rng(1)
    return [draw(rng, corpus.blocks) for _ in range(count)]


def places(corpus: LoadCorpus) -> dict[int, int]:
    """Each unchanged round's take -> its place in time."""
    return {id(take(round_, 17.0)): number for number, round_ in enumerate(corpus.unchanged)}


@pytest.mark.parametrize("order", ["", "in a row"])
def test_identical_pairs_are_neighbours_and_share_no_round(rounds: LoadCorpus, order: str) -> None:
    """Both orders of the sides occur; in a row, each pair begins where the one before it ended."""
    where = places(rounds)
    flips = set()
    for trial in trials(Spec(mode="paired", where=NONE, replicates=5, seconds=17.0, order=order), rounds):
        pairs = [(where[id(b)], where[id(c)]) for b, c in zip(trial.base[0], trial.candidate, strict=True)]
        assert all(abs(b - c) == 1 for b, c in pairs)
        assert len(set(chain(*pairs))) == 10
        flips |= {b < c for b, c in pairs}
        if order:
            assert sorted(chain(*pairs)) == list(range(min(chain(*pairs)), min(chain(*pairs)) + 10))
    assert flips == {True, False}


def test_recorded_changes_stand_beside_unchanged_rounds_of_their_block(rounds: LoadCorpus) -> None:
    """All endpoints slower: the recorded round; one slower: the rest is a third round's, not the base's."""
    slowed = {id(take(round_, 17.0)): round_.block for round_ in rounds.rounds if round_.change == 0.20}
    where = {id(take(round_, 17.0)): round_.block for round_ in rounds.unchanged}
    spec = Spec(mode="paired", where=ALL, change=0.20, replicates=4, seconds=17.0)
    for trial in trials(spec, rounds):
        blocks = [slowed[id(candidate)] for candidate in trial.candidate]
        assert [where[id(base)] for base in trial.base[0]] == blocks
        assert len(set(blocks)) == 4
    for trial in trials(Spec(mode="paired", where=ONE, change=0.20, replicates=4, seconds=17.0), rounds):
        for base, candidate in zip(trial.base[0], trial.candidate, strict=True):
            ratios = [
                candidate.endpoints[name].values["gmean"] / base.endpoints[name].values["gmean"]
                for name in rounds.endpoints
            ]
            assert sorted(ratios) == [pytest.approx(1.0, abs=0.08), pytest.approx(1.2, abs=0.1)]
            assert all(candidate.endpoints[name] is not base.endpoints[name] for name in rounds.endpoints)


def test_more_pairs_than_were_recorded_slowed_are_scaled(rounds: LoadCorpus) -> None:
    """Of six blocks five pairs would use nearly all: unchanged neighbours, one side multiplied."""
    for trial in trials(Spec(mode="paired", where=ALL, change=0.05, replicates=6, seconds=17.0), rounds, 5):
        ratios = [
            candidate.endpoints["list"].values["gmean"] / base.endpoints["list"].values["gmean"]
            for base, candidate in zip(trial.base[0], trial.candidate, strict=True)
        ]
        assert np.mean(ratios) == pytest.approx(1.05, abs=0.02)


def test_stored_runs_are_in_a_row_and_do_not_overlap(rounds: LoadCorpus) -> None:
    """Three stored and the candidate, three rounds each."""
    where = places(rounds)
    for trial in trials(Spec(mode="baseline", where=NONE, replicates=3, rounds=3, seconds=17.0), rounds):
        runs = [[where[id(take)] for take in run] for run in (*trial.base, trial.candidate)]
        assert trial.history
        assert all(run == list(range(run[0], run[0] + 3)) for run in runs)
        assert len(set(chain(*runs))) == 12


def test_a_constant_bias_counts_as_recorded_and_hides_behind_flips(duets: DuetCorpus) -> None:
    """As recorded a trial is swapped as a whole or not at all, and both occur."""
    spec = Spec(mode="duet", where=NONE, replicates=6, seconds=1.0, order="as recorded")
    biases = []
    for trial in trials(spec, duets, 20):
        ratios = [
            candidate.endpoints["list"].values["service_time"] / base.endpoints["list"].values["service_time"]
            for base, candidate in zip(trial.base[0], trial.candidate, strict=True)
        ]
        biases.append(round(float(np.mean(ratios)), 2))
    assert {0.98, 1.02} <= set(biases)
    assert min(abs(bias - 1) for bias in biases) >= 0.01


def test_the_same_seed_gives_the_same_cells(rounds: LoadCorpus) -> None:
    """And another one does not."""

    def coin(trial: Trial) -> str:
        return "regression" if trial.candidate[0].endpoints["list"].values["gmean"] > 10.0 else "pass"

    spec = Spec(mode="paired", where=NONE, replicates=1, seconds=17.0)
    first, again, other = (resampling.run(spec, rounds, {"coin": coin}, trials=60, rng_seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert first[0].trials == 60
    assert first[0].block_errors["regression"] > 0


def test_a_corpus_too_small_gives_no_cell(rounds: LoadCorpus) -> None:
    """Eighteen unchanged rounds hold no ten pairs."""
    spec = Spec(mode="paired", where=NONE, replicates=10, seconds=17.0)
    assert resampling.run(spec, rounds, {"never": lambda _: "pass"}, trials=10, rng_seed=1) == []


def test_what_blocks_decide_widens_the_interval(rounds: LoadCorpus) -> None:
    """A rule that listens to one block alone scatters between groups of blocks, however many trials there are."""
    marked = {id(take(round_, 17.0)) for round_ in rounds.unchanged if round_.block == 2}

    def listens(trial: Trial) -> str:
        return "regression" if any(id(take) in marked for take in (*trial.base[0], *trial.candidate)) else "pass"

    spec = Spec(mode="paired", where=NONE, replicates=1, seconds=17.0)
    (cell,) = resampling.run(spec, rounds, {"listens": listens}, trials=1000, rng_seed=1)
    by_blocks, by_trials = cell.block_interval("regression"), cell.interval("regression")
    assert by_blocks is not None
    assert by_blocks[1] - by_blocks[0] > 3 * (by_trials[1] - by_trials[0])
