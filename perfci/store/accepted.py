"""The files of a baseline, one by one: which there are, and which to take out."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from perfci.model import Run
from perfci.store.baselines import NEWEST
from perfci.store.census import CENSUS
from perfci.store.runs import load


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedRun:
    """One accepted run, and its file."""

    file: Path
    run: Run

    @property
    def machine_class(self) -> str:
        """The class of the machine that measured it."""
        return class_of(self.run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The baseline of one scenario."""

    name: str  # of its folder
    runs: tuple[AcceptedRun, ...]  # newest last
    counted: bool  # whether it has a census.json


def class_of(run: Run) -> str:
    """The class of the machine that measured *run*, for the reader; empty where it is not known."""
    machine = run.fingerprint.machine
    return machine.class_described if machine else ""


def baselines_in(root: Path) -> Iterator[Accepted]:
    """Every baseline below *root*, by name; ResultError where a file is no stored run."""
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if folder.is_dir() and any(folder.glob("*.json")):
            yield accepted_in(folder)


def accepted_in(folder: Path) -> Accepted:
    """The baseline in *folder*; one without runs where there is none."""
    files = [file for file in folder.glob("*.json") if file.name != CENSUS]
    runs = sorted(
        (AcceptedRun(file=file, run=load(file)) for file in files), key=lambda each: (each.run.created_at, each.run.id)
    )
    return Accepted(name=folder.name, runs=tuple(runs), counted=(folder / CENSUS).is_file())


def superfluous(accepted: Accepted, keep: int = NEWEST) -> tuple[AcceptedRun, ...]:
    """The runs beyond the newest *keep* of each machine class: nothing is compared with them any more."""
    by_class: Mapping[str, list[AcceptedRun]] = defaultdict(list)
    for each in accepted.runs:
        by_class[each.machine_class].append(each)
    return tuple(each for runs in by_class.values() for each in runs[:-keep])
