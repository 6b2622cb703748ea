"""Baselines: a folder for each scenario, one immutable file for each accepted run, and `census.json` beside them."""

from dataclasses import replace
from pathlib import Path

from perfci.errors import ConfigError
from perfci.model import Baseline, CommittedCensus, Gauges, Round, Run
from perfci.store.census import CENSUS, load_census, save_census
from perfci.store.runs import check_names, load, save

NEWEST = 10  # runs of one machine class that count as the baseline


def baseline_folder(root: Path, profile: str, scenario: str) -> Path:
    """The folder of a scenario's accepted runs."""
    return root / f"{profile}-{scenario}"


def load_baseline(folder: Path, *, like: Run) -> Baseline:
    """
    The accepted census in *folder*, and the newest runs: of *like*'s machine class where there are any, else of all.

    No folder or an empty one is a baseline without runs: absence is a value that the gate names.
    """
    runs = sorted((load(file) for file in sorted(folder.glob("*.json")) if file.name != CENSUS), key=_age)
    here = _machine_class(like)
    same = [run for run in runs if _machine_class(run) == here]
    location = f"{folder.parent.name}/{folder.name}"
    return Baseline(location=location, runs=tuple((same or runs)[-NEWEST:]), census=committed_census(folder))


def accepted_runs(folder: Path) -> dict[str, str]:
    """When each run in *folder* was measured, and its id, oldest first."""
    runs = [load(file) for file in folder.glob("*.json") if file.name != CENSUS]
    return {run.created_at: run.id for run in sorted(runs, key=_age)}


def committed_census(folder: Path) -> CommittedCensus | None:
    """Read the accepted census in *folder*; None where there is none."""
    file = folder / CENSUS
    return load_census(file) if file.exists() else None


def _machine_class(run: Run) -> object:
    """The class of the machine that measured *run*; None where it is unknown."""
    return run.fingerprint.machine and run.fingerprint.machine.machine_class


def _age(run: Run) -> tuple[str, str]:
    return run.created_at, run.id


def _pointless(measured: Round) -> Gauges:
    return {name: replace(gauge, points=()) for name, gauge in measured.gauges.items()}


def without_seconds(run: Run) -> Run:
    """*run* without what is known by the second or by user class, which no comparison needs and is most of its file."""
    slim = tuple(
        replace(measured, seconds=(), stretches=(), gauges=_pointless(measured), user_classes={})
        for measured in run.rounds
    )
    return replace(run, rounds=slim)


def record(run: Run, root: Path, *, census: CommittedCensus | None = None) -> list[Path]:
    """
    Accept *run* into the baseline of its scenario, and *census* as its work; return what was written.

    What is known by the second, the logs and the single counts stay behind. A run without rounds gives a census only.
    """
    if not run.complete:
        raise ConfigError(f"run {run.id} is not complete and cannot become a baseline", hint="measure it again")
    check_names(run, root)
    folder, written = baseline_folder(root, run.profile, run.scenario), []
    if run.rounds:
        stamp = run.created_at[:19].replace(":", "").replace("-", "")
        path = folder / f"{stamp}-{run.id}.json"
        if path.exists():
            raise ConfigError(f"{path} exists: run {run.id} is already part of the baseline")
        save(replace(without_seconds(run), census={}, committed={}), path)
        written.append(path)
    if census is not None:
        save_census(census, folder / CENSUS)
        written.append(folder / CENSUS)
    return written
