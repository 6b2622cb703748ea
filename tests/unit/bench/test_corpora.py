"""Recorded rounds are read as they were recorded, and slowed down exactly."""

from pathlib import Path

import numpy as np
import pytest

from bench import corpora
from bench.corpora import DuetCorpus, LoadCorpus, mixed, slower, take
from perfci.metrics import registry
from perfci.model import ALL_ENDPOINTS


def test_a_round_loses_its_warmup_and_what_came_after(rounds: LoadCorpus) -> None:
    """Only requests from 3 s to 3 s + seconds are left, in the values and in the columns."""
    taken = take(rounds.rounds[0], 5.0)
    starts = taken.columns["list"].start_s
    assert starts.min() >= 3.0
    assert starts.max() < 8.0
    assert taken.endpoints["list"].requests == len(starts) == pytest.approx(100, abs=30)
    assert taken.endpoints["list"].values["throughput"] == len(starts) / 5.0


def test_variants_and_halves(rounds: LoadCorpus) -> None:
    """What was injected comes from the name; a half holds whole blocks, and no block is in both."""
    assert rounds.changes == [0.05, 0.20]
    first, second = (rounds.half(which) for which in ("first", "second"))
    assert first.blocks == [1, 2, 3]
    assert second.blocks == [4, 5, 6]
    assert len(first.rounds) + len(second.rounds) == len(rounds.rounds)


def test_slowing_down_is_what_measuring_slower_requests_would_give(rounds: LoadCorpus) -> None:
    """Every clock is multiplied exactly, nothing else is touched, and the other endpoint stays."""
    before = take(rounds.rounds[0], 17.0)
    after = slower(before, "list", 1.1)
    again = registry.measure(corpora._requests(after.columns), windows=[(3.0, 20.0)])
    assert after.endpoints["list"].values == pytest.approx(again["list"].values)
    assert after.endpoints["list"].values["throughput"] == before.endpoints["list"].values["throughput"]
    assert after.endpoints["detail"] is before.endpoints["detail"]


def test_a_mixed_round_counts_the_throughput_of_its_parts(rounds: LoadCorpus) -> None:
    """One endpoint of another round, and a sum that is that of the parts."""
    taken = mixed(take(rounds.rounds[0], 17.0), take(rounds.rounds[1], 17.0), "list")
    parts = [taken.endpoints[name].values["throughput"] for name in ("list", "detail")]
    assert taken.endpoints["list"] is take(rounds.rounds[1], 17.0).endpoints["list"]
    assert taken.endpoints[ALL_ENDPOINTS].values["throughput"] == pytest.approx(sum(parts))


def test_turns_know_which_sides_are_unlike(duet_folder: Path) -> None:
    """By the file's name; a share of the turns is a share of the quadruples."""
    unlike, alike = corpora.load(duet_folder)
    assert isinstance(unlike, DuetCorpus)
    assert isinstance(alike, DuetCorpus)
    assert (unlike.name, unlike.identical) == ("toy-plus-10", False)
    assert alike.identical
    base, candidate = alike.takes(0.25)[3]
    assert base.endpoints["list"].requests == candidate.endpoints["list"].requests == 50
    ratio = candidate.endpoints["list"].values["service_time"] / base.endpoints["list"].values["service_time"]
    assert ratio == pytest.approx(1.02, abs=0.03)


def test_points_are_means_of_seconds(rounds: LoadCorpus) -> None:
    """One for each second that saw a request."""
    column = take(rounds.rounds[0], 5.0).columns["list"]
    first = column.latency_ms[column.start_s < 4.0].mean()
    assert len(column.seconds) == 5
    assert column.seconds[0] == pytest.approx(first)
    assert np.all(np.diff(column.sorted) >= 0)
