"""Takes the census: counts the work of requests, in a block of its own, before anything is timed."""

from collections.abc import Mapping

from perfci.config import CensusTable
from perfci.errors import PerfciError
from perfci.model import ENOUGH, Census, Run, Side, Step
from perfci.pipeline.committed import with_committed
from perfci.pipeline.measure import Bench, started, timed
from perfci.pipeline.progress import Progress
from perfci.pipeline.recorder import Recorder
from perfci.pipeline.trees import Tree


def count(bench: Bench, table: CensusTable, *sides: Side, only: bool) -> None:
    """
    Count the work of each of the *sides*, on targets that were started and seeded only for the census.

    Timed rounds so never see a target that has been asked before. A census that fails is an incident, which leaves the
    timed verdict as it is; where nothing else is measured (*only*), it is raised.
    """
    progress, recorder = bench.progress, bench.recorder
    progress.phase("census: starting and seeding")
    with started(bench, "census", sides) as block:
        try:
            with timed(bench, Step.CENSUS, "census"):
                taken = block.census(table, on_progress=_Shown(progress))
        except PerfciError as error:
            if only:
                raise
            recorder.incident(f"census: {error}")
            return
    recorder.add_census(taken, block)
    progress.phase(f"census: {_summary(taken.census[Side.CANDIDATE])}")


def _summary(census: Census) -> str:
    """Describe in a few words how much was counted."""
    requests = [
        max((tally.requests for tally in counts.counters.values()), default=0) for counts in census.endpoints.values()
    ]
    enough = [count for count in requests if count >= ENOUGH]
    found = f"{len(enough)} of {len(census.cold)} endpoints"
    return f"{found}, {min(enough)} requests each or more" if enough else found


class _Shown:
    """Reports the progress of the census whenever it changes."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._said = ""

    def __call__(self, done: int, known: int) -> None:
        text = f"census: {done} of {known} endpoints"
        if text != self._said:
            self._said = text
            self._progress.step(text)


def accepted(recorder: Recorder, trees: Mapping[Side, Tree], *, baselines: str) -> Run:
    """Return the run with the work that both commits' `census.json` accept."""
    base = trees.get(Side.BASE)
    own = trees[Side.CANDIDATE].path
    base_root = base.path if base is not None and base.path != own else None
    run = with_committed(recorder.run, base_root=base_root, head_root=own, baselines=baselines)
    recorder.add_committed(run.committed)
    return recorder.run
