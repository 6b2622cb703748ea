"""What a history says of its runs: why one is left out, and what accepted a change."""

from perfci.model import Acceptance

INCOMPLETE = "the run is not complete"


def taken_by_others(share: float) -> str:
    """Others than the service and its load took so much of the machine."""
    return f"others took {100 * share:.0f} % of the processors"


def accepted_by_run(run: str) -> str:
    """An accepted run was measured since the change."""
    return f"baseline run {run}"


def accepted_by_comment(acceptance: Acceptance) -> str:
    """A comment on the pull request that brought the change accepts it."""
    why = f" (“{acceptance.why}”)" if acceptance.why else ""
    return f"{acceptance.by} on {acceptance.at[:10]}{why}: {acceptance.url}"
