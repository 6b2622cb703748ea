"""The results of one rule in many trials of one kind: shares with their intervals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Many trials of one kind, judged by one rule."""

    corpus: str  # where the trials come from: a corpus, or the machines of a simulation
    mode: str  # "paired", "baseline" or "duet"
    rule: str  # "perfci", or a rival
    effect: str  # "none", "+5 % all", "+5 % one"
    replicates: int  # pairs, blocks, or stored runs
    rounds: int = 1  # of each replicate: load rounds of a run
    seconds: float  # measured, of one side in one round
    counts: Mapping[str, int]  # verdict -> trials
    block_errors: Mapping[str, float] = field(default_factory=dict)  # verdict -> standard error that few blocks leave
    blocks: Mapping[int, int] = field(default_factory=dict)  # looked at -> trials, where a rule may stop early
    first_look: int = 0  # after so many; 0: one look at all of them
    note: str = ""

    @property
    def trials(self) -> int:
        """Number of trials."""
        return sum(self.counts.values())

    @property
    def mean_blocks(self) -> float:
        """Mean number of blocks until the verdict."""
        if not self.blocks:
            return float(self.replicates)
        return sum(number * trials for number, trials in self.blocks.items()) / sum(self.blocks.values())

    def most_blocks(self, share: float) -> int:
        """Number of blocks within which this *share* of the verdicts was reached."""
        reached = 0
        for number in sorted(self.blocks):
            reached += self.blocks[number]
            if reached >= share * sum(self.blocks.values()):
                return number
        return self.replicates

    @property
    def load_s(self) -> float:
        """Seconds of measured load per verdict; against a baseline only the candidate's run."""
        return self.seconds * (self.rounds if self.mode == "baseline" else 2 * self.mean_blocks)

    def share(self, verdict: str) -> float:
        """Share of the trials that ended with *verdict*."""
        return self.counts.get(verdict, 0) / self.trials

    def interval(self, verdict: str) -> tuple[float, float]:
        """Clopper-Pearson interval of the share, for the number of trials alone."""
        result = stats.binomtest(self.counts.get(verdict, 0), self.trials)
        low, high = result.proportion_ci(CONFIDENCE, method="exact")
        return float(low), float(high)

    def block_interval(self, verdict: str) -> tuple[float, float] | None:
        """Interval of the share for the number of blocks that were resampled; None where it is unknown."""
        error = self.block_errors.get(verdict)
        if error is None:
            return None
        half = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * error
        return max(0.0, self.share(verdict) - half), min(1.0, self.share(verdict) + half)

    def document(self) -> dict[str, Any]:
        """The cell as JSON."""
        sequential = {
            "first_look": self.first_look,
            "mean_blocks": self.mean_blocks,
            "blocks_95": self.most_blocks(0.95),
        }
        return {
            **(sequential if self.first_look else {}),
            "corpus": self.corpus,
            "mode": self.mode,
            "rule": self.rule,
            "effect": self.effect,
            "replicates": self.replicates,
            "rounds": self.rounds,
            "seconds": self.seconds,
            "load_s": self.load_s,
            "trials": self.trials,
            "note": self.note,
            "verdicts": {
                verdict: {
                    "share": self.share(verdict),
                    "interval": self.interval(verdict),
                    "block_interval": self.block_interval(verdict),
                }
                for verdict in sorted(self.counts)
            },
        }
