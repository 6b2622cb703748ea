"""`perfci baseline list`, `show`, `refresh` and `prune`: the accepted runs as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from perfci import store
from perfci.config import Config, read
from perfci.errors import ConfigError, PerfciError
from perfci.judge.budgets import CENTRE
from perfci.metrics.registry import METRICS
from perfci.model import ALL_ENDPOINTS, RoundKind, Run
from perfci.pipeline.baseline import acceptable, record
from perfci.pipeline.paths import inside
from perfci.report.refreshed import Refreshed, markdown
from perfci.store.accepted import Accepted, AcceptedRun, accepted_in, baselines_in, class_of, superfluous

SHOWN = (CENTRE, "p95", "rps", "failure_rate")
"""The metrics of the table before and after, as far as a run has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """What a refresh has done, or would do."""

    written: tuple[Path, ...]
    removed: tuple[Path, ...]
    refused: tuple[str, ...]  # runs that are not valid, with the reason
    table: str  # Markdown


def listed(config_file: Path) -> list[Accepted]:
    """Every baseline of the project, by name."""
    return list(baselines_in(_root(config_file, read(config_file))))


def shown(name: str, config_file: Path) -> Accepted:
    """The baseline of "PROFILE[:SCENARIO]"; ConfigError where it has no run."""
    config = read(config_file)
    profile, scenario, _, _ = config.find(name)
    found = accepted_in(store.baseline_folder(_root(config_file, config), profile, scenario))
    if not found.runs:
        raise ConfigError(f"there is no accepted run of {profile}:{scenario}", hint="perfci baseline add RUN")
    return found


def prune(config_file: Path, *, keep: int, dry_run: bool) -> list[Path]:
    """Remove the accepted runs that no comparison reads any more; return their files."""
    files = [each.file for accepted in listed(config_file) for each in superfluous(accepted, keep)]
    if not dry_run:
        for file in files:
            file.unlink()
    return files


def refresh(runs: Sequence[Path], config_file: Path) -> Refresh:
    """
    Put *runs* in the place of the accepted runs of their machine class, and say what that changes.

    Runs that cannot be accepted are left out, with the reason; ConfigError where none remains, or where they are of
    several scenarios. Runs of other machine classes stay.
    """
    config = read(config_file)
    valid, refused = _valid(runs)
    first = next(iter(valid.values()))
    before = accepted_in(store.baseline_folder(_root(config_file, config), first.profile, first.scenario))
    classes = {class_of(run) for run in valid.values()}
    known, staying = {run.id for run in valid.values()}, {each.run.id for each in before.runs}
    leaving = [each for each in before.runs if each.machine_class in classes and each.run.id not in known]
    new = [path for path, run in valid.items() if run.id not in staying]
    written = [file for path in new for file in record(path, config_file=config_file)]
    for each in leaving:
        each.file.unlink()
    same_class = [each.run for each in before.runs if each.machine_class in classes]
    machines = " / ".join(filter(None, sorted(classes))) or "unknown"
    notes = [
        f"{len(valid)} runs take the place of {len(leaving)}; machine: {machines}",
        *(f"left out: {reason}" for reason in refused),
        "counts of work are in census.json: look at its diff",
    ]
    return Refresh(
        written=tuple(dict.fromkeys(written)),
        removed=tuple(each.file for each in leaving),
        refused=refused,
        table=markdown(first.name, _rows(same_class, list(valid.values())), notes),
    )


def _valid(paths: Sequence[Path]) -> tuple[dict[Path, Run], tuple[str, ...]]:
    """The runs of one scenario that can be accepted, by path, and why the others cannot; ConfigError where none can."""
    valid: dict[Path, Run] = {}
    refused = []
    for path in paths:
        try:
            valid[path] = acceptable(store.load(path), census_only=False)
        except PerfciError as error:
            refused.append(str(error))
    if not valid:
        raise ConfigError(f"none of the runs can be accepted: {'; '.join(refused)}", hint="measure them again")
    if len(names := {run.name for run in valid.values()}) > 1:
        raise ConfigError(
            f"the runs are of several scenarios: {', '.join(sorted(names))}", hint="refresh one at a time"
        )
    return valid, tuple(refused)


def summary(accepted: AcceptedRun) -> tuple[str, ...]:
    """A run in cells: when, its id, its commit, its machine class, the centre of all endpoints' response times."""
    run = accepted.run
    commit = next((commit for commit in run.commits.values() if commit), "")
    times = _mean([run], ALL_ENDPOINTS, CENTRE)
    return (
        run.created_at[:19],
        run.id,
        commit[:7],
        accepted.machine_class,
        "" if times is None else f"{times:.4g} {METRICS[CENTRE].unit}",
    )


def _rows(before: Sequence[Run], after: Sequence[Run]) -> list[Refreshed]:
    endpoints = sorted({name for run in (*before, *after) for made in run.rounds for name in made.endpoints})
    rows = [
        Refreshed(
            endpoint=endpoint,
            metric=metric,
            unit=METRICS[metric].unit,
            before=_mean(before, endpoint, metric),
            after=_mean(after, endpoint, metric),
        )
        for endpoint in endpoints
        for metric in SHOWN
        if metric in METRICS
    ]
    return [row for row in rows if row.before is not None or row.after is not None]


def _mean(runs: Sequence[Run], endpoint: str, metric: str) -> float | None:
    """The mean over the runs of the mean over their load rounds; None where no round has the value."""
    by_run = [
        [
            made.endpoints[endpoint].values[metric]
            for made in run.rounds
            if made.kind is RoundKind.LOAD and endpoint in made.endpoints and metric in made.endpoints[endpoint].values
        ]
        for run in runs
    ]
    means = [fmean(values) for values in by_run if values]
    return fmean(means) if means else None


def _root(config_file: Path, config: Config) -> Path:
    return inside(config_file.parent.resolve(), config.baselines, what="baselines folder")
