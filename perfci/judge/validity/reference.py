"""Whether the stored runs may be compared with at all."""

from collections.abc import Iterator

from perfci.judge import likeness
from perfci.judge.validity.case import Case, warning
from perfci.model import Finding


def unlike(case: Case) -> Iterator[Finding]:
    """Clocks of unlike runs are not compared: that is said, and the gate cannot tell."""
    if case.baseline is None:
        return
    if obstacle := likeness.obstacle(case.run, case.baseline):
        message = f"Times are not compared: {obstacle}"
        yield warning("baseline-unlike", message, "Measure and accept a run under these conditions.")


def versions(case: Case) -> Iterator[Finding]:
    """Another Locust may time, or pace, otherwise."""
    if case.baseline is None:
        return
    used = likeness.comparable(case.run, case.baseline)
    stored = sorted({one.fingerprint.versions.get("locust", "?") for one in used})
    own = case.run.fingerprint.versions.get("locust", "?")
    if stored and stored != [own]:
        yield warning("locust-differs", f"Locust {own} is compared with runs of Locust {', '.join(stored)}")
