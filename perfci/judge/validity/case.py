"""The input of every validity check, and the rule that attributes a finding to a side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from perfci.judge import comparability
from perfci.model import (
    ALL_ENDPOINTS,
    Baseline,
    GatePolicy,
    GeneratorHealth,
    Round,
    RoundKind,
    Run,
    Side,
)
from perfci.sentences import Shows

Rounds = Sequence[Round]


@dataclass(frozen=True, slots=True)
class Case:
    """One run with its reference: the run's own base, or the stored runs."""

    run: Run
    baseline: Baseline | None  # None: against the run's own base
    policy: GatePolicy
    base: Rounds  # of the reference: shows what the service did before
    alike: Rounds  # those of them that had the same load on the same class of machine
    candidate: Rounds
    measured: Rounds  # by this run, of the sides that are judged


def case_of(run: Run, baseline: Baseline | None, policy: GatePolicy) -> Case:
    """The case of *run*, against its own base or against *baseline*."""
    candidate = [round_ for round_ in run.rounds if round_.side is Side.CANDIDATE]
    if baseline is None:
        base = [round_ for round_ in run.rounds if round_.side is Side.BASE]
        return Case(run, baseline, policy, base, base, candidate, run.rounds)
    alike = _candidates(comparability.comparable(run, baseline))
    return Case(run, baseline, policy, _candidates(baseline.runs), alike, candidate, candidate)


def _candidates(runs: Sequence[Run]) -> list[Round]:
    return [round_ for run in runs for round_ in run.rounds if round_.side is Side.CANDIDATE]


def of(rounds: Rounds, side: Side) -> Rounds:
    """The rounds of one side."""
    return [round_ for round_ in rounds if round_.side is side]


def healths(rounds: Rounds) -> list[GeneratorHealth]:
    """The health of the load generator in each round; empty for imported rounds."""
    return [round_.generator for round_ in rounds if round_.generator is not None]


def under_load(rounds: Rounds) -> Rounds:
    """The load rounds."""
    return [round_ for round_ in rounds if round_.kind is RoundKind.LOAD]


def total(rounds: Rounds) -> tuple[int, int]:
    """The sum of requests and of failures of all rounds."""
    seen = [line for round_ in rounds for name, line in round_.endpoints.items() if name != ALL_ENDPOINTS]
    return sum(line.requests for line in seen), sum(line.failures for line in seen)


def who_shows(case: Case, base: Rounds, shows: Callable[[Rounds], bool]) -> Shows | None:
    """The side to which a finding that *shows* in a round is attributed; None where it shows on none."""
    candidate = shows(case.candidate)
    if candidate and base and not shows(base):
        return Shows.CANDIDATE_ALONE
    if candidate or shows(of(case.measured, Side.BASE)):
        return Shows.CANDIDATE if not base else Shows.BOTH if candidate else Shows.REFERENCE
    return None
