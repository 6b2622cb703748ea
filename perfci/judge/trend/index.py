"""One run as a row of a history: a value for each series that can turn a verdict red, and where it was measured."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from math import exp, log

from perfci.judge import comparability, validity
from perfci.judge.budgets import by_metric, resolve
from perfci.judge.census.counters import metric_of
from perfci.judge.comparability import Consequence
from perfci.judge.compare import block_means
from perfci.judge.other_load import TOLERANCE, other_load
from perfci.judge.stats.exact import pool
from perfci.metrics.registry import METRICS
from perfci.model import (
    ALL_ENDPOINTS,
    GatePolicy,
    HistoryRow,
    Metric,
    Pooling,
    Reference,
    Role,
    Round,
    RoundKind,
    Run,
    SeriesName,
    Side,
    Weight,
)
from perfci.sentences import history as say
from perfci.sentences.conditions import AttributeName

_NO_CONDITION = frozenset({AttributeName.SCENARIO, AttributeName.OTHER_LOAD})
"""What is not part of the digest: the folder of the history says the first, and a run under the second is excluded."""


def row_of(run: Run, policy: GatePolicy, *, url: str = "") -> HistoryRow:
    """The row of *run*, with the values of the series that count by *policy*; *url* is the page of its job."""
    machine = run.fingerprint.machine
    return HistoryRow(
        run=run.id,
        created_at=run.created_at,
        commit=run.commits.get(Side.CANDIDATE, ""),
        machine=described(run),
        machine_id=machine.id if machine else "",
        conditions=conditions(run),
        values=dict([*_timed(run, policy), *_counted(run, policy)]),
        url=url,
        excluded=_why_excluded(run),
    )


def metric(name: SeriesName) -> Metric | None:
    """The metric of a series; None where this perfci knows no metric of that name."""
    return metric_of(name.metric) if "/" in name.metric else METRICS.get(name.metric)


def described(run: Run) -> str:
    """The machine class in one line; "" where the machine is not known."""
    machine = run.fingerprint.machine
    return machine.class_described if machine else ""


def conditions(run: Run) -> str:
    """
    The digest of all that has to be the same before times of two runs are compared: equal digests may be.

    A field that has its default is left out, so that a field which perfci adds later leaves the digests as they are.
    """
    known = {
        attribute.name.value: _plain(attribute.of(run))
        for attribute in comparability.ATTRIBUTES
        if attribute.consequence is Consequence.FORBIDS and attribute.name not in _NO_CONDITION
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {
            each.name: _plain(inner)
            for each in fields(value)
            if each.compare and (inner := getattr(value, each.name)) != _default(each)
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return value


def _default(each: object) -> object:
    """The default of a dataclass's field, or a value that nothing equals."""
    default, factory = getattr(each, "default", MISSING), getattr(each, "default_factory", MISSING)
    return factory() if callable(factory) else default


def _why_excluded(run: Run) -> str:
    """Why the numbers of a run say nothing about the service, in one line; empty where they do."""
    if not run.complete:
        return say.INCOMPLETE
    invalid = [finding for finding in validity.findings(run, None) if finding.weight is Weight.INVALID]
    if invalid:
        return invalid[0].message
    share = other_load(run)
    if share is not None and share > TOLERANCE:
        return say.taken_by_others(share)
    return ""


def _timed(run: Run, policy: GatePolicy) -> Iterator[tuple[SeriesName, float]]:
    """The candidate's value of each timed series, averaged over its blocks."""
    for kind in (RoundKind.DUET, RoundKind.LOAD):
        rounds = [each for each in run.rounds if each.kind is kind and each.side is Side.CANDIDATE]
        endpoints = sorted({name for each in rounds for name in each.endpoints})
        for metric in _metrics(policy, kind):
            known = {endpoint: _value(rounds, metric, endpoint) for endpoint in endpoints if metric.may_count(endpoint)}
            values = {endpoint: value for endpoint, value in known.items() if value is not None}
            if metric.pooling is Pooling.ENDPOINTS:
                values = _with_headline(values)
            yield from (
                (SeriesName(kind=kind, endpoint=endpoint, metric=metric.name), value)
                for endpoint, value in values.items()
            )


def _with_headline(values: Mapping[str, float]) -> dict[str, float]:
    """The endpoints, and all of them with the same weight, as the gate has it, where there is more than one."""
    endpoints = {endpoint: value for endpoint, value in values.items() if endpoint != ALL_ENDPOINTS}
    if len(endpoints) < 2:
        return endpoints
    return {ALL_ENDPOINTS: exp(block_means.average(map(log, endpoints.values()))), **endpoints}


def _metrics(policy: GatePolicy, kind: RoundKind) -> list[Metric]:
    """The metrics that count in such rounds, against any reference."""
    budgets = [by_metric(policy.budgets, reference, kind) for reference in (Reference.REF, Reference.BASELINE)]
    named = {name for each in budgets for name, budget in each.items() if budget.role is not Role.ADVISORY}
    return [METRICS[name] for name in sorted(named)]


def _value(rounds: list[Round], metric: Metric, endpoint: str) -> float | None:
    if metric.pooling is Pooling.FAILURES:
        seen = pool(block_means.counts(rounds, endpoint))
        return seen.share if seen.requests else None
    return block_means.typical(block_means.line(rounds, metric, endpoint))


def _counted(run: Run, policy: GatePolicy) -> Iterator[tuple[SeriesName, float]]:
    """The candidate's mean of each counter per request."""
    census = run.census.get(Side.CANDIDATE)
    for endpoint, seen in sorted(census.endpoints.items()) if census else ():
        for counter, tally in sorted(seen.counters.items()):
            budget = resolve(policy.budgets, Reference.REF, RoundKind.CENSUS, metric_of(counter), endpoint)
            if budget.role is not Role.ADVISORY:
                yield SeriesName(kind=RoundKind.CENSUS, endpoint=endpoint, metric=counter), tally.mean
