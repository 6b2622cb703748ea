"""What every way of seeding gives."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, NonNegativeInt

from perfci.errors import SeedError
from perfci.rig.target import hosts
from perfci.schema import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """The known data that is in the target now."""

    created: Mapping[str, int]
    digest: str  # equal digests: equal data


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a seeding command runs; of no interest to the kinds that start nothing."""

    source: Path  # the checkout that the target was started from
    environ: Mapping[str, str]  # perfci's own environment; secrets are dropped on the way
    state: Path | None = None  # for the note that lets a later perfci end what this one could not


class Recipe(Table):
    """What is to be made, the same in every kind."""

    counts: dict[str, NonNegativeInt] = {}
    rng_seed: int = 1
    timeout_s: float = Field(default=120.0, gt=0)
    test_data: bool = False  # "this target holds nothing but test data": required anywhere but on this machine

    def digest(self) -> str:
        """Of the recipe, for targets that tell no digest of the data itself."""
        text = json.dumps({"counts": self.counts, "rng_seed": self.rng_seed}, sort_keys=True)
        return "recipe-" + hashlib.sha256(text.encode()).hexdigest()[:16]

    def check_allowed(self, target_url: str) -> None:
        """Refuse to write into, or clear, a service elsewhere that was not declared to hold test data alone."""
        if not self.test_data and not hosts.is_loopback(target_url):
            raise SeedError(
                f"{target_url} is not on this machine, and seeding writes to it and may clear it",
                hint="if it holds nothing but test data, say so: test_data = true in [seed]",
            )

    def seeded(self, created: object, digest: object) -> Seeded:
        """What the target says it made, held against what was asked for."""
        made = created if isinstance(created, Mapping) else self.counts
        numbers = {str(name): count for name, count in made.items() if isinstance(count, int)}
        short = [
            f"{numbers[name]} of {wanted} {name}"
            for name, wanted in sorted(self.counts.items())
            if numbers.get(name, wanted) < wanted
        ]
        if short:
            raise SeedError(
                f"the target made less than it was asked for: {', '.join(short)}",
                hint="look into its log; seed again with --clear-first",
            )
        return Seeded(created=numbers, digest=str(digest) if digest else self.digest())
