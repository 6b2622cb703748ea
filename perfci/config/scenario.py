"""`[profiles]` in `perfci.toml`: Locust files, the scenarios that drive them, and their schedules."""

import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from perfci.config.gate import Against
from perfci.config.values import Argument, Duration, Name, Paths, VariableName, VariableText
from perfci.schema import Table

ADDRESS = re.compile(r"\{(url|port)\}")
"""What is filled in with the address of the side, in variables and arguments."""

MOST_BLOCKS = 100
"""Starts of both sides in one run."""

GUARD_S = 8.0
"""Measured seconds of a load round beside turns, which only guards, where a scenario does not say how long."""

GUARD_WARMUP_S = 1.5
"""Warm-up of such a round, where a scenario does not say how long: turns have warmed both services up by then."""

LONGEST_DUET_S = 10.0
"""Seconds of turns in a block, at most, where a scenario does not say how long."""

MOST_SPAWNED = 500.0
"""Users that a process starts per second without standing still: each sends its first request at once."""


class BlocksTable(Table):
    """The number of blocks of a run: at least, and at most, until it is decided. Equal bounds are a fixed number."""

    least: int = Field(3, ge=2, le=MOST_BLOCKS)  # before the run is looked at for the first time
    most: int = Field(12, ge=2, le=MOST_BLOCKS)

    @property
    def fixed(self) -> bool:
        """Whether the run is judged once, when all blocks are measured."""
        return self.least == self.most

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"least is {self.least}, and most only {self.most}")
        return self


def _blocks(value: object) -> object:
    """Parse 8, "8" or "3-12" into bounds; a table is returned as it is."""
    if isinstance(value, int | str) and not isinstance(value, bool):
        found = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", str(value))
        bounds = [int(number) for number in found.groups(default=found[1])] if found else [0]
        if not all(2 <= number <= MOST_BLOCKS for number in bounds):
            raise ValueError(f'blocks are a number from 2 to {MOST_BLOCKS}, or the fewest and the most such as "3-12"')
        return dict(zip(("least", "most"), bounds, strict=True))
    return value


Blocks = Annotated[BlocksTable, BeforeValidator(_blocks)]


class PairedSchedule(Table):
    """How base and candidate share the time of a job, both on this machine."""

    blocks: Blocks = BlocksTable()  # starts of both sides; the block is the replicate
    time: Duration = 0.0  # of the whole run, beyond which no further block begins; 0: no bound
    duet: Duration = 5.0  # of turns per block, after their warm-up; 0: none; where not given, at least (`turns_s`)
    duet_warmup: Duration = 1.0
    load_blocks: int = Field(4, ge=0, le=100)  # blocks that also get a load round for each side
    load: Duration | None = Field(None, gt=0)  # of such a round, measured; None: `guard_s` of the scenario
    slice: Duration = 1.0  # of load on one side before the other has its turn; 0: a whole round each

    @property
    def duet_s(self) -> float:
        """Seconds of turns in a block, with their warm-up."""
        return self.duet_warmup + self.duet if self.duet else 0.0

    def turns_s(self, start_s: float) -> float:
        """
        Seconds of turns in a block whose sides took *start_s* to start: as long, within bounds, unless `duet` is given.

        A start buys no precision, and turns do, so a slow start is worth more turns.
        """
        if "duet" in self.model_fields_set:
            return self.duet
        return min(max(self.duet, start_s), LONGEST_DUET_S)

    def loads(self, block: int) -> bool:
        """Whether *block* has load rounds; without turns they are all there is."""
        return not self.duet or block <= self.load_blocks


class BaselineSchedule(Table):
    """How a run is measured that is compared with stored runs."""

    rounds: int = Field(5, ge=1, le=100)  # load rounds, each on a target started anew


class ArrivalsTable(Table):
    """An open workload: tasks start at times of their own, not when a user has finished waiting."""

    rate: float = Field(gt=0, le=100_000)  # tasks a second, of all users together
    pattern: Literal["poisson", "constant"] = "poisson"


class StageTable(Table):
    """A part of a load round: the number of users changes evenly to *users* within *ramp*, and is then held."""

    users: int = Field(ge=1, le=100_000)
    ramp: Duration = 0.0  # 0: at once
    hold: Duration = 0.0
    name: Name | None = None  # of the phase that limits may be for; default: "stage-N"

    @model_validator(mode="after")
    def _takes_time(self) -> Self:
        if not self.ramp and not self.hold:
            raise ValueError("takes no time: give ramp or hold")
        return self


class WorkersTable(Table):
    """Locust workers on other machines, which drive the users instead of this machine."""

    count: int = Field(ge=1, le=256)
    bind: str = Field("127.0.0.1", pattern=r"^[A-Za-z0-9.:*-]+$")  # where they connect; "0.0.0.0": every address
    port: int = Field(5557, ge=1, le=65_535)
    wait: Duration = 120.0  # for all of them to connect


class Scenario(Table):
    """One way to drive a profile."""

    users: int = Field(10, ge=1, le=100_000)
    spawn_rate: float | None = Field(None, gt=0)  # users per second; default: all within two seconds, if they are few
    processes: int = Field(1, ge=1, le=256)  # of the load generator, which share the users
    workers: WorkersTable | None = None
    duration: Duration = 12.0  # of the measured part of a load round
    warmup: Duration = 3.0  # cut off after the last user has started
    environment: dict[VariableName, VariableText] = {}  # variables for the locustfile
    arguments: tuple[Argument, ...] = ()  # of the command line, for options of the locustfile's own
    user_classes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    arrivals: ArrivalsTable | None = None  # the users are then those that take them
    stages: tuple[StageTable, ...] = ()  # of a load round, one after the other
    against: Against | None = None  # what to compare with; None: as the profile says
    paired: PairedSchedule = PairedSchedule()
    baseline: BaselineSchedule = BaselineSchedule()

    @model_validator(mode="after")
    def _driven_once(self) -> Self:
        if self.workers is not None and self.processes > 1:
            raise ValueError("processes are of this machine, workers of others: give one of them")
        return self

    @model_validator(mode="after")
    def _taken(self) -> Self:
        sharing = self.workers.count if self.workers is not None else self.processes
        if self.arrivals is not None and self.users < sharing:
            raise ValueError(f"arrivals are shared by {sharing} load generators, and each needs a user that takes them")
        return self

    @model_validator(mode="after")
    def _staged(self) -> Self:
        if not self.stages:
            return self
        if given := sorted({"users", "spawn_rate", "duration"} & self.model_fields_set):
            raise ValueError(f"stages say how many users there are, and when: leave out {', '.join(given)}")
        if self.paired.load is not None:
            raise ValueError("stages say how long a load round is: leave out paired.load")
        if self.arrivals is not None:
            raise ValueError("arrivals come at one rate, whatever the users: give stages or arrivals")
        return self

    @field_validator("arguments")
    @classmethod
    def _options_first(cls, arguments: tuple[str, ...]) -> tuple[str, ...]:
        if arguments and not arguments[0].startswith("-"):
            raise ValueError(f"begin with an option of the Locust file, not with {arguments[0][:60]!r}")
        return arguments

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        places = [text for text in (*self.environment.values(), *self.arguments) if ADDRESS.search(text)]
        if self.workers is not None and places:
            raise ValueError(f"workers elsewhere are not told the address for {places[0][:60]!r}: leave it out")
        return self

    @property
    def most_users(self) -> int:
        """The users of the load, of stages the most that there are at once."""
        return max((stage.users for stage in self.stages), default=self.users)

    @property
    def measured_s(self) -> float:
        """Seconds of the measured part of a load round."""
        return sum(stage.ramp + stage.hold for stage in self.stages) if self.stages else self.duration

    def stages_with_most(self, users: int) -> tuple[StageTable, ...]:
        """The stages with at most so many *users*, in proportion, at least one in each."""
        more = users / self.most_users
        return tuple(stage.model_copy(update={"users": max(1, round(stage.users * more))}) for stage in self.stages)

    def stages_lasting(self, seconds: float) -> tuple[StageTable, ...]:
        """
        The stages, in *seconds* together: ramps take what they took, holds share the rest as before.

        ValueError where the ramps leave nothing to share, or nothing is held.
        """
        ramps = sum(stage.ramp for stage in self.stages)
        if seconds <= ramps or self.measured_s <= ramps:
            raise ValueError(f"the stages hold nothing in {seconds:g} s: their ramps take {ramps:g} s")
        share = (seconds - ramps) / (self.measured_s - ramps)
        return tuple(stage.model_copy(update={"hold": stage.hold * share}) for stage in self.stages)

    @property
    def guard_s(self) -> float:
        """Seconds of the measured part of a load round in a block that has turns, too."""
        if self.stages:
            return self.measured_s
        if self.paired.load is not None:
            return self.paired.load
        return self.duration if "duration" in self.model_fields_set else GUARD_S

    @property
    def guard_warmup_s(self) -> float:
        """Seconds of the warm-up of a load round in a block that has turns, too."""
        return self.warmup if self.stages or "warmup" in self.model_fields_set else GUARD_WARMUP_S

    def rate(self) -> float:
        """Users started per second."""
        if self.spawn_rate is not None:
            return self.spawn_rate
        generators = self.workers.count if self.workers else self.processes
        return min(max(1.0, self.most_users / 2), MOST_SPAWNED * generators)


class Profile(Table):
    """Locust files and the scenarios that drive them."""

    locustfile: Paths  # files, and folders of files
    against: Against | None = None  # what its scenarios are compared with that do not say; None: as the top of the file
    working_directory: str = "."  # where Locust is started
    requirements: str | tuple[str, ...] = ()  # packages for the load alone: a file in pip's format, or its lines

    @field_validator("requirements")
    @classmethod
    def _no_options(cls, requirements: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if isinstance(requirements, tuple) and (wrong := [line for line in requirements if not line[:1].isalnum()]):
            raise ValueError(f"each is a package with its version, such as faker==30.0, not {wrong[0][:60]!r}")
        return requirements

    scenarios: dict[Name, Scenario] = Field(min_length=1)

    @model_validator(mode="after")
    def _passes_on(self) -> Self:
        """Give each scenario the profile's `against` where it has none of its own."""
        for name, scenario in self.scenarios.items():
            if scenario.against is None:
                self.scenarios[name] = scenario.model_copy(update={"against": self.against})
        return self
