"""`perfci run`: measures, judges and writes the documents; the only use case that uses all rooms."""

import contextlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from perfci import store
from perfci.config import OnMissingBase
from perfci.errors import BaseTargetError, ConfigError, ExitCode, PerfciError
from perfci.judge import judge
from perfci.judge.comparability import comparable
from perfci.model import Baseline, Fingerprint, Outcome, Reference, RoundKind, Run, Side, Subject, Timing
from perfci.pipeline import confirming, documents, job, measure
from perfci.pipeline.census import accepted, count
from perfci.pipeline.equipment import equipped
from perfci.pipeline.looking import Looking
from perfci.pipeline.measure import Bench
from perfci.pipeline.paths import inside
from perfci.pipeline.plan import Plan, SideSource
from perfci.pipeline.ports import Ports
from perfci.pipeline.recorder import Recorder
from perfci.pipeline.request import Counting, Request
from perfci.pipeline.rig import RigSpec
from perfci.pipeline.secrecy import naming_withheld
from perfci.pipeline.stored_names import aligned
from perfci.pipeline.subject import described, subject_of
from perfci.pipeline.understand import Task, understand
from perfci.report.view import View
from perfci.rig.host import leftovers
from perfci.rig.host.fingerprint import machine, versions
from perfci.rig.host.masking import Mask
from perfci.store import RunFolder

UNTIMED = "no times were measured: the census shows a regression already (--keep-going measures them all the same)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a run."""

    outcome: Outcome
    folder: Path
    exit_code: ExitCode
    timings: tuple[Timing, ...] = ()  # of the steps of the run


def run(request: Request, ports: Ports) -> Result:
    """
    Measure and judge what *request* asks for.

    A failure on the way is an outcome, too: only an interruption and bad usage are raised.
    """
    with contextlib.ExitStack() as stack:
        task = _understood(request, ports, stack)
        mask = Mask(task.environ.hidden())
        ports.progress.hide(mask.values)
        began = ports.now()
        run_id = f"{began:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        folder = _new_folder(ports, run_id)
        _keep_out_of_git(ports.work)
        if gone := RunFolder.prune(ports.work, keep=max(task.config.keep_runs, request.runs)):
            old = f"{gone} old run{'s' * (gone > 1)}"
            ports.progress.note(f"removed {old} below {ports.work}: keep_runs = {task.config.keep_runs}")
        for note in task.notes:
            ports.progress.note(note.message)
        if workers := task.plan.workers:
            ports.progress.note(
                f"load comes in whole rounds from {workers.count} workers; start each on its machine: {workers.command}"
            )
        run_of_now = _new_run(task, run_id, began.isoformat(timespec="seconds"))
        recorder = Recorder(run_of_now, RunFolder(folder).run, mask=mask)
        stack.callback(mask.sweep, RunFolder(folder).logs(""))
        try:
            copies = stack.enter_context(_place_for_copies(task, ports))
            view = _measured_and_judged(task, recorder, folder, ports, copies)
        except ConfigError as error:
            mask.error(error)
            raise
        except PerfciError as error:
            mask.error(error)
            recorder.incident(str(error))
            named = naming_withheld(error, task.environ)
            subject = _subject(task, recorder.run, None)
            view = View(outcome=documents.not_measured(named, subject, alpha=task.policy.alpha), run=recorder.run)
        outcome = replace(view.outcome, findings=(*view.outcome.findings, *task.notes))
        code = documents.exit_code(outcome.verdict, task.fail_on)
        documents.write(replace(view, outcome=outcome), folder, code=code)
    return Result(outcome=outcome, folder=folder, exit_code=code, timings=recorder.run.timings)


def _understood(request: Request, ports: Ports, stack: contextlib.ExitStack) -> Task:
    """The task of *request*; where it repeats a run, as far as that run was red."""
    task = understand(request, ports, stack)
    if request.confirm is None:
        return task
    job.check_run_inside_workspace(ports.environ, request.confirm)
    first = confirming.first_run(request.confirm, task, root=ports.root)
    return confirming.narrowed(task, first, _baseline(task, first))


def _new_folder(ports: Ports, run_id: str) -> Path:
    folder = RunFolder(ports.output or ports.work / run_id)
    folder.create()
    return folder.path


def _keep_out_of_git(work: Path) -> None:
    """Tell git that runs are no part of the project, in the folder that holds them."""
    file = work.parent / ".gitignore"
    if work.parent.is_dir() and not file.exists():
        store.write_atomically(file, "*\n")


def _place_for_copies(task: Task, ports: Ports) -> contextlib.AbstractContextManager[Path | None]:
    """
    A folder for copies of the seeded data, or None.

    Copies need a way to ask each side for its digest. The start that is copied measures nothing, so two of them would
    save nothing.
    """
    rounds = task.plan.limits_rounds if task.reference is Reference.LIMITS else task.plan.baseline.rounds
    blocks = task.plan.paired.blocks.least if Side.BASE in task.sources else rounds
    starts = {Counting.OFF: blocks, Counting.ONLY: 1}.get(task.counting, 1 + blocks)
    if starts <= 2 or not all(source.seed.tells_digest for source in task.sources.values()):
        return contextlib.nullcontext()
    return leftovers.private_folder(ports.root, state=ports.state, environ=task.environ)


def _measured_and_judged(task: Task, recorder: Recorder, folder: Path, ports: Ports, copies: Path | None) -> View:
    if task.unavailable is not None:
        raise task.unavailable
    baseline: Baseline | None = None
    task = replace(task, plan=equipped(task.plan, ports, task.environ))
    try:
        finished = _measured(
            task, _bench(task, task.sources, recorder, ports, folder=folder, copies=copies), task.sources
        )
    except BaseTargetError as error:
        required = task.base_required
        if recorder.run.rounds or (required and task.config.on_missing_base is OnMissingBase.FAIL):
            raise
        baseline = _baseline(task, recorder.run)
        if required and not baseline.runs:
            raise
        why = ", as on_missing_base asks" if required else ", since no base was asked for"
        ports.progress.note(recorder.mask(f"compared with the stored runs{why}: {error}"))
        recorder.drop_base(f"not compared side by side: {error}", plan=task.plan.load)
        sources = {Side.CANDIDATE: task.sources[Side.CANDIDATE]}
        finished = _measured(task, _bench(task, sources, recorder, ports, folder=folder, copies=copies), sources)
    else:
        if Side.BASE not in task.sources and task.reference is not Reference.LIMITS:
            baseline = _baseline(task, finished)
    finished, baseline, unnamed = aligned(finished, baseline, task.plan.load.endpoints)
    outcome = judge(finished, baseline=baseline, policy=task.policy, subject=_subject(task, finished, baseline))
    outcome = replace(outcome, findings=(*outcome.findings, *unnamed))
    return View(outcome=outcome, run=finished, stored=comparable(finished, baseline) if baseline else ())


def _bench(
    task: Task,
    sources: Mapping[Side, SideSource],
    recorder: Recorder,
    ports: Ports,
    *,
    folder: Path,
    copies: Path | None,
) -> Bench:
    plan = _plan(task, sources)
    spec = RigSpec(
        plan=plan,
        sources=sources,
        load_tree=task.trees[task.load_side].path,
        run_id=recorder.run.id,
        folder=folder,
        environ=task.environ,
        secrets=task.config.secrets,
        mask=recorder.mask,
        working_tree=ports.root,
        state=ports.state,
        progress=ports.progress,
        counted=task.counting is not Counting.OFF,
        watched=task.watched,
        copies=copies,
    )
    clock = _elapsed(ports)
    return Bench(
        rig=ports.rig(spec),
        plan=plan,
        recorder=recorder,
        progress=ports.progress,
        looking=Looking(plan=plan, policy=task.policy, clock=clock),
        clock=clock,
        alerts=task.policy.alerts,
    )


def _plan(task: Task, sources: Mapping[Side, SideSource]) -> Plan:
    """The plan for a run of these sides."""
    return task.plan.for_both_sides() if Side.BASE in sources else task.plan


def _elapsed(ports: Ports) -> Callable[[], float]:
    """A clock that shows the seconds from now on."""
    began_s = ports.clock()
    return lambda: ports.clock() - began_s


def _measured(task: Task, bench: Bench, sources: Mapping[Side, SideSource]) -> Run:
    """The census first, then the timed rounds, unless it is all that was asked for, or ends the run."""
    with contextlib.ExitStack() as stack:
        stack.callback(bench.rig.await_stop)  # also after a failure or an interruption
        return _census_and_times(task, bench, sources)


def _census_and_times(task: Task, bench: Bench, sources: Mapping[Side, SideSource]) -> Run:
    measure.prepare(bench, *sources)
    if task.base_locustfiles and len(sources) > 1:
        measure.list_base_endpoints(bench, tree=task.trees[Side.BASE].path, locustfiles=task.base_locustfiles)
    if task.counting is not Counting.OFF and RoundKind.CENSUS in task.kinds:
        count(bench, task.config.census, *sources, only=task.counting is Counting.ONLY)
        accepted(bench.recorder, task.trees, baselines=task.config.baselines)
    if task.counting is Counting.ONLY:
        return measure.finish(bench)
    bench.looking.count(bench.recorder.named())
    if bench.looking.red:
        bench.recorder.incident(UNTIMED)
        return measure.finish(bench)
    if Side.BASE in sources:
        return measure.paired(bench)
    plan = task.plan
    return measure.single(bench, plan.limits_rounds if task.reference is Reference.LIMITS else plan.baseline.rounds)


def _baseline(task: Task, finished: Run) -> Baseline:
    """The stored runs of the scenario: the base's where there is one, so that no change brings its own."""
    tree = task.trees.get(Side.BASE, task.trees[Side.CANDIDATE])
    root = inside(tree.path, task.config.baselines, what="baselines folder")
    return store.load_baseline(store.baseline_folder(root, task.plan.profile, task.plan.scenario), like=finished)


def _new_run(task: Task, run_id: str, created_at: str) -> Run:
    return Run(
        id=run_id,
        created_at=created_at,
        profile=task.plan.profile,
        scenario=task.plan.scenario,
        commits={side: task.trees[side].commit for side in task.sources},
        fingerprint=Fingerprint(
            machine=machine(),
            plan=_plan(task, task.sources).load,
            seed_digest="",
            target_kind=task.sources[Side.CANDIDATE].target.kind,
            target={},
            versions=versions(),
        ),
        rounds=(),
        complete=False,
        looks=task.plan.looks if Side.BASE in task.sources else None,
    )


def _subject(task: Task, finished: Run, baseline: Baseline | None) -> Subject:
    return subject_of(
        finished,
        reference=task.reference if baseline is None else Reference.BASELINE,
        name=task.reference_name if baseline is None else described(baseline),
        base_commit=finished.commits.get(Side.BASE, ""),
    )
