"""What a history says of its runs: why one is left out, and what accepted a change."""

INCOMPLETE = "the run is not complete"


def taken_by_others(share: float) -> str:
    """Others than the service and its load took so much of the machine."""
    return f"others took {100 * share:.0f} % of the processors"


def accepted_by_run(run: str) -> str:
    """An accepted run was measured since the change."""
    return f"baseline run {run}"
