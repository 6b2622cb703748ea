"""What use cases need from outside, passed as arguments; the CLI builds the real ones."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfci.model import LoadPlan
    from perfci.pipeline.progress import Progress
    from perfci.pipeline.rig import Rig, RigSpec
    from perfci.rig.load.collection import Collection
    from perfci.rig.load.generator import Place


def _live_rig(spec: "RigSpec") -> "Rig":
    """The rig of this machine, imported where a run starts: a mistake that is found before does not pay for it."""
    from perfci.pipeline.live_rig import LiveRig

    return LiveRig(spec)


def _collect(plan: "LoadPlan", place: "Place") -> "Collection":
    """What Locust lists of the files of a plan."""
    from perfci.rig.load.collection import collect

    return collect(plan, place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Environment, clock, folders, progress, the rig, and what lists the tasks of Locust files."""

    environ: Mapping[str, str]
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic  # seconds, from any moment on
    root: Path  # the project's folder, where perfci.toml is
    work: Path  # where runs get their folders
    output: Path | None = None  # the folder of this run, where the caller named one
    state: Path  # what was started and must be stopped, for the next perfci to find
    progress: "Progress"
    rig: "Callable[[RigSpec], Rig]" = _live_rig
    collect: "Callable[[LoadPlan, Place], Collection]" = _collect
