"""No seeding: the target brings its own data, or needs none."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Literal

from perfci.rig.seed.seeded import Place, Seeded
from perfci.schema import Table


class Options(Table):
    """`[seed]` with `kind = "none"`."""

    kind: Literal["none"] = "none"

    @property
    def tells_digest(self) -> bool:
        """Nothing was seeded, and nothing is copied."""
        return False


@contextlib.contextmanager
def seeding(
    options: Options,  # noqa: ARG001 - as every kind
    target_url: str,  # noqa: ARG001
    *,
    clear_first: bool,  # noqa: ARG001
    place: Place,  # noqa: ARG001
) -> Iterator[Callable[[], Seeded]]:
    """Do nothing: no data is put into the target."""
    yield lambda: Seeded(created={}, digest="none")


def digest(options: Options, target_url: str, *, place: Place) -> str:  # noqa: ARG001
    """Tell nothing: no data was put into the target."""
    return ""


def clean(options: Options, target_url: str, *, place: Place) -> bool:  # noqa: ARG001
    """Do nothing: there is nothing to remove."""
    return False
