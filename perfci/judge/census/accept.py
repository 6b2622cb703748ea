"""Decides which counts of a run are written to `census.json`: those that count and have changed."""

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
    The candidate's work as accepted; None where nothing was counted.

    Statements are masked, and counters that could never turn anything red are left out. A line of *before* stays where
    the gate sees no change of it: the file changes where work does, and small steps within the budgets add up against
    the same old number, until they are seen.
    """
    census, plan = run.census.get(Side.CANDIDATE), run.fingerprint.plan
    if census is None or plan is None:
        return None
    here = Work.of(census)
    kept = Work.of(before.census) if before is not None and not obstacle(run, before) else Work({}, {})
    endpoints = {name: _endpoint(name, here, kept, policy) for name in here.endpoints}
    missed = set(census.unreached) & kept.endpoints.keys() - endpoints.keys()
    endpoints |= {name: kept.endpoints[name] for name in missed}
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


def _endpoint(name: str, here: Work, before: Work, policy: GatePolicy) -> EndpointCensus:
    """
    The entries of one endpoint.

    A counter that nothing moved has no line. So a line neither comes nor goes where the gate sees no change from or to
    zero: what happens in one request of twenty happens in none of the next twenty.
    """
    seen, old = here.endpoints[name], before.endpoints.get(name)
    chosen = {}
    for counter in sorted({*seen.counters, *(old.counters if old else ())}):
        then, now = before.tally(name, counter, here) if old else None, here.tally(name, counter, before)
        if now is None or not _kept(name, counter, policy):
            continue
        tally = now if then is None or changed(name, counter, then, now, policy) else then
        if tally.mean or tally.spread:
            chosen[counter] = tally
    same = old is not None and chosen == old.counters
    return replace(seen, counters=chosen, statements=old.statements if old and same else seen.statements)


def _kept(endpoint: str, counter: str, policy: GatePolicy) -> bool:
    return counters.kind_of(counter) in counters.COUNTERS or _counts(endpoint, counter, policy)


def _counts(endpoint: str, counter: str, policy: GatePolicy) -> bool:
    """Whether the counter can turn the gate red for the endpoint."""
    metric = counters.metric_of(counter)
    return resolve(policy.budgets, Reference.BASELINE, RoundKind.CENSUS, metric, endpoint).role is not Role.ADVISORY
