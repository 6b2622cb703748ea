"""What is stored: a run with everything that is needed to compare it, and baselines of such runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from perfci.model.census import Census, CommittedCensus
from perfci.model.measured import Round, RoundKind, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where a run was measured."""

    cpu_model: str
    cores: int
    memory_mb: int
    system: str
    kernel: str
    id: str  # digest that tells two machines of one class apart; never the host's name
    kind: str = ""  # "github-hosted", "self-hosted", "container", "laptop" or "machine"; "": not known
    image: str = ""  # of a hosted runner
    cpu_limit: float = 0.0  # cores that a quota leaves of them; 0: none
    memory_limit_mb: int = 0  # 0: none

    @property
    def machine_class(self) -> tuple[str, int, float]:
        """Clocks of two runs are compared only within one class."""
        return self.cpu_model, self.cores, self.cpu_limit

    @property
    def class_described(self) -> str:
        """The machine class in a few words, for the reader."""
        quota = f" limited to {self.cpu_limit:g}" if self.cpu_limit else ""
        return f"{self.cpu_model}, {self.cores} cores{quota}"

    @property
    def described(self) -> str:
        """The machine in one line, for the reader."""
        parts = [
            self.class_described,
            f"{(self.memory_limit_mb or self.memory_mb) / 1024:.0f} GB",
            f"{self.system} {self.kernel}",
            self.kind,
        ]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Tasks that are due at times of their own, whatever the users' waits (an open workload)."""

    rate: float  # tasks a second, of all users together
    pattern: str  # "poisson", or "constant"
    rng_seed: int  # of the times, which are the same in every round


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A part of a load round: the number of users changes evenly to *users* within the ramp, and is then held."""

    name: str  # of the phase that it makes: neighbouring stages of one name are one phase
    users: int
    ramp_s: float
    hold_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointName:
    """A name that the project gives to endpoints."""

    match: str  # a pattern of endpoints: "*" stands for any text
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """The load as it was really offered: what a comparison requires to be equal on both sides."""

    locustfile: str
    user_classes: tuple[str, ...]  # empty: all of the file
    tags: tuple[str, ...]
    users: int
    spawn_rate: float
    duration_s: float
    warmup_s: float
    environment: Mapping[str, str]  # variables for the locustfile
    digest: str = ""  # of the locustfile's content
    processes: int = 1  # of the load generator, which share the users
    workers: int = 0  # on other machines, which share them instead
    arrivals: Arrivals | None = None  # instead of the users' own waits; the users are then those that take them
    stages: tuple[Stage, ...] = ()  # of a load round; empty: all users from its beginning to its end
    endpoints: tuple[EndpointName, ...] = field(default=(), compare=False)  # what they are called changes no load


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """Everything that decides whether two runs may be compared."""

    machine: Machine | None  # None: an imported run, of which nobody noted it; the plan likewise
    plan: LoadPlan | None
    seed_digest: str
    target_kind: str
    target: Mapping[Side, str]  # what was started: command, or image digests
    versions: Mapping[str, str]  # perfci, python, locust, gevent


@dataclass(frozen=True, slots=True, kw_only=True)
class LookPlan:
    """A run is judged after each block from the *first* on, and ends as soon as it is decided."""

    first: int
    most: Mapping[RoundKind, int]  # blocks with rounds of each kind, if nothing is decided before


class Step(StrEnum):
    """What the time of a run goes into."""

    PREPARE = "prepare"
    START = "start"
    SEED = "seed"  # beyond the start: from when every side is up
    CENSUS = "census"
    TURNS = "turns"
    LOAD = "load"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long one step of a run took."""

    step: Step
    block: str  # its number or name; "" where the step belongs to none
    began_s: float  # since the run began
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """Names that became one endpoint, because they differ only in what identifies a thing."""

    endpoint: str
    names: int  # how many
    because: str = ""  # what sets these names apart from the others of their template; empty: nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who measured a run: perfci itself on this machine, or another tool, from whose file it was imported."""

    tool: str = ""  # with its version, "k6 0.55"; empty: perfci
    file: str = ""  # that was imported

    @property
    def imported(self) -> bool:
        """Whether another tool measured the run: health, machine and plan may then be unknown."""
        return bool(self.tool)


MEASURED_HERE = Origin()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The rounds of one job."""

    id: str
    created_at: str  # ISO 8601, UTC
    profile: str
    scenario: str
    commits: Mapping[Side, str]  # full hash, or "" where there is none
    fingerprint: Fingerprint
    rounds: tuple[Round, ...]
    complete: bool  # every planned round was measured
    incidents: tuple[str, ...] = ()  # what went wrong on the way, for the reader
    census: Mapping[Side, Census] = field(default_factory=dict)  # empty: nothing was counted
    seed_digests: Mapping[Side, tuple[str, ...]] = field(default_factory=dict)  # of all starts, each digest once
    base_endpoints: tuple[str, ...] = ()  # that the base's Locust file asks, where the change edits that file
    committed: Mapping[Side, CommittedCensus] = field(default_factory=dict)  # census.json in the commit of each side
    looks: LookPlan | None = None  # None: judged once, when all blocks are measured
    folded: tuple[Folded, ...] = ()  # endpoints of several names, or set apart from such; in the order of their names
    timings: tuple[Timing, ...] = ()  # in the order in which the steps ended
    origin: Origin = MEASURED_HERE

    @property
    def name(self) -> str:
        """Profile and scenario, as people type them."""
        return f"{self.profile}:{self.scenario}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Accepted runs to compare one run with, newest last."""

    location: str  # where they are stored, for the reader
    runs: tuple[Run, ...]
    census: CommittedCensus | None = None  # what is accepted as the work of a request
