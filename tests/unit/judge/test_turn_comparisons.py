"""Which turns of both sides are compared, and what that is worth: places in a visit, disturbed requests, drawn data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from perfci.metrics.columns import Floats, Table
from perfci.metrics.turns import Turns, turns_of

LATENCIES = arrays.arrays(float, st.integers(0, 60), elements=st.floats(0.01, 1e4))


def table(latencies: Floats, failed: tuple[int, ...] = ()) -> Table:
    numbers = np.arange(len(latencies))
    return Table(np.zeros(len(numbers), dtype=np.uint32), latencies, np.isin(numbers, failed))


def log_ratio(base: Floats, candidate: Floats) -> float:
    before, after = turns_of(table(base), table(candidate))
    return float(np.log(after.latencies_ms).mean() - np.log(before.latencies_ms).mean())


def test_what_the_place_in_a_visit_costs_cancels_out() -> None:
    """A B B A: who comes first pays 10 %, and what is left of it is no difference between the sides."""
    first = np.tile([1.1, 1.0], 50)
    assert log_ratio(10 * first, 10 * first[::-1]) == pytest.approx(0.0, abs=1e-9)


def test_crossed_comparisons_scatter_less_than_pairs() -> None:
    """Where the place in a visit matters and one request in ten is disturbed: over two hundred blocks."""
    rng = np.random.default_rng(2)
    crossed, pairs = [], []
    for _ in range(200):
        place = 1 + 0.15 * np.array([[0, 1], [1, 0]] * 20).T.reshape(2, -1)
        noise = rng.normal(0, 0.05, place.shape) + rng.exponential(0.7, place.shape) * (rng.random(place.shape) < 0.1)
        base, candidate = place * np.exp(noise)
        crossed.append(log_ratio(base, candidate))
        ratios = np.sort(np.log(candidate / base))
        pairs.append(ratios[8:-8].mean())
    assert np.std(crossed) < 0.8 * np.std(pairs)


def test_data_that_differs_from_request_to_request_is_compared_pair_by_pair() -> None:
    """What both requests of a pair have in common cancels out whatever it is, as long as it is not crossed."""
    drawn = np.random.default_rng(4).lognormal(1.0, 0.8, 40)
    assert log_ratio(drawn, 1.2 * drawn) == pytest.approx(np.log(1.2))


def test_the_standard_error_is_how_far_blocks_differ() -> None:
    """Of two hundred blocks of forty pairs, compared crosswise: those of a visit are no independent witnesses."""
    rng = np.random.default_rng(5)
    blocks = [turns_of(table(rng.lognormal(1, 0.1, 40)), table(rng.lognormal(1, 0.1, 40))) for _ in range(200)]
    real = np.std([np.log(b.latencies_ms).mean() - np.log(a.latencies_ms).mean() for a, b in blocks], ddof=1)
    estimated = np.sqrt(np.mean([a.standard_error**2 + b.standard_error**2 for a, b in blocks]))
    assert estimated == pytest.approx(real, rel=0.2)


def test_a_failed_request_takes_its_partner_with_it() -> None:
    """Neither of the two is compared with anything."""
    base = np.array([1.0, 1.0, 1.0, 1.0, 500.0])
    before, after = turns_of(table(base), table(2 * base, failed=(4,)))
    assert max(before.latencies_ms) == 1.0
    assert max(after.latencies_ms) == 2.0


@given(base=LATENCIES, candidate=LATENCIES)
def test_swapped_sides_turn_the_ratio_around(base: Floats, candidate: Floats) -> None:
    """No side is favoured: what one way round says is slower, the other way round says is faster, by as much."""
    before, after = turns_of(table(base), table(candidate))
    again_after, again_before = turns_of(table(candidate), table(base))
    assert len(before) == len(after) == len(again_after)
    if len(before):
        assert _centre(after) - _centre(before) == pytest.approx(_centre(again_after) - _centre(again_before), abs=1e-6)
        assert after.standard_error == pytest.approx(again_after.standard_error, rel=1e-6, abs=1e-9)


def _centre(turns: Turns) -> float:
    return float(np.log(turns.latencies_ms).mean())
