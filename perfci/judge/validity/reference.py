"""Whether the stored runs may be compared with at all."""

from collections.abc import Iterator

from perfci.judge import comparability
from perfci.judge.validity.case import Case, warning
from perfci.model import Finding, Side, Weight


def other_data(case: Case) -> Iterator[Finding]:
    """
    Sides that hold different data, each the same in every block: a smaller table is faster, too.

    Where the data of one side varies by itself, its digest says nothing about the other's.
    """
    if case.baseline is not None:
        return
    base, candidate = (case.run.seed_digests.get(side, ()) for side in (Side.BASE, Side.CANDIDATE))
    if len(base) == len(candidate) == 1 and base != candidate:
        message = f"The sides hold different data ({base[0][:12]} and {candidate[0][:12]}), the same in every block"
        hint = "What differs may be the data, not the code: merge the new seed first, or let both commits seed alike."
        yield Finding(code="data-differs", weight=Weight.INCONCLUSIVE, message=message, hint=hint)


def unlike(case: Case) -> Iterator[Finding]:
    """Clocks of unlike runs are not compared: that is said, and the gate cannot tell."""
    if case.baseline is None:
        return
    if obstacle := comparability.obstacle(case.run, case.baseline):
        message = f"Times are not compared: {obstacle}"
        yield warning("baseline-unlike", message, "Measure and accept a run under these conditions.")


def unusual(case: Case) -> Iterator[Finding]:
    """What differs from the stored runs without keeping them from being compared."""
    if case.baseline is None:
        return
    if remarks := comparability.remarks(case.run, case.baseline):
        message = f"The stored runs were measured with others: {'; '.join(remarks)}"
        yield warning("baseline-differs", message, "Measure and accept a run under these conditions.")


def imported(case: Case) -> Iterator[Finding]:
    """Runs of other tools: what perfci knows of its own, and checks, it does not know of them."""
    runs = [case.run, *(case.baseline.runs if case.baseline else ())]
    if tools := sorted({run.origin.tool for run in runs if run.origin.imported}):
        message = f"Measured by {' and '.join(tools)}: whether the load generator kept up is not known"
        yield warning("imported", message, "Make sure that both sides had the same machine and load.")
