"""
Judges a run while it is measured: the result of each look, and what it decides.

Each look compares all blocks up to it, by p-values and intervals that hold however many looks there are
(`stats/looks.py`). The p-value of a series is the smallest of its looks, since what was shown once stays shown. Such
p-values are corrected for the family at each look as those of one look are (W. Maurer and F. Bretz, "Multiple testing
in group sequential trials using graphical approaches", Stat. Biopharm. Res. 5, 2013).

Series of load join the family when two blocks have load. Until then those of the turns share alpha among themselves,
of which they may have spent a few percent by then (0.04 of it at four of twelve blocks; more only where load waited,
because turns looked like a regression).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from perfci.judge.compare.series import paired
from perfci.judge.gate import SETTLED, matters, series_decisions
from perfci.judge.stats.looks import Fractions, spent
from perfci.model import (
    ALL_ENDPOINTS,
    Comparison,
    Decision,
    GatePolicy,
    Look,
    LookPlan,
    Role,
    RoundKind,
    Run,
    Scale,
    SeriesVerdict,
)
from perfci.sentences import notes
from perfci.sentences.qualified import DecidedEarlier

FEWEST = 2
"""Smallest number of blocks for a look, since one block has no scatter."""

SUSPECT = 0.2
"""
p-value of all looks below which a change beyond the budget looks like a regression: at two of four load rounds that of
a single test at 0.025, at three of twelve blocks at 0.003. From it on, a guarding series needs no further rounds.
"""

_FINAL = (SeriesVerdict.REGRESSION, SeriesVerdict.IMPROVEMENT, SeriesVerdict.EQUIVALENT)
"""Verdicts that a later look does not revoke, whatever the series."""

Key = tuple[RoundKind, str, str]
"""A series: the kind of its rounds, its endpoint and its metric."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The result of all looks so far."""

    fractions: Mapping[RoundKind, Fractions] = field(default_factory=dict)  # of the planned blocks, at each look
    decisions: tuple[Decision, ...] = ()

    @property
    def red(self) -> bool:
        """Whether a series is a regression, so that the whole can no longer become green."""
        return any(decision.counts and decision.verdict is SeriesVerdict.REGRESSION for decision in self.decisions)

    def is_open(self, kind: RoundKind) -> bool:
        """
        Whether more rounds of this *kind* could change the verdict; also while none of its series has been compared.
        """
        compared = [
            decision
            for decision in self.decisions
            if decision.counts
            and decision.comparison.kind is kind
            and decision.verdict is not SeriesVerdict.NOT_COMPARED
        ]
        return not compared or any(map(_is_open, compared))

    def suspects(self, kind: RoundKind) -> bool:
        """Whether a series of this *kind* that is still open looks like a regression."""
        return any(
            decision.counts and decision.comparison.kind is kind and _is_open(decision) and _is_suspect(decision)
            for decision in self.decisions
        )

    def settled(self, kind: RoundKind) -> frozenset[str]:
        """
        The endpoints whose verdicts more rounds of this *kind* could not change.

        None as long as all endpoints together could still change: each of them tells something of that.
        """
        counting = [decision for decision in self.decisions if decision.counts and decision.comparison.kind is kind]
        open_ = {
            decision.comparison.series.endpoint
            for decision in counting
            if decision.verdict is SeriesVerdict.NOT_COMPARED or _is_open(decision)
        }
        if ALL_ENDPOINTS in open_:
            return frozenset()
        return frozenset(decision.comparison.series.endpoint for decision in counting) - open_ - {ALL_ENDPOINTS}


def follow(run: Run, plan: LookPlan, policy: GatePolicy) -> Standing:
    """All the looks at a complete run, in order."""
    standing = Standing()
    for block, seen in _prefixes(run, plan):
        standing = look(standing, seen, plan, policy, block=block)
    return standing


def look(standing: Standing, run: Run, plan: LookPlan, policy: GatePolicy, *, block: int) -> Standing:
    """
    One further look, at the rounds up to this *block*.

    Nothing changes before the first planned look, nor where no round is new.
    """
    fractions = {kind: _fractions(standing, run, plan, kind) for kind in plan.most}
    if block < plan.first or fractions == standing.fractions:
        return standing
    before = {_key(decision.comparison): decision for decision in standing.decisions}
    compared = [_compared(comparison, before.get(_key(comparison))) for comparison in paired(run, policy, fractions)]
    decided = series_decisions(compared, policy, extendable=True)
    return Standing(
        fractions, tuple(_decided(decision, before.get(_key(decision.comparison)), block) for decision in decided)
    )


def _is_open(decision: Decision) -> bool:
    if decision.verdict is SeriesVerdict.REGRESSION or decision.verdict in SETTLED:
        return False
    return decision.comparison.budget.role is Role.REQUIRED or _is_suspect(decision)


def _is_suspect(decision: Decision) -> bool:
    """Whether the change is as large as that of a regression, and chance an unlikely reason."""
    comparison = decision.comparison
    if comparison.p_worse is None or comparison.change is None:
        return False
    return comparison.p_worse < SUSPECT and matters(comparison, comparison.change)


def _prefixes(run: Run, plan: LookPlan) -> Iterator[tuple[int, Run]]:
    """The run as it was at each look: after the turns of a block, and after its load."""
    for block, loaded in sorted({(round_.block, round_.kind is RoundKind.LOAD) for round_ in run.rounds}):
        if block >= plan.first:
            seen = tuple(
                round_ for round_ in run.rounds if (round_.block, round_.kind is RoundKind.LOAD) <= (block, loaded)
            )
            yield block, replace(run, rounds=seen)


def _fractions(standing: Standing, run: Run, plan: LookPlan, kind: RoundKind) -> Fractions:
    before = standing.fractions.get(kind, ())
    blocks = len({round_.block for round_ in run.rounds if round_.kind is kind})
    now = min(1.0, blocks / plan.most[kind])
    enough = blocks >= min(FEWEST, plan.most[kind])
    return (*before, now) if enough and (not before or now > before[-1]) else before


def _key(comparison: Comparison) -> Key:
    return comparison.kind, comparison.series.endpoint, comparison.series.metric.name


def _compared(comparison: Comparison, before: Decision | None) -> Comparison:
    """The comparison with the smallest p-values of all looks; without numbers where its rounds had no look yet."""
    if not comparison.looks:
        return replace(
            comparison,
            note=comparison.note or notes.first_block(FEWEST),
            change=None,
            p_worse=None,
            p_better=None,
            standard_error=None,
            smallest_detectable=None,
            critical_change=None,
        )
    if before is None:
        return comparison
    worse, better = before.comparison.p_worse, before.comparison.p_better
    return replace(comparison, p_worse=_least(worse, comparison.p_worse), p_better=_least(better, comparison.p_better))


def _least(before: float | None, now: float | None) -> float | None:
    return now if before is None or now is None else min(before, now)


def _decided(decision: Decision, before: Decision | None, block: int) -> Decision:
    """
    The decision with all its looks; an earlier decision stays, with its reason.

    Only a regression may still take the place of another verdict: its error is paid for at every look. What is known to
    be no worse may also turn out to be unchanged, or better.
    """
    looks = _looks(decision, () if before is None else before.looks, block)
    if before is None or not _is_final(before) or decision.verdict in {before.verdict, SeriesVerdict.REGRESSION}:
        return replace(decision, looks=looks)
    if before.verdict not in _FINAL and decision.verdict in _FINAL:
        return replace(decision, looks=looks)
    made = next((look.block for look in looks if look.verdict is before.verdict), block)
    because = before.because
    if not isinstance(because, DecidedEarlier):
        because = DecidedEarlier(of=because, block=made)
    return replace(decision, verdict=before.verdict, because=because, further_blocks=None, looks=looks)


def _is_final(decision: Decision) -> bool:
    """
    Whether a later look does not revoke the verdict.

    A required ratio is *below budget* only where the interval of that look showed it to be no worse than its margin,
    and the intervals of all looks hold together.
    """
    shown = decision.comparison.budget.role is Role.REQUIRED and decision.comparison.series.metric.scale is Scale.RATIO
    return decision.verdict in _FINAL or (shown and decision.verdict is SeriesVerdict.BELOW_BUDGET)


def _looks(decision: Decision, before: tuple[Look, ...], block: int) -> tuple[Look, ...]:
    """All looks, including this one if it has new data of the series."""
    comparison = decision.comparison
    if comparison.change is None or len(comparison.looks) <= len(before):
        return before
    fraction = comparison.looks[-1]
    this = Look(
        block=block,
        fraction=fraction,
        spent=spent(fraction),
        change=comparison.change,
        p_adjusted=decision.p_adjusted,
        verdict=decision.verdict,
    )
    return (*before, this)
