"""
The format of `run.json`, and of the accepted runs of a baseline, which are such files with less in them.

Each type of the document is written from a type of the model and turned back into it, field by field: a name of the
model may change, and no file does. A new field has a default, so that files from before it are still read.
"""

from dataclasses import field
from typing import Self

from perfci.model import (
    Arrivals,
    EndpointName,
    Fingerprint,
    Folded,
    LoadPlan,
    LookPlan,
    Machine,
    Origin,
    Run,
    Stage,
    Timing,
)
from perfci.schema.stored import Format, stored
from perfci.store.run_json.counts import CommittedDocument, CountsDocument
from perfci.store.run_json.rounds import RoundDocument
from perfci.store.run_json.words import KINDS, SIDES, STEPS, KindWord, SideWord, StepWord


@stored
class MachineDocument:
    """Where a run was measured; `id` tells two machines of one class apart and is not the host's name."""

    cpu_model: str
    cores: int
    memory_mb: int
    system: str
    kernel: str
    id: str
    kind: str = ""
    image: str = ""
    cpu_limit: float = 0.0  # cores; 0: none
    memory_limit_mb: int = 0  # 0: none

    @classmethod
    def from_model(cls, machine: Machine) -> Self:
        return cls(
            cpu_model=machine.cpu_model,
            cores=machine.cores,
            memory_mb=machine.memory_mb,
            system=machine.system,
            kernel=machine.kernel,
            id=machine.id,
            kind=machine.kind,
            image=machine.image,
            cpu_limit=machine.cpu_limit,
            memory_limit_mb=machine.memory_limit_mb,
        )

    def to_model(self) -> Machine:
        return Machine(
            cpu_model=self.cpu_model,
            cores=self.cores,
            memory_mb=self.memory_mb,
            system=self.system,
            kernel=self.kernel,
            id=self.id,
            kind=self.kind,
            image=self.image,
            cpu_limit=self.cpu_limit,
            memory_limit_mb=self.memory_limit_mb,
        )


@stored
class ArrivalsDocument:
    """Tasks that are due at times of their own; `rate` in tasks a second, of all users together."""

    rate: float
    pattern: str
    rng_seed: int

    @classmethod
    def from_model(cls, arrivals: Arrivals) -> Self:
        return cls(rate=arrivals.rate, pattern=arrivals.pattern, rng_seed=arrivals.rng_seed)

    def to_model(self) -> Arrivals:
        return Arrivals(rate=self.rate, pattern=self.pattern, rng_seed=self.rng_seed)


@stored
class EndpointNameDocument:
    """A name that the project gives to the endpoints that `match`, a pattern, fits."""

    match: str
    name: str

    @classmethod
    def from_model(cls, named: EndpointName) -> Self:
        return cls(match=named.match, name=named.name)

    def to_model(self) -> EndpointName:
        return EndpointName(match=self.match, name=self.name)


@stored
class StageDocument:
    """A part of a load round: the number of users changes evenly to `users` in `ramp_s`, and is held for `hold_s`."""

    name: str
    users: int
    ramp_s: float
    hold_s: float

    @classmethod
    def from_model(cls, stage: Stage) -> Self:
        return cls(name=stage.name, users=stage.users, ramp_s=stage.ramp_s, hold_s=stage.hold_s)

    def to_model(self) -> Stage:
        return Stage(name=self.name, users=self.users, ramp_s=self.ramp_s, hold_s=self.hold_s)


@stored
class PlanDocument:
    """The load as it was really offered."""

    locustfile: str
    user_classes: tuple[str, ...]
    tags: tuple[str, ...]
    users: int
    spawn_rate: float
    duration_s: float
    warmup_s: float
    environment: dict[str, str]
    digest: str = ""  # of the locustfile's content
    processes: int = 1
    workers: int = 0
    arrivals: ArrivalsDocument | None = None
    stages: tuple[StageDocument, ...] = ()
    endpoints: tuple[EndpointNameDocument, ...] = ()

    @classmethod
    def from_model(cls, plan: LoadPlan) -> Self:
        return cls(
            locustfile=plan.locustfile,
            user_classes=plan.user_classes,
            tags=plan.tags,
            users=plan.users,
            spawn_rate=plan.spawn_rate,
            duration_s=plan.duration_s,
            warmup_s=plan.warmup_s,
            environment=dict(plan.environment),
            digest=plan.digest,
            processes=plan.processes,
            workers=plan.workers,
            arrivals=ArrivalsDocument.from_model(plan.arrivals) if plan.arrivals else None,
            stages=tuple(map(StageDocument.from_model, plan.stages)),
            endpoints=tuple(map(EndpointNameDocument.from_model, plan.endpoints)),
        )

    def to_model(self) -> LoadPlan:
        return LoadPlan(
            locustfile=self.locustfile,
            user_classes=self.user_classes,
            tags=self.tags,
            users=self.users,
            spawn_rate=self.spawn_rate,
            duration_s=self.duration_s,
            warmup_s=self.warmup_s,
            environment=self.environment,
            digest=self.digest,
            processes=self.processes,
            workers=self.workers,
            arrivals=self.arrivals.to_model() if self.arrivals else None,
            stages=tuple(stage.to_model() for stage in self.stages),
            endpoints=tuple(named.to_model() for named in self.endpoints),
        )


@stored
class FingerprintDocument:
    """What decides whether two runs may be compared; `versions` are those of what measured."""

    machine: MachineDocument | None = None  # null: an imported run, of which it is not known; `plan` likewise
    plan: PlanDocument | None = None
    seed_digest: str
    target_kind: str
    target: dict[SideWord, str]
    versions: dict[str, str]

    @classmethod
    def from_model(cls, fingerprint: Fingerprint) -> Self:
        return cls(
            machine=MachineDocument.from_model(fingerprint.machine) if fingerprint.machine else None,
            plan=PlanDocument.from_model(fingerprint.plan) if fingerprint.plan else None,
            seed_digest=fingerprint.seed_digest,
            target_kind=fingerprint.target_kind,
            target={SIDES.word(side): text for side, text in fingerprint.target.items()},
            versions=dict(fingerprint.versions),
        )

    def to_model(self) -> Fingerprint:
        return Fingerprint(
            machine=self.machine.to_model() if self.machine else None,
            plan=self.plan.to_model() if self.plan else None,
            seed_digest=self.seed_digest,
            target_kind=self.target_kind,
            target={SIDES.member(side): text for side, text in self.target.items()},
            versions=self.versions,
        )


@stored
class LooksDocument:
    """The run was judged after each block from the `first` on; `most` has the planned blocks of each kind of rounds."""

    first: int
    most: dict[KindWord, int]

    @classmethod
    def from_model(cls, plan: LookPlan) -> Self:
        return cls(first=plan.first, most={KINDS.word(kind): blocks for kind, blocks in plan.most.items()})

    def to_model(self) -> LookPlan:
        return LookPlan(first=self.first, most={KINDS.member(kind): blocks for kind, blocks in self.most.items()})


@stored
class FoldedDocument:
    """Names that became one endpoint; `because` says what sets them apart from the others of their template."""

    endpoint: str
    names: int
    because: str = ""

    @classmethod
    def from_model(cls, folded: Folded) -> Self:
        return cls(endpoint=folded.endpoint, names=folded.names, because=folded.because)

    def to_model(self) -> Folded:
        return Folded(endpoint=self.endpoint, names=self.names, because=self.because)


@stored
class TimingDocument:
    """How long one step took; `began_s` is since the run began, and `block` "" where the step belongs to none."""

    step: StepWord
    block: str
    began_s: float
    seconds: float

    @classmethod
    def from_model(cls, timing: Timing) -> Self:
        return cls(step=STEPS.word(timing.step), block=timing.block, began_s=timing.began_s, seconds=timing.seconds)

    def to_model(self) -> Timing:
        return Timing(step=STEPS.member(self.step), block=self.block, began_s=self.began_s, seconds=self.seconds)


@stored
class OriginDocument:
    """Who measured a run; no `tool`: perfci itself."""

    tool: str = ""
    file: str = ""

    @classmethod
    def from_model(cls, origin: Origin) -> Self:
        return cls(tool=origin.tool, file=origin.file)

    def to_model(self) -> Origin:
        return Origin(tool=self.tool, file=self.file)


@stored
class RunDocument:
    """A run: the rounds of one job, with all that has to be known to judge it again."""

    id: str
    created_at: str  # ISO 8601, UTC
    profile: str
    scenario: str
    commits: dict[SideWord, str]
    fingerprint: FingerprintDocument
    rounds: tuple[RoundDocument, ...]
    complete: bool
    incidents: tuple[str, ...] = ()
    census: dict[SideWord, CountsDocument] = field(default_factory=dict)
    committed: dict[SideWord, CommittedDocument] = field(default_factory=dict)
    seed_digests: dict[SideWord, tuple[str, ...]] = field(default_factory=dict)  # of all starts, each digest once
    base_endpoints: tuple[str, ...] = ()  # that the base's Locust file asks, where the change edits that file
    looks: LooksDocument | None = None  # null: judged once, when all blocks were measured
    folded: tuple[FoldedDocument, ...] = ()  # endpoints of several names, or set apart from such
    timings: tuple[TimingDocument, ...] = ()
    origin: OriginDocument = field(default_factory=OriginDocument)

    @classmethod
    def from_model(cls, run: Run) -> Self:
        return cls(
            id=run.id,
            created_at=run.created_at,
            profile=run.profile,
            scenario=run.scenario,
            commits={SIDES.word(side): text for side, text in run.commits.items()},
            fingerprint=FingerprintDocument.from_model(run.fingerprint),
            rounds=tuple(map(RoundDocument.from_model, run.rounds)),
            complete=run.complete,
            incidents=run.incidents,
            census={SIDES.word(side): CountsDocument.from_model(census) for side, census in run.census.items()},
            committed={
                SIDES.word(side): CommittedDocument.from_model(committed) for side, committed in run.committed.items()
            },
            seed_digests={SIDES.word(side): digests for side, digests in run.seed_digests.items()},
            base_endpoints=run.base_endpoints,
            looks=LooksDocument.from_model(run.looks) if run.looks else None,
            folded=tuple(map(FoldedDocument.from_model, run.folded)),
            timings=tuple(map(TimingDocument.from_model, run.timings)),
            origin=OriginDocument.from_model(run.origin),
        )

    def to_model(self) -> Run:
        return Run(
            id=self.id,
            created_at=self.created_at,
            profile=self.profile,
            scenario=self.scenario,
            commits={SIDES.member(side): text for side, text in self.commits.items()},
            fingerprint=self.fingerprint.to_model(),
            rounds=tuple(measured.to_model() for measured in self.rounds),
            complete=self.complete,
            incidents=self.incidents,
            census={SIDES.member(side): census.to_model() for side, census in self.census.items()},
            committed={SIDES.member(side): committed.to_model() for side, committed in self.committed.items()},
            seed_digests={SIDES.member(side): digests for side, digests in self.seed_digests.items()},
            base_endpoints=self.base_endpoints,
            looks=self.looks.to_model() if self.looks else None,
            folded=tuple(group.to_model() for group in self.folded),
            timings=tuple(timing.to_model() for timing in self.timings),
            origin=self.origin.to_model(),
        )


FORMAT = Format(name="run", schema=1, document=RunDocument)
