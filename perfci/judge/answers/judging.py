"""Judges differences between both sides' answers: an endpoint that answers less is faster, and no improvement."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from perfci.judge import comparability
from perfci.judge.answers import evidence
from perfci.judge.budgets import matches
from perfci.judge.census import comparable
from perfci.judge.census.comparable import Work
from perfci.judge.compare import block_means
from perfci.judge.validity import zeros
from perfci.judge.validity.case import NAMED, Case, Rounds, listed, warning
from perfci.model import ALL_ENDPOINTS, Comparison, Decision, Finding, Role, Run, SeriesVerdict, Side, Weight

BYTES = "response/bytes"


@dataclass(frozen=True, slots=True)
class JudgedAnswers:
    """The findings about the answers, and the endpoints whose improvement they call into question."""

    findings: tuple[Finding, ...]
    differences: Mapping[str, str]  # endpoint -> how its answers differ: "are 91 % smaller (...)"
    accepted: frozenset[str]  # of these endpoints

    def qualified(self, decisions: Iterable[Decision]) -> tuple[Decision, ...]:
        """
        Return the decisions; an improvement at an endpoint with different answers is not called one.

        Where the difference is accepted it stays one, with that word beside it.
        """
        return tuple(map(self._qualified, decisions))

    def _qualified(self, decision: Decision) -> Decision:
        endpoint = decision.comparison.series.endpoint
        touched = set(self.differences) if endpoint == ALL_ENDPOINTS else {endpoint} & self.differences.keys()
        if decision.verdict is not SeriesVerdict.IMPROVEMENT or not touched:
            return decision
        if endpoint == ALL_ENDPOINTS:
            what = f"the answers of {listed(sorted(touched))} differ"
        else:
            what = f"its answers {self.differences[endpoint]}"
        if touched <= self.accepted:
            return replace(decision, reason=f"{decision.reason}, but {what}, which is accepted")
        return replace(decision, verdict=SeriesVerdict.INCONCLUSIVE, reason=f"{decision.reason}, but {what}")


def judge_answers(case: Case, comparisons: Iterable[Comparison]) -> JudgedAnswers:
    """
    Compare the answers of both sides; the *comparisons* tell which endpoints are required.

    Where a required endpoint is answered differently, or is asked no more, the run cannot pass, unless the policy
    accepts it. Of all other endpoints it is told.
    """
    required = {comparison.series.endpoint for comparison in comparisons if comparison.budget.role is Role.REQUIRED}
    reference = _reference(case)
    names = block_means.endpoints(reference) & block_means.endpoints(case.candidate)
    count = len(names)
    differences = {
        name: said
        for name in sorted(names)
        if (said := evidence.difference(name, reference, case.candidate, endpoints=count))
    }
    for name, said in _counted(case, known=_answered(reference) & _answered(case.candidate)):
        differences.setdefault(name, said)
    gone = zeros.absent(case.alike, case.candidate)
    dropped = sorted(set(case.run.base_endpoints) - _asked(case) - set(gone))
    accepted = {name for name in (*differences, *gone, *dropped) if _accepted(name, case)}
    failures = [
        f"{name} ({moved})"
        for name in sorted(names)
        if (moved := evidence.other_failures(name, reference, case.candidate, endpoints=count))
    ]
    found = [
        *_findings_of(differences, required, accepted),
        *_missing(gone, required, accepted),
        *_dropped(dropped, accepted),
        *([warning("failures-differ", f"Requests fail in another way: {listed(failures)}")] if failures else ()),
        *_unknown(case, reference),
    ]
    return JudgedAnswers(tuple(found), differences, frozenset(accepted & differences.keys()))


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


def _counted(case: Case, *, known: Collection[str]) -> Iterator[tuple[str, str]]:
    """What the census saw of the bodies of endpoints that are not *known* from the rounds."""
    census = case.run.census.get(Side.CANDIDATE)
    work, obstacle = comparable.reference(case.run, case.baseline)
    if census is None or work is None or obstacle:
        return
    here = Work.of(census)
    for name in sorted((work.endpoints.keys() & here.endpoints.keys()) - set(known)):
        before, after = work.tally(name, BYTES, here), here.tally(name, BYTES, work)
        if before is not None and after is not None and (said := evidence.other_size(before, after)):
            yield name, said


def _findings_of(
    differences: Mapping[str, str], required: Collection[str], accepted: Collection[str]
) -> Iterator[Finding]:
    open_ = [name for name in differences if name not in accepted]
    for weight, names in (
        (Weight.INCONCLUSIVE, [name for name in open_ if name in required]),
        (Weight.NOTICE, [name for name in open_ if name not in required]),
    ):
        if names:
            yield _finding("answers-differ", weight, _sentence(names, differences), _how_to(names))
    if taken := [name for name in differences if name in accepted]:
        yield _finding("answers-accepted", Weight.NOTICE, f"Accepted: {_sentence(taken, differences)}")


def _sentence(names: Sequence[str], differences: Mapping[str, str]) -> str:
    said = "; ".join(f"{name}: the candidate's answers {differences[name]}" for name in names[:NAMED])
    more = len(names) - NAMED
    return said + (f"; and so on at {more} more endpoint{'s' * (more > 1)}" if more > 0 else "")


def _missing(gone: Collection[str], required: Collection[str], accepted: Collection[str]) -> Iterator[Finding]:
    message = "The candidate was never asked for {}; the reference was"
    open_ = [name for name in gone if name not in accepted]
    for weight, names in (
        (Weight.INCONCLUSIVE, [name for name in open_ if name in required]),
        (Weight.NOTICE, [name for name in gone if name in accepted or name not in required]),
    ):
        if names:
            yield _finding("endpoints-missing", weight, message.format(listed(names)), _how_to(names))


def _asked(case: Case) -> set[str]:
    """Every endpoint that any side was asked for in the run."""
    counted = {name for census in case.run.census.values() for name in (*census.endpoints, *census.cold)}
    return counted | {name for measured in case.run.rounds for name in measured.endpoints}


def _dropped(names: Sequence[str], accepted: Collection[str]) -> Iterator[Finding]:
    """What only the base's Locust file asks, where the change edits that file: nobody knows how fast it is now."""
    for weight, chosen in (
        (Weight.INCONCLUSIVE, [name for name in names if name not in accepted]),
        (Weight.NOTICE, [name for name in names if name in accepted]),
    ):
        if chosen:
            message = f"This change edits the load, which does not ask any more for {listed(chosen)}"
            yield _finding("endpoints-dropped", weight, message, _how_to(chosen))


def _unknown(case: Case, reference: Rounds) -> Iterator[Finding]:
    if case.baseline is not None and reference and _answered(case.candidate) and not _answered(reference):
        message = "What the stored runs were answered is not known, so that answers are not compared"
        yield warning("answers-unknown", message, "Measure and accept a run with this perfci.")


def _how_to(names: list[str]) -> str:
    return f'If that is intended: `accept_answers = ["{names[0]}"]` in the `[gate]` of the base.'


def _finding(code: str, weight: Weight, message: str, hint: str = "") -> Finding:
    return Finding(code=code, weight=weight, message=message, hint=hint)
