"""No seeding: the target brings its own data, or needs none."""

from typing import Literal

from perfci.rig.seed.seeded import Place, Seeded
from perfci.schema import Table


class Options(Table):
    """`[seed]` with `kind = "none"`."""

    kind: Literal["none"] = "none"


def seed(options: Options, target_url: str, *, clear_first: bool, place: Place) -> Seeded:  # noqa: ARG001 - as every kind
    """Nothing is put into the target."""
    return Seeded(created={}, digest="none")


def clean(options: Options, target_url: str, *, place: Place) -> bool:  # noqa: ARG001
    """Nothing to remove."""
    return False
