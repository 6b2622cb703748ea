"""Whether the stored runs may be compared with at all."""

from collections.abc import Iterator

from perfci.judge import comparability
from perfci.judge.validity.case import Case, warning
from perfci.model import Finding


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
