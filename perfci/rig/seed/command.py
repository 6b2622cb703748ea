"""Seeds by a command of the project; the last line that it prints may be JSON with `created` and `digest`."""

import contextlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Literal

from pydantic import Field

from perfci.errors import SeedError
from perfci.rig.host.placeholders import fill
from perfci.rig.seed import child
from perfci.rig.seed.seeded import Place, Recipe, Seeded


class Options(Recipe):
    """
    `[seed]` with `kind = "command"`.

    `{python}`, `{side}`, `{url}`, `{port}`, `{dir}`, `{rng_seed}` and `{counts}` (JSON) are filled in.
    """

    kind: Literal["command"] = "command"
    command: tuple[str, ...] = Field(min_length=1)
    clean: tuple[str, ...] = ()
    digest_command: tuple[str, ...] = ()  # prints the digest of what is there, as `command` does
    env: dict[str, str] = {}

    @property
    def tells_digest(self) -> bool:
        """Whether a command says which data the target holds."""
        return bool(self.digest_command)


@contextlib.contextmanager
def seeding(options: Options, target_url: str, *, clear_first: bool, place: Place) -> Iterator[Callable[[], Seeded]]:
    """Start the seeding command; with *clear_first*, run the cleaning one before it."""
    options.check_allowed(target_url, place)
    if clear_first and not clean(options, target_url, place=place):
        raise SeedError("nothing takes the old data out first", hint="give the command for it: clean in [seed]")
    with _running(options, options.command, target_url, place) as ended:
        yield lambda: options.seeded_by(ended())


def clean(options: Options, target_url: str, *, place: Place) -> bool:
    """Run the cleaning command, if there is one."""
    options.check_allowed(target_url, place)
    if options.clean:
        with _running(options, options.clean, target_url, place) as ended:
            ended()
    return bool(options.clean)


def digest(options: Options, target_url: str, *, place: Place) -> str:
    """Run the command that tells the digest of the data; "" where its last line does not."""
    options.check_allowed(target_url, place)
    with _running(options, options.digest_command, target_url, place) as ended:
        return str(ended().get("digest") or "")


def _running(
    options: Options, template: tuple[str, ...], target_url: str, place: Place
) -> AbstractContextManager[Callable[[], dict[str, Any]]]:
    recipe = {"rng_seed": options.rng_seed, "counts": json.dumps(options.counts)}
    values = {**place.values(target_url), **recipe}
    command = [fill(part, values) for part in template]
    env = {name: fill(value, values) for name, value in options.env.items()}
    return child.running(command, what=" ".join(command), place=place, env=env, timeout_s=options.timeout_s)
