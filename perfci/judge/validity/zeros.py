"""
The probability of zeros in rounds: no request in a round, none to an endpoint, or no success.

Where nothing was counted, the load may not have come by: two identical sides of a profile whose users think for ten
seconds see one request and none. A zero is held against a side only if it had a chance below `ALPHA` under the
reference's own rate, for all rounds and endpoints together that a rule looks at (Bonferroni).
"""

from collections.abc import Iterable, Sequence
from math import inf

from perfci.judge.compare import block_means
from perfci.judge.stats import exact, rare
from perfci.judge.stats.exact import Count
from perfci.judge.validity.case import Rounds, total
from perfci.model import Round, RoundKind

ALPHA = 1e-4
"""
The chance of a false alarm that each rule spends on its zeros, in a whole run and beside the gate's own alpha. Half a
dozen rules together stay below a tenth of that alpha's default (0.01).
"""

UNEVEN = 4.0
"""
Shape of the rates of load rounds, at most: two rounds of the same load may differ by half (1 / sqrt(4)), however well
the few rounds of a reference agree. With it about forty requests have to be due in a round that has none. Both sides of
a duet take the same turns, which leaves nothing to differ.
"""


def requests(round_: Round) -> int:
    """Requests of a round, of all endpoints together."""
    return total([round_])[0]


def of_kind(rounds: Rounds, kind: RoundKind) -> list[Round]:
    """The rounds of one kind."""
    return [round_ for round_ in rounds if round_.kind is kind]


def chance_of_silence(here: Rounds, reference: Rounds, *, watched: Rounds = ()) -> float:
    """
    The chance of no request in all of the rounds *here*, at the rate of the *reference*'s rounds; 1 without a rate.

    How requests come together is read from the seconds of the reference, or of the *watched* rounds where a stored
    reference has none.
    """
    chances = [1.0]
    for kind in {round_.kind for round_ in here}:
        known, silent = of_kind(reference, kind), of_kind(here, kind)
        counts = [requests(round_) for round_ in known]
        if sum(counts):
            clusters = together(known) if any(round_.seconds for round_ in known) else together(of_kind(watched, kind))
            chances.append(
                rare.chance_of_none(
                    sum(counts),
                    there=sum(map(_exposure, known)),
                    here=sum(map(_exposure, silent)),
                    clusters=clusters,
                    shape=_shape(kind, counts, clusters),
                )
            )
    return min(chances)  # nothing in all kinds of rounds has at most the chance of nothing in one


def chance_of_absence(name: str, here: Rounds, reference: Rounds) -> float:
    """The chance that none of the requests *here* was for an endpoint, at its share of the *reference*'s requests."""
    chances = [1.0]
    for kind in {round_.kind for round_ in here}:
        known = of_kind(reference, kind)
        counts = [round_.endpoints[name].requests if name in round_.endpoints else 0 for round_ in known]
        asked = sum(map(requests, of_kind(here, kind)))
        if sum(counts) and asked:
            clusters = together(known)
            chances.append(
                rare.chance_of_none(
                    sum(counts),
                    there=sum(map(requests, known)),
                    here=asked,
                    clusters=clusters,
                    shape=_shape(kind, counts, clusters),
                )
            )
    return min(chances)


def absent(there: Rounds, here: Rounds) -> list[str]:
    """The endpoints with requests *there* and none *here*, often enough to exclude chance."""
    names = block_means.endpoints(there)
    gone = names - block_means.endpoints(here)
    return sorted(name for name in gone if chance_of_absence(name, here, there) * len(names) < ALPHA)


def together(rounds: Iterable[Round]) -> float:
    """How many requests come at once, estimated from the seconds of the rounds; 1 without any."""
    return rare.index_of_dispersion(
        [[second.requests for second in round_.seconds] for round_ in rounds if round_.seconds]
    )


def _shape(kind: RoundKind, counts: Sequence[float], clusters: float) -> float:
    most = UNEVEN if kind is RoundKind.LOAD else inf
    return min(most, rare.shape_of_rates(counts, clusters=clusters))


def _exposure(round_: Round) -> float:
    """User seconds of the rounds."""
    users = round_.generator.users_wanted if round_.generator else 1
    return max(round_.duration_s, 1e-9) * max(1, users)


def chance_of_failing(base: Sequence[Count], candidate: Sequence[Count]) -> float:
    """The chance that the *candidate* fails as often as it does, of as many requests, at the *base*'s own rate."""
    return exact.fisher(exact.effective(base), exact.effective(candidate))[0]


def chance_of_no_success(name: str, base: Rounds, candidate: Rounds) -> float:
    """The chance that each of the candidate's requests for an endpoint fails, at the reference's own rate."""
    return chance_of_failing(block_means.counts(base, name), block_means.counts(candidate, name))
