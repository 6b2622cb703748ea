"""
Judges differences between both sides' answers: an endpoint that answers less is faster without being an improvement.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from perfci.judge import comparability
from perfci.judge.answers import evidence
from perfci.judge.budgets import matches
from perfci.judge.census import comparable
from perfci.judge.census.comparable import Work
from perfci.judge.compare import block_means
from perfci.judge.validity import zeros
from perfci.judge.validity.case import Case, Rounds
from perfci.model import ALL_ENDPOINTS, Comparison, Decision, Finding, Reason, Role, Run, SeriesVerdict, Side, Weight
from perfci.sentences import answers as say
from perfci.sentences.answers import Difference
from perfci.sentences.qualified import AnswersOtherwise, OthersAnswerOtherwise

BYTES = "response/bytes"


@dataclass(frozen=True, slots=True)
class JudgedAnswers:
    """The findings about the answers, and the endpoints whose improvements they question."""

    findings: tuple[Finding, ...]
    differences: Mapping[str, Difference]  # endpoint -> how its answers differ
    accepted: frozenset[str]  # of these endpoints

    def qualified(self, decisions: Iterable[Decision]) -> tuple[Decision, ...]:
        """
        The decisions, in which no endpoint with different answers improves.

        Where the difference is accepted it stays one, with that word beside it.
        """
        return tuple(map(self._qualified, decisions))

    def _qualified(self, decision: Decision) -> Decision:
        endpoint = decision.comparison.series.endpoint
        touched = set(self.differences) if endpoint == ALL_ENDPOINTS else {endpoint} & self.differences.keys()
        if decision.verdict is not SeriesVerdict.IMPROVEMENT or not touched:
            return decision
        accepted = touched <= self.accepted
        because: Reason = (
            OthersAnswerOtherwise(of=decision.because, endpoints=tuple(sorted(touched)), accepted=accepted)
            if endpoint == ALL_ENDPOINTS
            else AnswersOtherwise(of=decision.because, difference=self.differences[endpoint], accepted=accepted)
        )
        return replace(decision, verdict=decision.verdict if accepted else SeriesVerdict.INCONCLUSIVE, because=because)


def judge_answers(case: Case, comparisons: Iterable[Comparison]) -> JudgedAnswers:
    """
    Compare the answers of both sides; the *comparisons* show which endpoints are required.

    Where a required endpoint is answered differently, or is asked no more, the run cannot pass, unless the policy
    accepts it. Of all other endpoints it is told.
    """
    required = {comparison.series.endpoint for comparison in comparisons if comparison.budget.role is Role.REQUIRED}
    reference = _reference(case)
    names = block_means.endpoints(reference) & block_means.endpoints(case.candidate)
    count = len(names)
    differences = {
        name: found
        for name in sorted(names)
        if (found := evidence.difference(name, reference, case.candidate, endpoints=count))
    }
    for name, found in _counted(case, known=_answered(reference) & _answered(case.candidate)):
        differences.setdefault(name, found)
    gone = zeros.absent(case.alike, case.candidate)
    dropped = sorted(set(case.run.base_endpoints) - _asked(case) - set(gone))
    accepted = {name for name in (*differences, *gone, *dropped) if _accepted(name, case)}
    failures = [
        (name, *moved)
        for name in sorted(names)
        if (moved := evidence.other_failures(name, reference, case.candidate, endpoints=count))
    ]
    findings: list[Finding] = [
        *_findings_of(differences, required, accepted),
        *_missing(gone, required, accepted),
        *_dropped(dropped, accepted),
        *([say.FailuresDiffer(moved=tuple(failures))] if failures else ()),
        *_unknown(case, reference),
    ]
    return JudgedAnswers(tuple(findings), differences, frozenset(accepted & differences.keys()))


def _accepted(name: str, case: Case) -> bool:
    return any(matches(pattern, name) for pattern in case.policy.accept_answers)


def _reference(case: Case) -> Rounds:
    """The rounds whose answers are compared with: of any machine, but with the same requests and the same data."""
    if case.baseline is None:
        return case.base

    def asked(run: Run) -> tuple[object, ...]:
        plan = run.fingerprint.plan
        load = plan and (plan.digest, plan.user_classes, plan.tags, dict(plan.environment))
        return load, run.fingerprint.seed_digest

    return [
        round_
        for run in comparability.same_scenario(case.run, case.baseline)
        if asked(run) == asked(case.run)
        for round_ in run.rounds
        if round_.side is Side.CANDIDATE
    ]


def _answered(rounds: Rounds) -> set[str]:
    return {name for round_ in rounds for name in round_.answers}


def _counted(case: Case, *, known: Collection[str]) -> Iterator[tuple[str, Difference]]:
    """The body sizes in the census, for endpoints that are not *known* from the rounds."""
    census = case.run.census.get(Side.CANDIDATE)
    work, obstacle = comparable.reference(case.run, case.baseline)
    if census is None or work is None or obstacle:
        return
    here = Work.of(census)
    for name in sorted((work.endpoints.keys() & here.endpoints.keys()) - set(known)):
        before, after = work.tally(name, BYTES, here), here.tally(name, BYTES, work)
        if before is not None and after is not None and (found := evidence.other_size(before, after)):
            yield name, found


def _findings_of(
    differences: Mapping[str, Difference], required: Collection[str], accepted: Collection[str]
) -> Iterator[Finding]:
    open_ = [name for name in differences if name not in accepted]
    for weight, names in (
        (Weight.INCONCLUSIVE, [name for name in open_ if name in required]),
        (Weight.NOTICE, [name for name in open_ if name not in required]),
    ):
        if names:
            yield say.AnswersDiffer(weight=weight, different=tuple((name, differences[name]) for name in names))
    if taken := tuple((name, found) for name, found in differences.items() if name in accepted):
        yield say.AnswersAccepted(different=taken)


def _missing(gone: Collection[str], required: Collection[str], accepted: Collection[str]) -> Iterator[Finding]:
    open_ = [name for name in gone if name not in accepted]
    for weight, names in (
        (Weight.INCONCLUSIVE, [name for name in open_ if name in required]),
        (Weight.NOTICE, [name for name in gone if name in accepted or name not in required]),
    ):
        if names:
            yield say.EndpointsMissing(weight=weight, endpoints=tuple(names))


def _asked(case: Case) -> set[str]:
    """Every endpoint that got a request on any side of the run."""
    counted = {name for census in case.run.census.values() for name in (*census.endpoints, *census.cold)}
    return counted | {name for measured in case.run.rounds for name in measured.endpoints}


def _dropped(names: Collection[str], accepted: Collection[str]) -> Iterator[Finding]:
    """
    Endpoints that only the base's Locust file requests, where the change edits that file: they are no longer measured.
    """
    for weight, chosen in (
        (Weight.INCONCLUSIVE, [name for name in names if name not in accepted]),
        (Weight.NOTICE, [name for name in names if name in accepted]),
    ):
        if chosen:
            yield say.EndpointsDropped(weight=weight, endpoints=tuple(chosen))


def _unknown(case: Case, reference: Rounds) -> Iterator[Finding]:
    if case.baseline is not None and reference and _answered(case.candidate) and not _answered(reference):
        yield say.AnswersUnknown()
