"""Rounds as `run.json` has them."""

from collections.abc import Mapping
from dataclasses import field
from typing import Self

from perfci.model import (
    FORMER_METRICS,
    Answers,
    BusiestUser,
    EndpointRound,
    Gauge,
    GeneratorHealth,
    Histogram,
    InStep,
    Phase,
    Round,
    Schedule,
    TargetHealth,
)
from perfci.schema.stored import stored
from perfci.store.run_json.timeline import HistogramText, SecondDocument, StretchDocument
from perfci.store.run_json.words import KINDS, SIDES, KindWord, SideWord


@stored
class EndpointDocument:
    """
    What one round saw of one endpoint.

    `values` has the value of each metric in its unit, `standard_errors` the standard error of the value's logarithm.
    `histogram` counts the latencies of the requests that succeeded; docs/files.md says how to read it.
    """

    requests: int
    failures: int
    values: dict[str, float]
    standard_errors: dict[str, float] = field(default_factory=dict)
    histogram: HistogramText | None = None

    @classmethod
    def from_model(cls, seen: EndpointRound) -> Self:
        return cls(
            requests=seen.requests,
            failures=seen.failures,
            values=dict(seen.values),
            standard_errors=dict(seen.standard_errors),
            histogram=None if seen.histogram is None else seen.histogram.text,
        )

    def to_model(self) -> EndpointRound:
        return EndpointRound(
            requests=self.requests,
            failures=self.failures,
            values=_by_name(self.values),
            standard_errors=_by_name(self.standard_errors),
            histogram=None if self.histogram is None else Histogram(self.histogram),
        )


def _by_name(values: Mapping[str, float]) -> dict[str, float]:
    """The values by the names that metrics have now."""
    return {FORMER_METRICS.get(name, name): value for name, value in values.items()}


@stored
class PhaseDocument:
    """What a round saw in one phase of its load; `seconds` is its length."""

    seconds: float
    endpoints: dict[str, EndpointDocument]

    @classmethod
    def from_model(cls, phase: Phase) -> Self:
        endpoints = {name: EndpointDocument.from_model(seen) for name, seen in phase.endpoints.items()}
        return cls(seconds=phase.seconds, endpoints=endpoints)

    def to_model(self) -> Phase:
        return Phase(seconds=self.seconds, endpoints={name: seen.to_model() for name, seen in self.endpoints.items()})


@stored
class GaugeDocument:
    """One number about the target over the measured time; a point is the mean of `step_s` seconds, null: not read."""

    unit: str
    mean: float
    low: float
    high: float
    p95: float
    points: tuple[float | None, ...]
    step_s: int = 1

    @classmethod
    def from_model(cls, gauge: Gauge) -> Self:
        return cls(
            unit=gauge.unit,
            mean=gauge.mean,
            low=gauge.low,
            high=gauge.high,
            p95=gauge.p95,
            points=gauge.points,
            step_s=gauge.step_s,
        )

    def to_model(self) -> Gauge:
        return Gauge(
            unit=self.unit,
            mean=self.mean,
            low=self.low,
            high=self.high,
            p95=self.p95,
            points=self.points,
            step_s=self.step_s,
        )


@stored
class ScheduleDocument:
    """Starts of tasks that were due at a certain time, in the measured part; `late_s` is the sum in seconds."""

    due: float
    late: int
    missed: float
    overslept: int  # of the late ones: the generator was late, not the user
    late_s: float

    @classmethod
    def from_model(cls, schedule: Schedule) -> Self:
        return cls(
            due=schedule.due,
            late=schedule.late,
            missed=schedule.missed,
            overslept=schedule.overslept,
            late_s=schedule.late_s,
        )

    def to_model(self) -> Schedule:
        return Schedule(due=self.due, late=self.late, missed=self.missed, overslept=self.overslept, late_s=self.late_s)


@stored
class InStepDocument:
    """Users that wait equally long: `dispersion` is variance over mean of their starts in tenths of the wait."""

    wait_s: float
    dispersion: float

    @classmethod
    def from_model(cls, in_step: InStep) -> Self:
        return cls(wait_s=in_step.wait_s, dispersion=in_step.dispersion)

    def to_model(self) -> InStep:
        return InStep(wait_s=self.wait_s, dispersion=self.dispersion)


@stored
class BusiestUserDocument:
    """The user that got most `requests` through in a minute of `seconds`, those refused with 429 left out."""

    users: int  # that sent requests
    requests: int
    seconds: float
    refused: bool  # whether its last request was

    @classmethod
    def from_model(cls, busiest: BusiestUser) -> Self:
        return cls(users=busiest.users, requests=busiest.requests, seconds=busiest.seconds, refused=busiest.refused)

    def to_model(self) -> BusiestUser:
        return BusiestUser(users=self.users, requests=self.requests, seconds=self.seconds, refused=self.refused)


@stored
class GeneratorDocument:
    """The load generator during the measured part of a round."""

    cpu_share: float  # of one core, 95th percentile over seconds and processes
    run_delay_share: float
    loop_lag_p99_ms: float
    users_wanted: int
    users_reached: int
    exceptions: int
    complete: bool
    users_kept: int | None = None
    loop_lag_max_ms: float = 0.0
    clock_step_s: float = 0.0
    schedule: ScheduleDocument | None = None
    in_step: InStepDocument | None = None
    silent_because: str = ""
    ended_early: str = ""
    cut_off_s: float = 0.0  # the time limit at which perfci ended the generator; 0: it did not

    @classmethod
    def from_model(cls, health: GeneratorHealth) -> Self:
        return cls(
            cpu_share=health.cpu_share,
            run_delay_share=health.run_delay_share,
            loop_lag_p99_ms=health.loop_lag_p99_ms,
            users_wanted=health.users_wanted,
            users_reached=health.users_reached,
            exceptions=health.exceptions,
            complete=health.complete,
            users_kept=health.users_kept,
            loop_lag_max_ms=health.loop_lag_max_ms,
            clock_step_s=health.clock_step_s,
            schedule=ScheduleDocument.from_model(health.schedule) if health.schedule else None,
            in_step=InStepDocument.from_model(health.in_step) if health.in_step else None,
            silent_because=health.silent_because,
            ended_early=health.ended_early,
            cut_off_s=health.cut_off_s,
        )

    def to_model(self) -> GeneratorHealth:
        return GeneratorHealth(
            cpu_share=self.cpu_share,
            run_delay_share=self.run_delay_share,
            loop_lag_p99_ms=self.loop_lag_p99_ms,
            users_wanted=self.users_wanted,
            users_reached=self.users_reached,
            exceptions=self.exceptions,
            complete=self.complete,
            users_kept=self.users_kept,
            loop_lag_max_ms=self.loop_lag_max_ms,
            clock_step_s=self.clock_step_s,
            schedule=self.schedule.to_model() if self.schedule else None,
            in_step=self.in_step.to_model() if self.in_step else None,
            silent_because=self.silent_because,
            ended_early=self.ended_early,
            cut_off_s=self.cut_off_s,
        )


@stored
class TargetDocument:
    """The system under test during a round; `note` says why it died, `service` which of a project's is measured."""

    alive: bool
    restarts: int
    note: str = ""
    service: str = ""

    @classmethod
    def from_model(cls, health: TargetHealth) -> Self:
        return cls(alive=health.alive, restarts=health.restarts, note=health.note, service=health.service)

    def to_model(self) -> TargetHealth:
        return TargetHealth(alive=self.alive, restarts=self.restarts, note=self.note, service=self.service)


@stored
class AnswersDocument:
    """
    What one round was answered at one endpoint: answers by kind, those that were failures apart.

    A size class is 0 for an empty body, else 1 + floor(4 log2(bytes)). A form is "content type; compression; protocol",
    counted in a sample.
    """

    statuses: dict[int, int]  # of successes, 0: none
    failures: dict[int, int] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    median_bytes: float | None = None
    forms: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_model(cls, answers: Answers) -> Self:
        return cls(
            statuses=dict(answers.statuses),
            failures=dict(answers.failures),
            sizes=dict(answers.sizes),
            median_bytes=answers.median_bytes,
            forms=dict(answers.forms),
        )

    def to_model(self) -> Answers:
        return Answers(
            statuses=self.statuses,
            failures=self.failures,
            sizes=self.sizes,
            median_bytes=self.median_bytes,
            forms=self.forms,
        )


@stored
class RoundDocument:
    """One side of one measurement inside a block; `started_at` in seconds since the epoch."""

    kind: KindWord
    side: SideWord
    block: int
    number: int
    started_at: float
    duration_s: float
    warmup_s: float
    slices: int = 0
    endpoints: dict[str, EndpointDocument]
    phases: dict[str, PhaseDocument] = field(default_factory=dict)
    user_classes: dict[str, dict[str, EndpointDocument]] = field(default_factory=dict)  # by endpoint, no quantiles
    busiest_user: BusiestUserDocument | None = None
    seconds: tuple[SecondDocument, ...] = ()
    stretches: tuple[StretchDocument, ...] = ()
    gauges: dict[str, GaugeDocument] = field(default_factory=dict)
    generator: GeneratorDocument | None = None  # null: an imported round, of which it is not known; `target` likewise
    target: TargetDocument | None = None
    errors: dict[str, int] = field(default_factory=dict)  # requests that failed, by message
    answers: dict[str, AnswersDocument] = field(default_factory=dict)

    @classmethod
    def from_model(cls, measured: Round) -> Self:
        return cls(
            kind=KINDS.word(measured.kind),
            side=SIDES.word(measured.side),
            block=measured.block,
            number=measured.number,
            started_at=measured.started_at,
            duration_s=measured.duration_s,
            warmup_s=measured.warmup_s,
            slices=measured.slices,
            endpoints={name: EndpointDocument.from_model(seen) for name, seen in measured.endpoints.items()},
            phases={name: PhaseDocument.from_model(phase) for name, phase in measured.phases.items()},
            user_classes={
                user: {name: EndpointDocument.from_model(seen) for name, seen in own.items()}
                for user, own in measured.user_classes.items()
            },
            busiest_user=BusiestUserDocument.from_model(measured.busiest_user) if measured.busiest_user else None,
            seconds=tuple(map(SecondDocument.from_model, measured.seconds)),
            stretches=tuple(map(StretchDocument.from_model, measured.stretches)),
            gauges={name: GaugeDocument.from_model(gauge) for name, gauge in measured.gauges.items()},
            generator=GeneratorDocument.from_model(measured.generator) if measured.generator else None,
            target=TargetDocument.from_model(measured.target) if measured.target else None,
            errors=dict(measured.errors),
            answers={name: AnswersDocument.from_model(seen) for name, seen in measured.answers.items()},
        )

    def to_model(self) -> Round:
        return Round(
            kind=KINDS.member(self.kind),
            side=SIDES.member(self.side),
            block=self.block,
            number=self.number,
            started_at=self.started_at,
            duration_s=self.duration_s,
            warmup_s=self.warmup_s,
            slices=self.slices,
            endpoints={name: seen.to_model() for name, seen in self.endpoints.items()},
            phases={name: phase.to_model() for name, phase in self.phases.items()},
            user_classes={
                user: {name: seen.to_model() for name, seen in own.items()} for user, own in self.user_classes.items()
            },
            busiest_user=self.busiest_user.to_model() if self.busiest_user else None,
            seconds=tuple(second.to_model() for second in self.seconds),
            stretches=tuple(stretch.to_model() for stretch in self.stretches),
            gauges={name: gauge.to_model() for name, gauge in self.gauges.items()},
            generator=self.generator.to_model() if self.generator else None,
            target=self.target.to_model() if self.target else None,
            errors=self.errors,
            answers={name: seen.to_model() for name, seen in self.answers.items()},
        )
