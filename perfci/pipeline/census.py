"""The census: what a request makes the target do, counted before anything is timed, in a block of its own."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from perfci.config import CensusTable
from perfci.errors import PerfciError
from perfci.model import ENOUGH, Census, Run, Side
from perfci.pipeline.committed import with_committed
from perfci.pipeline.measure import Bench, Recorder, started
from perfci.pipeline.ports import Progress
from perfci.rig.census import Settings, open_sources
from perfci.rig.census.take import Extent, Seen, Taken, take
from perfci.rig.target import RunningTarget


class Counting(StrEnum):
    """Whether work is counted: before what is timed, instead of it, or not at all."""

    AUTO = "auto"
    ONLY = "only"
    OFF = "off"


def count(bench: Bench, recorder: Recorder, table: CensusTable, *, only: bool) -> None:
    """
    Count the work of each side, on targets that were started and seeded for that alone.

    Timed rounds so never see a target that has been asked before. A census that fails is an incident, which leaves the
    timed verdict as it is; where nothing else is measured (*only*), it is raised.
    """
    progress = bench.ports.progress
    progress.phase("census: starting and seeding")
    with started(bench, tuple(bench.setups), "census", recorder) as running:
        try:
            taken = _taken(bench, running, table)
        except PerfciError as error:
            if only:
                raise
            recorder.incident(f"census: {error}")
            return
    recorder.counted(
        {side: replace(census, seed_digest=recorder.seeded[side]) for side, census in taken.census.items()},
        incidents=taken.incidents,
    )
    progress.phase(f"census: {_summary(taken.census[Side.CANDIDATE])}")


def _summary(census: Census) -> str:
    """How much was counted, in a few words."""
    requests = [
        max((tally.requests for tally in one.counters.values()), default=0) for one in census.endpoints.values()
    ]
    enough = [count for count in requests if count >= ENOUGH]
    found = f"{len(enough)} of {len(census.cold)} endpoints"
    return f"{found}, {min(enough)} requests each or more" if enough else found


def _taken(bench: Bench, running: Mapping[Side, RunningTarget], table: CensusTable) -> Taken:
    settings = Settings(exclude=table.exclude, metrics_path=table.prometheus.path, metrics_names=table.prometheus.names)
    with contextlib.ExitStack() as stack:
        sides = {}
        for side, one in running.items():
            sources, reports = stack.enter_context(open_sources(one, settings, environ=bench.ports.environ))
            sides[side] = Seen(base_url=one.base_url, sources=sources, reports=reports)
        bench.ports.progress.phase("census: counting")
        return take(
            bench.plan.load,
            sides=sides,
            place=bench.place("census"),
            extent=Extent(requests=table.requests, limit_s=table.seconds, headers=table.headers),
            rng_seed=bench.plan.rng_seed,
            watch=_Shown(bench.ports.progress),
        )


class _Shown:
    """The progress, whenever it changes."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._said = ""

    def __call__(self, done: int, known: int) -> None:
        text = f"census: {done} of {known} endpoints"
        if text != self._said:
            self._said = text
            self._progress.step(text)


def accepted(recorder: Recorder, *, base_tree: Path, root: Path, baselines: str) -> Run:
    """The run with what both commits hold as the accepted work; a change of it is no surprise to its reviewers."""
    run = with_committed(
        recorder.run, base_root=base_tree if base_tree != root else None, head_root=root, baselines=baselines
    )
    recorder.committed(run.committed)
    return recorder.run
