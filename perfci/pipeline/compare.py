"""`perfci compare`: judge stored runs, without a target, a load or git."""

from dataclasses import replace
from pathlib import Path

from perfci import store
from perfci.config import Config, FailOn, GateTable, read
from perfci.errors import ConfigError, ResultError
from perfci.judge import judge
from perfci.judge.census.accept import to_commit
from perfci.judge.comparability import comparable
from perfci.model import Baseline, GatePolicy, Reference, Run, Side
from perfci.pipeline import imported
from perfci.pipeline.paths import inside
from perfci.pipeline.policy import policy_of
from perfci.pipeline.stored_names import aligned
from perfci.pipeline.subject import described, subject_of
from perfci.report.view import View


def compare(base: Path | None, candidate: Path, *, config_file: Path) -> View:
    """
    Judge the run *candidate* against *base*, a run or a folder of accepted runs; other tools' results are converted.

    Without *base*, a run that measured both sides is judged side by side again, and any other against the stored
    baseline of its scenario. The policy is that of *config_file* where it exists.
    """
    config = read(config_file) if config_file.exists() else None
    base, candidate = base and located(base, config_file.parent), located(candidate, config_file.parent)
    run = load(candidate)
    alerts = config.monitor.alert if config else ()
    policy = policy_of(config.gate if config else GateTable(), run.profile, run.scenario, alerts=alerts)
    found: Baseline | None = None
    if base is None and (Side.BASE in run.census or any(measured.side is Side.BASE for measured in run.rounds)):
        commit = run.commits.get(Side.BASE, "")
        name = commit[:7] or "the base, side by side"
        subject = subject_of(run, reference=Reference.REF, name=name, base_commit=commit)
    else:
        found = _baseline(base, run, config, config_file.parent, policy)
        subject = subject_of(run, reference=Reference.BASELINE, name=described(found), base_commit="")
    run, found, unnamed = aligned(run, found, [each.named() for each in config.endpoints] if config else [])
    outcome = judge(run, baseline=found, policy=policy, subject=subject)
    outcome = replace(outcome, findings=(*outcome.findings, *unnamed))
    return View(outcome=outcome, run=run, stored=comparable(run, found) if found else ())


def located(path: Path, root: Path) -> Path:
    """The path of a run: *path* itself, else the stored run with this id."""
    known = root / ".perfci" / "runs" / path
    return known if len(path.parts) == 1 and not path.exists() and known.is_dir() else path


def load(path: Path) -> Run:
    """Load the run at *path*: perfci's own, or result files of another tool, each of which becomes a block."""
    if store.RunFolder(path).holds_run() or not (files := imported.find(path)):
        return store.load(path)
    return imported.run_of(files, name=str(path))


def configured_fail_on(config_file: Path) -> FailOn:
    """The verdicts that fail the job by the configuration, where no option overrides it."""
    configured = read(config_file).fail_on if config_file.exists() else None
    return configured or FailOn.REGRESSION


def _baseline(base: Path | None, run: Run, config: Config | None, root: Path, policy: GatePolicy) -> Baseline:
    if base is None:
        if config is None:
            raise ConfigError(
                "one run of one side, and nothing to compare it with", hint="perfci compare BASE CANDIDATE"
            )
        baselines = inside(root.resolve(), config.baselines, what="baselines folder")
        return store.load_baseline(store.baseline_folder(baselines, run.profile, run.scenario), like=run)
    if not store.RunFolder(base).holds_run() and (files := imported.find(base)):
        runs = tuple(imported.run_of([file], name=str(file.path)) for file in files)
        return Baseline(location=str(base), runs=runs)
    if base.is_dir() and not store.RunFolder(base).holds_run():
        found = store.load_baseline(base, like=run)
        if not found.runs and found.census is None:
            raise ResultError(f"there is no run in {base}", hint="name a run's folder, or a folder of run files")
        return found
    if base.name == store.CENSUS:
        return Baseline(location=str(base), runs=(), census=store.load_census(base))
    other = store.load(base)
    return Baseline(location=str(base), runs=(other,), census=to_commit(other, policy))
