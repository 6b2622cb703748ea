"""
Random data that is the same on both sides of a round.

The generator of the module `random` begins anew before each turn, and so does that of NumPy where the Locust file uses
it. Generators of the file's own (`random.Random()`, those of libraries) are seeded once, as they are made, where nobody
gives them a seed. What the system itself draws (`secrets`, `uuid.uuid4`) is another on each side.
"""

import random
import sys
from itertools import count
from typing import Any


def reseed(rng_seed: int | str) -> None:
    """Begin a random sequence that is the same on both sides."""
    random.seed(rng_seed)
    if (numpy := sys.modules.get("numpy.random")) is not None:
        numpy.seed(random.getrandbits(32))


def install(rng_seed: int) -> None:
    """Make everything that is drawn from now on depend on *rng_seed*. Before the locustfile is loaded."""
    seed, numbers = random.Random.seed, count()

    def seeded(own: random.Random, value: Any = None, version: int = 2) -> None:
        seed(own, f"{rng_seed}/{next(numbers)}" if value is None else value, version)

    random.Random.seed = seeded  # type: ignore[method-assign]  # of those that are made later, too
    # The module's own functions are methods of one generator, bound before this.
    random.seed = random._inst.seed  # type: ignore[attr-defined]  # noqa: SLF001
    reseed(rng_seed)
