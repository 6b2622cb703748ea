"""Runs the schedule: blocks of freshly started sides, rounds inside them, each stored before the next begins."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfci.errors import LoadError
from perfci.judge.alerts import raised
from perfci.model import Alert, Run, Side, Step, Timing
from perfci.pipeline.looking import Looking
from perfci.pipeline.plan import Plan
from perfci.pipeline.progress import Progress
from perfci.pipeline.recorder import Recorder
from perfci.pipeline.rig import Block, Measured, Rig

LISTING_S = 15.0
"""Seconds allowed for asking every endpoint of a Locust file once or twice: a census's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a measurement needs: the rig, the plan, the recorder and the progress display."""

    rig: Rig
    plan: Plan
    recorder: Recorder
    progress: Progress
    looking: Looking
    clock: Callable[[], float]  # seconds since the run began
    alerts: tuple[Alert, ...] = ()  # shown as soon as a round is over


@contextlib.contextmanager
def timed(bench: Bench, step: Step, block: int | str = "") -> Iterator[None]:
    """Note how long a step takes, however it ends."""
    began_s = bench.clock()
    try:
        yield
    finally:
        _note(bench, step, block, began_s, bench.clock() - began_s)


@contextlib.contextmanager
def started(bench: Bench, name: int | str, sides: Sequence[Side], *, duet: bool = False) -> Iterator[Block]:
    """
    Start a block of the rig, record what was started, and note how long start, seeding and end take.

    It starts while the one before it stops, and nothing of that runs any more when this is entered. Of a stop that
    overlaps with a start, what it takes longer is noted.
    """
    began_s = bench.clock()
    with contextlib.ExitStack() as stack:
        made = bench.rig.block(name, sides, duet=duet, on_incident=bench.recorder.incident, overlap=True)
        block = stack.enter_context(made)
        up_s = bench.clock() - block.seeding_s
        _note(bench, Step.START, name, began_s, up_s - began_s)
        _note(bench, Step.SEED, name, up_s, block.seeding_s)
        await_stop(bench)
        bench.recorder.add_block(name, block)
        yield block
        ended_s = bench.clock()
    if not bench.rig.stopping:
        _note(bench, Step.STOP, name, ended_s, bench.clock() - ended_s)


def await_stop(bench: Bench) -> None:
    """Return when nothing of an earlier block runs any more, and note how long that took."""
    if name := bench.rig.stopping:
        with timed(bench, Step.STOP, name):
            bench.rig.await_stop()


def finish(bench: Bench) -> Run:
    """Complete the run after everything planned was measured and all targets have stopped."""
    await_stop(bench)
    return bench.recorder.finish()


def _note(bench: Bench, step: Step, block: int | str, began_s: float, seconds: float) -> None:
    timing = Timing(step=step, block=str(block), began_s=round(began_s, 3), seconds=round(seconds, 3))
    bench.recorder.add_timing(timing)


def prepare(bench: Bench, *sides: Side) -> None:
    """
    Build what has to be built, once for each side, before anything is measured.

    The candidate first: what cannot be used in both is then an error of usage, and no base that cannot be had.
    """
    for side in sorted(sides, key=lambda side: side is Side.BASE):
        bench.progress.phase(f"preparing the {side.value}")
        with timed(bench, Step.PREPARE):
            bench.rig.prepare(side, on_incident=bench.recorder.incident)


def list_base_endpoints(bench: Bench, *, tree: Path, locustfiles: Sequence[str]) -> None:
    """
    Record which endpoints the base's Locust files ask, where the change edits them.

    A file that cannot be run on the change says so; whether endpoints are gone is then not known.
    """
    bench.progress.phase("asking what the base's Locust file asks")
    sides = (Side.BASE, Side.CANDIDATE)
    with bench.rig.block("load", sides, duet=False, on_incident=bench.recorder.incident) as block:
        try:
            asked = block.endpoints(tree=tree, locustfiles=locustfiles, limit_s=LISTING_S)
        except LoadError as error:
            bench.recorder.incident(f"what the base's {', '.join(locustfiles)} asks is not known: {error}")
            return
    bench.recorder.add_base_endpoints(asked)


def paired(bench: Bench) -> Run:
    """Measure duet and load rounds of both sides, in freshly started blocks, until the looks or the schedule end it."""
    schedule, looking = bench.plan.paired, bench.looking
    for number in range(1, schedule.blocks.most + 1):
        bench.progress.ahead(sum(map(bench.plan.block_s, range(number, max(number, schedule.blocks.least) + 1))))
        looking.begin_block()
        _block(bench, number)
        if looking.over(number):
            break
        if looking.late():
            measured = f"{number} block{'s' if number > 1 else ''}"
            bench.recorder.incident(f"ended after {measured}: the run may take {schedule.time:g} s (paired.time)")
            break
    return finish(bench)


def _block(bench: Bench, number: int) -> None:
    """Measure turns, then load, and judge after each."""
    looking, recorder, progress = bench.looking, bench.recorder, bench.progress
    name = _name(bench, number)
    progress.phase(f"{name}: starting and seeding both sides")
    # What starts first, or is loaded first, takes turns, so that order cannot pass for a difference.
    order = (Side.BASE, Side.CANDIDATE) if number % 2 else (Side.CANDIDATE, Side.BASE)
    turns = looking.turns(number)
    with started(bench, number, order, duet=turns) as block:
        if turns:
            progress.phase(f"{name}: turns")
            with timed(bench, Step.TURNS, number):
                measured = block.duet(looking.turns_s(), looking.settled)
            recorder.add(measured, where=f"block {number}, turns of")
            looking.look(recorder.named(), number)
        if looking.load(number) and not looking.red:
            with timed(bench, Step.LOAD, number):
                _load_both(bench, block, order, number)
            looking.look(recorder.named(), number)


def _name(bench: Bench, number: int) -> str:
    blocks = bench.plan.paired.blocks
    return f"block {number} of {'' if blocks.fixed else 'at most '}{blocks.most}"


def single(bench: Bench, rounds: int) -> Run:
    """Measure *rounds* load rounds of the candidate alone, each on a freshly started target."""
    progress = bench.progress
    for number in range(1, rounds + 1):
        progress.ahead((rounds + 1 - number) * bench.plan.load_s)
        progress.phase(f"round {number} of {rounds}: starting and seeding")
        with started(bench, number, (Side.CANDIDATE,)) as block:
            progress.phase(f"round {number} of {rounds}: load")
            with timed(bench, Step.LOAD, number):
                measured = block.load(Side.CANDIDATE)
            _keep_load(bench, measured, number)
    return finish(bench)


def _load_both(bench: Bench, block: Block, order: tuple[Side, Side], number: int) -> None:
    """
    One load round for each side, starting with the side that was started first: in alternating slices, or whole.

    Stages go on by the clock, so a side that was paused would miss parts of them.
    """
    name = _name(bench, number)
    if bench.plan.paired.slice and not bench.plan.workers and not bench.plan.load.stages:
        bench.progress.phase(f"{name}: load on both sides in turn")
        _keep_load(bench, block.load(*order), number)
        return
    for side in order:  # workers elsewhere serve one master at a time
        bench.progress.phase(f"{name}: load on the {side.value}")
        _keep_load(bench, block.load(side), number)


def _keep_load(bench: Bench, measured: Mapping[Side, Measured], number: int) -> None:
    bench.recorder.add(measured, where=f"block {number}, load on")
    if Side.CANDIDATE in measured:
        for alert in bench.alerts:
            for episode in raised(measured[Side.CANDIDATE].round, alert):
                bench.progress.note(f"alert {episode}")
