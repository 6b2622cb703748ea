"""A rig that starts nothing: it gives out rounds that were recorded, and fails where a test wants it to."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perfci.config import CensusTable
from perfci.errors import BaseTargetError, SeedError, TargetError
from perfci.model import Census, Round, RoundKind, Side
from perfci.pipeline.rig import Block, Measured, RigSpec
from perfci.rig.census.take import Taken


@dataclass(slots=True, kw_only=True)
class Recorded:
    """
    What a rig gives out, and what was asked of it.

    *faults* are raised at a step: "prepare base", "start candidate 3", "seed base 1", "duet 2", "load candidate 4",
    "census". *steps* is the list of all steps in their order, "stop 3" included.
    """

    rounds: Sequence[Round] = ()
    census: Mapping[Side, Census] = field(default_factory=dict)
    seed_digests: Mapping[Side, str] = field(default_factory=lambda: dict.fromkeys(Side, "e4d909c290d0fb1c"))
    outliving: tuple[str, ...] = ()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # step -> what the rig noted about it
    faults: Mapping[str, BaseException] = field(default_factory=dict)
    base_endpoints: frozenset[str] = frozenset()
    steps: list[str] = field(default_factory=list)
    spec: RigSpec | None = None
    turns_s: list[float] = field(default_factory=list)  # of each block
    settled: list[frozenset[str]] = field(default_factory=list)  # before the turns of each block
    overlapping: bool = False  # whether sides stop no sooner than somebody waits for it
    stopping: str = ""

    def rig(self, spec: RigSpec) -> "ReplayRig":
        """The port's factory: what `Ports.rig` asks for."""
        self.spec = spec
        return ReplayRig(self)

    def do(self, step: str, side: Side | None = None) -> None:
        """Note a step, and fail where a test wants it; what the base does is told apart, as by the real rig."""
        self.steps.append(step)
        if (fault := self.faults.get(step)) is None:
            return
        if side is Side.BASE and isinstance(fault, TargetError | SeedError):
            raise BaseTargetError(f"the base does not start: {fault}", hint="look at its log")
        raise fault


@dataclass(frozen=True, slots=True)
class ReplayRig:
    """Holds the protocol `Rig`."""

    recorded: Recorded

    def prepare(self, side: Side, *, on_incident: Callable[[str], None]) -> None:  # noqa: ARG002 - the protocol's
        """Note it."""
        self.recorded.do(f"prepare {side.value}", side)

    @contextlib.contextmanager
    def block(
        self,
        name: int | str,
        order: Sequence[Side],
        *,
        duet: bool,
        on_incident: Callable[[str], None],  # noqa: ARG002
        overlap: bool = False,
    ) -> Iterator[Block]:
        """Note the start and the seeding of each side, and the end of all, however that comes."""
        lasting = False
        try:
            for side in order:
                self.recorded.do(f"start {side.value} {name}", side)
                self.recorded.do(f"seed {side.value} {name}", side)
            yield ReplayBlock(self.recorded, name, tuple(order), duet)
            lasting = overlap and self.recorded.overlapping
        finally:
            if lasting:
                assert not self.recorded.stopping
                self.recorded.stopping = str(name)
            else:
                self.await_stop()
                self.recorded.steps.append(f"stop {name}")

    @property
    def stopping(self) -> str:
        """As the test says."""
        return self.recorded.stopping

    def await_stop(self) -> None:
        """Note the end of the block that was stopping."""
        if name := self.recorded.stopping:
            self.recorded.steps.append(f"stop {name}")
            self.recorded.stopping = ""


@dataclass(frozen=True, slots=True)
class ReplayBlock:
    """Holds the protocol `Block`."""

    recorded: Recorded
    name: int | str
    order: tuple[Side, ...]
    with_duet: bool

    @property
    def seed_digests(self) -> Mapping[Side, str]:
        """As the test says; "{block}" in a digest is the block's name, for data that is another one each time."""
        return {side: self.recorded.seed_digests[side].replace("{block}", str(self.name)) for side in self.order}

    @property
    def descriptions(self) -> Mapping[Side, str]:
        """A name for each side."""
        return {side: f"a recorded {side.value}" for side in self.order}

    @property
    def seeding_s(self) -> float:
        """None: nothing is seeded."""
        return 0.0

    @property
    def outliving(self) -> tuple[str, ...]:
        """As the test says."""
        return self.recorded.outliving

    def duet(self, seconds: float, settled: Collection[str] = ()) -> Mapping[Side, Measured]:
        """The recorded turns of this block; how long they were to be and which endpoints were settled is noted."""
        self.recorded.turns_s.append(seconds)
        self.recorded.settled.append(frozenset(settled))
        assert self.with_duet, "turns were asked of a block that was started without a duet"
        self.recorded.do(f"duet {self.name}")
        return {side: self._measured(RoundKind.DUET, side, f"duet {self.name}") for side in Side}

    def load(self, *sides: Side) -> Mapping[Side, Measured]:
        """The recorded load rounds of this block."""
        for side in sides:
            self.recorded.do(f"load {side.value} {self.name}")
        return {side: self._measured(RoundKind.LOAD, side, f"load {side.value} {self.name}") for side in sides}

    def endpoints(self, *, tree: Path, locustfiles: Sequence[str], limit_s: float) -> frozenset[str]:  # noqa: ARG002
        """What the test says that the base's Locust file asks."""
        self.recorded.do(f"endpoints {', '.join(locustfiles)}")
        return self.recorded.base_endpoints

    def census(self, table: CensusTable, *, on_progress: Callable[[int, int], None]) -> Taken:  # noqa: ARG002
        """The recorded census of the sides that run."""
        self.recorded.do("census")
        on_progress(1, 1)
        return Taken(census={side: self.recorded.census[side] for side in self.order})

    def _measured(self, kind: RoundKind, side: Side, step: str) -> Measured:
        (found,) = (
            measured
            for measured in self.recorded.rounds
            if (measured.kind, measured.side, measured.block) == (kind, side, self.name)
        )
        return Measured(round=found, notes=self.recorded.notes.get(step, ()))


def project(folder: Path, *, paired: str = "blocks = 8, load_blocks = 8", extra: str = "") -> None:
    """Write a project into *folder*, with the schedule of recorded rounds: turns and load in each block."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "perfci.toml").write_text(
        f"""{extra}
[target]
kind = "command"
command = ["{{python}}", "-m", "service", "--port", "{{port}}"]

[census]
enabled = "off"

[profiles.tickets]
locustfile = "tickets.py"
[profiles.tickets.scenarios.smoke]
paired = {{ {paired} }}
baseline = {{ rounds = 4 }}
"""
    )
    (folder / "tickets.py").write_text("")
