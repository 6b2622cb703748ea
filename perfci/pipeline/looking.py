"""Decides what a run still has to measure, by its schedule and by the looks after earlier blocks."""

from collections.abc import Callable
from dataclasses import dataclass, field

from perfci.judge.census.judging import judge_work
from perfci.judge.sequential import FEWEST, Standing, look
from perfci.model import GatePolicy, RoundKind, Run, SeriesVerdict
from perfci.pipeline.plan import Plan


@dataclass(slots=True, kw_only=True)
class Looking:
    """Tracks which series are still undecided; without looks, all are until the last block."""

    plan: Plan
    policy: GatePolicy
    clock: Callable[[], float]  # seconds since the run began
    standing: Standing = field(default_factory=Standing)
    _more_work: bool = False  # a count of work is a regression
    _loads: int = 0  # blocks that had load
    _turns_s: float = 0.0  # in each block; 0: the first has not started yet
    _longest_s: float = 0.0  # of a block
    _began_s: float = 0.0  # the block that is measured

    def begin_block(self) -> None:
        """Note the time at which a block begins."""
        self._began_s = self.clock()

    def turns_s(self) -> float:
        """
        Seconds of turns in the block that has just started, by what the first block's start took.

        The same in each block, since blocks count alike.
        """
        if not self._turns_s:
            self._turns_s = round(self.plan.paired.turns_s(self.clock() - self._began_s), 1)
        return self._turns_s

    def look(self, run: Run, block: int) -> None:
        """Judge what has been measured so far."""
        if run.looks is not None:
            self.standing = look(self.standing, run, run.looks, self.policy, block=block)
        self._loads = len({measured.block for measured in run.rounds if measured.kind is RoundKind.LOAD})

    def count(self, run: Run) -> None:
        """Judge the census; later rounds do not change it."""
        if run.looks is not None:
            work = judge_work(run, None, self.policy)
            self._more_work = any(decision.counts and decision.verdict is SeriesVerdict.REGRESSION for decision in work)

    @property
    def red(self) -> bool:
        """Whether the run may stop because a regression can no longer become green."""
        return (self.standing.red or self._more_work) and not self.plan.keep_going

    @property
    def settled(self) -> frozenset[str]:
        """The endpoints that need few further turns, since their series are decided."""
        return self.standing.settled(RoundKind.DUET)

    def turns(self, block: int) -> bool:
        """Whether *block* needs turns: not once earlier blocks have decided every series that turns measure."""
        schedule = self.plan.paired
        if not schedule.duet:
            return False
        return block <= schedule.blocks.least or self.standing.is_open(RoundKind.DUET)

    def load(self, block: int) -> bool:
        """
        Whether *block* needs load rounds, after its turns were judged.

        Beside turns they only guard: they wait for the first look, and as long as the turns may soon be red, and end
        when what they guard is settled.
        """
        schedule = self.plan.paired
        if schedule.blocks.fixed or not schedule.duet:
            return schedule.loads(block)
        wanted = self._loads < schedule.load_blocks and self.standing.is_open(RoundKind.LOAD)
        return block >= schedule.blocks.least and wanted and not self._may_soon_be_red(block)

    def _may_soon_be_red(self, block: int) -> bool:
        """
        Whether turns look like a regression, and enough blocks are left for load.

        Not where the time of the run is bounded: it could end without any load.
        """
        schedule = self.plan.paired
        left = schedule.blocks.most - block
        return not schedule.time and left >= FEWEST and self.standing.suspects(RoundKind.DUET)

    def over(self, block: int) -> bool:
        """Whether *block* was the last one, by the schedule or by the looks."""
        blocks = self.plan.paired.blocks
        if block >= blocks.most or self.red:
            return True
        return block >= blocks.least and not (self.turns(block + 1) or self.load(block + 1))

    def late(self) -> bool:
        """Whether another block, as long as the longest so far, would exceed the run's time limit."""
        now, time_s = self.clock(), self.plan.paired.time
        self._longest_s = max(self._longest_s, now - self._began_s)
        return bool(time_s) and now + self._longest_s > time_s
