"""The reasons why a series was not compared, in a few words."""

ONLY_REFERENCE = "only the reference got requests to it"
ONLY_CANDIDATE = "new: only the candidate got requests to it"
NO_REQUESTS = "no requests on one side"


def too_few_requests(most: int, least: int) -> str:
    """Neither side had enough requests in every round."""
    return f"too few requests: {most} in one round, at least {least} are needed"


def shortage(count: int, *, least: int, of: str, requests: int) -> str:
    """There are too few blocks or runs; *requests* successes in a round make it usable."""
    resolved = f" with {requests} successful requests in a round" if requests > 1 else ""
    needed = "is needed" if least == 1 else "are needed"
    return f"{count} usable {of}{'' if count == 1 else 's'}: at least {least}{resolved} {needed}"


def first_block(least: int) -> str:
    """A series has one block so far."""
    return f"1 block: at least {least} are needed"


def survivors(base: float, candidate: float) -> str:
    """The compared times come from the requests that still succeed; shares of failures."""
    return f"{100 * candidate:.1f} % of the candidate's requests failed, {100 * base:.1f} % of the reference's"


def counted_on(side: str, source: str) -> str:
    """A source could be counted on one *side* only."""
    return f"{source} could be counted on the {side} only"


def seen_in(requests: int) -> str:
    """A counter was recorded in too few requests."""
    return f"seen in {requests} request{'s' * (requests != 1)} only"
