"""The interface of a kind of target."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from perfci.model import Side, TargetHealth
from perfci.rig.host.tls import Verify
from perfci.schema import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of a target, with what its counters need."""

    id: str
    service: str
    pid: int  # of its first process on the engine's machine; 0 where it does not run
    command: tuple[str, ...] = ()
    checked: bool = False  # whether the engine runs a health check in it
    added: str = ""  # what perfci changed in it so that its work can be counted, or why that was not possible


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTarget:
    """A system under test that answers."""

    kind: str
    base_url: str
    description: str  # one line: the command, or the images with their digests
    log_path: Path | None  # complete once the target was stopped; None where perfci does not see the logs
    health: Callable[[], TargetHealth]
    logs_tail: Callable[[], str]  # the end of its logs, now
    containers: tuple[Container, ...] = ()  # those that run, by service
    outliving: tuple[str, ...] = ()  # volumes and folders whose data is still there when it has been stopped
    pid: int | None = None  # the root of its processes, where perfci started them itself
    verify: Verify = True  # its certificate, where it has one
    apart: Callable[[], bool] = lambda: False  # whether another start of it may begin while this one stops
    directory: Path | None = None  # a folder of this start alone, gone with it, where the kind has one
    save: Callable[[Path], None] | None = (
        None  # stop it, and copy its data into a new folder; None where that cannot be
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """The tree, side and names with which a target is started."""

    source: Path  # the checkout it is started from
    workspace: Path  # for its logs
    state: Path  # for the notes that let a later perfci end what this one could not
    side: Side
    label: str  # unique among everything that runs on this machine
    environ: Mapping[str, str]  # perfci's own environment; secrets are dropped on the way to the target
    extra_env: Mapping[str, str] = field(default_factory=dict)  # given to the target as it is
    counted: bool = True  # whether its services are given what a census needs of them
    side_by_side: bool = False  # whether the other side runs at the same time
    working_tree: Path | None = None  # the project's folder in the checkout, where *source* is another one
    data: Path | None = None  # what an earlier start of it has saved, to begin with


class Target(Protocol):
    """The interface of the module of each kind of target."""

    @property
    def Options(self) -> type[Table]: ...  # noqa: N802 - the class in the module

    def prepare(self, options: Any, launch: Launch) -> tuple[str, ...] | None:
        """
        Do the slow part (build, pull) once per side, before anything is measured.

        The result is what the reader has to know about it, in sentences, if there is anything.
        """

    def start(self, options: Any, launch: Launch) -> AbstractContextManager[Callable[[], RunningTarget]]:
        """
        Start it; what is yielded waits until it answers. Whatever was started is stopped on the way out.

        In between others can be started, and come up at the same time.
        """
