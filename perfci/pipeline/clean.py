"""Removes what earlier runs left on this machine: processes, stacks, images, work trees, environments of the load."""

from collections.abc import Mapping
from pathlib import Path

from perfci.rig.host import leftovers
from perfci.rig.load import packages


def clean(state: Path, *, environ: Mapping[str, str]) -> list[str]:
    """
    Remove everything below *state* and on the machine that no running perfci uses, and return one line for each thing.

    Calling it twice is harmless.
    """
    lines = leftovers.sweep(state, environ=environ)
    count = len(packages.cached(environ=environ, state=state))
    environments = f"{count} environment{'s' if count > 1 else ''} of the load"
    if count and leftovers.are_in_use(state):
        lines.append(f"kept {environments}, since another perfci is running")
    elif count:
        packages.clear(environ=environ, state=state)
        lines.append(f"removed {environments}")
    return lines
