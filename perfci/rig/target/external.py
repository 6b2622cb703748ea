"""A target that perfci does not start: it checks only that the target answers and that load is allowed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from pydantic import model_validator

from perfci.errors import TargetError
from perfci.model import TargetHealth
from perfci.rig.host import hosts
from perfci.rig.host.tls import Tls
from perfci.rig.target import readiness
from perfci.rig.target.running import Launch, RunningTarget
from perfci.schema import Table


class Options(Table):
    """`[target]` with `kind = "external"`."""

    kind: Literal["external"] = "external"
    url: str
    allow_hosts: tuple[str, ...] = ()  # hosts beside this machine that may be put under load, by name
    tls: Tls = Tls()
    ready: readiness.Ready = readiness.Ready()

    @model_validator(mode="after")
    def _allowed(self) -> "Options":
        if not hosts.allowed(self.url, self.allow_hosts):
            host = hosts.split(self.url).hostname
            raise ValueError(f"{host} is not this machine; list it in allow_hosts if you may put it under load")
        return self


def prepare(options: Options, launch: Launch) -> None:
    """Do nothing: the target runs already."""


@contextmanager
def start(options: Options, launch: Launch) -> Iterator[Callable[[], RunningTarget]]:
    """Start nothing: the target runs already."""
    yield lambda: _ready(options, launch)


def _ready(options: Options, launch: Launch) -> RunningTarget:
    url, verify = options.url.rstrip("/"), options.tls.of(launch.source)
    readiness.wait(options.ready, url, died=_never, logs_tail=_no_log, verify=verify)
    once = options.ready.model_copy(update={"timeout_s": readiness.ANSWER_S})

    def health() -> TargetHealth:
        try:
            readiness.wait(once, url, died=_never, logs_tail=_no_log, verify=verify)
        except TargetError as error:
            return TargetHealth(alive=False, restarts=0, note=str(error))
        return TargetHealth(alive=True, restarts=0)

    return RunningTarget(
        kind=options.kind,
        base_url=url,
        description=url,
        log_path=None,
        health=health,
        logs_tail=_no_log,
        verify=verify,
    )


def _never() -> str:
    return ""


def _no_log() -> str:
    return ""
