"""Checks that the stored runs are comparable."""

from collections.abc import Iterator

from perfci.judge import comparability
from perfci.judge.validity.case import Case
from perfci.model import Finding, Side
from perfci.sentences import reference as say


def other_data(case: Case) -> Iterator[Finding]:
    """
    Sides with different data, each constant over the blocks: a smaller table is faster, too.

    Where the data of one side varies by itself, its digest says nothing about the other's.
    """
    if case.baseline is not None:
        return
    base, candidate = (case.run.seed_digests.get(side, ()) for side in (Side.BASE, Side.CANDIDATE))
    if len(base) == len(candidate) == 1 and base != candidate:
        yield say.DataDiffers(base_digest=base[0], candidate_digest=candidate[0])


def unlike(case: Case) -> Iterator[Finding]:
    """Times of incomparable runs are not compared: a finding says so, and the verdict stays open."""
    if case.baseline is None:
        return
    if obstacle := comparability.obstacle(case.run, case.baseline):
        yield say.BaselineUnlike(obstacle=obstacle)


def unusual(case: Case) -> Iterator[Finding]:
    """Differences from the stored runs that do not prevent a comparison."""
    if case.baseline is None:
        return
    if others := comparability.other_attributes(case.run, case.baseline):
        yield say.BaselineDiffers(differences=others)


def imported(case: Case) -> Iterator[Finding]:
    """Runs of other tools, of which perfci cannot check what it checks of its own."""
    runs = [case.run, *(case.baseline.runs if case.baseline else ())]
    if tools := sorted({run.origin.tool for run in runs if run.origin.imported}):
        yield say.Imported(tools=tuple(tools))
