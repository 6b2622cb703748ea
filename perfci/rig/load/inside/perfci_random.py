"""
Seeds random generators, so that both sides of a round draw the same data.

The generator of the module `random` is seeded before each turn, and so is NumPy's where the Locust file uses it.
Generators that the file makes itself without a seed (`random.Random()`, those of libraries) are seeded once, when they
are made. What the operating system draws (`secrets`, `uuid.uuid4`) differs between the sides.
"""

import random
import sys
from itertools import count
from typing import Any


def reseed(rng_seed: int | str) -> None:
    """Seed the generators of `random` and NumPy; the same seed gives the same data on both sides."""
    random.seed(rng_seed)
    if (numpy := sys.modules.get("numpy.random")) is not None:
        numpy.seed(random.getrandbits(32))


def install(rng_seed: int) -> None:
    """Make all random data depend on *rng_seed* from now on. Call it before the Locust file is loaded."""
    seed, numbers = random.Random.seed, count()

    def seed_or_default(generator: random.Random, value: Any = None, version: int = 2) -> None:
        seed(generator, f"{rng_seed}/{next(numbers)}" if value is None else value, version)

    random.Random.seed = seed_or_default  # type: ignore[method-assign]  # of those that are made later, too
    # The module's own functions are methods of one generator, bound before this.
    random.seed = random._inst.seed  # type: ignore[attr-defined]  # noqa: SLF001
    reseed(rng_seed)
