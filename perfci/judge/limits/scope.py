"""What one round saw of that which a limit is about: endpoints, a group of them, a phase of the load, a user class."""

from collections.abc import Mapping, Sequence

from perfci import histogram
from perfci.judge.budgets import matches
from perfci.metrics.registry import resolving
from perfci.model import ALL_ENDPOINTS, EndpointRound, Round, Slo

_QUANTILES: Mapping[str, float] = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def observed(round_: Round, slo: Slo) -> EndpointRound | None:
    """The part of the round that the limit is about; None where nothing was asked there."""
    endpoints, seconds = round_.endpoints, round_.duration_s
    if slo.phase:
        if slo.phase not in round_.phases:
            return None
        endpoints, seconds = round_.phases[slo.phase].endpoints, round_.phases[slo.phase].seconds
    if slo.user:
        endpoints = round_.user_classes.get(slo.user, {})
    if slo.user or slo.members:
        own = [seen for name, seen in endpoints.items() if name != ALL_ENDPOINTS and _about(slo, name)]
        return together(own, seconds) if own else None
    found = endpoints.get(slo.endpoint)
    if found is not None and slo.endpoint == ALL_ENDPOINTS and slo.metric not in found.values:
        each = [seen for name, seen in endpoints.items() if name != ALL_ENDPOINTS]
        whole = together(each, seconds)
        return EndpointRound(
            requests=found.requests,
            failures=found.failures,
            values={**whole.values, **found.values},
            histogram=whole.histogram,
        )
    return found


def _about(slo: Slo, endpoint: str) -> bool:
    if slo.members:
        return any(matches(pattern, endpoint) for pattern in slo.members)
    return slo.endpoint in {ALL_ENDPOINTS, endpoint}


def together(parts: Sequence[EndpointRound], seconds: float) -> EndpointRound:
    """Several endpoints as one: counts added up, quantiles of all their latencies, which are known within 1 %."""
    requests, failures = sum(each.requests for each in parts), sum(each.failures for each in parts)
    succeeded = requests - failures
    values: dict[str, float] = {}
    timed = [each for each in parts if each.requests > each.failures]
    if timed and all("mean" in each.values for each in timed):
        values["mean"] = sum(each.values["mean"] * (each.requests - each.failures) for each in timed) / succeeded
    merged = None
    if timed and all(each.histogram is not None for each in timed):
        merged = histogram.merged([each.histogram for each in timed if each.histogram is not None])
        for name, share in _QUANTILES.items():
            found = histogram.quantile(merged, share) if succeeded >= resolving(name) else None
            values |= {} if found is None else {name: found}
    elif len(timed) == 1:
        values |= {name: timed[0].values[name] for name in _QUANTILES if name in timed[0].values}
    if requests:
        values["failure_rate"] = failures / requests
    if seconds:
        values["throughput"] = succeeded / seconds
    return EndpointRound(requests=requests, failures=failures, values=values, histogram=merged)
