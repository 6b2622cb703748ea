"""Checks that the policy's limits apply to something: a limit without data must not pass silently."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from perfci.judge.budgets import by_metric, matches, with_required
from perfci.judge.compare import block_means
from perfci.judge.validity.case import Case, Rounds
from perfci.model import ALL_ENDPOINTS, Finding, Reference, Role
from perfci.sentences import limits as say


def unmatched(case: Case) -> Iterator[Finding]:
    """Names in the policy that no measured endpoint has: a typo, or an endpoint that is gone."""
    counted = {name for census in case.run.census.values() for name in census.endpoints}
    known = sorted({*block_means.endpoints(case.measured), *block_means.endpoints(case.alike), *counted, ALL_ENDPOINTS})
    if len(known) == 1:
        return
    reference = Reference.REF if case.baseline is None else Reference.BASELINE
    patterns = {rule.endpoint for rule in case.policy.budgets if rule.endpoint and rule.reference in {None, reference}}
    for where, named in (("[[gate.override]]", patterns), ("[[gate.slo]]", _of_slos(case))):
        for pattern in sorted(named):
            if not any(matches(pattern, name) for name in known):
                near = get_close_matches(pattern, known, n=1) or [name for name in known if name != ALL_ENDPOINTS][:3]
                yield say.EndpointUnknown(table=where, pattern=pattern, near=tuple(near))


def _of_slos(case: Case) -> set[str]:
    return {pattern for slo in case.policy.slos for pattern in slo.members or (slo.endpoint,)}


def too_few(case: Case) -> Iterator[Finding]:
    """
    Endpoints that got requests on both sides, but too few to compare the required times.

    What is asked once at the start of a user has no turns of its own, and under load it is compared.
    """
    both = block_means.endpoints(case.alike) & block_means.endpoints(case.candidate)
    sides = (case.alike, case.candidate)
    rounds = {
        kind: [[round_ for round_ in side if round_.kind is kind] for side in sides]
        for kind in {round_.kind for round_ in case.candidate}
    }
    reference = Reference.REF if case.baseline is None else Reference.BASELINE
    rules = with_required(case.policy.budgets, reference, rounds)
    required = [
        rounds[kind]
        for kind in rounds
        if any(budget.role is Role.REQUIRED for budget in by_metric(rules, reference, kind).values())
    ]
    least = case.policy.min_requests
    rare = [
        name for name in sorted(both) if _asked(name, rounds.values()) < least or 1 < _asked(name, required) < least
    ]
    if rare:
        yield say.FewRequests(endpoints=tuple(rare), measured=len(both), least=least)


def _asked(name: str, kinds: Iterable[Sequence[Rounds]]) -> int:
    """Requests in the poorest round of the richer side, of the kind of round that had most; each with both sides."""
    return max((block_means.fewest(side, name) for sides in kinds for side in sides), default=0)
