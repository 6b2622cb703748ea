"""The real rig: targets and seeds, Locust as a child process, and the monitor."""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from perfci.config import CensusTable
from perfci.errors import BaseTargetError, SeedError, TargetError
from perfci.metrics import timeline
from perfci.model import Gauges, Round, RoundKind, Second, Side
from perfci.pipeline.plan import SideSource
from perfci.pipeline.reduced import Reduced, measured, of_load, of_turns
from perfci.pipeline.rig import Measured, RigSpec
from perfci.rig import monitor, seed, target
from perfci.rig.census import Settings, open_sources
from perfci.rig.census.take import Extent, Seen, Taken, take
from perfci.rig.host.environment import JobEnvironment
from perfci.rig.host.process import HURRY_S
from perfci.rig.host.tls import trusting
from perfci.rig.host.trees import is_own
from perfci.rig.load.generator import Place
from perfci.rig.load.recording import Recording
from perfci.rig.load.rounds import TakeTurns, duet_round, load_round, shared_round
from perfci.rig.target import RunningTarget
from perfci.store import RunFolder


@dataclass(frozen=True, slots=True)
class LiveRig:
    """Starts, seeds and drives what *spec* names on this machine; holds the protocol `Rig`."""

    spec: RigSpec

    def prepare(self, side: Side, *, on_incident: Callable[[str], None]) -> None:
        """Copy, build or pull what *side* starts."""
        source = self.spec.sources[side]
        with self.attribute_to_base(side):
            notes = target.prepare(
                source.target,
                source=source.tree,
                workspace=RunFolder(self.spec.folder).logs(side.value),
                state=self.spec.state,
                side=side,
                label=self.label(side, 0),
                environ=self.environ(self.spec.secrets.target),
                extra_env=self.values(self.spec.secrets.target),
                working_tree=self.working_tree(source),
                side_by_side=len(self.spec.sources) > 1,
            )
        for note in notes:
            on_incident(note)

    @contextlib.contextmanager
    def block(
        self, name: int | str, order: Sequence[Side], *, duet: bool, on_incident: Callable[[str], None]
    ) -> Iterator["LiveBlock"]:
        """Start and seed the sides; they come up, are seeded and go down at the same time."""
        with contextlib.ExitStack() as stack:
            stack.callback(self.spec.mask.sweep, RunFolder(self.spec.folder).logs(""))  # when all have stopped
            turns = stack.enter_context(duet_round(self.spec.plan.load, self.place(f"duet-{name}"))) if duet else None
            started = stack.enter_context(_started(self, order, name, on_incident))
            yield LiveBlock(rig=self, name=name, started=started, turns=turns)

    @contextlib.contextmanager
    def attribute_to_base(self, side: Side) -> Iterator[None]:
        """Mark a failure to start as the base's, so that the change under review is not blamed."""
        try:
            yield
        except (TargetError, SeedError) as error:
            if side is Side.CANDIDATE:
                raise
            hint = self._hint_at_absent_files(side, str(error)) or error.hint
            raise BaseTargetError(f"the base does not start: {error}", hint=hint) from error

    def _hint_at_absent_files(self, side: Side, failure: str) -> str:
        """Add the usual cause to the hint: the base lacks a file that an earlier step of the job made."""
        source, there = self.spec.sources[side], self.spec.working_tree
        if not is_own(source.tree):
            return ""
        names = target.absent(source.target, failure, source=source.tree, working_tree=there, environ=self.spec.environ)
        if not names:
            return ""
        return (
            f"the working tree has {', '.join(names[:3])}, but git and the base do not: name it in"
            f" `prepare = {{ copy = [{json.dumps(names[0])}] }}` of [target], on the base branch, too"
        )

    def label(self, side: Side, block: int | str) -> str:
        """A name for what is started, unique on the machine."""
        return f"{self.spec.run_id}-{side.value}-{block}"

    def _trust(self) -> dict[str, str]:
        """The variables that let the load trust the certificates of all sides."""
        sources = self.spec.sources.values()
        verified = [
            tls.of(source.tree) for source in sources if (tls := getattr(source.target, "tls", None)) is not None
        ]
        return trusting(verified, into=RunFolder(self.spec.folder).logs("tls"))

    def working_tree(self, source: SideSource) -> Path | None:
        """The project's folder in the checkout, for a side whose tree is another one."""
        return self.spec.working_tree if is_own(source.tree) else None

    def environ(self, secrets: Sequence[str]) -> JobEnvironment:
        """The environment of perfci, for a child that is given these *secrets*."""
        return self.spec.environ.giving(secrets)

    def values(self, secrets: Sequence[str]) -> dict[str, str]:
        """The *secrets* that are set, with their values."""
        return {name: self.spec.environ[name] for name in secrets}

    def place(self, name: str) -> Place:
        """Where the round *name* runs and writes its files."""
        return Place(
            source=self.spec.load_tree,
            folder=RunFolder(self.spec.folder).logs(name),
            environ=self.environ(self.spec.secrets.load),
            state=self.spec.state,
            watch=self.spec.progress.live,
            mask=self.spec.mask,
            trust=self._trust,
            runtime=self.spec.plan.runtime,
        )


@dataclass(slots=True)
class _Started:
    """The running sides of a block, and the data that each holds."""

    running: dict[Side, RunningTarget] = field(default_factory=dict)
    seed_digests: dict[Side, str] = field(default_factory=dict)
    seeding_s: float = 0.0  # from when all of them were up


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBlock:
    """A block of real targets; holds the protocol `Block`."""

    rig: LiveRig
    name: int | str
    started: _Started
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

    def duet(self) -> Mapping[Side, Measured]:
        """Turns of both sides."""
        if self.turns is None:
            raise ValueError("this block was started without a duet")
        plan = self.rig.spec.plan
        recordings = self.turns(
            self._base_urls(),
            times=(plan.paired.duet_warmup, plan.paired.duet),
            rng_seed=plan.rng_seed + self._number,
        )
        return measured(recordings, of_turns, self._turned)

    def load(self, *sides: Side) -> Mapping[Side, Measured]:
        """The whole load on each of *sides*, watched by the monitor."""
        spec = self.rig.spec
        places = {side: self.rig.place(f"load-{side.value}-{self.name}") for side in sides}
        with contextlib.ExitStack() as stack:
            monitors = {
                side: stack.enter_context(
                    monitor.watching(
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
            recordings, of_load, lambda side, one, reduced: self._loaded(side, one, reduced, monitors[side])
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
        """Where *side* answers."""
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
            seconds=seconds,
            gauges=gauges or {},
            generator=recording.generator,
            target=self.started.running[side].health(),
            errors=recording.errors,
            answers=reduced.answers,
        )


@contextlib.contextmanager
def _started(
    rig: LiveRig, order: Sequence[Side], block: int | str, on_incident: Callable[[str], None]
) -> Iterator[_Started]:
    """
    The sides of a block, freshly started and seeded, begun in this *order*.

    They come up, are seeded and go down at the same time; where anything went wrong, they go down one by one.
    """
    started = _Started()
    with contextlib.ExitStack() as stack:
        ready, stacks = {}, [stack.enter_context(contextlib.ExitStack()) for _ in order]
        for side, own in zip(order, stacks, strict=True):
            with rig.attribute_to_base(side):
                ready[side] = own.enter_context(_starting(rig, side, block))
        seeding: dict[Side, Callable[[], seed.Seeded]] = {}
        with contextlib.ExitStack() as seeds:
            for side in order:
                with rig.attribute_to_base(side):
                    running = started.running[side] = ready[side]()
                    seeding[side] = seeds.enter_context(_seeding(rig, side, running))
                if running.kind == "external":  # what perfci started itself takes its data with it
                    _await_seed(rig, seeding.pop(side), side, started)
                    stack.callback(_clean, rig, side, running, on_incident)
            up_s = time.monotonic()
            for side, seeded in seeding.items():
                _await_seed(rig, seeded, side, started)
            started.seeding_s = time.monotonic() - up_s
        yield started
        with ThreadPoolExecutor() as pool:
            list(pool.map(contextlib.ExitStack.close, stacks))


def _starting(rig: LiveRig, side: Side, block: int | str) -> AbstractContextManager[Callable[[], RunningTarget]]:
    source = rig.spec.sources[side]
    return target.starting(
        source.target,
        source=source.tree,
        workspace=RunFolder(rig.spec.folder).logs(f"{side.value}-{block}"),
        state=rig.spec.state,
        side=side,
        label=rig.label(side, block),
        environ=rig.environ(rig.spec.secrets.target),
        extra_env={**rig.values(rig.spec.secrets.target), **source.env},
        counted=rig.spec.counted,
        side_by_side=len(rig.spec.sources) > 1,
        working_tree=rig.working_tree(source),
    )


def _seeding(rig: LiveRig, side: Side, running: RunningTarget) -> AbstractContextManager[Callable[[], seed.Seeded]]:
    source: SideSource = rig.spec.sources[side]
    return seed.seeding(
        source.seed,
        running.base_url,
        clear_first=False,
        source=source.tree,
        environ=rig.environ(rig.spec.secrets.seed),
        state=rig.spec.state,
        own=running.kind != "external",
        side=side,
        directory=running.directory,
        verify=running.verify,
    )


def _await_seed(rig: LiveRig, seeded: Callable[[], seed.Seeded], side: Side, started: _Started) -> None:
    with rig.attribute_to_base(side):
        try:
            started.seed_digests[side] = seeded().digest
        except SeedError as error:
            if outliving := started.running[side].outliving:
                raise SeedError(f"{error}; data outlives a block in {', '.join(outliving)}", hint=error.hint) from error
            raise


def _clean(rig: LiveRig, side: Side, running: RunningTarget, on_incident: Callable[[str], None]) -> None:
    """Delete the seeded data from a service that runs on; where that fails, warn and keep the measurement."""
    source = rig.spec.sources[side]
    try:
        seed.clean(
            source.seed,
            running.base_url,
            source=source.tree,
            environ=rig.environ(rig.spec.secrets.seed),
            state=rig.spec.state,
            limit_s=HURRY_S if isinstance(sys.exception(), KeyboardInterrupt) else None,
            verify=running.verify,
        )
    except SeedError as error:
        on_incident(f"the data is still in {running.base_url}: {error}")
