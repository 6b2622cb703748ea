"""
Finds failures that the reference did not have.

Latencies are those of requests that succeeded. Where a share of them began to fail, the rest are other requests than
before, often the easy ones: such times prove neither a win nor that nothing changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from perfci.judge.compare import block_means
from perfci.judge.stats import exact
from perfci.model import Round
from perfci.sentences import notes

JUMP = 0.02
"""
Smallest growth of the failure share that counts: without its slowest 2 %, a side reports its 97th percentile as its
95th.
"""

CHANCE = 0.001
"""p-value above which the jump may be chance, or a single burst."""

FEWEST = 3
"""Smallest number of requests to an endpoint, all failed, that marks it as broken."""


@dataclass(frozen=True, slots=True)
class Jump:
    """Failure shares of both sides."""

    base: float
    candidate: float


def jump(endpoint: str, base: Sequence[Round], candidate: Sequence[Round]) -> Jump | None:
    """The growth of an endpoint's failures, where it is large and significant."""
    before, after = block_means.counts(base, endpoint), block_means.counts(candidate, endpoint)
    grown = Jump(exact.pool(before).share, exact.pool(after).share)
    if not before or grown.candidate - grown.base < JUMP:
        return None
    worse, _ = exact.fisher(exact.effective(before), exact.effective(after))
    return grown if worse < CHANCE else None


def always(endpoint: str, rounds: Sequence[Round]) -> bool:
    """Whether no request for the endpoint ever succeeded."""
    seen = exact.pool(block_means.counts(rounds, endpoint))
    return seen.requests >= FEWEST and seen.failures == seen.requests


def survivors(endpoint: str, base: Sequence[Round], candidate: Sequence[Round]) -> str:
    """Explain that one side's times come from the requests that still succeed; empty where none failed."""
    seen = [round_.endpoints.get(endpoint) for round_ in (*base, *candidate)]
    if not any(found.failures for found in seen if found):
        return ""
    grown = jump(endpoint, base, candidate) or jump(endpoint, candidate, base)
    if grown is None:
        return ""
    before, after = (exact.pool(block_means.counts(side, endpoint)).share for side in (base, candidate))
    return notes.survivors(before, after)
