"""Watching the sides of a round while they are under load: what was seen goes into the run, alerts to the screen."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from perfci.config import Config
from perfci.judge.alerts import raised
from perfci.model import Alert, Round, Side
from perfci.pipeline.ports import Progress
from perfci.rig import monitor
from perfci.rig.target import RunningTarget


class Noting(Protocol):
    """What keeps the incidents of a run."""

    def once(self, what: str, why: str) -> None:
        """Note what went wrong, unless the same went wrong before."""


def watched_of(config: Config, *, file: str) -> monitor.Settings:
    """What `[monitor]` asks for."""
    table = config.monitor
    return monitor.parse(
        table.gauges,
        where=f"{file}: [monitor.gauges]",
        enabled=table.enabled == "auto",
        exclude=table.exclude,
        allow_hosts=table.allow_hosts,
    )


@contextlib.contextmanager
def watching(
    running: Mapping[Side, RunningTarget], settings: monitor.Settings, *, environ: Mapping[str, str], sliced: bool
) -> Iterator[dict[Side, monitor.Monitor]]:
    """Watch each side of a round until the context is left."""
    with contextlib.ExitStack() as stack:
        yield {
            side: stack.enter_context(monitor.watching(one, settings, environ=environ, sliced=sliced))
            for side, one in running.items()
        }


def told(
    watched: monitor.Monitor, measured: Round, alerts: Sequence[Alert], recorder: Noting, progress: Progress
) -> None:
    """Note what could not be watched, once in a run; show the alerts of a round as soon as it is over."""
    for what, why in watched.missing.items():
        recorder.once(f"watching the {measured.side}, {what}", why)
    for alert in alerts if measured.side is Side.CANDIDATE else ():
        for each in raised(measured, alert):
            progress.note(f"alert {each.text}")
