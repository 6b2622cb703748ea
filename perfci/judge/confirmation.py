"""Repeats a red: a second run of the same change on another machine, judged for the red series alone."""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from perfci.judge.gate import whole, worst_first
from perfci.model import (
    ALL_ENDPOINTS,
    BudgetRule,
    Decision,
    GatePolicy,
    Outcome,
    Reason,
    Role,
    RoundKind,
    SeriesVerdict,
    Verdict,
)
from perfci.sentences import confirmation as say

Name = tuple[RoundKind, str, str]
"""What tells a series within a run: kind of round, endpoint, metric."""


class Repeated(StrEnum):
    """What a second run says of a red series."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not confirmed"
    UNKNOWN = "cannot tell"


def for_red_alone(policy: GatePolicy, outcome: Outcome) -> GatePolicy:
    """
    *policy*, by which no series counts but those that are red in *outcome*, each by the budget that it was judged by.

    So the second run corrects for fewer series, nothing else in it can turn anything red, and it goes on until each of
    them is settled.
    """
    rules = [BudgetRule(role=Role.ADVISORY), *(_rule(decision) for decision in _red(outcome))]
    return replace(policy, budgets=(*policy.budgets, *_silenced(policy), *rules))


def red_series(outcome: Outcome) -> tuple[Name, ...]:
    """The series that are red in *outcome* and count, worst first."""
    return tuple(dict.fromkeys(map(_name, _red(outcome))))


def with_second_run(outcome: Outcome, again: Outcome | None, *, machine: str = "") -> Outcome:
    """
    *outcome* after the second run *again*, None where it left none, on *machine*.

    What is red in both stays red. What is not red again is inconclusive, and so is the whole then. Where the second run
    could not tell, the red of the first one stands.
    """
    red = _red(outcome)
    if not red or outcome.verdict is not Verdict.REGRESSION:
        return outcome
    verdicts = {} if again is None or again.verdict is Verdict.INVALID else _verdicts(again)
    said = _without_others({_name(decision): _repeated(verdicts.get(_name(decision))) for decision in red})
    decisions = sorted((_after(each, said.get(_name(each))) for each in outcome.decisions), key=worst_first)
    counts = {word: sum(each is word for each in said.values()) for word in Repeated}
    clear = say.SecondRun(
        confirmed=counts[Repeated.CONFIRMED],
        refuted=counts[Repeated.NOT_CONFIRMED],
        unknown=counts[Repeated.UNKNOWN],
        machine=machine,
    )
    findings = (*outcome.findings, clear if verdicts else say.SecondRunUnclear(machine=machine, why=_why(again)))
    verdict, because = whole(decisions, findings, outcome.slos, outcome.subject)
    return replace(outcome, verdict=verdict, because=because, decisions=tuple(decisions), findings=findings)


def _red(outcome: Outcome) -> list[Decision]:
    return [each for each in outcome.decisions if each.counts and each.verdict is SeriesVerdict.REGRESSION]


def _name(decision: Decision) -> Name:
    comparison = decision.comparison
    return comparison.kind, comparison.series.endpoint, comparison.series.metric.name


def _rule(decision: Decision) -> BudgetRule:
    kind, endpoint, metric = _name(decision)
    budget = decision.comparison.budget
    return BudgetRule(
        kind=kind,
        metric=metric,
        endpoint=endpoint,
        role=Role.REQUIRED,
        change=budget.change,
        margin=budget.margin,
        floor=budget.floor,
    )


def _silenced(policy: GatePolicy) -> Iterable[BudgetRule]:
    """Rules for endpoints are stronger than those for all: each has to be taken back by one of its own."""
    named = [rule for rule in policy.budgets if rule.endpoint is not None]
    return (replace(rule, role=Role.ADVISORY, change=None, margin=None, floor=None) for rule in named)


def _verdicts(again: Outcome) -> dict[Name, SeriesVerdict]:
    return {_name(each): each.verdict for each in again.decisions if each.counts}


def _repeated(verdict: SeriesVerdict | None) -> Repeated:
    if verdict in {None, SeriesVerdict.NOT_COMPARED}:
        return Repeated.UNKNOWN
    return Repeated.CONFIRMED if verdict is SeriesVerdict.REGRESSION else Repeated.NOT_CONFIRMED


def _without_others(said: dict[Name, Repeated]) -> dict[Name, Repeated]:
    """What all endpoints share is confirmed by those that were red: others may have made it red the second time."""
    named = {repeated for (_, endpoint, _), repeated in said.items() if endpoint != ALL_ENDPOINTS}
    if not named or Repeated.CONFIRMED in named:
        return said
    shared = {name for name, repeated in said.items() if name[1] == ALL_ENDPOINTS and repeated is Repeated.CONFIRMED}
    instead = Repeated.NOT_CONFIRMED if Repeated.NOT_CONFIRMED in named else Repeated.UNKNOWN
    return {name: instead if name in shared else repeated for name, repeated in said.items()}


def _after(decision: Decision, repeated: Repeated | None) -> Decision:
    if repeated is None:
        return decision
    because = say.Repeated(of=decision.because, word=repeated)
    if repeated is Repeated.NOT_CONFIRMED:
        return replace(decision, verdict=SeriesVerdict.INCONCLUSIVE, because=because)
    return replace(decision, because=because)


def _why(again: Outcome | None) -> Reason:
    return say.NoSecondRun() if again is None else again.because
