"""The result and the environment of every kind of seeding, and the checks before it writes."""

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from pydantic import Field, NonNegativeInt

from perfci.errors import SeedError
from perfci.model import Side
from perfci.rig.host import hosts
from perfci.rig.host.hosts import below
from perfci.rig.host.tls import Verify
from perfci.schema import Table

MARK = "Test-Target"
"""Header with which a service says that it holds nothing but test data, with the value `true`."""

ANSWER_S = 10.0
MAX_BODY = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """The known data that is in the target now."""

    created: Mapping[str, int]
    digest: str  # equal digests: equal data


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where seeding runs: side, folder and environment."""

    own: bool  # whether perfci itself has started the target, for nothing but this
    source: Path  # the checkout that the target was started from
    environ: Mapping[str, str]  # perfci's own environment; secrets are dropped on the way
    state: Path | None = None  # for the note that lets a later perfci end what this one could not
    side: Side = Side.CANDIDATE
    verify: Verify = True  # its certificate, where it has one
    directory: Path | None = None  # that the target was started with, where its kind has one

    def values(self, target_url: str) -> dict[str, object]:
        """The values of `{python}`, `{side}`, `{url}`, `{port}` and `{dir}`."""
        values: dict[str, object] = {"python": sys.executable, "side": self.side.value, "url": target_url}
        values["port"] = hosts.origin(target_url)[1]
        return values if self.directory is None else {**values, "dir": self.directory}


class Recipe(Table):
    """What is to be created, for every kind of seeding."""

    counts: dict[str, NonNegativeInt] = {}
    rng_seed: int = 1
    timeout_s: float = Field(default=120.0, gt=0)
    test_data: bool = False  # "whatever is seeded holds nothing but test data": then nobody is asked
    mark_path: str = Field(default="/", pattern="^/")  # where a service says so itself

    def digest(self) -> str:
        """A digest of the recipe, for targets that return no digest of the data."""
        text = json.dumps({"counts": self.counts, "rng_seed": self.rng_seed}, sort_keys=True)
        return "recipe-" + hashlib.sha256(text.encode()).hexdigest()[:16]

    def check_allowed(self, target_url: str, place: Place) -> None:
        """Raise SeedError where the target was neither started by perfci nor is marked as a test target."""
        if place.own or self.test_data or _marked(below(target_url, self.mark_path), place.verify):
            return
        raise SeedError(
            f"{target_url} is not marked as a test target, and seeding writes to it and may clear it",
            hint=f"if it holds nothing but test data, let it answer GET {self.mark_path} with the header "
            f"`{MARK}: true`, or say so: test_data = true in [seed]",
        )

    @property
    def tells_digest(self) -> bool:
        """Whether the digest of the data that is there can be asked for, which is what copies of it are checked by."""
        return False

    def seeded_by(self, answer: Mapping[str, Any]) -> Seeded:
        """The result that the project's own seeding code reports; `seeded` checks it."""
        return self.seeded(answer.get("created"), answer.get("digest"))

    def seeded(self, created: object, digest: object) -> Seeded:
        """Check what the target reports to have created against the recipe."""
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


def _marked(url: str, verify: Verify) -> bool:
    """Whether the service marks itself as a test target; SeedError where it does not answer."""
    with requests.Session() as session:
        session.trust_env = False  # no proxy, and no password from ~/.netrc
        session.verify = verify
        try:
            with session.get(url, timeout=ANSWER_S, allow_redirects=False, stream=True) as answer:
                next(answer.iter_content(MAX_BODY), b"")  # who hangs up makes services log a reset connection
        except requests.RequestException as error:
            raise SeedError(
                f"GET {url} failed: the target closed the connection or refused it ({type(error).__name__})",
                hint="look into the target's log",
            ) from None
        return bool(answer.headers.get(MARK, "").strip().lower() == "true")
