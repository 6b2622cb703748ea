"""States what a run could have seen, in one sentence for people, limited to what it measured."""

from collections.abc import Iterable, Iterator, Sequence

from perfci.model import ALL_ENDPOINTS, Comparison, Outcome, Quantity, Role, RoundKind
from perfci.report.rows import size

LARGEST = 1.0
"""A slowdown by more than this (to twice the time) is no answer to "what could it have seen"."""

LARGEST_SHARE = 0.5
"""Failures of more than half of the requests are none either: nobody needs a gate to see them."""


def sensitivity(outcome: Outcome) -> str:
    """
    The smallest changes that would have been red in 8 of 10 such runs.

    "a slowdown of 5 % or more in any endpoint would have been red in 8 of 10 such runs; failures from 2 points".
    """
    counting = [each.comparison for each in outcome.decisions if each.comparison.budget.role is not Role.ADVISORY]
    parts = [*_times(counting), *_failures(counting), *_work(counting)]
    return "; ".join(parts) if parts else "nothing: no series could be compared"


def _times(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Of each endpoint, the metric of time that could have seen most; the mean over all where there are no others."""
    best: dict[str, tuple[float, Comparison]] = {}
    measured = [each for each in comparisons if each.series.metric.quantity is Quantity.TIME]
    for each in measured:
        seen, endpoint = each.smallest_detectable, each.series.endpoint
        if seen is not None and seen <= LARGEST and (endpoint not in best or seen < best[endpoint][0]):
            best[endpoint] = (seen, each)
    names = {each.series.endpoint for each in measured}
    names = names - {ALL_ENDPOINTS} or names
    known = [best[name] for name in names if name in best]
    if known:
        seen, comparison = max(known, key=lambda each: each[0])
        which = "any endpoint" if len(known) == len(names) else f"{len(known)} of {len(names)} endpoints"
        slower = f"a slowdown of {size(seen, comparison.series.metric)} or more in {which}"
        yield f"{slower} would have been red in 8 of 10 such runs"
    elif any(each.smallest_detectable is not None for each in measured):
        yield "only slowdowns to more than twice the time would have been red in 8 of 10 such runs"


def _failures(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """The share of failures of all requests together, where it was counted; else that of the least certain endpoint."""
    shares = [each for each in comparisons if each.series.metric.quantity is Quantity.SHARE]
    together = [each for each in shares if each.series.endpoint == ALL_ENDPOINTS]
    known = [(each.smallest_detectable, each) for each in together or shares if each.smallest_detectable is not None]
    if known:
        seen, comparison = _least_certain(known) if not together else min(known, key=lambda each: each[0])
        if seen <= LARGEST_SHARE:
            yield f"failures from {size(seen, comparison.series.metric)}"


def _least_certain(known: Iterable[tuple[float, Comparison]]) -> tuple[float, Comparison]:
    return max(known, key=lambda each: each[0])


def _work(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """The sources whose counts are the same in every request."""
    certain = [
        each
        for each in comparisons
        if each.kind is RoundKind.CENSUS and each.change is not None and each.p_worse is None
    ]
    if sources := sorted({each.series.metric.name.partition("/")[0] for each in certain}):
        yield f"more work beyond its budget, counted by {', '.join(sources)}"
