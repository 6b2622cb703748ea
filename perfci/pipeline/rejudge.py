"""
Judges again, in a job without the change's code, what a job with that code has measured.

The artifact is a claim. What decides comes from the event and the API: which change it is, the base's policy and stored
runs, and the accepted work of both commits.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath

from perfci import store
from perfci.config import Against, Config, FailOn, Load, OnMissingBase, from_bytes
from perfci.errors import ArtifactError, BaseUnavailableError, ConfigError, NoResultError, PerfciError, ResultError
from perfci.judge import judge
from perfci.judge.comparability import comparable
from perfci.judge.confirmation import for_red_alone, with_second_run
from perfci.model import Baseline, Finding, GatePolicy, Outcome, Reference, Run, Side, Verdict
from perfci.pipeline import base_policy, documents
from perfci.pipeline.acceptance import accept
from perfci.pipeline.committed import with_committed
from perfci.pipeline.origin import Origin, check_artifact, check_run
from perfci.pipeline.policy import policy_of
from perfci.pipeline.reference import NamedBase, name_of, reference_of
from perfci.pipeline.remote import RemoteTree, baselines_differ, load_differs, locustfiles_of
from perfci.pipeline.subject import SLOS, described, subject_of
from perfci.publish.download import download
from perfci.publish.repository import Artifact, Repository
from perfci.report.view import View
from perfci.sentences import change as say
from perfci.store import RunFolder
from perfci.store.archive import run_in

AGAIN = "again-"
"""Before the name of the artifact that was red: what the artifacts of the runs that repeat it are called."""

MAX_REASON = 1000
"""Characters of what is wrong with a run: names in it may be of any length."""


class Repeat(StrEnum):
    """Whether another job was to measure again what was red."""

    NONE = "none"
    POSSIBLE = "possible"  # its run counts where it left one
    DUE = "due"  # where it left none, that is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a trusted workflow says of the artifact: its name, or a pattern with "*", and what must be in it."""

    artifact: str
    profile: str  # "PROFILE" or "PROFILE:SCENARIO"
    config: str = "perfci.toml"  # within the repository
    environment: str = ""
    digest: str = ""  # SHA-256 of the archive, as the uploading step says
    against: Against | None = None
    fail_on: FailOn | None = None
    repeated: Repeat = Repeat.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejudged:
    """What was judged, and the artifact that it rests on, None where the run has left none."""

    view: View
    fail_on: FailOn
    artifact: Artifact | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """The base's configuration and policy, with the trees of both commits."""

    config: Config
    policy: GatePolicy
    profile: str
    scenario: str
    against: Against
    notes: tuple[Finding, ...]
    trees: Mapping[Side, RemoteTree]
    external: bool

    @property
    def accepted(self) -> str:
        """The name of the folder of accepted runs in the scratch copy and in messages."""
        return Path(self.config.baselines).name or "baselines"


def rejudge(claim: Claim, origin: Origin, repository: Repository, folder: Path) -> Rejudged:
    """
    Judge the run in the artifact of *claim* by the base of *origin*, and leave `run.json` in *folder*.

    ArtifactError where the artifact is not what a measuring job of this change uploads: nothing must be published then.
    """
    rules = _rules(claim, origin, repository)
    fail_on = claim.fail_on or rules.config.fail_on or (FailOn.NO_BASELINE if origin.base else FailOn.REGRESSION)
    artifact = _artifact(claim.artifact, origin, repository)
    if artifact is None:
        return Rejudged(view=View(outcome=_nothing(rules)), fail_on=fail_on, artifact=None)
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "artifact.zip"
        download(repository, artifact, archive, digest=claim.digest)
        run = _run_in(archive, artifact, rules, origin, repository)
        view = _judged(run, rules, origin, Path(scratch))
        if claim.repeated is not Repeat.NONE:
            due = claim.repeated is Repeat.DUE
            view = replace(view, outcome=_repeated(view.outcome, artifact, rules, origin, repository, due=due))
        outcome = accept(view.outcome, origin, repository).noting(*rules.notes)
        store.write_atomically(RunFolder(folder).run, RunFolder(Path(scratch)).run.read_text())
    view = replace(view, outcome=outcome)
    return Rejudged(view=view, fail_on=fail_on, artifact=artifact)


def _run_in(archive: Path, artifact: Artifact, rules: _Rules, origin: Origin, repository: Repository) -> Run:
    """The run in the *archive*, which is written beside it as `run.json`; ArtifactError where it is another one."""
    file = RunFolder(archive.parent).run
    file.write_bytes(run_in(archive))
    try:
        run = store.load(file)
    except ResultError as error:
        why = str(error).replace(str(file), file.name)[:MAX_REASON]
        raise ArtifactError(
            f"the artifact {artifact.name} holds no run: {why}",
            hint="nothing was published; run the measuring job again, with the perfci that judges",
        ) from None
    check_run(run, origin, repository, profile=rules.profile, scenario=rules.scenario)
    return run


def _repeated(
    outcome: Outcome, first: Artifact, rules: _Rules, origin: Origin, repository: Repository, *, due: bool
) -> Outcome:
    """*outcome* after the second run, which is judged for what is red alone, by the same base."""
    if outcome.verdict is not Verdict.REGRESSION:
        return outcome
    artifact = _artifact(f"{AGAIN}{first.name}-*", origin, repository)
    if artifact is None:
        return with_second_run(outcome, None) if due else outcome
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "artifact.zip"
        download(repository, artifact, archive, digest="")
        run = _run_in(archive, artifact, rules, origin, repository)
        narrow = replace(rules, policy=for_red_alone(rules.policy, outcome))
        again = _judged(run, narrow, origin, Path(scratch)).outcome
    return with_second_run(outcome, again, machine=again.subject.machine)


def _rules(claim: Claim, origin: Origin, repository: Repository) -> _Rules:
    file = PurePosixPath(claim.config)
    commits = {Side.BASE: origin.base or origin.change, Side.CANDIDATE: origin.change}
    trees = {side: RemoteTree(repository=repository, commit=c, root=file.parent) for side, c in commits.items()}
    base, own = (_config(trees[side], file.name) for side in (Side.BASE, Side.CANDIDATE))
    if base is None and own is None:
        raise ConfigError(f"neither the base nor the change has a {claim.config}", hint="check the input config")
    notes: tuple[Finding, ...] = ()
    if base is None:
        assert own is not None
        config, notes = own, (say.NoPolicyOnBase(file=claim.config),)
    else:
        config, notes = base_policy.governed(own or base, base, claim.profile)
    profile, scenario, _, driven = config.find(claim.profile)
    if base is not None and own is not None:
        notes += tuple(_edited(config, (base, own), trees, profile, scenario))
    target = (own or config).within(claim.environment or None).target
    return _Rules(
        config=config,
        policy=policy_of(config.gate, profile, scenario, alerts=config.monitor.alert),
        profile=profile,
        scenario=scenario,
        against=claim.against or driven.against or config.against,
        notes=notes,
        trees=trees,
        external=target.get("kind") == "external",
    )


def _config(tree: RemoteTree, name: str) -> Config | None:
    content = tree.read(name)
    return None if content is None else from_bytes(content, where=name)


def _edited(
    config: Config, both: tuple[Config, Config], trees: Mapping[Side, RemoteTree], profile: str, scenario: str
) -> Iterator[Finding]:
    """Notices about the files that the change edits."""
    base, change = trees[Side.BASE], trees[Side.CANDIDATE]
    files = [locustfiles_of(each, profile, config) for each in both]
    if load_differs(base, change, files):
        driver = Side.BASE if config.load is Load.BASE else Side.CANDIDATE
        yield say.LoadChanged(locustfile=", ".join(files[1]), driver=driver)
    folder = store.baseline_folder(Path(config.baselines), profile, scenario)
    if baselines_differ(base, change, str(folder)):
        yield say.BaselinesChanged(folder=str(folder))


def _artifact(pattern: str, origin: Origin, repository: Repository) -> Artifact | None:
    """The newest attempt's artifact whose name matches *pattern*; ArtifactError where those of several gates match."""
    expression = re.compile(".*".join(map(re.escape, pattern.split("*"))))
    found = [each for each in repository.artifacts(origin.run) if expression.fullmatch(each.name)]
    if len(gates := sorted({re.sub(r"-\d+$", "", each.name) for each in found})) > 1:
        raise ArtifactError(
            f"run {origin.run} has artifacts of several gates that fit {pattern!r}: {', '.join(gates[:5])}",
            hint="name the one that is meant: the option --from, the input artifact",
        )
    newest = max(found, key=lambda each: each.id, default=None)
    if newest is not None:
        check_artifact(newest, origin)
    return newest


def _judged(run: Run, rules: _Rules, origin: Origin, scratch: Path) -> View:
    named = NamedBase(ref=origin.base, role=origin.base_role, required=True) if origin.base else NamedBase()
    paired = Side.BASE in ({measured.side for measured in run.rounds} or run.census)
    reference = Reference.REF if paired else Reference.BASELINE
    if named or rules.against is Against.LIMITS:
        reference = reference_of(rules.against, named, external=rules.external)
    run = _with_accepted(run, rules, scratch, runs=reference is Reference.BASELINE or not paired)
    baseline: Baseline | None = None
    unpaired = reference is Reference.REF and not paired
    if reference is Reference.BASELINE or (unpaired and rules.config.on_missing_base is OnMissingBase.BASELINE):
        root = store.baseline_folder(scratch / Side.BASE.value / rules.accepted, rules.profile, rules.scenario)
        baseline = store.load_baseline(root, like=run)
    base_commit = run.commits.get(Side.BASE, "")
    shown = Reference.BASELINE if baseline is not None else reference
    subject = subject_of(run, reference=shown, name=_name(shown, run, origin, named, baseline), base_commit=base_commit)
    if problem := _problem(run, reference, paired=paired, baseline=baseline):
        outcome = documents.not_measured(problem, subject, alpha=rules.policy.alpha)
    else:
        outcome = judge(run, baseline=baseline, policy=rules.policy, subject=subject)
    return View(outcome=outcome, run=run, stored=comparable(run, baseline) if baseline else ())


def _name(shown: Reference, run: Run, origin: Origin, named: NamedBase, baseline: Baseline | None) -> str:
    """What the run is compared with, for the reader."""
    if shown is Reference.LIMITS:
        return SLOS
    if baseline is not None:
        return described(baseline)
    return name_of(run.commits.get(Side.BASE, "") or origin.base, named)


def _problem(run: Run, reference: Reference, *, paired: bool, baseline: Baseline | None) -> PerfciError | None:
    """The reason why there is nothing to judge, or nothing to compare with although a base was named."""
    last = f": {run.incidents[-1]}" if run.incidents else ""
    hint = "the log of the measuring job says why"
    if not run.rounds and not run.census:
        return NoResultError(f"nothing was measured{last}", hint=hint)
    if reference is Reference.REF and not paired and not (baseline and baseline.runs):
        return BaseUnavailableError(f"the base was not measured{last}", absent=False, hint=hint)
    return None


def _with_accepted(run: Run, rules: _Rules, scratch: Path, *, runs: bool) -> Run:
    """*run* with the accepted work as both commits have it, whatever its file says; the stored runs are copied, too."""
    folder = store.baseline_folder(Path(rules.config.baselines), rules.profile, rules.scenario)
    for side, tree in rules.trees.items():
        to = store.baseline_folder(scratch / side.value / rules.accepted, rules.profile, rules.scenario)
        tree.copy_accepted(str(folder), to, runs=runs and side is Side.BASE)
    roots = {side: scratch / side.value for side in rules.trees}
    same = rules.trees[Side.BASE].commit == rules.trees[Side.CANDIDATE].commit
    return with_committed(
        replace(run, committed={}),
        base_root=None if same else roots[Side.BASE],
        head_root=roots[Side.CANDIDATE],
        baselines=rules.accepted,
    )


def _nothing(rules: _Rules) -> Outcome:
    error = NoResultError(
        "the measuring job left no run: it failed, or was cancelled, before anything was measured",
        hint="the log of the measuring job says why",
    )
    outcome = documents.not_measured(
        error, documents.no_subject(rules.profile, rules.scenario), alpha=rules.policy.alpha
    )
    return outcome.noting(*rules.notes)
