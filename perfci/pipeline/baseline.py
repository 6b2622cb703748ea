"""`perfci baseline record`: accept a run."""

from dataclasses import replace
from pathlib import Path

from perfci import store
from perfci.config import read
from perfci.errors import ConfigError
from perfci.judge import validity
from perfci.judge.census.accept import to_commit
from perfci.model import Baseline, Run, Side, Weight
from perfci.pipeline.paths import inside
from perfci.pipeline.policy import policy_of
from perfci.pipeline.stored_names import aligned


def record(run: Path, *, config_file: Path, census_only: bool = False) -> list[Path]:
    """
    Write the run in *run*, and its census, into the baseline of its scenario; return the written files, or refuse.

    With *census_only* its times stay behind: work holds, whatever else was measured beside it.
    """
    config = read(config_file)
    accepted = acceptable(store.load(run), census_only=census_only)
    root = inside(config_file.parent.resolve(), config.baselines, what="baselines folder")
    before = store.committed_census(store.baseline_folder(root, accepted.profile, accepted.scenario))
    stored = Baseline(location="", runs=(), census=before)
    _, stored_here, _ = aligned(accepted, stored, [each.named() for each in config.endpoints])
    known = stored_here.census if stored_here else None
    return store.record(accepted, root, census=to_commit(accepted, policy_of(config.gate, accepted.profile), known))


def acceptable(run: Run, *, census_only: bool) -> Run:
    """What of *run* can become part of a baseline; ConfigError where it cannot."""
    if census_only and Side.CANDIDATE not in run.census:
        raise ConfigError(f"run {run.id} counted no work", hint="perfci run --census only")
    if census_only:
        run = replace(run, rounds=())
    if any(measured.side is Side.BASE for measured in run.rounds):
        raise ConfigError(
            f"run {run.id} measured two sides by turns, which says nothing about later runs",
            hint="measure with --against baseline, then record that run; or record its work alone: --census-only",
        )
    invalid = [finding for finding in validity.findings(run, None) if finding.weight is not Weight.WARNING]
    if invalid:
        raise ConfigError(
            f"run {run.id} is not valid and cannot become a baseline: {invalid[0].message}", hint=invalid[0].hint
        )
    return run
