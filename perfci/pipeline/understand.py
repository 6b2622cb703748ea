"""Turns a request into a task before anything is started; every mistake that can be seen is found here."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from perfci.config import Against, Config, FailOn, read
from perfci.errors import BaseUnavailableError, ConfigError
from perfci.model import Finding, GatePolicy, Reference, RoundKind, Side
from perfci.pipeline import base_policy, job, trees
from perfci.pipeline.base_policy import edited_files, edited_load
from perfci.pipeline.monitoring import monitor_settings
from perfci.pipeline.paths import inside
from perfci.pipeline.plan import Plan, SideSource, plan_of, source_of
from perfci.pipeline.policy import policy_of
from perfci.pipeline.ports import Ports
from perfci.pipeline.reference import NamedBase, commit_of, name_of, reference_of
from perfci.pipeline.request import Counting, Request
from perfci.pipeline.secrecy import environment_of, withheld_from
from perfci.pipeline.subject import SLOS
from perfci.pipeline.trees import Tree
from perfci.rig import monitor
from perfci.rig.census import addresses
from perfci.rig.host.environment import JobEnvironment
from perfci.rig.host.git import Git
from perfci.rig.host.trees import is_own
from perfci.rig.load import settings
from perfci.sentences import change as say

LOCK_FILES = (
    *("Cargo.lock", "Gemfile.lock", "Pipfile.lock", "bun.lock", "composer.lock", "go.sum", "mix.lock"),
    *("package-lock.json", "pnpm-lock.yaml", "poetry.lock", "requirements.txt", "uv.lock", "yarn.lock"),
)
"""Files that say which dependencies a service is built with."""


_MERGE_UNGATED = "the change that mends it cannot be compared either: merge it without the gate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A request with everything decided; nothing has been started yet."""

    config: Config  # that governs the run: the base's where there is one, with target and seed of the candidate
    plan: Plan
    reference: Reference
    reference_name: str  # of a ref
    trees: Mapping[Side, Tree]  # the base's also where only its policy and its stored runs are used
    sources: Mapping[Side, SideSource]  # of the sides that will be started
    load_side: Side  # whose Locust file drives both sides
    policy: GatePolicy
    notes: tuple[Finding, ...]
    fail_on: FailOn
    counting: Counting
    watched: monitor.Settings
    environ: JobEnvironment  # of the job, under the rules of the configuration
    base_locustfiles: tuple[str, ...] = ()  # where the change edits them, and its own drive both sides
    kinds: frozenset[RoundKind] = frozenset(RoundKind)  # of the rounds that are measured, where their schedule has them
    base_required: bool = False  # whether a run that cannot be compared with its base is no answer
    unavailable: BaseUnavailableError | None = None  # why there is no base, although one was named

    @property
    def base(self) -> Tree | None:
        """The files of the base, where one was named and could be had."""
        return self.trees.get(Side.BASE)


@dataclass(slots=True)
class _Base:
    """The base that was named: its files and configuration, or why it cannot be had."""

    tree: Tree | None = None
    config: Config | None = None  # None where there is no base, or no configuration on it
    unavailable: BaseUnavailableError | None = None
    notes: list[Finding] = field(default_factory=list)


def understand(request: Request, ports: Ports, stack: contextlib.ExitStack) -> Task:
    """
    Find everything that can be wrong about a request, before anything starts.

    Commits stay checked out until *stack* is closed. ConfigError and RefError mean that the user has to change
    something; a named base that cannot be had is a value of the task, since it is a verdict.
    """
    current = job.current(ports.environ)
    job.check_inside_workspace(ports.environ, ports.root, request.config_file)
    git = Git(root=ports.root, environ=ports.environ)
    candidate = _candidate(request, git, ports, stack)
    own = read(candidate.path / request.config_file).within(request.environment).at(request.host)
    named = job.named_base(current, git, given=request.base, load_changed=request.overrides.load)
    required = named.required or (request.against or own.against) is Against.REF
    base = _base(named, request, git, ports, stack, required=required)
    config, notes = _governing(own, base.config, request)
    if base.tree is None and base.unavailable is None:
        named = NamedBase()
    own_source = _source(own, candidate, request, Side.CANDIDATE)
    against = against_of(request, config)
    reference = reference_of(against, named, external=own_source.external)
    sources = _base_source(base, own, request, required=required) if reference is Reference.REF else {}
    sources[Side.CANDIDATE] = own_source
    _check_apart(sources)
    files = {Side.CANDIDATE: candidate} | ({Side.BASE: base.tree} if base.tree is not None else {})
    load_side = base_policy.load_side(config, files)
    plan = plan_of(config, request.profile, request.overrides, root=files[load_side].path)
    inside(ports.root, config.baselines, what="baselines folder")
    edited = edited_load(plan, config, base.config, files)
    environ = environment_of(config, ports.environ)
    notes = (*base.notes, *notes, *_ignored(plan, files[load_side].path, sources, config, environ))
    return Task(
        config=config,
        plan=plan,
        reference=reference,
        reference_name=SLOS if reference is Reference.LIMITS else base.tree.name if base.tree is not None else "",
        trees=files,
        sources=sources,
        load_side=load_side,
        policy=policy_of(config.gate, plan.profile, plan.scenario, alerts=config.monitor.alert),
        notes=(*notes, *edited_files(plan, config, files, base_locustfiles=edited)),
        base_locustfiles=edited if load_side is Side.CANDIDATE else (),
        fail_on=request.fail_on or config.fail_on or (FailOn.NO_BASELINE if named.required else FailOn.REGRESSION),
        counting=Counting.OFF if reference is Reference.LIMITS else _counting(config, request, ports),
        environ=environ,
        watched=monitor_settings(config, file=request.config_file),
        base_required=required,
        unavailable=base.unavailable,
    )


def against_of(request: Request, config: Config) -> Against:
    """
    What the run is compared with: as the request says, else the scenario, else the whole configuration.

    ConfigError where nothing but counts is asked for, and limits are for load.
    """
    if request.census is Counting.ONLY:
        if request.against is Against.LIMITS:
            raise ConfigError("--census only measures no load, and limits are held against load", hint="leave one out")
        *_, scenario = config.find(request.profile)
        configured = scenario.against or config.against
        return request.against or (Against.AUTO if configured is Against.LIMITS else configured)
    *_, scenario = config.find(request.profile)
    return request.against or scenario.against or config.against


def _governing(own: Config, base: Config | None, request: Request) -> tuple[Config, tuple[Finding, ...]]:
    """Return the configuration that decides, and what the reader must know of it."""
    notes = tuple(say.FormerKey(message=warning) for warning in own.warnings)
    if base is None:
        return own, notes
    config, changes = base_policy.governed(own, base, request.profile)
    return config, (*notes, *changes)


def _candidate(request: Request, git: Git, ports: Ports, stack: contextlib.ExitStack) -> Tree:
    name = request.candidate
    if name in {"", trees.WORKTREE}:
        return trees.working_tree(git, ports)
    if trees.is_folder(name):
        return trees.folder(name, ports, config_file=request.config_file)
    commit = git.resolve(name)
    return trees.checked_out(commit, git, ports, stack, name=trees.short(commit, name))


def _base(
    named: NamedBase, request: Request, git: Git, ports: Ports, stack: contextlib.ExitStack, *, required: bool
) -> _Base:
    """The base's files and configuration; where it is not *required*, its absence is a warning."""
    base = _Base()
    if not named:
        return base
    try:
        base.tree = _base_tree(named, request, git, ports, stack)
        base.config = _base_config(base.tree.path, request.config_file)
        if base.config is None:
            base.notes.append(say.PolicyNew(file=request.config_file))
    except BaseUnavailableError as error:
        if required:
            base.unavailable = error
        else:
            base.tree = None
            base.notes.append(say.NoBase(why=str(error), hint=error.hint))
    if base.config is not None and request.environment in base.config.environments:
        base.config = base.config.within(request.environment)
    return base


def _base_config(tree: Path, name: str) -> Config | None:
    """The base's configuration; None where it has no such file. An invalid one makes the base unavailable."""
    try:
        file = _checked_out(tree, name)
        return read(file) if file.is_symlink() or file.exists() else None
    except ConfigError as error:
        raise _unusable(error) from None


def _checked_out(tree: Path, name: str) -> Path:
    file = tree / name
    if is_own(file) != is_own(tree):
        raise ConfigError(f"{name} is a link to {file.resolve()}, outside the checkout")
    return file


def _base_tree(named: NamedBase, request: Request, git: Git, ports: Ports, stack: contextlib.ExitStack) -> Tree:
    if named.ref == trees.WORKTREE:
        return trees.working_tree(git, ports)
    if named.by_user and trees.is_folder(named.ref):
        return trees.folder(named.ref, ports, config_file=request.config_file)
    commit = commit_of(named, git)
    return trees.checked_out(commit, git, ports, stack, name=name_of(commit, named))


def _base_source(base: _Base, own: Config, request: Request, *, required: bool) -> dict[Side, SideSource]:
    """What the base is started from; a base from before perfci is started as the change is (*own*)."""
    if base.tree is None:
        return {}
    try:
        return {Side.BASE: _source(base.config or own, base.tree, request, Side.BASE)}
    except ConfigError as error:
        if required:
            base.unavailable = _unusable(error)
        else:
            unusable = _unusable(error)
            base.notes.append(say.NoBase(why=str(unusable), hint=unusable.hint))
        return {}


def _source(config: Config, tree: Tree, request: Request, side: Side) -> SideSource:
    file = request.config_file + (" of the base" if side is Side.BASE else "")
    env = request.base_env if side is Side.BASE else request.candidate_env
    return source_of(config, tree=tree.path, file=file, env=env)


def _counting(config: Config, request: Request, ports: Ports) -> Counting:
    """Whether work is counted; ConfigError where an address of a database cannot be read."""
    counting = request.census or Counting(config.census.enabled)
    if counting is not Counting.OFF:
        addresses.check(config.census.databases, ports.environ, where=f"{request.config_file}: [census.databases]")
    return counting


def _ignored(
    plan: Plan, load: Path, sources: Mapping[Side, SideSource], config: Config, environ: JobEnvironment
) -> list[Finding]:
    """Notices about what perfci finds and ignores: variables of the job, a side's dependencies, Locust's settings."""
    withheld = withheld_from(plan, load, sources, config, environ)
    return [*withheld, *_dependencies(sources), *_unread(load / plan.runtime.directory)]


def _unread(folder: Path) -> list[Finding]:
    """A warning where the project has settings of Locust that perfci ignores and `locust` by hand would read."""
    files = tuple(settings.unread(folder).items())
    return [say.SettingsUnread(files=files)] if files else []


def _dependencies(sources: Mapping[Side, SideSource]) -> list[Finding]:
    """A notice where the sides lock other dependencies, and nothing installs them for each."""
    base, candidate = sources.get(Side.BASE), sources[Side.CANDIDATE]
    if base is None or candidate.target.kind != "command" or candidate.target.build:
        return []
    changed = [name for name in LOCK_FILES if _content(base.tree / name) != _content(candidate.tree / name)]
    return [say.DependenciesShared(files=tuple(changed))] if changed else []


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _check_apart(sources: Mapping[Side, SideSource]) -> None:
    """ConfigError where both sides would listen at one address: they are up at the same time."""
    addresses = {source.target.fixed_address for source in sources.values() if source.target.kind == "command"}
    if len(sources) > 1 and len(addresses) == 1 and (address := addresses.pop()):
        raise ConfigError(
            f"both sides would listen at {address}, and they are up at the same time",
            hint="let perfci choose the port: put {port} into command or env of [target], and leave url out",
        )


def _unusable(error: ConfigError) -> BaseUnavailableError:
    hint = "; ".join(filter(None, (error.hint, _MERGE_UNGATED)))
    return BaseUnavailableError(f"the base cannot be used: {error}", absent=False, hint=hint)
