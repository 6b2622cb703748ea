"""What the service did: it died, failed, or did not answer."""

from collections.abc import Iterator

from perfci.judge.compare import failures
from perfci.judge.validity.case import Case, Rounds, blame, invalid, listed, of, regression, total, warning
from perfci.model import ALL_ENDPOINTS, Finding, Side


def deaths(case: Case) -> Iterator[Finding]:
    """It died, or was restarted; a service that came back was still gone."""
    notes = [one.target.note for one in case.measured if not one.target.alive and one.target.note]
    return blame(
        case,
        case.base,
        "target-died",
        shows=lambda rounds: any(not one.target.alive or one.target.restarts for one in rounds),
        what="died or restarted under measurement",
        hint=notes[0] if notes else "See the log of the service.",
    )


def silence(case: Case) -> Iterator[Finding]:
    """
    Not one request came to its end: on a whole side, or in single rounds.

    A side that the load never reached is no one's regression, unless the same load was answered by the reference.
    Rounds that stay silent between rounds that do not are the service's, unless both sides know them.
    """
    if not all(one.target.alive for one in case.measured):
        return
    silent = [side for side in Side if (own := of(case.measured, side)) and total(own)[0] == 0]
    if silent == [Side.CANDIDATE] and total(case.alike)[0]:
        hint = "Its requests hang, or its users cannot start: see the logs of the service and of the load."
        yield regression("no-answer", "The candidate answered no request; the reference did, under the same load", hint)
        return
    if silent:
        who = " and ".join(side.value for side in silent)
        yield invalid("no-requests", f"No request was made to the {who}", "Does the load reach the service at all?")
        return
    yield from blame(
        case,
        case.base,
        "silent-round",
        shows=lambda rounds: any(total([one])[0] == 0 for one in rounds),
        what="answered no request in a whole round",
        hint="See the log of the service.",
    )


def everything_failed(case: Case) -> Iterator[Finding]:
    """No request succeeded, at any endpoint."""

    def shows(rounds: Rounds) -> bool:
        requests, failures = total(rounds)
        return requests > 0 and failures == requests

    errors = [f"{count} x {message}" for one in case.candidate for message, count in one.errors.items()]
    hint = f"The first: {errors[0]}" if errors else "See the failures of the run."
    return blame(case, case.base, "everything-failed", shows=shows, what="failed every request", hint=hint)


def failing_endpoints(case: Case) -> Iterator[Finding]:
    """
    Single endpoints that fail: fast failures must not look like a win.

    One that never succeeds is red by itself, however few its requests; a share that grew is judged by the failure rate,
    and said here because the times of the rest are no longer those of the same requests.
    """
    broken: list[str] = []
    both: list[str] = []
    grown: list[str] = []
    failed = {name for one in case.candidate for name, seen in one.endpoints.items() if seen.failures}
    for name in sorted(failed - {ALL_ENDPOINTS}):
        jump = failures.jump(name, case.base, case.candidate)
        if failures.always(name, case.candidate):
            (both if failures.always(name, case.base) else broken).append(name)
        elif jump is not None:
            grown.append(f"{name} ({100 * jump.base:.1f} -> {100 * jump.candidate:.1f} %)")
    if total(case.candidate)[0] == total(case.candidate)[1]:
        return
    if broken and case.base:
        yield regression("endpoint-failed", f"Every request of the candidate failed at {listed(broken)}")
    if both or (broken and not case.base):
        message = (
            f"Every request failed at {listed(both or broken)}, {'on both sides' if both else 'with no reference'}"
        )
        yield warning("endpoint-broken", message, "It is not measured: repair the load, or take it out.")
    if grown:
        message = f"More requests fail than in the reference: {listed(grown)}"
        yield warning("failures-grown", message, "Times there are those of the requests that still succeed.")
