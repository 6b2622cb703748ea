"""Builds the real ports of a command: environment, clock, folders, progress and rig."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfci.pipeline.ports import Ports
    from perfci.pipeline.progress import Progress


def state_folder() -> Path:
    """The folder in which perfci notes what it started, so that the next run can stop what a killed one left."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "perfci"


def real_ports(config: Path, *, quiet: bool = False) -> "Ports":
    """The ports to the real environment, clock, file system and terminal."""
    from perfci.pipeline.ports import Ports

    root = config.parent.resolve()
    return Ports(
        environ=dict(os.environ),
        now=lambda: datetime.now(UTC),
        root=root,
        work=root / ".perfci" / "runs",
        state=state_folder(),
        progress=_progress(quiet=quiet),
    )


def _progress(*, quiet: bool) -> "Progress":
    from perfci.cli import progress

    if quiet:
        return progress.Silent()
    # Some runners give their steps a terminal that nobody watches.
    ours = not os.environ.get("CI") and os.environ.get("GITHUB_ACTIONS") != "true"
    watched = ours and sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in {"dumb", "unknown"}
    return progress.Terminal() if watched else progress.Plain()
