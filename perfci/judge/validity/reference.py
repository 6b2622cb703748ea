"""Whether the stored runs may be compared with at all."""

from collections.abc import Iterator

from perfci.judge import comparability
from perfci.judge.validity.case import Case
from perfci.model import Finding, Side
from perfci.sentences import reference as say


def other_data(case: Case) -> Iterator[Finding]:
    """
    Sides that hold different data, each the same in every block: a smaller table is faster, too.

    Where the data of one side varies by itself, its digest says nothing about the other's.
    """
    if case.baseline is not None:
        return
    base, candidate = (case.run.seed_digests.get(side, ()) for side in (Side.BASE, Side.CANDIDATE))
    if len(base) == len(candidate) == 1 and base != candidate:
        yield say.DataDiffers(base_digest=base[0], candidate_digest=candidate[0])


def unlike(case: Case) -> Iterator[Finding]:
    """Clocks of unlike runs are not compared: that is said, and the gate cannot tell."""
    if case.baseline is None:
        return
    if obstacle := comparability.obstacle(case.run, case.baseline):
        yield say.BaselineUnlike(obstacle=obstacle)


def unusual(case: Case) -> Iterator[Finding]:
    """What differs from the stored runs without keeping them from being compared."""
    if case.baseline is None:
        return
    if others := comparability.other_attributes(case.run, case.baseline):
        yield say.BaselineDiffers(differences=others)


def imported(case: Case) -> Iterator[Finding]:
    """Runs of other tools: what perfci knows of its own, and checks, it does not know of them."""
    runs = [case.run, *(case.baseline.runs if case.baseline else ())]
    if tools := sorted({run.origin.tool for run in runs if run.origin.imported}):
        yield say.Imported(tools=tuple(tools))
