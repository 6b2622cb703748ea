"""
The sentence above a red report: the endpoint that suffers most, its time first and its cause beside it.

Several series of one endpoint are one red endpoint.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from perfci.model import (
    ALL_ENDPOINTS,
    Decision,
    Finding,
    Quantity,
    RoundKind,
    Scale,
    SeriesVerdict,
    Weight,
)
from perfci.sentences.reason import reason
from perfci.sentences.series import amount, claim, count, number, percent, subject

MANY = 2.0
"""From this ratio on, work is said to be so many times as much."""

_VERBS = {"rows": "reads", "blocks": "reads", "statements": "sends", "commands": "sends", "packets": "exchanges"}
"""What an endpoint does with what a source counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedEndpoint:
    """One endpoint with regressions: the first of all, of its times and of its counts of work."""

    endpoint: str
    first: Decision
    time: Decision | None = None
    work: Decision | None = None
    followers: int = 0  # further endpoints that are slower by less, with no more work of their own

    def __str__(self) -> str:
        """The sentence."""
        if self.time is None or self.work is None:
            text = str((self.time or self.first).because)
        else:
            text = f"{_slower(self.time)}: {_cause(self.work)}"
        return text + _followers(self.followers)


def red_endpoints(decisions: Sequence[Decision]) -> tuple[RedEndpoint, ...]:
    """
    One for each endpoint that counts and is red: those that are slower before those that only do more work.

    The mean over all endpoints is one only where no endpoint is red by itself.
    """
    red = [decision for decision in decisions if decision.counts and decision.verdict is SeriesVerdict.REGRESSION]
    names = dict.fromkeys(decision.comparison.series.endpoint for decision in red)
    if len(names) > 1:
        names.pop(ALL_ENDPOINTS, None)
    found = [_of(name, [decision for decision in red if _endpoint(decision) == name]) for name in names]
    found.sort(key=lambda each: each.time is None)
    return tuple(_with_followers(found, decisions))


@reason
class Red:
    """What is red: a finding first, else the worst endpoint; then how much more is."""

    code = "red"
    finding: Finding | None  # the first
    findings: int
    endpoint: RedEndpoint | None  # the worst
    endpoints: int

    def __str__(self) -> str:
        if self.finding:
            more = [_many(self.findings - 1, "more finding"), _many(self.endpoints, "red endpoint")]
            return self.finding.message + _and(more)
        return f"{self.endpoint}{_and([_many(self.endpoints - 1, 'more red endpoint')])}" if self.endpoint else ""


def headline(decisions: Sequence[Decision], findings: Iterable[Finding]) -> Red:
    """What is red in a run with these *decisions* and *findings*."""
    red = [finding for finding in findings if finding.weight is Weight.REGRESSION]
    endpoints = red_endpoints(decisions)
    return Red(
        finding=red[0] if red else None,
        findings=len(red),
        endpoint=endpoints[0] if endpoints else None,
        endpoints=len(endpoints),
    )


def _endpoint(decision: Decision) -> str:
    return decision.comparison.series.endpoint


def _of(endpoint: str, red: Sequence[Decision]) -> RedEndpoint:
    times = (each for each in red if each.comparison.series.metric.quantity is Quantity.TIME)
    works = (each for each in red if each.comparison.kind is RoundKind.CENSUS)
    return RedEndpoint(endpoint=endpoint, first=red[0], time=next(times, None), work=next(works, None))


def _with_followers(found: Sequence[RedEndpoint], decisions: Sequence[Decision]) -> Iterator[RedEndpoint]:
    """The first endpoint with a cause stands for those that only became slower beside it, as far as counts tell."""
    counted = {
        _endpoint(decision)
        for decision in decisions
        if decision.comparison.kind is RoundKind.CENSUS and decision.comparison.change is not None
    }
    cause = next((each for each in found if each.time and each.work), None)
    followers = [
        each
        for each in found
        if cause and each.time and not each.work and each.endpoint in counted and _size(each) < _size(cause)
    ]
    for each in found:
        if each is cause:
            yield replace(each, followers=len(followers))
        elif not any(each is follower for follower in followers):
            yield each


def _size(each: RedEndpoint) -> float:
    change = each.time.comparison.change if each.time else None
    return abs(change.estimate) if change else 0.0


def _followers(number_of: int) -> str:
    if not number_of:
        return ""
    whose = "its" if number_of == 1 else "their"
    return (
        f"; {_many(number_of, 'other endpoint')} slowed down with no more work of {whose} own and may only wait for it"
    )


def _slower(decision: Decision) -> str:
    comparison = decision.comparison
    metric, change = comparison.series.metric, comparison.change
    assert change is not None
    before, after = comparison.base, comparison.candidate
    unit = "percentage points" if metric.scale is Scale.DIFFERENCE else "%"
    values = "" if before is None or after is None else f", {number(before)} -> {amount(after, metric)}"
    return f"{subject(comparison)} {claim(metric, change.estimate, f'{percent(abs(change.estimate))} {unit}')}{values}"


def _cause(decision: Decision) -> str:
    """The work that grew, in a clause: "it reads 94 times as many rows of db"."""
    comparison = decision.comparison
    source, _, counter = comparison.series.metric.name.rpartition("/")
    before, after = comparison.base or 0.0, comparison.candidate or 0.0
    kind = counter.partition("_")[0]
    if after < before:
        return f"{source} has {count(after)} {counter} a request instead of {count(before)}"
    if source == "response":
        verb, what = "answers with", counter
    else:
        verb, what = _VERBS.get(kind, "needs"), f"{counter.replace('_', ' ')} of {source}" if source else counter
    if before and after / before >= MANY:
        return f"it {verb} {float(f'{after / before:.2g}'):,.10g} times as many {what}"
    return f"it {verb} {count(after)} {what} instead of {count(before)}"


def _many(number_of: int, noun: str) -> str:
    return "" if not number_of else f"{number_of} {noun}{'s' * (number_of > 1)}"


def _and(parts: Sequence[str]) -> str:
    known = " and ".join(filter(None, parts))
    return f" (and {known})" if known else ""
