"""The real rig: targets and seeds, Locust as a child process, and the monitor."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from perfci.config import CensusTable
from perfci.metrics import timeline
from perfci.metrics.user_classes import busiest_user
from perfci.model import Gauges, Round, RoundKind, Second, Side
from perfci.pipeline.reduced import Reduced, measured, of_load, of_turns
from perfci.pipeline.rig import Measured, RigSpec
from perfci.pipeline.sides import Sides, Started
from perfci.rig import monitor
from perfci.rig.census import Settings, open_sources
from perfci.rig.census.take import Extent, Seen, Taken, take
from perfci.rig.host.tls import trusting
from perfci.rig.load.generator import Place
from perfci.rig.load.recording import Recording
from perfci.rig.load.rounds import TakeTurns, duet_round, load_round, shared_round
from perfci.store import RunFolder


@dataclass(slots=True)
class LiveRig:
    """Starts, seeds and drives what *spec* names on this machine; holds the protocol `Rig`."""

    spec: RigSpec
    _sides: Sides = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the state; nothing is started yet."""
        self._sides = Sides(self.spec)

    def prepare(self, side: Side, *, on_incident: Callable[[str], None]) -> None:
        """Copy, build or pull what *side* starts."""
        for note in self._sides.prepare(side):
            on_incident(note)

    @contextlib.contextmanager
    def block(
        self,
        name: int | str,
        order: Sequence[Side],
        *,
        duet: bool,
        on_incident: Callable[[str], None],
        overlap: bool = False,
    ) -> Iterator["LiveBlock"]:
        """Start and seed the sides; they come up, are seeded and go down at the same time."""
        with contextlib.ExitStack() as stack:
            stack.callback(self.spec.mask.sweep, RunFolder(self.spec.folder).logs(""))  # when all have stopped
            turns = stack.enter_context(duet_round(self.spec.plan.load, self.place(f"duet-{name}"))) if duet else None
            started = stack.enter_context(self._sides.started(order, name, on_incident, overlap=overlap))
            yield LiveBlock(rig=self, name=name, started=started, turns=turns)

    @property
    def stopping(self) -> str:
        """The block whose sides still stop."""
        return self._sides.stopping

    def await_stop(self) -> None:
        """Return when nothing of an earlier block runs any more."""
        self._sides.await_stop()

    def _trust(self) -> dict[str, str]:
        """The variables that let the load trust the certificates of all sides."""
        sources = self.spec.sources.values()
        verified = [
            tls.of(source.tree) for source in sources if (tls := getattr(source.target, "tls", None)) is not None
        ]
        return trusting(verified, into=RunFolder(self.spec.folder).logs("tls"))

    def place(self, name: str) -> Place:
        """The folder in which the round *name* runs and writes its files."""
        return Place(
            source=self.spec.load_tree,
            folder=RunFolder(self.spec.folder).logs(name),
            environ=self.spec.environ.giving(self.spec.secrets.load),
            state=self.spec.state,
            watch=self.spec.progress.live,
            mask=self.spec.mask,
            trust=self._trust,
            runtime=self.spec.plan.runtime,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBlock:
    """A block of real targets; holds the protocol `Block`."""

    rig: LiveRig
    name: int | str
    started: Started
    turns: TakeTurns | None

    @property
    def seed_digests(self) -> Mapping[Side, str]:
        """The digest of the data that each side was given."""
        return self.started.seed_digests

    @property
    def descriptions(self) -> Mapping[Side, str]:
        """What was started, by side."""
        return {side: running.description for side, running in self.started.running.items()}

    @property
    def seeding_s(self) -> float:
        """Seconds that the seeding took beyond the start of the sides."""
        return self.started.seeding_s

    @property
    def outliving(self) -> tuple[str, ...]:
        """Volumes and folders whose data is still there in the next block."""
        return tuple(dict.fromkeys(name for each in self.started.running.values() for name in each.outliving))

    def duet(self, seconds: float, settled: Collection[str] = ()) -> Mapping[Side, Measured]:
        """Turns of both sides for so many *seconds*, fewer of the *settled* endpoints."""
        if self.turns is None:
            raise ValueError("this block was started without a duet")
        plan = self.rig.spec.plan
        recordings = self.turns(
            self._base_urls(),
            times=(plan.paired.duet_warmup, seconds),
            rng_seed=plan.rng_seed + self._number,
            settled=settled,
        )
        return measured(recordings, of_turns, self._turned)

    def load(self, *sides: Side) -> Mapping[Side, Measured]:
        """The whole load on each of *sides*, watched by the monitor."""
        spec = self.rig.spec
        places = {side: self.rig.place(f"load-{side.value}-{self.name}") for side in sides}
        with contextlib.ExitStack() as stack:
            monitors = {
                side: stack.enter_context(
                    monitor.monitoring(
                        self.started.running[side], spec.watched, environ=spec.environ, sliced=len(sides) > 1
                    )
                )
                for side in sides
            }
            if len(sides) > 1:
                recordings = shared_round(
                    spec.plan.load, base_urls=self._base_urls(), places=places, slice_s=spec.plan.paired.slice
                )
            else:
                (side,) = sides
                url, workers = self.base_url(side), spec.plan.workers
                recordings = {side: load_round(spec.plan.load, base_url=url, place=places[side], workers=workers)}
        return measured(
            recordings, of_load, lambda side, recording, reduced: self._loaded(side, recording, reduced, monitors[side])
        )

    def census(self, table: CensusTable, *, on_progress: Callable[[int, int], None]) -> Taken:
        """The work of each endpoint's requests, with every source of counts that can be opened."""
        settings = Settings(
            exclude=table.exclude,
            metrics_path=table.prometheus.path,
            metrics_names=table.prometheus.names,
            databases=table.databases,
        )
        spec = self.rig.spec
        with contextlib.ExitStack() as stack:
            sides = {}
            for side, running in self.started.running.items():
                sources, reports = stack.enter_context(open_sources(running, settings, environ=spec.environ, side=side))
                sides[side] = Seen(base_url=running.base_url, sources=sources, reports=reports)
            spec.progress.phase("census: counting")
            return take(
                spec.plan.load,
                sides=sides,
                place=self.rig.place("census"),
                extent=Extent(requests=table.requests, limit_s=table.seconds, headers=table.headers),
                rng_seed=spec.plan.rng_seed,
                watch=on_progress,
            )

    @property
    def _number(self) -> int:
        return self.name if isinstance(self.name, int) else 0

    def endpoints(self, *, tree: Path, locustfiles: Sequence[str], limit_s: float) -> frozenset[str]:
        """What the Locust files of another *tree* ask of the sides."""
        spec = self.rig.spec
        runtime = replace(spec.plan.runtime, files=tuple(locustfiles))
        taken = take(
            spec.plan.load,
            sides={side: Seen(base_url=running.base_url) for side, running in self.started.running.items()},
            place=replace(self.rig.place(f"endpoints-{self.name}"), source=tree, runtime=runtime),
            extent=Extent(requests=1, limit_s=limit_s),
            rng_seed=spec.plan.rng_seed,
            watch=lambda *_: None,
        )
        return frozenset(name for census in taken.census.values() for name in census.cold)

    def base_url(self, side: Side) -> str:
        """The URL of *side*."""
        return self.started.running[side].base_url

    def _base_urls(self) -> dict[Side, str]:
        return {side: running.base_url for side, running in self.started.running.items()}

    def _turned(self, side: Side, recording: Recording, reduced: Reduced) -> Measured:
        return Measured(round=self._round(side, recording, kind=RoundKind.DUET, reduced=reduced), notes=recording.notes)

    def _loaded(self, side: Side, recording: Recording, reduced: Reduced, watched: monitor.Monitor) -> Measured:
        made = self._round(
            side,
            recording,
            kind=RoundKind.LOAD,
            reduced=reduced,
            seconds=timeline.seconds(recording.requests, windows=recording.windows, users=recording.users_at),
            gauges=watched.gauges(recording),
        )
        made = replace(
            made,
            busiest_user=busiest_user(recording.requests, windows=recording.windows),
            stretches=timeline.stretches(recording.requests, windows=recording.windows),
        )
        return Measured(round=made, notes=recording.notes, unwatched=watched.missing)

    def _round(
        self,
        side: Side,
        recording: Recording,
        *,
        kind: RoundKind,
        reduced: Reduced,
        seconds: tuple[Second, ...] = (),
        gauges: Gauges | None = None,
    ) -> Round:
        return Round(
            kind=kind,
            side=side,
            block=self._number,
            number=1,
            started_at=recording.start_s,
            duration_s=recording.measured_s,
            warmup_s=recording.warmup_s,
            slices=recording.slices,
            endpoints=reduced.endpoints,
            phases=reduced.phases,
            user_classes=reduced.user_classes,
            seconds=seconds,
            gauges=gauges or {},
            generator=recording.generator,
            target=self.started.running[side].health(),
            errors=recording.errors,
            answers=reduced.answers,
        )
