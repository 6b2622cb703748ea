"""
Compares counts of work, candidate against reference: counts are exact and independent of the machine.

A counter that is the same for every request is compared as it stands: any change is certain, and no test is made. Where
work depends on data, the requests are the replicates (one in flight, no queue, no neighbour: nothing ties one to the
next), and Welch's test of their means decides.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from perfci.judge.budgets import resolve
from perfci.judge.census import comparable, counters, culprits
from perfci.judge.census.comparable import Work
from perfci.judge.census.statements import short
from perfci.judge.stats import welch
from perfci.judge.stats.family import holm
from perfci.model import (
    ENOUGH,
    Baseline,
    Better,
    Budget,
    CommittedCensus,
    Comparison,
    Decision,
    GatePolicy,
    Interval,
    Reason,
    Reference,
    Role,
    RoundKind,
    Run,
    Series,
    SeriesVerdict,
    Side,
    Tally,
)
from perfci.sentences import notes
from perfci.sentences import work as say
from perfci.sentences.series import NotCompared

SHARE_OF_ALPHA = 0.1
"""
Share of alpha for all tests of the census together, in addition to the share of the clocks.

A family of its own, so that a source that happens to be there takes no power from the clocks. Requests are plenty:
even a thousandth leaves hardly anything unseen that reaches its budget.
"""

CAUSE_LENGTH = 100
"""Longest part of a statement in the reason of a count, in characters."""

_OFF_BY = 1e-9  # a mean of counts is no count: what sums of floats may be wrong by


@dataclass(frozen=True, slots=True)
class _Pair:
    """One counter of one endpoint on both sides."""

    comparison: Comparison
    base: Tally
    candidate: Tally

    @property
    def certain(self) -> bool:
        return self.base.constant and self.candidate.constant

    @property
    def alike(self) -> bool:
        """Whether both sides had as many requests with the same mean and spread."""
        return self.base == self.candidate


def judge_work(run: Run, baseline: Baseline | None, policy: GatePolicy) -> tuple[Decision, ...]:
    """
    A decision for every counter of every endpoint that both sides counted, the most explanatory first.

    Without *baseline* the run's own base side is the reference; with one, its accepted census is.
    """
    candidate = run.census.get(Side.CANDIDATE)
    work, obstacle = comparable.reference(run, baseline)
    if candidate is None or work is None:
        return ()
    here, against = Work.of(candidate), Reference.REF if baseline is None else Reference.BASELINE
    blanks = list(_pairs(work, here, partial(_budget, policy, against), obstacle, alone=not run.rounds))
    compared = [blank for blank in blanks if isinstance(blank, _Pair)]
    decisions = [_open(blank) for blank in blanks if isinstance(blank, Comparison)]
    decisions += _decisions(compared, policy)
    explained = [_explained(decision, work, here) for decision in decisions]
    if policy.accept_census:
        explained = [_accepted(decision, run, policy) for decision in explained]
    return tuple(sorted(explained, key=_most_telling))


def _most_telling(decision: Decision) -> tuple[int, float, str, str]:
    """The most explanatory counter first, and within a kind the endpoint with the largest growth."""
    series, change = decision.comparison.series, decision.comparison.change
    grown = change.estimate / max(decision.comparison.base or 0.0, 1.0) if change else 0.0
    return counters.rank(series.metric.name), -round(abs(grown), 9), series.endpoint, series.metric.name


def _pairs(
    base: Work, candidate: Work, budget_of: Callable[[str, str], Budget], obstacle: Reason | None, *, alone: bool
) -> Iterator[_Pair | Comparison]:
    """
    Comparable counters, and blanks with their reason for the others; where only work was counted (*alone*), it is
    required.
    """
    for endpoint in sorted(base.endpoints.keys() & candidate.endpoints.keys()):
        both = base.counters(endpoint) & candidate.counters(endpoint)
        for counter in sorted(base.counters(endpoint) | candidate.counters(endpoint)):
            budget = budget_of(endpoint, counter)
            if budget.role is Role.ADVISORY and counter not in both:  # never committed, so its absence says nothing
                continue
            before, after = base.tally(endpoint, counter, candidate), candidate.tally(endpoint, counter, base)
            blank = _blank(endpoint, counter, before, after, budget)
            if note := str(obstacle or _why_not(before, after, counter)):
                yield replace(blank, note=note)
            elif before is not None and after is not None:
                pair = _Pair(blank, before, after)
                if alone and pair.certain and blank.budget.role is Role.GUARDING:
                    pair = replace(pair, comparison=replace(blank, budget=replace(blank.budget, role=Role.REQUIRED)))
                yield pair


def _budget(policy: GatePolicy, reference: Reference, endpoint: str, counter: str) -> Budget:
    return resolve(policy.budgets, reference, RoundKind.CENSUS, counters.metric_of(counter), endpoint)


def _why_not(before: Tally | None, after: Tally | None, counter: str) -> str:
    source = counter.rpartition("/")[0] or counter
    if before is None or after is None:
        return notes.counted_on("candidate" if before is None else "reference", source)
    fewest = min(before.requests, after.requests)
    return notes.seen_in(fewest) if fewest < ENOUGH else ""


def _blank(endpoint: str, counter: str, before: Tally | None, after: Tally | None, budget: Budget) -> Comparison:
    return Comparison(
        series=Series(endpoint=endpoint, metric=counters.metric_of(counter)),
        kind=RoundKind.CENSUS,
        budget=budget,
        base=None if before is None else before.mean,
        candidate=None if after is None else after.mean,
        change=None,
        p_worse=None,
        p_better=None,
        standard_error=None,
        smallest_detectable=None,
        replicates=(),
    )


def _open(comparison: Comparison) -> Decision:
    because = NotCompared(comparison=comparison)
    return Decision(comparison=comparison, verdict=SeriesVerdict.NOT_COMPARED, p_adjusted=None, because=because)


def _decisions(pairs: Sequence[_Pair], policy: GatePolicy) -> list[Decision]:
    """Constant counters as they are; the others by a test, corrected over all that can turn the whole red."""
    tested = [pair if pair.certain else _tested(pair, policy.confidence) for pair in pairs]
    worse, better = (_adjusted(tested, which) for which in ("p_worse", "p_better"))
    return [_decision(pair, up, down, policy) for pair, up, down in zip(tested, worse, better, strict=True)]


def _tested(pair: _Pair, confidence: float) -> _Pair:
    found = welch.difference(welch.sample(pair.base), welch.sample(pair.candidate))
    up, down = found.p_greater, found.p_smaller
    lower_is_better = pair.comparison.series.metric.better is Better.LOWER
    filled = replace(
        pair.comparison,
        change=found.interval(confidence),
        p_worse=up if lower_is_better else down,
        p_better=down if lower_is_better else up,
        standard_error=found.standard_error,
    )
    return replace(pair, comparison=filled)


def _adjusted(pairs: Sequence[_Pair], which: str) -> list[float | None]:
    """p-values adjusted so that all tests together spend their share of alpha, when each is compared with alpha."""
    ps = [getattr(pair.comparison, which) for pair in pairs]
    counts = [
        p is not None and pair.comparison.budget.role is not Role.ADVISORY for p, pair in zip(ps, pairs, strict=True)
    ]
    family = sum(counts)
    corrected = iter(holm([p for p, count in zip(ps, counts, strict=True) if count], [1.0] * family))
    return [
        None if p is None else min(1.0, (next(corrected) if count else p * max(1, family)) / SHARE_OF_ALPHA)
        for p, count in zip(ps, counts, strict=True)
    ]


def _decision(pair: _Pair, p_worse: float | None, p_better: float | None, policy: GatePolicy) -> Decision:
    comparison, delta = pair.comparison, pair.candidate.mean - pair.base.mean
    if pair.certain:
        comparison = replace(comparison, change=Interval(estimate=delta, low=delta, high=delta))
    worse = delta > _OFF_BY if comparison.series.metric.better is Better.LOWER else delta < -_OFF_BY
    shown = all(p is None or p < policy.alpha for p in (p_worse if worse else p_better,))
    matters = abs(delta) > _OFF_BY and abs(delta) >= limit(comparison.budget.change, comparison) - _OFF_BY
    settled = (
        pair.certain
        or comparison.budget.role is not Role.REQUIRED
        or _within(comparison, limit(comparison.budget.margin, comparison))
    )
    if matters and shown:
        verdict = SeriesVerdict.REGRESSION if worse else SeriesVerdict.IMPROVEMENT
    elif pair.alike or _within(comparison, comparison.budget.margin * abs(comparison.base or 0.0) + _OFF_BY):
        verdict = SeriesVerdict.EQUIVALENT
    else:
        verdict = SeriesVerdict.BELOW_BUDGET if settled and not matters else SeriesVerdict.INCONCLUSIVE
    return Decision(
        comparison=comparison, verdict=verdict, p_adjusted=p_worse, because=_because(pair, comparison, verdict, policy)
    )


def limit(share: float, comparison: Comparison) -> float:
    """A budget's share of the reference, as a count; at least the floor."""
    return max(share * abs(comparison.base or 0.0), comparison.budget.floor)


def _within(comparison: Comparison, margin: float) -> bool:
    return comparison.change is not None and max(abs(comparison.change.low), abs(comparison.change.high)) <= margin


def _because(pair: _Pair, comparison: Comparison, verdict: SeriesVerdict, policy: GatePolicy) -> Reason:
    base, candidate = pair.base.mean, pair.candidate.mean
    if pair.certain or comparison.change is None:
        same = abs(candidate - base) <= _OFF_BY
        return say.Counted(comparison=comparison, verdict=verdict, base=base, candidate=candidate, same=same)
    return say.CountedOnAverage(
        comparison=comparison,
        verdict=verdict,
        base=base,
        candidate=candidate,
        interval=comparison.change,
        confidence=policy.confidence,
        requests=(pair.base.requests, pair.candidate.requests),
    )


def _explained(decision: Decision, base: Work, candidate: Work) -> Decision:
    """A red row with its causes, worst first."""
    comparison = decision.comparison
    if decision.verdict is not SeriesVerdict.REGRESSION or comparison.budget.role is Role.ADVISORY:
        return decision
    found = culprits.of(comparison.series.endpoint, comparison.series.metric.name, base, candidate)
    because = decision.because
    if found:
        because = say.WithCulprit(of=because, culprit=found[0], shortened=short(found[0].what, CAUSE_LENGTH))
    return replace(decision, comparison=replace(comparison, culprits=found), because=because)


def _accepted(decision: Decision, run: Run, policy: GatePolicy) -> Decision:
    """
    Whether more work is accepted: the change writes this value of the counter into census.json, and it was counted.
    """
    comparison = decision.comparison
    written = run.committed.get(Side.CANDIDATE)
    measured = run.census.get(Side.CANDIDATE)
    if decision.verdict is not SeriesVerdict.REGRESSION or written is None or measured is None:
        return decision
    before = run.committed.get(Side.BASE)
    new, old = _committed(written, comparison.series), before and _committed(before, comparison.series)
    if new is None or new == old or comparable.obstacle(run, written):
        return decision
    now = measured.endpoints[comparison.series.endpoint].counters.get(comparison.series.metric.name)
    if now is None:
        return decision
    if _moved(
        _blank(comparison.series.endpoint, comparison.series.metric.name, new, now, comparison.budget), new, now, policy
    ):
        return decision
    return replace(decision, verdict=SeriesVerdict.ACCEPTED, because=say.Accepted(of=decision.because))


def changed(endpoint: str, counter: str, old: Tally, new: Tally, policy: GatePolicy) -> bool:
    """Whether the gate would call this a change against a baseline."""
    blank = _blank(endpoint, counter, old, new, _budget(policy, Reference.BASELINE, endpoint, counter))
    return min(old.requests, new.requests) < ENOUGH or _moved(blank, old, new, policy)


def _moved(blank: Comparison, old: Tally, new: Tally, policy: GatePolicy) -> bool:
    verdict = _decisions([_Pair(blank, old, new)], policy)[0].verdict
    return verdict in {SeriesVerdict.REGRESSION, SeriesVerdict.IMPROVEMENT}


def _committed(census: CommittedCensus, series: Series) -> Tally | None:
    endpoint = census.census.endpoints.get(series.endpoint)
    return endpoint.counters.get(series.metric.name) if endpoint else None
