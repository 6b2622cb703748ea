"""
Reads the census.json of both commits: work that a change accepts there counts as accepted, since its reviewers see it.
"""

from dataclasses import replace
from pathlib import Path

from perfci import store
from perfci.errors import ResultError
from perfci.model import CommittedCensus, Run, Side
from perfci.pipeline.paths import inside


def with_committed(run: Run, *, base_root: Path | None, head_root: Path, baselines: str) -> Run:
    """
    *run* with the accepted work of its scenario, as the checkouts of base and candidate hold it.

    So that it can be judged again from its file alone. Without *base_root* there is no base commit at hand, and so
    nothing that the change could have written. A file of the base that cannot be read counts as none.
    """
    if base_root is None or Side.CANDIDATE not in run.census:
        return run
    found = {Side.CANDIDATE: _committed(run, head_root, baselines)}
    try:
        found[Side.BASE] = _committed(run, base_root, baselines)
    except ResultError:
        found[Side.BASE] = None
    return replace(run, committed={side: census for side, census in found.items() if census is not None})


def _committed(run: Run, root: Path, baselines: str) -> CommittedCensus | None:
    folder = inside(root, baselines, what="baselines folder")
    return store.committed_census(store.baseline_folder(folder, run.profile, run.scenario))
