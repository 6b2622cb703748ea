"""Seeding by a function of the project's own, in the project's own interpreter: never in perfci's process."""

import json
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from perfci.rig.seed import child
from perfci.rig.seed.seeded import Place, Recipe, Seeded

FUNCTION = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*"
CALLED = Path(__file__).with_name("called.py")


class Options(Recipe):
    """`[seed]` with `kind = "python"`. Functions are named as `package.module:function`."""

    kind: Literal["python"] = "python"
    call: str = Field(pattern=f"^{FUNCTION}$")  # gets the base URL, rng_seed, counts and clear_first
    clean: str = Field(default="", pattern=f"^({FUNCTION})?$")  # gets the base URL
    python: str = Field(default="python3", min_length=1)  # "{python}": the one that perfci runs in
    env: dict[str, str] = {}


def seed(options: Options, target_url: str, *, clear_first: bool, place: Place) -> Seeded:
    """Call the function; what *clear_first* means is its own matter."""
    options.check_allowed(target_url, place)
    named = {"rng_seed": options.rng_seed, "counts": options.counts, "clear_first": clear_first}
    told = _call(options, options.call, target_url, named, place)
    return options.seeded(told.get("created"), told.get("digest"))


def clean(options: Options, target_url: str, *, place: Place) -> bool:
    """Call the cleaning function, if there is one."""
    options.check_allowed(target_url, place)
    if options.clean:
        _call(options, options.clean, target_url, {}, place)
    return bool(options.clean)


def _call(options: Options, function: str, target_url: str, named: dict[str, Any], place: Place) -> dict[str, Any]:
    spec = json.dumps({"call": function, "url": target_url, "named": named})
    python = options.python.replace("{python}", sys.executable)
    command = [python, "-c", CALLED.read_text(encoding="utf-8"), spec]
    return child.run(command, what=f"{function} in {python}", place=place, env=options.env, timeout_s=options.timeout_s)
