"""
Judges alerts: limits on the candidate's gauges that may not be exceeded for longer than a stated time.

One that only warns is a finding. One that fails is an SLO like any other: held against every load round, breached by a
single one, and open where no round could tell.
"""

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches

from perfci.judge.budgets import matches
from perfci.model import (
    Alert,
    Better,
    Finding,
    GatePolicy,
    Gauge,
    Metric,
    Quantity,
    Round,
    RoundKind,
    Run,
    Scale,
    Severity,
    Side,
    Slo,
    SloResult,
)
from perfci.sentences import alerts as say

TARGET = "(target)"
"""The scope of an alert, where SLOs name an endpoint."""

NAMED = 3


def judge_alerts(run: Run, policy: GatePolicy) -> tuple[tuple[Finding, ...], tuple[SloResult, ...]]:
    """The findings of alerts that warn, and the SLO results of alerts that fail, in the policy's order."""
    rounds = [round_ for round_ in run.rounds if round_.kind is RoundKind.LOAD]
    findings: list[Finding] = []
    slos: list[SloResult] = []
    for alert in policy.alerts:
        for name in _named(alert, rounds):
            if alert.severity is Severity.FAIL:
                slos.append(_slo(alert, name, _of(rounds, Side.CANDIDATE)))
            elif rounds:
                findings += _warning(alert, name, rounds)
    return tuple(findings), tuple(slos)


def raised(watched: Round, alert: Alert) -> Iterator[say.Raised]:
    """Every gauge of a round that exceeded the limit for at least the alert's duration."""
    for name, gauge in sorted(watched.gauges.items()):
        seconds = _longest(gauge, lambda value: _beyond(value, alert))
        if matches(alert.gauge, name) and seconds and seconds >= alert.seconds:
            yield say.Raised(
                alert=alert.name,
                gauge=name,
                upper=alert.upper,
                limit=alert.limit,
                unit=gauge.unit,
                seconds=seconds,
                extreme=gauge.high if alert.upper else gauge.low,
                block=watched.block,
                side=watched.side,
            )


def kept(gauge: Gauge, alert: Alert) -> float | None:
    """
    The worst level that the gauge held for the alert's duration; None where it was not monitored for so long.

    That is the highest value that each point of a stretch of such a length reached; of a lower limit, the lowest.
    """
    levels = (
        level
        for level in {point for point in gauge.points if point is not None}
        if _longest(gauge, _reaches(level, alert)) >= alert.seconds
    )
    return max(levels, default=None) if alert.upper else min(levels, default=None)


def _reaches(level: float, alert: Alert) -> Callable[[float], bool]:
    return (lambda value: value >= level) if alert.upper else (lambda value: value <= level)


def _beyond(value: float, alert: Alert) -> bool:
    return value > alert.limit if alert.upper else value < alert.limit


def _longest(gauge: Gauge, holds: Callable[[float], bool]) -> int:
    """The longest excess in seconds; a missing reading counts like its neighbours."""
    longest, began = 0, None
    for position, value in enumerate(gauge.points):
        if value is None:
            continue
        began = (position if began is None else began) if holds(value) else None
        longest = longest if began is None else max(longest, position - began + 1)
    return longest * gauge.step_s


def _named(alert: Alert, rounds: Sequence[Round]) -> list[str]:
    """The gauges that match the alert; its own pattern where none does."""
    return [name for name in _known(rounds) if matches(alert.gauge, name)] or [alert.gauge]


def _known(rounds: Sequence[Round]) -> list[str]:
    return sorted({name for round_ in rounds for name in round_.gauges})


def _of(rounds: Sequence[Round], side: Side) -> list[Round]:
    return [round_ for round_ in rounds if round_.side is side]


def _warning(alert: Alert, name: str, rounds: Sequence[Round]) -> Iterator[Finding]:
    candidate, base = _of(rounds, Side.CANDIDATE), _of(rounds, Side.BASE)
    levels = _levels(candidate, name, alert)
    if not levels:
        yield say.AlertUnchecked(unchecked=_unchecked(alert, name, candidate))
    if found := _found(candidate, name, alert):
        yield say.Alert(
            longest=found[0],
            raised=len(found),
            rounds=len(levels),
            base_raised=len(_found(base, name, alert)),
            base_rounds=len(base),
        )


def _found(rounds: Sequence[Round], name: str, alert: Alert) -> list[say.Raised]:
    """Where the alert was raised for a gauge, the longest excess first."""
    found = [each for round_ in rounds for each in raised(round_, alert) if each.gauge == name]
    return sorted(found, key=lambda each: -each.seconds)


def _levels(rounds: Sequence[Round], name: str, alert: Alert) -> list[float]:
    """The level that was held in each round with enough readings."""
    levels = (kept(each.gauges[name], alert) for each in rounds if name in each.gauges)
    return [level for level in levels if level is not None]


def _slo(alert: Alert, name: str, candidate: Sequence[Round]) -> SloResult:
    levels, found = _levels(candidate, name, alert), _found(candidate, name, alert)
    unit = next((round_.gauges[name].unit for round_ in candidate if name in round_.gauges), "")
    within = len(levels) - len(found)
    metric = Metric(
        name=say.level_name(name, alert.seconds),
        quantity=Quantity.COUNT,
        unit=unit,
        better=Better.LOWER if alert.upper else Better.HIGHER,
        scale=Scale.RATIO,
        portable=False,
        exact=True,
        meaning=say.level_meaning(name, alert.seconds),
    )
    return SloResult(
        slo=Slo(metric=metric.name, limit=alert.limit, endpoint=TARGET),
        metric=metric,
        rounds=len(levels),
        rounds_within=within,
        worst=max(levels, default=None) if alert.upper else min(levels, default=None),
        held=bool(levels) and not found,
        because=say.LevelKept(
            within=within,
            rounds=len(levels),
            limit=alert.limit,
            unit=unit,
            longest=found[0] if found else None,
        )
        if levels
        else _unchecked(alert, name, candidate),
    )


def _unchecked(alert: Alert, name: str, candidate: Sequence[Round]) -> say.Unchecked:
    """Why the alert could be checked in no round."""
    known = _known(candidate)
    read = [_longest(round_.gauges[name], lambda _: True) for round_ in candidate if name in round_.gauges]
    return say.Unchecked(
        alert=alert.name,
        gauge=name,
        seconds=alert.seconds,
        rounds=bool(candidate),
        longest_s=max(read, default=None),
        near=tuple(get_close_matches(name, known, n=1) or known[:NAMED]),
    )
