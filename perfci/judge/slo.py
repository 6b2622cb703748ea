"""SLOs: absolute limits on the candidate, judged in every round under load."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

from perfci.judge.budgets import matches
from perfci.judge.compare import block_means
from perfci.judge.compare.failures import FEWEST
from perfci.judge.limits import throughout
from perfci.judge.limits.quantities import QUANTITIES, CheckedRound, read
from perfci.judge.limits.reading import Reading, exact, share
from perfci.judge.limits.scope import observed
from perfci.metrics.registry import METRICS, at_least, resolving
from perfci.model import (
    ALL_ENDPOINTS,
    Better,
    EndpointRound,
    GatePolicy,
    Metric,
    Quantity,
    Reason,
    Round,
    RoundKind,
    Run,
    Side,
    Slo,
    SloResult,
)
from perfci.sentences import slos as say

UNLIKELY = 0.001
"""Chance below which a round in which nothing succeeded is no accident."""


def judge_slos(run: Run, policy: GatePolicy, *, settled: bool = False) -> tuple[SloResult, ...]:
    """
    One result per SLO, in the policy's order; a pattern gives one for each endpoint that it names.

    *settled*: a share that few requests show to be within its limit is open, where the limit is all there is to hold.
    """
    rounds = [round_ for round_ in run.rounds if round_.kind is RoundKind.LOAD and round_.side is Side.CANDIDATE]
    return tuple(_judge(slo, rounds, policy, settled=settled) for slo in _single(policy.slos, rounds))


def metric_of(name: str) -> Metric:
    """What a limit may be on: a metric of the requests, or a quantity of the whole round."""
    return METRICS[name] if name in METRICS else QUANTITIES[name]


def _single(slos: Sequence[Slo], rounds: Sequence[Round]) -> Iterator[Slo]:
    known = sorted(block_means.endpoints(rounds))
    for slo in slos:
        named = [] if slo.members else [name for name in known if matches(slo.endpoint, name)]
        yield from (replace(slo, endpoint=name) for name in named or [slo.endpoint])


def _judge(slo: Slo, rounds: Sequence[Round], policy: GatePolicy, *, settled: bool) -> SloResult:
    """
    Hold the limit against every round that can tell.

    A round in which every request failed has no latency, and is not within any limit, unless its few requests may all
    have failed by chance. No round at all: not held, and the gate reads `rounds == 0` as "cannot tell".
    """
    metric = metric_of(slo.metric)
    seen = [observed(each, slo) for each in rounds]
    checked = [endpoint for endpoint in seen if endpoint is not None]
    readings = [
        _reading(slo, CheckedRound(round=each, seen=endpoint, slos=policy.slos), settled=settled)
        for each, endpoint in zip(rounds, seen, strict=True)
    ]
    within = [
        None if endpoint is not None and _unlucky(endpoint, checked) else _within(endpoint, slo, metric, reading)
        for endpoint, reading in zip(seen, readings, strict=True)
    ]
    known = [kept for kept in within if kept is not None]
    values = [reading.value for reading in readings if reading is not None]
    return SloResult(
        slo=slo,
        metric=metric,
        rounds=len(known),
        rounds_within=sum(known),
        worst=_worst([value for value in values if value is not None], metric),
        held=bool(known) and all(known),
        because=_because(slo, metric, rounds, readings, known),
    )


def _reading(slo: Slo, checked: CheckedRound, *, settled: bool) -> Reading | None:
    """The value that is held against the limit; None where the round has none."""
    if slo.throughout_s:
        return throughout.reading(slo, checked.round.stretches, settled=settled)
    if slo.metric in QUANTITIES:
        found = read(slo.metric, checked)
        shared = slo.metric in {"success_rate", "availability"}
        return exact(found.value) if shared and not settled and found and found.value is not None else found
    seen = checked.seen
    if settled and slo.metric == "failure_rate" and seen is not None and seen.requests:
        return share(seen.failures, seen.requests)
    value = None if seen is None else seen.values.get(slo.metric)
    return None if value is None else exact(value)


def _within(seen: EndpointRound | None, slo: Slo, metric: Metric, reading: Reading | None) -> bool | None:
    """
    Whether one round kept the limit; None where it cannot tell.

    A service so slow that nobody gets to ask it a hundred times has no 99th percentile, but it lies at least at the
    median: where that is beyond the limit, so is what cannot be computed.
    """
    timed = metric.quantity is Quantity.TIME
    if timed and seen is not None and seen.requests > 0 and seen.failures == seen.requests:
        return False
    if reading is not None:
        return reading.within(slo.limit, metric.better)
    if seen is None or slo.metric not in METRICS:
        return None
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


def _because(
    slo: Slo, metric: Metric, rounds: Sequence[Round], readings: Sequence[Reading | None], within: Sequence[bool]
) -> Reason:
    """How many rounds are *within* the limit; where none could tell, why."""
    shown = [reading for reading in readings if reading is not None]
    evidence = next((reading.evidence for reading in shown if reading.evidence), None)
    if within:
        return say.RoundsWithin(
            within=sum(within),
            rounds=len(within),
            silent=len(rounds) - len(within),
            limit=slo.limit,
            metric=metric,
            evidence=evidence,
        )
    if shown:
        low, high = shown[0].low, shown[0].high
        return say.NotSettled(low=low, high=high, limit=slo.limit, metric=metric, evidence=evidence)
    return say.NotHeld(limit=slo.limit, metric=metric, lacks=_missing(slo, rounds))


def _missing(slo: Slo, rounds: Sequence[Round]) -> Reason:
    """What the rounds lack to tell."""
    if not rounds:
        return say.NoLoadRound()
    if slo.phase and not any(slo.phase in round_.phases for round_ in rounds):
        return say.NoPhase(phase=slo.phase)
    if slo.throughout_s or slo.metric in QUANTITIES:
        return say.NoWindows() if slo.throughout_s else say.NotShown(metric=slo.metric)
    senders = sorted({name for round_ in rounds for name in round_.user_classes})
    if slo.user and slo.user not in senders:
        return say.NotSent(user=slo.user, senders=tuple(senders))
    if not any(observed(round_, slo) for round_ in rounds):
        names = sorted({ALL_ENDPOINTS, *block_means.endpoints(rounds)})
        near = get_close_matches(slo.endpoint, names, n=1)
        return say.NotRequested(near=near[0] if near else "")
    return say.TooFewRequests(least=resolving(slo.metric))


def _worst(values: Sequence[float], metric: Metric) -> float | None:
    if not values:
        return None
    return max(values) if metric.better is Better.LOWER else min(values)
