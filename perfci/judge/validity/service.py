"""What the service did: it died, failed, or did not answer."""

from collections import Counter
from collections.abc import Iterator

from perfci.judge.compare import block_means, failures
from perfci.judge.compare.failures import FEWEST
from perfci.judge.stats.exact import Count
from perfci.judge.validity import zeros
from perfci.judge.validity.case import Case, Rounds, blame, healths, invalid, listed, of, regression, total, warning
from perfci.model import ALL_ENDPOINTS, Finding, Round, Side, Weight

RARE = "Let the rounds be longer, or have more users, so that some requests are due in each."
"""What to do where a zero may be chance."""

SOME_FAIL, MOST_FAIL = 0.05, 0.5
"""Shares of the requests, failing on both sides: above the first that is told, above the second it invalidates."""


def deaths(case: Case) -> Iterator[Finding]:
    """The service died or was restarted; one that came back was gone for a while all the same."""
    notes = [target.note for round_ in case.measured if (target := round_.target) and not target.alive and target.note]
    return blame(
        case,
        case.base,
        "target-died",
        shows=lambda rounds: any(
            (target := round_.target) and (not target.alive or target.restarts) for round_ in rounds
        ),
        what="died or restarted under measurement",
        hint=notes[0] if notes else "See the log of the service.",
    )


def silence(case: Case) -> Iterator[Finding]:
    """
    No request was completed: on a whole side, or in single rounds.

    A side that the load never reached is no one's regression, unless the reference answered the same load, and so often
    that the load cannot have missed the candidate by chance. Rounds that stay silent between others are the service's,
    unless both sides know them.
    """
    if not all(round_.survived for round_ in case.measured):
        return
    silent = [side for side in Side if (own := of(case.measured, side)) and total(own)[0] == 0]
    if silent == [Side.CANDIDATE] and (there := total(case.alike)[0]):
        if zeros.chance_of_silence(case.candidate, case.alike) < zeros.ALPHA:
            why = _silent_because(case.candidate)
            hint = f"{why or 'Its requests hang'}: see the logs of the service and of the load."
            message = "The candidate answered no request; the reference did, under the same load"
            yield regression("no-answer", message, hint)
        else:
            message = f"The candidate answered no request, and the reference {there}: that may be chance"
            yield invalid("no-requests", message, RARE)
    elif silent:
        who = " and ".join(side.value for side in silent)
        why = _silent_because(case.measured)
        message = f"No request to the {who} came to its end{f': {why}' if why else ''}"
        yield invalid("no-requests", message, "Does the load reach the service at all?")
    else:
        yield from _silent_rounds(case)


def _silent_because(rounds: Rounds) -> str:
    """What the users did instead of making requests, as the first round tells that knows it."""
    return next((health.silent_because for health in healths(rounds) if health.silent_because), "")


def _silent_rounds(case: Case) -> Iterator[Finding]:
    """Single rounds without a request: of whom, or by chance."""
    rounds = [*case.alike, *case.candidate]
    silent = [round_ for round_ in rounds if not zeros.requests(round_)]

    def unlikely(round_: Round, reference: Rounds) -> bool:
        looked = len(rounds)
        return zeros.chance_of_silence([round_], reference, watched=case.candidate) * looked < zeros.ALPHA

    def others(round_: Round) -> Rounds:
        return [other for other in rounds if zeros.requests(other) and other.kind is round_.kind]

    strange = [round_ for round_ in silent if unlikely(round_, others(round_))]
    base = [round_ for round_ in strange if any(round_ is other for other in case.alike)]
    candidate = [round_ for round_ in silent if any(round_ is other for other in case.candidate)]
    what, hint = "answered no request in a whole round", "See the log of the service."
    if not base and any(unlikely(round_, case.alike) for round_ in candidate):
        yield regression("silent-round", f"The candidate {what}; the reference did not", hint)
    elif strange:
        with_candidate = len(strange) > len(base)
        who = "Both sides" if base and with_candidate else "The candidate" if with_candidate else "The reference"
        yield invalid("silent-round", f"{who} {what}", hint)
    elif silent and (own := [round_ for round_ in silent if any(round_ is other for other in case.measured)]):
        message = f"In {len(own)} of {len(case.measured)} rounds no request was made: by chance, since few are due"
        yield warning("silent-round", message, RARE)


def everything_failed(case: Case) -> Iterator[Finding]:
    """No request succeeded, at any endpoint; red where so many failures are no accident at the reference's own rate."""

    def shows(rounds: Rounds) -> bool:
        requests, failures = total(rounds)
        return requests > 0 and failures == requests

    errors = [f"{count} x {message}" for round_ in case.candidate for message, count in round_.errors.items()]
    hint = f"The first: {errors[0]}" if errors else "See the failures of the run."
    base, candidate = ([Count(*reversed(total([round_]))) for round_ in side] for side in (case.base, case.candidate))
    lucky = not shows(case.base) and zeros.chance_of_failing(base, candidate) >= zeros.ALPHA
    if case.base and shows(case.candidate) and lucky:
        message = f"All {total(case.candidate)[0]} requests of the candidate failed: too few to blame it"
        yield invalid("everything-failed", message, hint)
        return
    yield from blame(case, case.base, "everything-failed", shows=shows, what="failed every request", hint=hint)


def failing_on_both(case: Case) -> Iterator[Finding]:
    """
    A load that the service refuses, on both sides alike: what is compared is then the rest, or the making of errors.

    Where everything failed, that is told by itself.
    """
    sides = [total(side) for side in (case.base, case.candidate) if side]
    if any(failures < FEWEST or failures == requests for requests, failures in sides):
        return
    share = min(failures / requests for requests, failures in sides)
    if share <= SOME_FAIL:
        return
    shares = [f"{100 * failures / requests:.0f} %" for requests, failures in sides]
    of = f"on both sides ({' and '.join(shares)})" if len(sides) > 1 else f"({shares[0]}), with no reference"
    hint = f"The commonest: {common}" if (common := _commonest(case)) else "See the failures of the run."
    if share > MOST_FAIL:
        yield invalid("mostly-failing", f"Most of the requests fail {of}", hint)
    else:
        message = f"A part of the load fails {of}"
        yield Finding(code="partly-failing", weight=Weight.NOTICE, message=message, hint=hint)


def _commonest(case: Case) -> str:
    """The error that came most often on either side, with its count."""
    errors: Counter[str] = Counter()
    for round_ in case.measured:
        errors.update(round_.errors)
    return next((f"{count} x {message}" for message, count in errors.most_common(1)), "")


def failing_endpoints(case: Case) -> Iterator[Finding]:
    """
    Single endpoints that fail: quick failures must not look like an improvement.

    One that never succeeds is red by itself, unless its requests are so few that they may all have failed by chance at
    the reference's own rate; a share that grew is judged by the failure rate, and said here because the times of the
    rest are no longer those of the same requests.
    """
    broken: list[str] = []
    few: list[str] = []
    both: list[str] = []
    grown: list[str] = []
    failed = {name for round_ in case.candidate for name, seen in round_.endpoints.items() if seen.failures}
    asked = block_means.endpoints(case.candidate)
    for name in sorted(failed - {ALL_ENDPOINTS}):
        jump = failures.jump(name, case.base, case.candidate)
        if failures.always(name, case.candidate):
            chance = zeros.chance_of_no_success(name, case.base, case.candidate)
            lucky = chance * len(asked) >= zeros.ALPHA if case.base else False
            (both if failures.always(name, case.base) else few if lucky else broken).append(name)
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
    if few:
        message = f"Every request of the candidate failed at {listed(few)}: too few to tell it from chance"
        yield warning("endpoint-broken", message, RARE)
    if grown:
        message = f"More requests fail than in the reference: {listed(grown)}"
        yield warning("failures-grown", message, "Times there are those of the requests that still succeed.")
