"""SLOs: absolute limits on the candidate, judged in every round under load."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from perfci.judge.budgets import matches
from perfci.judge.compare import block_means
from perfci.judge.compare.failures import FEWEST
from perfci.judge.wording import amount
from perfci.metrics.registry import METRICS, at_least, resolving
from perfci.model import (
    ALL_ENDPOINTS,
    Better,
    EndpointRound,
    GatePolicy,
    Metric,
    Round,
    RoundKind,
    Run,
    Side,
    Slo,
    SloResult,
)

UNLIKELY = 0.001
"""Chance below which a round in which nothing succeeded is no accident."""


def judge_slos(run: Run, policy: GatePolicy) -> tuple[SloResult, ...]:
    """One result per SLO, in the policy's order; a pattern gives one for each endpoint that it names."""
    rounds = [round_ for round_ in run.rounds if round_.kind is RoundKind.LOAD and round_.side is Side.CANDIDATE]
    return tuple(_judge(slo, METRICS[slo.metric], rounds) for slo in _single(policy.slos, rounds))


def _single(slos: Sequence[Slo], rounds: Sequence[Round]) -> Iterator[Slo]:
    known = sorted(block_means.endpoints(rounds))
    for slo in slos:
        named = [name for name in known if matches(slo.endpoint, name)]
        yield from (replace(slo, endpoint=name) for name in named or [slo.endpoint])


def _judge(slo: Slo, metric: Metric, rounds: Sequence[Round]) -> SloResult:
    """
    Hold the limit against every round that can tell.

    A round in which every request failed has no latency, and is not within any limit, unless its few requests may all
    have failed by chance. No round at all: not held, and the gate reads `rounds == 0` as "cannot tell".
    """
    seen = [each.endpoints[slo.endpoint] for each in rounds if slo.endpoint in each.endpoints]
    within = [None if _unlucky(endpoint, seen) else _within(endpoint, slo, metric) for endpoint in seen]
    known = [kept for kept in within if kept is not None]
    values = [endpoint.values.get(slo.metric) for endpoint in seen]
    silent = len(rounds) - len(known)
    reason = f"{sum(known)}/{len(known)} rounds within {amount(slo.limit, metric)}"
    if silent:
        reason += f", {silent} could not tell"
    return SloResult(
        slo=slo,
        metric=metric,
        rounds=len(known),
        rounds_within=sum(known),
        worst=_worst([value for value in values if value is not None], metric),
        held=bool(known) and all(known),
        reason=reason if known else _why_not(slo, metric, rounds),
    )


def _within(seen: EndpointRound, slo: Slo, metric: Metric) -> bool | None:
    """
    Whether one round kept the limit; None where it cannot tell.

    A service so slow that nobody gets to ask it a hundred times has no 99th percentile, but it lies at least at the
    median: where that is beyond the limit, so is what cannot be computed.
    """
    if resolving(slo.metric) and seen.requests > 0 and seen.failures == seen.requests:
        return False
    value = seen.values.get(slo.metric)
    if value is not None:
        return value <= slo.limit if metric.better is Better.LOWER else value >= slo.limit
    lower = [seen.values[name] for name in at_least(slo.metric) if name in seen.values]
    return False if any(value > slo.limit for value in lower) else None


def _unlucky(seen: EndpointRound, rounds: Sequence[EndpointRound]) -> bool:
    """
    Whether a round without one success may be chance, at the rate at which all *rounds* together fail.

    Of n requests, all fail with that rate to the power of n, and there are as many such rounds to look at.
    """
    requests, failures = sum(round_.requests for round_ in rounds), sum(round_.failures for round_ in rounds)
    if not seen.requests or seen.failures < seen.requests:
        return False
    if failures == requests:
        return requests < FEWEST
    return len(rounds) * (failures / requests) ** seen.requests >= UNLIKELY


def _why_not(slo: Slo, metric: Metric, rounds: Sequence[Round]) -> str:
    """Why no round could tell."""
    beyond = f"no round could be held against {amount(slo.limit, metric)}"
    if not rounds:
        return f"{beyond}: there was no load round"
    known = sorted({ALL_ENDPOINTS, *block_means.endpoints(rounds)})
    if not any(slo.endpoint in round_.endpoints for round_ in rounds):
        near = get_close_matches(slo.endpoint, known, n=1)
        return f"{beyond}: no request was made to it" + (f" (but to {near[0]})" if near else "")
    return f"{beyond}: {resolving(slo.metric)} successful requests in a round are needed"


def _worst(values: Sequence[float], metric: Metric) -> float | None:
    if not values:
        return None
    return max(values) if metric.better is Better.LOWER else min(values)
