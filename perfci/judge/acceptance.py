"""Series that are worse on purpose: a person who may decide it has accepted them, and the rest decides."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from perfci.judge.gate import whole, worst_first
from perfci.model import Acceptance, Decision, Outcome, SeriesVerdict
from perfci.sentences import acceptance as say


def with_accepted(outcome: Outcome, acceptances: Sequence[Acceptance]) -> Outcome:
    """
    Judge *outcome* again with each red series that one of *acceptances* names as accepted.

    Whether an acceptance may count, and whether it is for this commit, is the caller's to know. Findings and SLOs are
    not series: nobody accepts them.
    """
    decisions = [_accepted(decision, acceptances) for decision in outcome.decisions]
    made = [decision for decision in decisions if decision.acceptance]
    if not made:
        return outcome
    decisions.sort(key=worst_first)
    verdict, because = whole(decisions, outcome.findings, outcome.slos, outcome.subject)
    findings = (*outcome.findings, *_acceptance_findings(made))
    return replace(outcome, verdict=verdict, because=because, decisions=tuple(decisions), findings=findings)


def red_series(outcome: Outcome) -> tuple[str, ...]:
    """The labels of the series that are red and count, worst first."""
    red = (each for each in outcome.decisions if each.counts and each.verdict is SeriesVerdict.REGRESSION)
    return tuple(dict.fromkeys(decision.comparison.series.label for decision in red))


def _accepted(decision: Decision, acceptances: Sequence[Acceptance]) -> Decision:
    label = decision.comparison.series.label
    found = next((each for each in acceptances if each.series == label), None)
    if found is None or not decision.counts or decision.verdict is not SeriesVerdict.REGRESSION:
        return decision
    because = say.AcceptedBy(of=decision.because, login=found.by)
    return replace(decision, verdict=SeriesVerdict.ACCEPTED, because=because, acceptance=found)


def _acceptance_findings(made: Iterable[Decision]) -> list[say.SeriesAccepted]:
    accepted = dict.fromkeys(decision.acceptance for decision in made if decision.acceptance)
    return [
        say.SeriesAccepted(series=each.series, by=each.by, at=each.at, why=each.why, url=each.url) for each in accepted
    ]
