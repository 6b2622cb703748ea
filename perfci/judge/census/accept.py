"""What of a run's work is written to `census.json`: what counts, and only where it changed."""

from collections.abc import Mapping
from dataclasses import replace

from perfci.judge.budgets import resolve
from perfci.judge.census import counters
from perfci.judge.census.comparable import Work, obstacle, seed_of
from perfci.judge.census.judging import changed
from perfci.model import (
    Census,
    CommittedCensus,
    EndpointCensus,
    GatePolicy,
    Reference,
    Role,
    RoundKind,
    Run,
    Side,
)


def to_commit(run: Run, policy: GatePolicy, before: CommittedCensus | None = None) -> CommittedCensus | None:
    """
    The candidate's work as it is accepted; None where nothing was counted.

    Statements are masked, and counters that could never turn anything red are left out. A line of *before* stays where
    the gate sees no change of it: the file changes where work does, and small steps within the budgets add up against
    the same old number, until they are seen.
    """
    census = run.census.get(Side.CANDIDATE)
    if census is None:
        return None
    plan = run.fingerprint.plan
    kept = before.census.endpoints if before is not None and not obstacle(run, before) else {}
    endpoints = {name: _endpoint(name, seen, kept, policy) for name, seen in Work.of(census).endpoints.items()}
    return CommittedCensus(
        profile=run.profile,
        scenario=run.scenario,
        load=plan.digest,
        user_classes=plan.user_classes,
        tags=plan.tags,
        environment=plan.environment,
        census=Census(
            endpoints=endpoints,
            sources=tuple(replace(source, note="") for source in census.sources if source.found),
            seed_digest=seed_of(run, census),
        ),
    )


def _endpoint(
    name: str, seen: EndpointCensus, before: Mapping[str, EndpointCensus], policy: GatePolicy
) -> EndpointCensus:
    old = before[name].counters if name in before else {}
    chosen = {
        counter: old[counter] if counter in old and not changed(name, counter, old[counter], now, policy) else now
        for counter, now in seen.counters.items()
        if counters.kind_of(counter) in counters.COUNTERS or _counts(name, counter, policy)
    }
    same = name in before and all(old.get(counter) == now for counter, now in chosen.items())
    return replace(seen, counters=chosen, statements=before[name].statements if same else seen.statements)


def _counts(endpoint: str, counter: str, policy: GatePolicy) -> bool:
    """Whether the counter can turn the gate red for the endpoint."""
    metric = counters.metric_of(counter)
    return resolve(policy.budgets, Reference.BASELINE, RoundKind.CENSUS, metric, endpoint).role is not Role.ADVISORY
