"""
Measuring: blocks of freshly started sides, rounds inside them, and every round on disk before the next begins.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from perfci import store
from perfci.errors import BaseTargetError, SeedError, TargetError
from perfci.metrics import registry, timeline
from perfci.model import Alert, Census, CommittedCensus, EndpointRound, Gauges, Round, RoundKind, Run, Second, Side
from perfci.pipeline.plan import Plan, Setup
from perfci.pipeline.ports import Ports
from perfci.pipeline.watching import told, watching
from perfci.rig import monitor, seed, target
from perfci.rig.host.process import HURRY_S
from perfci.rig.load.generator import Place
from perfci.rig.load.recording import Recording
from perfci.rig.load.rounds import TakeTurns, duet_round, load_round, shared_round
from perfci.rig.target import RunningTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Everything that a block needs."""

    plan: Plan
    setups: Mapping[Side, Setup]
    candidate_env: Mapping[str, str]  # for the candidate alone: how a gate is shown what it must find
    run_id: str
    folder: Path
    ports: Ports
    counted: bool = True  # whether work is counted, too: every start of the run is given what that needs
    watched: monitor.Settings = monitor.OFF  # under load
    alerts: tuple[Alert, ...] = ()

    def label(self, side: Side, block: int | str) -> str:
        """Unique on the machine, for the names of what is started."""
        return f"{self.run_id}-{side.value}-{block}"

    def place(self, name: str) -> Place:
        """Where the round *name* happens; the load comes from the candidate's locustfile on both sides."""
        return Place(
            source=self.setups[Side.CANDIDATE].source,
            folder=self.folder / "logs" / name,
            environ=self.ports.environ,
            state=self.ports.state,
            watch=self.ports.progress.live,
        )


class Recorder:
    """Grows a run round by round; the file on disk is always whole."""

    def __init__(self, run: Run, file: Path) -> None:
        self.run = run
        self.seeded: dict[Side, str] = {}  # digest of the data of each side's latest start
        self._file = file
        store.save(run, file)

    def add(self, *rounds: Round) -> None:
        """Keep *rounds*."""
        self._replace(replace(self.run, rounds=(*self.run.rounds, *rounds)))

    def counted(self, census: Mapping[Side, Census], *, incidents: tuple[str, ...]) -> None:
        """Keep the work that was counted."""
        self._replace(replace(self.run, census=census, incidents=(*self.run.incidents, *incidents)))

    def committed(self, committed: Mapping[Side, CommittedCensus]) -> None:
        """Keep what is accepted as the work of a request, so that the run can be judged from its file alone."""
        self._replace(replace(self.run, committed=committed))

    def incident(self, text: str) -> None:
        """Note what went wrong, for the reader."""
        self._replace(replace(self.run, incidents=(*self.run.incidents, text)))

    def once(self, what: str, why: str) -> None:
        """Note what went wrong, unless the same went wrong before."""
        if not any(known.startswith(f"{what}: ") for known in self.run.incidents):
            self.incident(f"{what}: {why}")

    def alone(self, reason: str) -> None:
        """The base is out of the comparison."""
        commits = {Side.CANDIDATE: self.run.commits[Side.CANDIDATE]}
        self._replace(replace(self.run, commits=commits, incidents=(*self.run.incidents, reason)))

    def learned(self, *, seed_digest: str, descriptions: Mapping[Side, str]) -> None:
        """Note what only a started target could tell."""
        fingerprint = replace(self.run.fingerprint, seed_digest=seed_digest, target=descriptions)
        self._replace(replace(self.run, fingerprint=fingerprint))

    def finish(self) -> Run:
        """Every planned round is there."""
        self._replace(replace(self.run, complete=True))
        return self.run

    def _replace(self, run: Run) -> None:
        store.save(run, self._file)
        self.run = run


def prepare(bench: Bench) -> None:
    """Build what has to be built, once per side, before anything is measured."""
    for side, setup in bench.setups.items():
        bench.ports.progress.phase(f"preparing the {side.value}")
        with _blamed(side):
            target.prepare(
                setup.target,
                source=setup.source,
                workspace=bench.folder / "logs" / side.value,
                state=bench.ports.state,
                side=side,
                label=bench.label(side, 0),
                environ=bench.ports.environ,
            )


def paired(bench: Bench, recorder: Recorder) -> Run:
    """Duet and load rounds of both sides, in freshly started blocks."""
    schedule = bench.plan.paired
    for block in range(1, schedule.blocks + 1):
        bench.ports.progress.ahead(sum(map(bench.plan.block_s, range(block, schedule.blocks + 1))))
        bench.ports.progress.phase(f"block {block} of {schedule.blocks}: starting and seeding both sides")
        # What starts first, or is loaded first, takes turns, so that order cannot pass for a difference.
        order = (Side.BASE, Side.CANDIDATE) if block % 2 else (Side.CANDIDATE, Side.BASE)
        with contextlib.ExitStack() as stack:
            if schedule.duet:
                take = stack.enter_context(duet_round(bench.plan.load, bench.place(f"duet-{block}")))
            running = stack.enter_context(started(bench, order, block, recorder))
            if schedule.duet:
                bench.ports.progress.phase(f"block {block} of {schedule.blocks}: turns")
                _duet(bench, running, take, block, recorder)
            if schedule.loads(block):
                _load_both(bench, running, block, recorder)
    return recorder.finish()


def single(bench: Bench, recorder: Recorder) -> Run:
    """Load rounds of the candidate alone, each on a target started anew."""
    rounds = bench.plan.baseline.rounds
    for block in range(1, rounds + 1):
        bench.ports.progress.ahead((rounds + 1 - block) * bench.plan.load_s)
        bench.ports.progress.phase(f"round {block} of {rounds}: starting and seeding")
        with started(bench, (Side.CANDIDATE,), block, recorder) as running:
            bench.ports.progress.phase(f"round {block} of {rounds}: load")
            _load(bench, running[Side.CANDIDATE], Side.CANDIDATE, block, recorder)
    return recorder.finish()


@contextlib.contextmanager
def _blamed(side: Side) -> Iterator[None]:
    """A base that does not start is told apart: the change under review is not to blame."""
    try:
        yield
    except (TargetError, SeedError) as error:
        if side is Side.CANDIDATE:
            raise
        raise BaseTargetError(f"the base does not start: {error}", hint=error.hint) from error


@contextlib.contextmanager
def started(
    bench: Bench, order: Sequence[Side], block: int | str, recorder: Recorder
) -> Iterator[dict[Side, RunningTarget]]:
    """
    The sides of a block, freshly started and seeded, begun in this *order*.

    They come up, are filled and go down at the same time; where anything went wrong, down in turn.
    """
    with contextlib.ExitStack() as stack:
        ready, each = {}, [stack.enter_context(contextlib.ExitStack()) for _ in order]
        for side, own in zip(order, each, strict=True):
            with _blamed(side):
                ready[side] = own.enter_context(_starting(bench, side, block))
        running, filling = {}, {}
        with contextlib.ExitStack() as seeds:
            for side in order:
                with _blamed(side):
                    running[side] = ready[side]()
                    filling[side] = seeds.enter_context(_seeding(bench, side, running[side]))
                if running[side].kind == "external":  # what perfci started itself takes its data with it
                    _filled(filling.pop(side), side, block, running[side], recorder)
                    stack.callback(_emptied, bench, side, running[side], recorder)
            for side, done in filling.items():
                _filled(done, side, block, running[side], recorder)
        yield running
        with ThreadPoolExecutor() as pool:
            list(pool.map(contextlib.ExitStack.close, each))


def _starting(bench: Bench, side: Side, block: int | str) -> AbstractContextManager[Callable[[], RunningTarget]]:
    setup = bench.setups[side]
    return target.starting(
        setup.target,
        source=setup.source,
        workspace=bench.folder / "logs" / f"{side.value}-{block}",
        state=bench.ports.state,
        side=side,
        label=bench.label(side, block),
        environ=bench.ports.environ,
        extra_env=bench.candidate_env if side is Side.CANDIDATE else {},
        counted=bench.counted,
    )


def _seeding(bench: Bench, side: Side, running: RunningTarget) -> AbstractContextManager[Callable[[], seed.Seeded]]:
    setup = bench.setups[side]
    return seed.seeding(
        setup.seed,
        running.base_url,
        clear_first=False,
        source=setup.source,
        environ=bench.ports.environ,
        state=bench.ports.state,
        own=running.kind != "external",
    )


def _filled(
    done: Callable[[], seed.Seeded], side: Side, block: int | str, running: RunningTarget, recorder: Recorder
) -> None:
    """Wait until a side holds its data, and note what only then is known."""
    with _blamed(side):
        filled = done()
    recorder.seeded[side] = filled.digest
    known = recorder.run.fingerprint
    if known.seed_digest and filled.digest != known.seed_digest:
        recorder.incident(f"the {side.value} of block {block} was seeded with other data ({filled.digest[:12]})")
    recorder.learned(
        seed_digest=known.seed_digest or filled.digest, descriptions={**known.target, side: running.description}
    )


def _emptied(bench: Bench, side: Side, running: RunningTarget, recorder: Recorder) -> None:
    """Take the data out of a service that goes on without perfci; where that fails, it is told, and the run stands."""
    setup = bench.setups[side]
    try:
        seed.clean(
            setup.seed,
            running.base_url,
            source=setup.source,
            environ=bench.ports.environ,
            state=bench.ports.state,
            limit_s=HURRY_S if isinstance(sys.exception(), KeyboardInterrupt) else None,
        )
    except SeedError as error:
        recorder.incident(f"the data is still in {running.base_url}: {error}")


def _duet(bench: Bench, running: Mapping[Side, RunningTarget], take: TakeTurns, block: int, recorder: Recorder) -> None:
    plan = bench.plan
    recordings = take(
        {side: one.base_url for side, one in running.items()},
        times=(plan.paired.duet_warmup, plan.paired.duet),
        rng_seed=plan.rng_seed + block,
    )
    measured = registry.measure_duet(
        {side: one.requests for side, one in recordings.items()},
        windows={side: (one.start_s, one.end_s) for side, one in recordings.items()},
        alone={side: one.alone for side, one in recordings.items()},
    )
    recorder.add(
        *(
            _round(one, kind=RoundKind.DUET, side=side, block=block, running=running[side], endpoints=measured[side])
            for side, one in recordings.items()
        )
    )
    for side, recording in recordings.items():
        _tell(recording, f"block {block}, turns of the {side.value}", recorder)


def _load_both(bench: Bench, running: Mapping[Side, RunningTarget], block: int, recorder: Recorder) -> None:
    """A load round of each side, the one that was started first before the other: in turn by slices, or whole."""
    where = f"block {block} of {bench.plan.paired.blocks}"
    if not bench.plan.paired.slice or bench.plan.workers:  # workers elsewhere serve one master at a time
        for side, one in running.items():
            bench.ports.progress.phase(f"{where}: load on the {side.value}")
            _load(bench, one, side, block, recorder)
        return
    bench.ports.progress.phase(f"{where}: load on both sides in turn")
    with watching(running, bench.watched, environ=bench.ports.environ, sliced=True) as monitors:
        recordings = shared_round(
            bench.plan.load,
            base_urls={side: one.base_url for side, one in running.items()},
            places={side: bench.place(f"load-{side.value}-{block}") for side in running},
            slice_s=bench.plan.paired.slice,
        )
    loads = {side: _load_of(recordings[side], one, side, block, monitors[side]) for side, one in running.items()}
    recorder.add(*loads.values())
    for side, measured in loads.items():
        _tell(recordings[side], f"block {block}, load on the {side.value}", recorder)
        told(monitors[side], measured, bench.alerts, recorder, bench.ports.progress)


def _load(bench: Bench, running: RunningTarget, side: Side, block: int, recorder: Recorder) -> None:
    with watching({side: running}, bench.watched, environ=bench.ports.environ, sliced=False) as monitors:
        recording = load_round(
            bench.plan.load,
            base_url=running.base_url,
            place=bench.place(f"load-{side.value}-{block}"),
            workers=bench.plan.workers,
        )
    measured = _load_of(recording, running, side, block, monitors[side])
    recorder.add(measured)
    _tell(recording, f"block {block}, load on the {side.value}", recorder)
    told(monitors[side], measured, bench.alerts, recorder, bench.ports.progress)


def _tell(recording: Recording, where: str, recorder: Recorder) -> None:
    """What a round noted; the same note from a later block or the other side says nothing new."""
    for note in recording.notes:
        if not any(incident.endswith(note) for incident in recorder.run.incidents):
            recorder.incident(f"{where}: {note}")


def _load_of(recording: Recording, running: RunningTarget, side: Side, block: int, watched: monitor.Monitor) -> Round:
    return _round(
        recording,
        kind=RoundKind.LOAD,
        side=side,
        block=block,
        running=running,
        endpoints=registry.measure(recording.requests, windows=recording.windows),
        seconds=timeline.seconds(recording.requests, windows=recording.windows, users=recording.users),
        gauges=watched.gauges(recording),
    )


def _round(
    recording: Recording,
    *,
    kind: RoundKind,
    side: Side,
    block: int,
    running: RunningTarget,
    endpoints: Mapping[str, EndpointRound],
    seconds: tuple[Second, ...] = (),
    gauges: Gauges | None = None,
) -> Round:
    return Round(
        kind=kind,
        side=side,
        block=block,
        number=1,
        started_at=recording.start_s,
        duration_s=recording.measured_s,
        warmup_s=recording.warmup_s,
        slices=recording.slices,
        endpoints=endpoints,
        seconds=seconds,
        gauges=gauges or {},
        generator=recording.generator,
        target=running.health(),
        errors=recording.errors,
    )
