"""Whether the policy's limits met anything: what nothing was held against must not pass in silence."""

from collections.abc import Iterator
from difflib import get_close_matches

from perfci.judge import lines
from perfci.judge.policy import matches
from perfci.judge.validity.case import Case, listed, warning
from perfci.model import ALL_ENDPOINTS, Finding, Reference


def unmatched(case: Case) -> Iterator[Finding]:
    """Names in the policy that no measured endpoint has: a typo, or an endpoint that is gone."""
    counted = {name for census in case.run.census.values() for name in census.endpoints}
    known = sorted({*lines.endpoints(case.measured), *lines.endpoints(case.alike), *counted, ALL_ENDPOINTS})
    if len(known) == 1:
        return
    reference = Reference.REF if case.baseline is None else Reference.BASELINE
    budgets = case.policy.budgets.get(reference, {}).values()
    patterns = {one.pattern for by_metric in budgets for budget in by_metric.values() for one in budget.endpoints}
    for where, named in (("[[gate.override]]", patterns), ("[[gate.slo]]", {slo.endpoint for slo in case.policy.slos})):
        for pattern in sorted(named):
            if not any(matches(pattern, name) for name in known):
                near = get_close_matches(pattern, known, n=1) or [name for name in known if name != ALL_ENDPOINTS][:3]
                message = f"{where} names {pattern!r}, which no request was made to"
                yield warning("endpoint-unknown", message, f"Measured: {listed(near)}.")


def too_few(case: Case) -> Iterator[Finding]:
    """Endpoints that were asked for on both sides, and nowhere often enough for their times to be compared."""
    both = lines.endpoints(case.alike) & lines.endpoints(case.candidate)
    kinds = {one.kind for one in case.candidate}
    least = case.policy.min_requests
    rare = []
    for name in sorted(both):
        counts = [
            max(lines.fewest([one for one in side if one.kind is kind], name) for side in (case.alike, case.candidate))
            for kind in kinds
        ]
        if max(counts) < least:
            rare.append(name)
    if rare:
        message = f"{len(rare)} of {len(both)} endpoints had too few requests to compare their times: {listed(rare)}"
        yield warning(
            "few-requests", message, f"At least {least} in every round are needed: longer rounds, or more users."
        )
