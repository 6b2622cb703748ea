"""
Chooses which side leads each visit of a duet, so that no task favours a side.

The leader of a visit is the quicker one if it also executed last before it, as its caches are warm. Tasks come in
cycles. If their leaders alternated each for itself, one side could lead every visit before the same task: identical
sides then differed by 14 % in an endpoint that two tasks request. So each side leads a task as often as the other, and
leads the visit before it as often.
"""

import random
from collections import Counter
from typing import Generic, TypeVar

Side = TypeVar("Side")


class Order(Generic[Side]):
    """Balances the leaders of the visits to each task, and of those before them."""

    def __init__(self, sides: tuple[Side, Side], rng_seed: int) -> None:
        self._sides = sides
        self._rng = random.Random(rng_seed)  # noqa: S311  # no secret
        self._led: Counter[str] = Counter()  # by task: how much more often the first side led it than the second
        self._before: Counter[str] = Counter()  # the same of the visits before it
        self._last = 0  # the leader of the last visit: 1 the first side, -1 the second, 0 there was none

    def leader(self, task: str, following: str) -> Side:
        """The side that leads the next visit, to *task*, if the one after it is to the task *following*."""
        self._before[task] += self._last
        surplus = self._led[task] + self._before[following]
        first = surplus < 0 or (surplus == 0 and self._rng.random() < 1 / 2)
        self._last = 1 if first else -1
        self._led[task] += self._last
        return self._sides[0 if first else 1]
