"""Puts known data into the target, one module per kind, and takes it out again."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from perfci import schema
from perfci.errors import ConfigError
from perfci.model import Side
from perfci.rig.host.tls import Verify
from perfci.rig.seed import command, http, none, python
from perfci.rig.seed.seeded import Place, Seeded
from perfci.schema import Table

__all__ = ["SEEDS", "Options", "Place", "Seed", "Seeded", "clean", "digest", "parse", "seed", "seeding"]

Options = http.Options | command.Options | python.Options | none.Options


class Seed(Protocol):
    """The interface of the module of each kind of seed."""

    @property
    def Options(self) -> type[Table]: ...  # noqa: N802 - the class in the module

    def seeding(
        self, options: Any, target_url: str, *, clear_first: bool, place: Place
    ) -> AbstractContextManager[Callable[[], Seeded]]:
        """Begin to put the data into the target; call what is yielded to wait for the end of it."""

    def digest(self, options: Any, target_url: str, *, place: Place) -> str:
        """Ask for the digest of the data that is there; "" where it is not told."""

    def clean(self, options: Any, target_url: str, *, place: Place) -> bool:
        """Remove the data; False where this kind cannot remove it."""


SEEDS: Mapping[str, Seed] = {"http": http, "command": command, "python": python, "none": none}


def parse(table: Mapping[str, object], *, where: str) -> Options:
    """The options of the kind that *table* names."""
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in SEEDS:
        problem = "is required" if kind is None else f"unknown kind (got {str(kind)[:60]!r})"
        raise ConfigError(f"{where} cannot be used:\n  kind: {problem}; known: {', '.join(SEEDS)}")
    options: Any = schema.parse(SEEDS[kind].Options, dict(table), where=where)
    parsed: Options = options
    return parsed


def seeding(
    options: Options,
    target_url: str,
    *,
    clear_first: bool,
    source: Path,
    environ: Mapping[str, str],
    state: Path | None = None,
    own: bool = False,
    side: Side = Side.CANDIDATE,
    directory: Path | None = None,
    verify: Verify = True,
) -> AbstractContextManager[Callable[[], Seeded]]:
    """
    Begin to put the data into the target; with *clear_first*, take out what was there.

    What the context yields waits until all is there; what is not perfci's *own* start has to be marked as a test
    target. SeedError where it is not, and where seeding fails.
    """
    place = Place(own=own, source=source, environ=environ, state=state, side=side, directory=directory, verify=verify)
    return SEEDS[options.kind].seeding(options, target_url, clear_first=clear_first, place=place)


def seed(options: Options, target_url: str, **how: Any) -> Seeded:
    """Seed the target and wait for the end; *how* has the other arguments of `seeding`."""
    with seeding(options, target_url, **how) as done:
        return done()


def digest(
    options: Options,
    target_url: str,
    *,
    source: Path,
    environ: Mapping[str, str],
    state: Path | None = None,
    side: Side = Side.CANDIDATE,
    directory: Path | None = None,
    verify: Verify = True,
) -> str:
    """Ask perfci's own start of the target for the digest of the data that it holds; "" where that is not told."""
    place = Place(own=True, source=source, environ=environ, state=state, side=side, directory=directory, verify=verify)
    return SEEDS[options.kind].digest(options, target_url, place=place)


def clean(
    options: Options,
    target_url: str,
    *,
    source: Path,
    environ: Mapping[str, str],
    state: Path | None = None,
    own: bool = False,
    limit_s: float | None = None,
    verify: Verify = True,
) -> bool:
    """Remove the data from the target, within *limit_s* at most; False where the kind cannot."""
    if limit_s is not None and not isinstance(options, none.Options):
        options = options.model_copy(update={"timeout_s": min(limit_s, options.timeout_s)})
    place = Place(own=own, source=source, environ=environ, state=state, verify=verify)
    return SEEDS[options.kind].clean(options, target_url, place=place)
