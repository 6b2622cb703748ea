"""Histograms of latencies: within one percent, merged without loss, small on disk."""

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci import histogram
from perfci.model import Histogram
from perfci.quantile import quantile

LATENCIES = st.lists(st.floats(min_value=1e-3, max_value=1e7), max_size=200).map(sorted)
COUNTS = st.dictionaries(st.integers(-2000, 2000), st.integers(1, 10**15), max_size=80)


@given(LATENCIES)
def test_every_latency_is_in_a_bin_that_is_within_one_percent_of_it(latencies: list[float]) -> None:
    """Taken in order, the middles of the bins are the latencies, each with the error that is promised."""
    bins = histogram.counts_of(histogram.of(latencies))
    middles = [histogram.middle(key) for key in bins for _ in range(bins[key])]
    assert len(middles) == len(latencies)
    for middle, latency in zip(middles, latencies, strict=True):
        assert math.isclose(middle, latency, rel_tol=1.0001 * histogram.RELATIVE_ERROR)


@given(LATENCIES, LATENCIES)
def test_merging_loses_nothing(first: list[float], second: list[float]) -> None:
    """The histogram of both is that of all their latencies."""
    assert histogram.merged([histogram.of(first), histogram.of(second)]) == histogram.of(sorted(first + second))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95, 0.99, 1.0])
def test_quantiles_are_within_one_percent(share: float) -> None:
    """Of ten thousand latencies with a long tail, in four rounds."""
    rng = random.Random(5)
    rounds = [sorted(rng.lognormvariate(1.5, 0.6) for _ in range(2500)) for _ in range(4)]
    found = histogram.quantile(histogram.merged(map(histogram.of, rounds)), share)
    assert found == pytest.approx(quantile(sorted(itertools.chain(*rounds)), share), rel=0.011)


def test_nothing_has_no_quantile() -> None:
    """An endpoint without a success has an empty histogram."""
    assert histogram.of([]) == Histogram("")
    assert histogram.quantile(Histogram(""), 0.5) is None


def test_what_took_no_time_is_counted() -> None:
    """A clock may call a latency zero."""
    assert sum(histogram.counts_of(histogram.of([0.0, 0.0, 5.0])).values()) == 3


@given(COUNTS)
def test_the_text_keeps_every_count(counts: dict[int, int]) -> None:
    """What is read is what was written."""
    assert histogram.counts_of(histogram.with_counts(counts)) == counts


def test_the_text_is_short() -> None:
    """The latencies of an ordinary endpoint, with two a hundred times as long, take less than half a kilobyte."""
    rng = random.Random(5)
    latencies = sorted([*(rng.lognormvariate(1.5, 0.3) for _ in range(1000)), 400.0, 450.0])
    assert len(histogram.of(latencies).text) < 500


def test_the_text_is_as_documented() -> None:
    """The counts of consecutive bins from the first key on, a negative number for empty ones."""
    assert histogram.with_counts({-3: 2, -2: 1, 5: 4}) == Histogram("-3: 2 1 -6 4")


def test_what_no_clock_measures_is_left_out() -> None:
    """A file that somebody else wrote may name any bin, and still has quantiles that are numbers."""
    assert histogram.counts_of(Histogram("1999: 1 1 1 -9999 1")) == {1999: 1, 2000: 1}
