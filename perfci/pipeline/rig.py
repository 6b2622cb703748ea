"""The port to the rig: how use cases start, seed and drive both sides without knowing what implements it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from perfci.config import CensusTable, SecretsTable
from perfci.model import Answered, Round, Side
from perfci.pipeline.endpoints import Regroup
from perfci.pipeline.plan import Plan, SideSource
from perfci.pipeline.progress import Progress
from perfci.rig import monitor
from perfci.rig.census.take import Taken
from perfci.rig.host.environment import JobEnvironment
from perfci.rig.host.masking import Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class RigSpec:
    """What a rig is built for: the load, the source of each side, where its files go, and the world around it."""

    plan: Plan
    sources: Mapping[Side, SideSource]
    load_tree: Path  # whose Locust file drives all sides
    run_id: str
    folder: Path  # of the run
    environ: JobEnvironment
    working_tree: Path  # the project's folder in which the earlier steps of a job ran
    state: Path  # where what is started is noted, for the next perfci to end
    progress: Progress
    secrets: SecretsTable = field(default_factory=SecretsTable)
    mask: Mask = field(default_factory=Mask)
    counted: bool = True  # whether a census is taken, too: every start of the run is given what that needs
    watched: monitor.Settings = monitor.OFF  # what is read about the target under load
    copies: Path | None = None  # for copies of the seeded data, with which starts begin; None: each is seeded anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A round of one side, and what the reader has to know about how it was measured."""

    round: Round
    notes: tuple[str, ...] = ()
    unwatched: Mapping[str, str] = field(default_factory=dict)  # source of gauges -> why it could not be read
    answered: Mapping[str, Answered] = field(default_factory=dict)  # by name, where an endpoint may have several
    endpoints: Mapping[str, str] = field(default_factory=dict)  # of those names
    regroup: Regroup | None = None  # measures it once more, with other endpoints for some names


class Block(Protocol):
    """One start of the sides, freshly seeded; they run until the block's context is left."""

    @property
    def seed_digests(self) -> Mapping[Side, str]:
        """The digest of the data that each side was given."""

    @property
    def descriptions(self) -> Mapping[Side, str]:
        """What was started, by side: a command, the digests of images."""

    @property
    def seeding_s(self) -> float:
        """Seconds that the seeding took beyond the start of the sides."""

    @property
    def outliving(self) -> tuple[str, ...]:
        """Volumes and folders whose data is still there in the next block."""

    def duet(self, seconds: float, settled: Collection[str] = ()) -> Mapping[Side, Measured]:
        """
        Turns of both sides for so many *seconds* after their warm-up, one request in flight.

        The *settled* endpoints get fewer than the others.
        """

    def load(self, *sides: Side) -> Mapping[Side, Measured]:
        """The whole load on one side, or on several that take turns by slices, the first one first."""

    def endpoints(self, *, tree: Path, locustfiles: Sequence[str], limit_s: float) -> frozenset[str]:
        """
        What the Locust files of another *tree* ask of the sides, each endpoint once or twice, within *limit_s*.

        LoadError where they cannot be run.
        """

    def census(self, table: CensusTable, *, on_progress: Callable[[int, int], None]) -> Taken:
        """
        The work of each endpoint's requests, one at a time.

        *on_progress* is called with the number of endpoints that are done, and of those known.
        """


class Rig(Protocol):
    """
    Starts, seeds and drives the sides of one run.

    TargetError and SeedError of the base come as BaseTargetError: the change under review is not to blame for them.
    """

    def prepare(self, side: Side, *, on_incident: Callable[[str], None]) -> None:
        """Do the slow part of starting (copy, build, pull) once, before anything is measured."""

    def block(
        self,
        name: int | str,
        order: Sequence[Side],
        *,
        duet: bool,
        on_incident: Callable[[str], None],
        overlap: bool = False,
    ) -> AbstractContextManager[Block]:
        """
        Start and seed the sides, begun in this *order*; stop them when the context is left, however that is.

        *duet*: whether turns will be asked for, whose driver then starts beside the sides. *on_incident* is told what
        went wrong without an end of the run. With *overlap* the sides may still be stopping when the context is left,
        if they and those of the next block share nothing: whoever asks for it calls `await_stop` before anything is
        measured, and in the end.
        """

    @property
    def stopping(self) -> str:
        """The block whose sides still stop; "" where none does."""

    def await_stop(self) -> None:
        """Return when nothing of an earlier block runs any more."""
