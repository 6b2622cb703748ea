"""Seeding by a command of the project's own; the last line that it prints may be JSON with `created` and `digest`."""

import json
import sys
from typing import Any, Literal

from pydantic import Field

from perfci.errors import SeedError
from perfci.rig import process
from perfci.rig.seed.seeded import Place, Recipe, Seeded
from perfci.rig.target import leftovers


class Options(Recipe):
    """`[seed]` with `kind = "command"`. `{python}`, `{url}`, `{rng_seed}` and `{counts}` (JSON) are filled in."""

    kind: Literal["command"] = "command"
    command: tuple[str, ...] = Field(min_length=1)
    clean: tuple[str, ...] = ()
    env: dict[str, str] = {}


def seed(options: Options, target_url: str, *, clear_first: bool, place: Place) -> Seeded:
    """Run the command; with *clear_first*, the cleaning one before it."""
    options.check_allowed(target_url)
    if clear_first:
        clean(options, target_url, place=place)
    told = _last_json(_run(options, options.command, target_url, place))
    return options.seeded(told.get("created"), told.get("digest"))


def clean(options: Options, target_url: str, *, place: Place) -> None:
    """Run the cleaning command, if there is one."""
    options.check_allowed(target_url)
    if options.clean:
        _run(options, options.clean, target_url, place)


def _run(options: Options, template: tuple[str, ...], target_url: str, place: Place) -> str:
    def fill(text: str) -> str:
        text = text.replace("{python}", sys.executable).replace("{url}", target_url)
        return text.replace("{rng_seed}", str(options.rng_seed)).replace("{counts}", json.dumps(options.counts))

    command = [fill(part) for part in template]
    own = {name: fill(value) for name, value in options.env.items()}
    try:
        done = leftovers.run(
            command,
            state=place.state,
            cwd=place.source,
            environment=process.child_environment(place.environ, own),
            timeout_s=options.timeout_s,
        )
    except OSError as error:
        raise SeedError(
            f"the seeding command {command[0]!r} cannot be run in {place.source}: {error.strerror or error}",
            hint="install it in a step before perfci, or give its path; a script needs to be executable",
        ) from None
    if not done.ok:
        how = f"did not end within {options.timeout_s:g} s" if done.code is None else f"ended with {done.code}"
        said = "\n".join((done.out + done.err).splitlines()[-20:])
        raise SeedError(
            f"the seeding command {how}: {' '.join(command)}\n{said}",
            hint="run it by hand against the running target; some of the data may be there now",
        )
    return done.out


def _last_json(text: str) -> dict[str, Any]:
    lines = text.strip().splitlines()
    try:
        told = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
