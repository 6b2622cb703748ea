"""`perfci run`: measure, judge, and leave the documents; the only place where all rooms meet."""

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from perfci import store
from perfci.config import Against, Config, FailOn, from_bytes, read
from perfci.errors import BaseTargetError, ConfigError, ExitCode, PerfciError
from perfci.judge import judge
from perfci.model import (
    Baseline,
    Finding,
    Fingerprint,
    GatePolicy,
    Outcome,
    Reference,
    Run,
    Side,
    Subject,
    Weight,
)
from perfci.pipeline import documents, job, measure
from perfci.pipeline.census import Counting, accepted, count
from perfci.pipeline.measure import Bench
from perfci.pipeline.paths import inside
from perfci.pipeline.plan import Overrides, Plan, SideSource, plan_of, source_of
from perfci.pipeline.policy import policy_of
from perfci.pipeline.ports import Ports
from perfci.pipeline.recorder import Recorder
from perfci.pipeline.reference import WORKTREE, Choice, choose
from perfci.pipeline.rig import RigSpec
from perfci.pipeline.subject import described, subject_of
from perfci.pipeline.watching import watched_of
from perfci.rig.host.checkout import work_tree
from perfci.rig.host.fingerprint import machine, versions
from perfci.rig.host.git import Git


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked for."""

    profile: str
    config_file: str = "perfci.toml"
    environment: str | None = None
    against: Against | None = None
    base: str = ""
    fail_on: FailOn | None = None
    overrides: Overrides = field(default_factory=Overrides)
    candidate_env: Mapping[str, str] = field(default_factory=dict)
    census: Counting | None = None  # None: as configured


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came out."""

    outcome: Outcome
    folder: Path
    exit_code: ExitCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A request, understood: nothing has been started yet."""

    config: Config
    plan: Plan
    choice: Choice
    policy: GatePolicy
    notes: tuple[Finding, ...]
    fail_on: FailOn
    counting: Counting


def understand(request: Request, ports: Ports) -> Task:
    """Everything that can be wrong about a request is found here, before anything starts."""
    current = job.current(ports.environ)
    job.check_inside_workspace(ports.environ, ports.root)
    config = read(ports.root / request.config_file).within(request.environment)
    plan = plan_of(config, request.profile, request.overrides, root=ports.root)
    inside(ports.root, config.baselines, what="baselines folder")
    source_of(config, tree=ports.root, file=request.config_file)
    watched_of(config, file=request.config_file)
    git = Git(root=ports.root, environ=ports.environ)
    against = request.against or config.against
    named = job.named_base(current, git, given=request.base, load_changed=request.overrides.load)
    choice = choose(against, named, git, external=config.target.get("kind") == "external")
    notes = []
    if against is Against.AUTO and named.ref and choice.reference is Reference.BASELINE:
        notes.append(_warning("no-base", f"not compared side by side: {choice.reason}"))
    gate, note = _policy_table(config, choice, git, request.config_file)
    notes += [note] if note else []
    return Task(
        config=config,
        plan=plan,
        choice=choice,
        policy=policy_of(gate.gate, plan.profile, alerts=gate.monitor.alert),
        notes=tuple(notes),
        fail_on=request.fail_on or gate.fail_on,
        counting=request.census or Counting(config.census.enabled),
    )


def _policy_table(config: Config, choice: Choice, git: Git, file: str) -> tuple[Config, Finding | None]:
    """The configuration whose policy counts: the base's where there is one, so that no change can pardon itself."""
    content = git.show(choice.base, file) if choice.base not in {"", WORKTREE} else None
    if content is None:
        return config, None
    try:
        base = from_bytes(content, where=f"{file} of the base")
    except ConfigError as error:
        return config, _warning("policy-own", f"the policy is this change's own: {error}")
    if _policy(base) == _policy(config):
        return base, None
    text = "this change edits the gate's policy; the policy of the base was used"
    return base, _warning("policy-changed", text, "it takes effect once it is merged")


def _policy(config: Config) -> tuple[object, ...]:
    return config.gate, config.fail_on, config.monitor.alert


def _warning(code: str, message: str, hint: str = "") -> Finding:
    return Finding(code=code, weight=Weight.WARNING, message=message, hint=hint)


def run(request: Request, ports: Ports) -> Result:
    """Measure and judge; a failure on the way is an outcome, too. Only an interruption and bad usage are raised."""
    task = understand(request, ports)
    began = ports.now()
    run_id = f"{began:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    folder = ports.output or ports.work / run_id
    if (folder / "run.json").exists():
        raise ConfigError(f"{folder} holds a run already", hint="name another folder: nothing measured is overwritten")
    folder.mkdir(parents=True, exist_ok=True)
    for note in task.notes:
        ports.progress.note(note.message)
    if workers := task.plan.workers:
        ports.progress.note(
            f"load comes in whole rounds from {workers.count} workers; start each on its machine: {workers.command}"
        )
    with contextlib.ExitStack() as stack:
        base_tree = ports.root
        git = Git(root=ports.root, environ=ports.environ)
        if task.choice.base not in {"", WORKTREE}:
            base_tree = stack.enter_context(work_tree(git, task.choice.base, state=ports.state))
        start = _new_run(task, git, run_id, began.isoformat(timespec="seconds"))
        recorder = Recorder(start, folder / "run.json")
        try:
            outcome = _measured_and_judged(task, request, recorder, base_tree=base_tree, folder=folder, ports=ports)
        except ConfigError:
            raise
        except PerfciError as error:
            recorder.incident(str(error))
            outcome = documents.not_measured(error, _subject(task, recorder.run, None), alpha=task.policy.alpha)
    outcome = replace(outcome, findings=(*outcome.findings, *task.notes))
    code = documents.exit_code(outcome.verdict, task.fail_on)
    documents.write(outcome, folder, code=code)
    return Result(outcome=outcome, folder=folder, exit_code=code)


def _measured_and_judged(
    task: Task, request: Request, recorder: Recorder, *, base_tree: Path, folder: Path, ports: Ports
) -> Outcome:
    candidate = source_of(task.config, tree=ports.root, file=request.config_file, env=request.candidate_env)
    if task.choice.reference is Reference.REF:
        try:
            base_config = _base_config(task, request, base_tree)
            base = source_of(base_config, tree=base_tree, file="perfci.toml of the base")
            sources = {Side.BASE: base, Side.CANDIDATE: candidate}
            bench = _bench(task, request, recorder, sources, folder=folder, ports=ports)
            finished = _measured(task, bench, sources, ports, base_tree=base_tree)
            return judge(finished, baseline=None, policy=task.policy, subject=_subject(task, finished, None))
        except (BaseTargetError, ConfigError) as error:
            if (request.against or task.config.against) is not Against.AUTO or recorder.run.rounds:
                raise
            ports.progress.note(f"falling back to the baseline: {error}")
            recorder.drop_base(f"not compared side by side: {error}")
            task = replace(task, choice=replace(task.choice, reference=Reference.BASELINE))
    sources = {Side.CANDIDATE: candidate}
    bench = _bench(task, request, recorder, sources, folder=folder, ports=ports)
    finished = _measured(task, bench, sources, ports, base_tree=base_tree)
    root = inside(base_tree, task.config.baselines, what="baselines folder")
    baseline = store.load_baseline(store.baseline_folder(root, task.plan.profile, task.plan.scenario), like=finished)
    return judge(finished, baseline=baseline, policy=task.policy, subject=_subject(task, finished, baseline))


def _bench(
    task: Task,
    request: Request,
    recorder: Recorder,
    sources: Mapping[Side, SideSource],
    *,
    folder: Path,
    ports: Ports,
) -> Bench:
    spec = RigSpec(
        plan=task.plan,
        sources=sources,
        run_id=recorder.run.id,
        folder=folder,
        environ=ports.environ,
        state=ports.state,
        progress=ports.progress,
        counted=task.counting is not Counting.OFF,
        watched=watched_of(task.config, file=request.config_file),
    )
    return Bench(
        rig=ports.rig(spec),
        plan=task.plan,
        recorder=recorder,
        progress=ports.progress,
        alerts=task.policy.alerts,
    )


def _measured(task: Task, bench: Bench, sources: Mapping[Side, SideSource], ports: Ports, *, base_tree: Path) -> Run:
    """The work first, then, unless it is all that was asked for, the times."""
    recorder = bench.recorder
    measure.prepare(bench, *sources)
    if task.counting is not Counting.OFF:
        count(bench, task.config.census, *sources, only=task.counting is Counting.ONLY)
        accepted(recorder, base_tree=base_tree, root=ports.root, baselines=task.config.baselines)
    if task.counting is Counting.ONLY:
        return recorder.finish()
    return measure.paired(bench) if Side.BASE in sources else measure.single(bench)


def _base_config(task: Task, request: Request, base_tree: Path) -> Config:
    """The base brings its own target and seed; a base from before perfci is started as the candidate is."""
    file = base_tree / request.config_file
    if not file.exists():
        return task.config
    config = read(file)
    return config.within(request.environment) if request.environment in config.environments else config


def _new_run(task: Task, git: Git, run_id: str, created_at: str) -> Run:
    commits = {Side.CANDIDATE: git.head()}
    if task.choice.reference is Reference.REF:
        commits[Side.BASE] = git.head() if task.choice.base == WORKTREE else task.choice.base
    return Run(
        id=run_id,
        created_at=created_at,
        profile=task.plan.profile,
        scenario=task.plan.scenario,
        commits=commits,
        fingerprint=Fingerprint(
            machine=machine(),
            plan=task.plan.load,
            seed_digest="",
            target_kind=str(task.config.target.get("kind", "")),
            target={},
            versions=versions(),
        ),
        rounds=(),
        complete=False,
    )


def _subject(task: Task, finished: Run, baseline: Baseline | None) -> Subject:
    return subject_of(
        finished,
        reference=Reference.REF if baseline is None and task.choice.reference is Reference.REF else Reference.BASELINE,
        name=task.choice.name if baseline is None else described(baseline),
        base_commit=finished.commits.get(Side.BASE, ""),
    )
