"""What every check of validity looks at, and the rule that says whom a finding blames."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from perfci.judge import comparability
from perfci.model import (
    ALL_ENDPOINTS,
    Baseline,
    Finding,
    GatePolicy,
    GeneratorHealth,
    Round,
    RoundKind,
    Run,
    Side,
    Weight,
)

Rounds = Sequence[Round]

NAMED = 3
"""So many endpoints are listed in one sentence; the table of series has the rest."""


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
    """What was seen of the load generator; nothing of imported rounds."""
    return [round_.generator for round_ in rounds if round_.generator is not None]


def under_load(rounds: Rounds) -> Rounds:
    """The load rounds."""
    return [round_ for round_ in rounds if round_.kind is RoundKind.LOAD]


def total(rounds: Rounds) -> tuple[int, int]:
    """The sum of requests and of failures of all rounds."""
    seen = [line for round_ in rounds for name, line in round_.endpoints.items() if name != ALL_ENDPOINTS]
    return sum(line.requests for line in seen), sum(line.failures for line in seen)


def invalid(code: str, message: str, hint: str = "") -> Finding:
    """A finding that makes the run invalid."""
    return Finding(code=code, weight=Weight.INVALID, message=message, hint=hint)


def warning(code: str, message: str, hint: str = "") -> Finding:
    """A finding that the reader should know and that does not change the verdict."""
    return Finding(code=code, weight=Weight.WARNING, message=message, hint=hint)


def regression(code: str, message: str, hint: str = "") -> Finding:
    """A finding that counts as a regression of the candidate."""
    return Finding(code=code, weight=Weight.REGRESSION, message=message, hint=hint)


def blame(
    case: Case, base: Rounds, code: str, *, shows: Callable[[Rounds], bool], what: str, hint: str
) -> Iterator[Finding]:
    """Red where only the candidate shows it, invalid where the reference *base* does too or there is none."""
    candidate, reference = shows(case.candidate), shows(base)
    if candidate and base and not reference:
        yield regression(code, f"The candidate {what}; the reference did not", hint)
    elif candidate or shows(of(case.measured, Side.BASE)):
        who = "The candidate" if not base else "Both sides" if candidate else "The reference"
        yield invalid(code, f"{who} {what}", hint)


def listed(names: Sequence[str]) -> str:
    """A few of the names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
