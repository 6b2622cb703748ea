"""SLOs: absolute limits on the candidate, judged in every round under load."""

from collections.abc import Sequence

from perfci.judge.metrics import METRICS
from perfci.judge.wording import amount
from perfci.model import Better, EndpointRound, GatePolicy, Metric, Round, RoundKind, Run, Side, Slo, SloResult


def judge_slos(run: Run, policy: GatePolicy) -> tuple[SloResult, ...]:
    """One result per SLO, in the policy's order."""
    rounds = [one for one in run.rounds if one.kind is RoundKind.LOAD and one.side is Side.CANDIDATE]
    return tuple(_judge(slo, METRICS[slo.metric], rounds) for slo in policy.slos)


def _judge(slo: Slo, metric: Metric, rounds: Sequence[Round]) -> SloResult:
    """
    Hold the limit against every round that can tell.

    A round in which every request failed has no latency, and is not within any limit. No round at all: not held, and
    the gate reads `rounds == 0` as "cannot tell".
    """
    seen = [one.endpoints[slo.endpoint] for one in rounds if slo.endpoint in one.endpoints]
    values = [one.values[slo.metric] for one in seen if slo.metric in one.values]
    silent = sum(slo.metric not in one.values and _all_failed(one) for one in seen)
    judged = len(values) + silent
    within = sum(_within(value, slo.limit, metric) for value in values)
    limit = amount(slo.limit, metric)
    return SloResult(
        slo=slo,
        metric=metric,
        rounds=judged,
        rounds_within=within,
        worst=_worst(values, metric),
        held=judged > 0 and within == judged,
        reason=f"{within}/{judged} rounds within {limit}" if judged else f"no round could be held against {limit}",
    )


def _all_failed(seen: EndpointRound) -> bool:
    return seen.requests > 0 and seen.failures == seen.requests


def _within(value: float, limit: float, metric: Metric) -> bool:
    return value <= limit if metric.better is Better.LOWER else value >= limit


def _worst(values: Sequence[float], metric: Metric) -> float | None:
    if not values:
        return None
    return max(values) if metric.better is Better.LOWER else min(values)
