"""
Decides whether the numbers can be trusted, before they are judged.

A finding invalidates a run only where generator, recorder or machine caused it, or where both sides show it. What only
the candidate shows is its regression. What the verdict does not depend on, but a reader should know, is a warning.
One module for each cause; a new check is a function there and a line in `CHECKS`.
"""

from collections.abc import Callable, Iterator, Sequence

from perfci.judge.policy import DEFAULT
from perfci.judge.validity import drift, generator, limits, offered, pacing, reference, service
from perfci.judge.validity.case import Case, case_of
from perfci.model import Baseline, Finding, GatePolicy, Run, Side, Weight
from perfci.sentences import whole as say

CHECKS: Sequence[Callable[[Case], Iterator[Finding]]] = (
    service.deaths,
    service.everything_failed,
    generator.tasks,  # before the silence that they may cause, behind the failures that may cause them
    service.silence,
    service.failing_on_both,
    service.failing_endpoints,
    generator.saturation,
    generator.starvation,
    generator.records,
    generator.clocks,
    offered.users,
    offered.stalls,
    offered.held_up,
    offered.endpoints,
    offered.mixture,
    pacing.overslept,
    pacing.behind,
    pacing.in_step,
    drift.within_rounds,
    drift.across_blocks,
    reference.other_data,
    reference.unlike,
    reference.unusual,
    reference.imported,
    limits.unmatched,
    limits.too_few,
)
"""Every check, in the order in which findings of equal weight are reported."""


def findings(run: Run, baseline: Baseline | None, policy: GatePolicy = DEFAULT) -> tuple[Finding, ...]:
    """
    Everything to be known about the measurement, the most severe first.

    Without *baseline* the run's own base side is the reference; with one, even an empty one, the stored runs are.
    """
    case = case_of(run, baseline, policy)
    if not case.candidate and Side.CANDIDATE in run.census:
        return tuple(_incomplete(run))
    if not case.candidate:
        return (say.NoRounds(), *_incomplete(run))
    # Whatever else shows in rounds that were ended by the load itself follows from that.
    found = list(generator.ended(case)) or [finding for check in CHECKS for finding in check(case)]
    if not any(finding.weight is Weight.REGRESSION for finding in found):
        found += _incomplete(run)
    gravity = list(Weight)
    return tuple(sorted(found, key=lambda finding: gravity.index(finding.weight)))


def _incomplete(run: Run) -> list[Finding]:
    """Report missing rounds that are no fault of the candidate's, and incidents."""
    if run.complete:
        return [say.Incident(message=incident) for incident in run.incidents]
    return [say.Incomplete(incident=run.incidents[0] if run.incidents else "")]
