"""
Reduces rounds to one mean per block, for one series on one side.

Everything inside a block is averaged here, before anything is compared, because the block is the replicate.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from math import exp, log
from operator import itemgetter

from perfci.judge.stats.exact import Count
from perfci.metrics.registry import resolving
from perfci.model import ALL_ENDPOINTS, EndpointRound, Metric, Round
from perfci.sentences import notes

Line = Mapping[int, float]
"""Block -> log of the value, or a number that belongs to it."""


def endpoints(rounds: Iterable[Round]) -> set[str]:
    """Every endpoint in any of the rounds, without the line for all of them together."""
    return {name for round_ in rounds for name in round_.endpoints} - {ALL_ENDPOINTS}


def line(rounds: Iterable[Round], metric: Metric, endpoint: str) -> Line:
    """The mean of the logs within each block; values that are zero or absent are left out."""
    name = metric.name
    logs = sorted(
        (round_.block, log(value))
        for round_ in rounds
        if (found := round_.endpoints.get(endpoint)) and (value := found.values.get(name, 0.0)) > 0
    )
    alone = dict(logs)
    if len(alone) == len(logs):  # as nearly always; a thousand endpoints would feel the grouping
        return alone
    return {block: average(value for _, value in group) for block, group in groupby(logs, key=itemgetter(0))}


def within_variances(rounds: Iterable[Round], metric: Metric, endpoint: str) -> Line:
    """
    The variance of each value of `line` that the scatter of its requests explains: zero where it is unknown.

    That of one round, however many a block has: rounds inside a block count as one, and are no evidence of their own.
    """
    name = metric.name
    squares: dict[int, list[float]] = {}
    for round_ in rounds:
        found = round_.endpoints.get(endpoint)
        if found and found.values.get(name, 0.0) > 0:
            squares.setdefault(round_.block, []).append(found.standard_errors.get(name, 0.0) ** 2)
    return {block: average(known) for block, known in squares.items()}


def counts(rounds: Iterable[Round], endpoint: str) -> list[Count]:
    """Failures among requests, block by block."""
    totals: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for round_, seen in _seen(rounds, endpoint):
        total = totals[round_.block]
        total[0] += seen.failures
        total[1] += seen.requests
    return [Count(*totals[block]) for block in sorted(totals)]


def successes(rounds: Iterable[Round], endpoint: str) -> int:
    """Requests for the endpoint that did not fail."""
    return sum(seen.requests - seen.failures for _, seen in _seen(rounds, endpoint))


def fewest(rounds: Sequence[Round], endpoint: str) -> int:
    """Number of requests to the endpoint in the round that had the fewest."""
    seen = [round_.endpoints.get(endpoint) for round_ in rounds]
    return min([found.requests if found else 0 for found in seen], default=0)


def average(values: Iterable[float]) -> float:
    """The arithmetic mean."""
    known = list(values)
    return sum(known) / len(known)


def typical(means: Line) -> float | None:
    """The geometric mean over the blocks, in the metric's unit."""
    return exp(average(means.values())) if means else None


def one_sided(endpoint: str, base: Sequence[Round], candidate: Sequence[Round]) -> str:
    """Explain that an endpoint got requests on one side only; empty where both sides got some."""
    in_base, in_candidate = (any(_seen(side, endpoint)) for side in (base, candidate))
    if in_base and in_candidate:
        return ""
    return notes.ONLY_REFERENCE if in_base else notes.ONLY_CANDIDATE


def too_few_requests(endpoint: str, base: Sequence[Round], candidate: Sequence[Round], least: int) -> str:
    """
    Explain that neither side had enough requests in every round; empty where one had.

    One side is enough: a candidate that became so slow that it could hardly be asked must not escape by that.
    """
    own = fewest(candidate, endpoint)
    if own >= least:
        return ""
    most = max(fewest(base, endpoint), own)
    return "" if most >= least else notes.too_few_requests(most, least)


def shortage(count: int, *, least: int, of: str, metric: Metric) -> str:
    """Explain that there are too few blocks or runs to judge by; empty where there are enough."""
    if count >= least:
        return ""
    return notes.shortage(count, least=least, of=of, requests=resolving(metric.name))


def _seen(rounds: Iterable[Round], endpoint: str) -> Iterable[tuple[Round, EndpointRound]]:
    return ((round_, round_.endpoints[endpoint]) for round_ in rounds if endpoint in round_.endpoints)
