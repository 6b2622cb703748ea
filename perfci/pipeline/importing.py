"""`perfci import`: converts other tools' result files into runs, in a folder of their own or in the baseline."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from perfci import importers, store
from perfci.config import Config, read
from perfci.errors import ConfigError
from perfci.model import ALL_ENDPOINTS, Run
from perfci.pipeline import imported
from perfci.pipeline.paths import inside
from perfci.store import RunFolder

BASELINES = "baselines"
"""The value of `--to` that stands for the project's baselines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A run made of imported files, and its path."""

    run: Run
    path: Path
    files: int

    @property
    def endpoints(self) -> int:
        """Number of endpoints in the files."""
        return len({name for each in self.run.rounds for name in each.endpoints} - {ALL_ENDPOINTS})

    @property
    def requests(self) -> int:
        """Number of requests in all files together."""
        return sum(
            seen.requests for each in self.run.rounds for name, seen in each.endpoints.items() if name != ALL_ENDPOINTS
        )


def import_files(paths: Sequence[Path], *, to: str, name: str, config_file: Path) -> list[Written]:
    """
    Write the files at *paths* as runs of the scenario *name* ("PROFILE:SCENARIO", or "" for none).

    *to* is `baselines`, where each file is one accepted run, or a folder, where all are the blocks of one run; "" is a
    new folder among the runs of the project. ResultError where a file cannot be read: nothing is written then.
    """
    files = imported.of_files([file for path in paths for file in _found(path)])
    named = ", ".join(map(str, paths))
    if to == BASELINES:
        imported.run_of(files, name=named)  # of one tool, one format, each measurement once
        runs = [_named(imported.run_of([file], name=str(file.path)), name) for file in files]
        root = _baselines(config_file)
        for run in runs:
            if any(store.baseline_folder(root, run.profile, run.scenario).glob(f"*-{run.id}.json")):
                raise ConfigError(f"{run.origin.file} is already part of the baseline", hint="leave it out")
        return [Written(run=run, path=store.record(run, root)[0], files=1) for run in runs]
    run = _named(imported.run_of(files, name=named), name)
    folder = RunFolder(Path(to) if to else config_file.parent / ".perfci" / "runs" / run.id)
    if folder.holds_run():
        raise ConfigError(f"{folder.path} holds a run already", hint="name another folder: --to FOLDER")
    store.save(run, folder.run)
    return [Written(run=run, path=folder.path, files=len(files))]


def _found(path: Path) -> Sequence[Path]:
    """The result files at *path*; an error where there are none, or where one cannot be read."""
    found = imported.files_at(path)
    if not found and path.is_dir():
        raise ConfigError(f"{path} has no file of a format that perfci knows", hint="name the files")
    if not found:
        importers.read(path)
        raise ConfigError(f"{path} is already a run of perfci", hint="perfci compare takes it as it is")
    return found


def _named(run: Run, name: str) -> Run:
    if not name:
        return run
    profile, _, scenario = name.partition(":")
    named = replace(run, profile=profile, scenario=scenario or run.scenario)
    store.check_names(named, Path(run.origin.file))
    return named


def _baselines(config_file: Path) -> Path:
    configured = read(config_file).baselines if config_file.exists() else Config.model_fields["baselines"].default
    return inside(config_file.parent.resolve(), configured, what="baselines folder")
