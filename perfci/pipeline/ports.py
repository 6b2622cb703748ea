"""What use cases need from outside, passed as arguments; the CLI builds the real ones."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from perfci.pipeline.live_rig import LiveRig
from perfci.pipeline.progress import Progress
from perfci.pipeline.rig import Rig, RigSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Environment, clock, folders, progress, and the rig."""

    environ: Mapping[str, str]
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic  # seconds, from any moment on
    root: Path  # the project's folder, where perfci.toml is
    work: Path  # where runs get their folders
    output: Path | None = None  # the folder of this run, where the caller named one
    state: Path  # what was started and must be stopped, for the next perfci to find
    progress: Progress
    rig: Callable[[RigSpec], Rig] = LiveRig
