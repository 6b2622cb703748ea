"""
Decides whether a system is ready, over all of its scenarios, by the project's criteria.

Ready: every scenario has a B+ or better, less than 1 % of the requests fail, no scenario is much slower than another,
and where there is a limit on growth, it was shown that nothing leaks. Not ready: a C or worse, more than 5 % failures,
a service that died, a run that is invalid, a leak. What is between needs optimisation. The worst criterion decides.
"""

from collections.abc import Mapping

from perfci.judge.assessment import FAILURES, ORDER
from perfci.judge.survival import RESTARTS
from perfci.model import Band, Level, Outcome, Readiness, Reason, Verdict
from perfci.sentences import readiness as say

GOOD_GRADE, BAD_GRADE = "B+", "C+"
MOST_APART = 1
"""Largest distance between the response bands of scenarios that counts as even performance."""

LEAKS = frozenset({"memory_growth", "connection_growth"})
"""Quantities of which growth beyond a limit is a leak."""

_BANDS = list(Band)


def readiness_of(outcomes: Mapping[str, Outcome]) -> Readiness:
    """The readiness of a system whose scenarios have these outcomes, with the reasons of the worst criterion."""
    worst = [reason for name, outcome in outcomes.items() for reason in _disqualifies(name, outcome)]
    if worst:
        return Readiness(level=Level.NOT_READY, reasons=tuple(worst))
    open_ = [reason for name, outcome in outcomes.items() for reason in _falls_short(name, outcome)]
    open_ += _uneven(outcomes)
    if open_ or not outcomes:
        return Readiness(level=Level.NEEDS_OPTIMISATION, reasons=tuple(open_) or (say.NothingMeasured(),))
    return Readiness(level=Level.READY, reasons=())


def _disqualifies(name: str, outcome: Outcome) -> list[Reason]:
    found: list[Reason] = []
    assessment = outcome.assessment
    if outcome.verdict is Verdict.INVALID:
        found.append(say.ScenarioInvalid(scenario=name))
    if assessment is not None and assessment.grade and ORDER.index(assessment.grade) >= ORDER.index(BAD_GRADE) + 1:
        found.append(say.Graded(scenario=name, grade=assessment.grade))
    if assessment is not None and assessment.bands.get("failures") is Band.FAILING:
        found.append(say.RequestsFailed(scenario=name, share=FAILURES[-1]))
    if any(slo.metric.name == RESTARTS.name for slo in outcome.slos):
        found.append(say.ServiceDied(scenario=name))
    found += [
        say.BeyondLimit(scenario=name, metric=slo.metric.name)
        for slo in outcome.slos
        if slo.metric.name in LEAKS and slo.rounds and not slo.held
    ]
    return found


def _falls_short(name: str, outcome: Outcome) -> list[Reason]:
    found: list[Reason] = []
    assessment = outcome.assessment
    grade = assessment.grade if assessment is not None else ""
    if not grade or ORDER.index(grade) > ORDER.index(GOOD_GRADE):
        found.append(say.Graded(scenario=name, grade=grade))
    if assessment is not None and assessment.bands.get("failures") is Band.POOR:
        found.append(say.RequestsFailed(scenario=name, share=FAILURES[-2]))
    if outcome.verdict is not Verdict.PASS:
        found.append(say.NoPass(scenario=name, verdict=outcome.verdict))
    found += [
        say.LeakNotExcluded(scenario=name, metric=slo.metric.name)
        for slo in outcome.slos
        if slo.metric.name in LEAKS and not slo.rounds
    ]
    return found


def _uneven(outcomes: Mapping[str, Outcome]) -> list[Reason]:
    known = {
        name: _BANDS.index(outcome.assessment.bands["response"])
        for name, outcome in outcomes.items()
        if outcome.assessment is not None and "response" in outcome.assessment.bands
    }
    if not known or max(known.values()) - min(known.values()) <= MOST_APART:
        return []
    slow, fast = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
    return [say.Uneven(slow=slow, slow_band=_BANDS[known[slow]], fast=fast, fast_band=_BANDS[known[fast]])]
