"""`perfci run --confirm RUN`: measures again what was red in a run, and nothing else."""

from dataclasses import replace
from pathlib import Path

from perfci import store
from perfci.config import BlocksTable, PairedSchedule
from perfci.errors import ConfigError
from perfci.judge import judge
from perfci.judge.confirmation import for_red_alone, red_series
from perfci.model import Baseline, Outcome, RoundKind, Run, Side
from perfci.pipeline.compare import located
from perfci.pipeline.request import Counting
from perfci.pipeline.stored_names import aligned
from perfci.pipeline.subject import subject_of
from perfci.pipeline.understand import Task
from perfci.sentences import confirmation as say


def first_run(path: Path, task: Task, *, root: Path) -> Run:
    """The run at *path* (folder, file or id), which is to be repeated; ConfigError where it is of another scenario."""
    run = store.load(located(path, root))
    if run.name != task.plan.name:
        raise ConfigError(
            f"run {run.id} measured {run.name}, and {task.plan.name} is to be measured again",
            hint="name a run of the same profile and scenario",
        )
    return run


def narrowed(task: Task, first: Run, baseline: Baseline | None) -> Task:
    """
    *task* as far as it is needed to see whether what was red in the run *first* is red again.

    Other kinds of rounds are left out, no other series counts, and the run goes on until all of these are settled.
    Where no series was red, all of it is measured.
    """
    outcome = _outcome(first, task, baseline)
    red = red_series(outcome)
    if not red:
        return replace(task, notes=(*task.notes, say.NothingToConfirm(run=first.id)))
    kinds = frozenset(kind for kind, _, _ in red)
    schedule = task.plan.paired if kinds <= {RoundKind.CENSUS} else _schedule(task.plan.paired, kinds)
    labels = tuple(f"{endpoint} {metric}" for _, endpoint, metric in red)
    return replace(
        task,
        plan=replace(task.plan, keep_going=True, paired=schedule),
        policy=for_red_alone(task.policy, outcome),
        kinds=kinds,
        counting=Counting.ONLY if kinds == {RoundKind.CENSUS} else task.counting,
        notes=(*task.notes, say.OnlyRed(run=first.id, series=labels)),
    )


def _outcome(first: Run, task: Task, baseline: Baseline | None) -> Outcome:
    """The verdict on *first* by the policy of today's base."""
    both = Side.BASE in {*first.census, *(measured.side for measured in first.rounds)}
    first, stored, _ = aligned(first, None if both else baseline, task.plan.load.endpoints)
    subject = subject_of(
        first, reference=task.reference, name=task.reference_name, base_commit=first.commits.get(Side.BASE, "")
    )
    return judge(first, baseline=stored, policy=task.policy, subject=subject)


def _schedule(schedule: PairedSchedule, kinds: frozenset[RoundKind]) -> PairedSchedule:
    """The *schedule* with rounds of these kinds alone; as many blocks have load as before."""
    if RoundKind.LOAD not in kinds:
        return schedule.model_copy(update={"load_blocks": 0})
    if RoundKind.DUET in kinds or not schedule.duet:
        return schedule
    most = max(2, min(schedule.load_blocks, schedule.blocks.most))
    blocks = BlocksTable(least=min(schedule.blocks.least, most), most=most)
    return schedule.model_copy(update={"duet": 0.0, "blocks": blocks})
