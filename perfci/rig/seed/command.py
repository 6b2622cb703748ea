"""Seeding by a command of the project's own; the last line that it prints may be JSON with `created` and `digest`."""

import json
import sys
from typing import Any, Literal

from pydantic import Field

from perfci.errors import SeedError
from perfci.rig.seed import child
from perfci.rig.seed.seeded import Place, Recipe, Seeded


class Options(Recipe):
    """`[seed]` with `kind = "command"`. `{python}`, `{url}`, `{rng_seed}` and `{counts}` (JSON) are filled in."""

    kind: Literal["command"] = "command"
    command: tuple[str, ...] = Field(min_length=1)
    clean: tuple[str, ...] = ()
    env: dict[str, str] = {}


def seed(options: Options, target_url: str, *, clear_first: bool, place: Place) -> Seeded:
    """Run the command; with *clear_first*, the cleaning one before it."""
    options.check_allowed(target_url, place)
    if clear_first and not clean(options, target_url, place=place):
        raise SeedError("nothing takes the old data out first", hint="give the command for it: clean in [seed]")
    told = _run(options, options.command, target_url, place)
    return options.seeded(told.get("created"), told.get("digest"))


def clean(options: Options, target_url: str, *, place: Place) -> bool:
    """Run the cleaning command, if there is one."""
    options.check_allowed(target_url, place)
    if options.clean:
        _run(options, options.clean, target_url, place)
    return bool(options.clean)


def _run(options: Options, template: tuple[str, ...], target_url: str, place: Place) -> dict[str, Any]:
    def fill(text: str) -> str:
        text = text.replace("{python}", sys.executable).replace("{url}", target_url)
        return text.replace("{rng_seed}", str(options.rng_seed)).replace("{counts}", json.dumps(options.counts))

    command = [fill(part) for part in template]
    env = {name: fill(value) for name, value in options.env.items()}
    return child.run(command, what=" ".join(command), place=place, env=env, timeout_s=options.timeout_s)
