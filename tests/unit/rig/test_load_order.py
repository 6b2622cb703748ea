"""Which side leads a visit: both as often, in each task and before each task."""

import runpy
from collections import Counter
from collections.abc import Sequence
from itertools import cycle, islice, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.rig.load.generator import INSIDE

Order: Any = runpy.run_path(str(INSIDE / "perfci_order.py"))["Order"]
BALANCED = 3
"""How much more often one side leads than the other, at most, whatever the order of a few tasks."""


def surplus(tasks: Sequence[str], rng_seed: int) -> tuple[Counter[str], Counter[str]]:
    """By task: how much more often the first side led it, and led the visit before it."""
    order = Order((1, -1), rng_seed)
    own: Counter[str] = Counter()
    before: Counter[str] = Counter()
    for task, following in pairwise(tasks):
        leader = order.leader(task, following)
        own[task] += leader
        before[following] += leader
    return own, before


@pytest.mark.parametrize("tasks", ["a", "ab", "abc", "abac", "abcadb", "aabbc", "abcdefgh"])
@pytest.mark.parametrize("cycles", [2, 5, 40])
def test_no_task_of_a_cycle_favours_a_side(tasks: str, cycles: int) -> None:
    """As a rotation visits them: one side never leads all visits before a task that comes twice in a cycle."""
    for rng_seed in range(10):
        for found in surplus([*islice(cycle(tasks), cycles * len(tasks) + 1)], rng_seed):
            assert max(map(abs, found.values())) <= BALANCED


@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=300), st.integers(0, 1000))
def test_no_task_favours_a_side_in_any_order(tasks: list[str], rng_seed: int) -> None:
    """Nor do tasks that come as it happens."""
    for found in surplus(tasks, rng_seed):
        assert max(map(abs, found.values())) <= 2 * BALANCED


def test_either_side_may_begin() -> None:
    """With few visits, one side would lead most tasks first."""
    begins = Counter(Order(("base", "candidate"), rng_seed).leader("a", "b") for rng_seed in range(100))
    assert min(begins.values()) > 30


def test_the_same_seed_gives_the_same_order() -> None:
    """So that a block can be repeated."""
    tasks = "abcacbabcb" * 3
    assert [*surplus(tasks, 7)] == [*surplus(tasks, 7)]
