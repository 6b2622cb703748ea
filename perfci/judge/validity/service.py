"""Checks the service: whether it died, failed, or did not answer."""

from collections import Counter
from collections.abc import Iterator

from perfci.judge.compare import block_means, failures
from perfci.judge.compare.failures import FEWEST
from perfci.judge.stats.exact import Count
from perfci.judge.validity import zeros
from perfci.judge.validity.case import Case, Rounds, healths, of, total, who_shows
from perfci.model import ALL_ENDPOINTS, Finding, Round, Side
from perfci.sentences import Shows
from perfci.sentences import service as say
from perfci.sentences.finding import times

SOME_FAIL, MOST_FAIL = 0.05, 0.5
"""Shares of the requests, failing on both sides: above the first that is told, above the second it invalidates."""


def deaths(case: Case) -> Iterator[Finding]:
    """The service died or was restarted; one that came back was gone for a while all the same."""
    notes = [target.note for round_ in case.measured if (target := round_.target) and not target.alive and target.note]
    who = who_shows(
        case,
        case.base,
        lambda rounds: any((target := round_.target) and (not target.alive or target.restarts) for round_ in rounds),
    )
    if who is not None:
        yield say.Died(who=who, note=notes[0] if notes else "")


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
            yield say.NoAnswer(because=_silent_because(case.candidate))
        else:
            yield say.NoAnswerByChance(reference_requests=there)
    elif silent:
        yield say.NoRequests(sides=tuple(silent), because=_silent_because(case.measured))
    else:
        yield from _silent_rounds(case)


def _silent_because(rounds: Rounds) -> str:
    """What the users did instead of sending requests, by the first round that knows."""
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
    if not base and any(unlikely(round_, case.alike) for round_ in candidate):
        yield say.SilentRound(who=Shows.CANDIDATE_ALONE)
    elif strange:
        with_candidate = len(strange) > len(base)
        both = bool(base) and with_candidate
        yield say.SilentRound(who=Shows.BOTH if both else Shows.CANDIDATE if with_candidate else Shows.REFERENCE)
    elif silent and (own := [round_ for round_ in silent if any(round_ is other for other in case.measured)]):
        yield say.SilentByChance(silent=len(own), rounds=len(case.measured))


def everything_failed(case: Case) -> Iterator[Finding]:
    """No request to any endpoint succeeded; red where the reference's own failure rate makes that unlikely."""

    def shows(rounds: Rounds) -> bool:
        requests, failures = total(rounds)
        return requests > 0 and failures == requests

    errors = [times(count, message) for round_ in case.candidate for message, count in round_.errors.items()]
    first = errors[0] if errors else ""
    base, candidate = ([Count(*reversed(total([round_]))) for round_ in side] for side in (case.base, case.candidate))
    lucky = not shows(case.base) and zeros.chance_of_failing(base, candidate) >= zeros.ALPHA
    if case.base and shows(case.candidate) and lucky:
        yield say.TooFewFailed(requests=total(case.candidate)[0], first=first)
    elif (who := who_shows(case, case.base, shows)) is not None:
        yield say.EverythingFailed(who=who, first=first)


def failing_on_both(case: Case) -> Iterator[Finding]:
    """
    A load that fails on both sides alike: only the remaining requests, or error responses, are compared.

    Where everything failed, that is told by itself.
    """
    sides = [total(side) for side in (case.base, case.candidate) if side]
    if any(failures < FEWEST or failures == requests for requests, failures in sides):
        return
    shares = tuple(failures / requests for requests, failures in sides)
    if min(shares) > MOST_FAIL:
        yield say.MostlyFailing(shares=shares, commonest=_commonest(case))
    elif min(shares) > SOME_FAIL:
        yield say.PartlyFailing(shares=shares, commonest=_commonest(case))


def _commonest(case: Case) -> str:
    """The error that came most often on either side, with its count."""
    errors: Counter[str] = Counter()
    for round_ in case.measured:
        errors.update(round_.errors)
    return next((times(count, message) for message, count in errors.most_common(1)), "")


def failing_endpoints(case: Case) -> Iterator[Finding]:
    """
    Endpoints that fail on one side: quick failures must not look like an improvement.

    One that never succeeds is red by itself, unless its requests are so few that they may all have failed by chance at
    the reference's own rate; a share that grew is judged by the failure rate, and said here because the times of the
    rest are no longer those of the same requests.
    """
    broken: list[str] = []
    few: list[str] = []
    both: list[str] = []
    grown: list[tuple[str, float, float]] = []
    failed = {name for round_ in case.candidate for name, seen in round_.endpoints.items() if seen.failures}
    asked = block_means.endpoints(case.candidate)
    for name in sorted(failed - {ALL_ENDPOINTS}):
        jump = failures.jump(name, case.base, case.candidate)
        if failures.always(name, case.candidate):
            chance = zeros.chance_of_no_success(name, case.base, case.candidate)
            lucky = chance * len(asked) >= zeros.ALPHA if case.base else False
            (both if failures.always(name, case.base) else few if lucky else broken).append(name)
        elif jump is not None:
            grown.append((name, jump.base, jump.candidate))
    if total(case.candidate)[0] == total(case.candidate)[1]:
        return
    if broken and case.base:
        yield say.EndpointFailed(endpoints=tuple(broken))
    if both or (broken and not case.base):
        yield say.EndpointBroken(endpoints=tuple(both or broken), both=bool(both))
    if few:
        yield say.EndpointFailedByChance(endpoints=tuple(few))
    if grown:
        yield say.FailuresGrown(grown=tuple(grown))
