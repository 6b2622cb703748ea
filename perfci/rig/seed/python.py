"""Seeds by a function of the project, in the project's own interpreter, never in perfci's process."""

import contextlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from perfci.rig.host.placeholders import fill
from perfci.rig.seed import child
from perfci.rig.seed.seeded import Place, Recipe, Seeded

FUNCTION = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*"
CALLED = Path(__file__).with_name("called.py")


class Options(Recipe):
    """`[seed]` with `kind = "python"`. Functions are named as `package.module:function`."""

    kind: Literal["python"] = "python"
    call: str = Field(pattern=f"^{FUNCTION}$")  # gets the base URL, rng_seed, counts and clear_first
    clean: str = Field(default="", pattern=f"^({FUNCTION})?$")  # gets the base URL
    digest_call: str = Field(
        default="", pattern=f"^({FUNCTION})?$"
    )  # gets the base URL, returns the digest of the data
    python: str = Field(default="python3", min_length=1)  # "{python}": the one that perfci runs in
    env: dict[str, str] = {}

    @property
    def tells_digest(self) -> bool:
        """Whether a function says which data the target holds."""
        return bool(self.digest_call)


@contextlib.contextmanager
def seeding(options: Options, target_url: str, *, clear_first: bool, place: Place) -> Iterator[Callable[[], Seeded]]:
    """Start the call of the function, which gets *clear_first* as an argument."""
    options.check_allowed(target_url, place)
    named = {"rng_seed": options.rng_seed, "counts": options.counts, "clear_first": clear_first}
    with _calling(options, options.call, target_url, named, place) as ended:
        yield lambda: options.seeded_by(ended())


def clean(options: Options, target_url: str, *, place: Place) -> bool:
    """Call the cleaning function, if there is one."""
    options.check_allowed(target_url, place)
    if options.clean:
        with _calling(options, options.clean, target_url, {}, place) as ended:
            ended()
    return bool(options.clean)


def digest(options: Options, target_url: str, *, place: Place) -> str:
    """Call the function that returns the digest of the data; "" where it returns none."""
    options.check_allowed(target_url, place)
    with _calling(options, options.digest_call, target_url, {}, place) as ended:
        return str(ended().get("digest") or "")


def _calling(
    options: Options, function: str, target_url: str, named: dict[str, Any], place: Place
) -> AbstractContextManager[Callable[[], dict[str, Any]]]:
    spec = json.dumps({"call": function, "url": target_url, "named": named})
    values = place.values(target_url)
    python = fill(options.python, values)
    env = {name: fill(value, values) for name, value in options.env.items()}
    command = [python, "-c", CALLED.read_text(encoding="utf-8"), spec]
    what = f"{function} in {python}"
    return child.running(command, what=what, place=place, env=env, timeout_s=options.timeout_s)
