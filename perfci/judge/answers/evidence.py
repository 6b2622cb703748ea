"""
Describes how the answers of an endpoint differ from the reference's.

A difference has to be large, and no chance. A token or a time of day in the body changes neither its size by half nor
its headers, and one odd answer proves nothing. Requests that failed are left to the failure rate.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import log2, sqrt
from statistics import median

from perfci.judge.stats import exact, welch
from perfci.judge.stats.exact import Count
from perfci.judge.validity import zeros
from perfci.judge.validity.case import Rounds
from perfci.model import ENOUGH, Answers, RoundKind, Tally
from perfci.sentences.answers import Difference, Kinds, Sizes

SIZE_SHARE, SIZE_BYTES = 0.5, 256
"""
The median body size differs if it differs by more than this share of the reference's and by more than so many bytes.
"""

OTHER_SHARE = 0.01
"""Smallest share of answers with another status or form that is reported."""

TESTS = 6
"""Number of tests for each endpoint: sizes in turns and under load, statuses, three parts of a form."""

_FORM = ("content type", "compression", "protocol")


def difference(name: str, base: Rounds, candidate: Rounds, *, endpoints: int) -> Difference:
    """
    How the answers of endpoint *name* differ; empty where they do not.

    A difference counts if it had a chance below `zeros.ALPHA` over all tests of so many *endpoints*.
    """
    chance = zeros.ALPHA / (TESTS * max(1, endpoints))
    before, after = _seen(name, base), _seen(name, candidate)
    found = (compare(before, after, chance) for compare in (_sizes, _statuses, _forms))
    return tuple(each for several in found for each in several)


def other_failures(name: str, base: Rounds, candidate: Rounds, *, endpoints: int) -> tuple[str, str] | None:
    """
    The kind of failure that became rarer and the one that became more frequent, where an endpoint fails on both sides.
    """
    before, after = ([_named(answers.failures) for _, answers in _seen(name, side)] for side in (base, candidate))
    moved = _moved(before, after, zeros.ALPHA / max(1, endpoints))
    return None if moved is None else (moved[1], moved[2])


def other_size(before: Tally, after: Tally) -> Difference:
    """How the body sizes that the census counted differ; empty where they do not."""
    if min(before.requests, after.requests) < ENOUGH or not _another_size(before.mean, after.mean):
        return ()
    if not (before.constant and after.constant):
        found = welch.difference(welch.sample(before), welch.sample(after))
        if min(found.p_greater, found.p_smaller) >= zeros.ALPHA:
            return ()
    return (Sizes(before.mean, after.mean, counted=True),)


_Seen = list[tuple[RoundKind, Answers]]


def _seen(name: str, rounds: Rounds) -> _Seen:
    return [(round_.kind, round_.answers[name]) for round_ in rounds if name in round_.answers]


def _sizes(before: _Seen, after: _Seen, chance: float) -> Iterator[Sizes]:
    """
    The first kind of round in which the sizes differ, turns before load.

    Under load the faster side of a service that keeps what it is sent has more to answer with: that bodies grew is said
    of turns alone where there are any, since there both sides were asked the same.
    """
    turns = all(any(kind is RoundKind.DUET for kind, _ in side) for side in (before, after))
    for kind in (RoundKind.DUET, RoundKind.LOAD):
        old, new = ([answers for each, answers in side if each is kind] for side in (before, after))
        known = [[answers.median_bytes for answers in side if answers.median_bytes is not None] for side in (old, new)]
        if not all(known):
            continue
        typical, now = (median(side) for side in known)
        grown_under_load = turns and kind is RoundKind.LOAD and now > typical
        border = sqrt(max(1, typical) * max(1, now))
        if _another_size(typical, now) and not grown_under_load and _apart(old, new, border) < chance:
            yield Sizes(typical, now, counted=False)
            return


def _another_size(before: float, after: float) -> bool:
    return abs(after - before) > max(SIZE_BYTES, SIZE_SHARE * before)


def _apart(before: list[Answers], after: list[Answers], border: float) -> float:
    """The p-value of the difference between both sides' shares of bodies below the *border*."""
    limit = 1 + int(4 * log2(border))
    shares = [
        exact.effective(
            [
                Count(sum(count for size, count in answers.sizes.items() if size <= limit), sum(answers.sizes.values()))
                for answers in side
            ]
        )
        for side in (before, after)
    ]
    return min(exact.fisher(*shares))


def _statuses(before: _Seen, after: _Seen, chance: float) -> Iterator[Kinds]:
    moved = _moved(
        [_named(answers.statuses) for _, answers in before], [_named(answers.statuses) for _, answers in after], chance
    )
    if moved is not None:
        yield Kinds("status", *moved)


def _named(statuses: Mapping[int, int]) -> dict[str, int]:
    return {str(status) if status else "no answer": count for status, count in statuses.items()}


def _forms(before: _Seen, after: _Seen, chance: float) -> Iterator[Kinds]:
    for position, what in enumerate(_FORM):
        old, new = ([_part(answers.forms, position) for _, answers in side] for side in (before, after))
        if (moved := _moved(old, new, chance)) is not None:
            yield Kinds(what, *moved)


def _part(forms: Mapping[str, int], position: int) -> Counter[str]:
    counted: Counter[str] = Counter()
    for form, count in forms.items():
        parts = form.split("; ")
        counted[parts[position] if position < len(parts) else ""] += count
    return counted


def _moved(
    before: Sequence[Mapping[str, int]], after: Sequence[Mapping[str, int]], chance: float
) -> tuple[float, str, str] | None:
    """
    The share of answers of another kind, with the kind that lost most and the one that gained most.

    None where it is too small a share, or may be chance. Each mapping counts the answers of one round by kind.
    """
    kinds = sorted({kind for counts in (*before, *after) for kind in counts})
    sides = [[sum(counts.values()) for counts in side] for side in (before, after)]
    if len(kinds) < 2 or not all(map(sum, sides)):
        return None
    shifts, unlikely = {}, False
    for kind in kinds:
        old, new = (
            [Count(counts.get(kind, 0), total) for counts, total in zip(side, totals, strict=True)]
            for side, totals in zip((before, after), sides, strict=True)
        )
        shifts[kind] = exact.pool(new).share - exact.pool(old).share
        large = abs(shifts[kind]) > OTHER_SHARE
        p = min(exact.fisher(exact.effective(old), exact.effective(new))) if large else 1.0
        unlikely = unlikely or p * len(kinds) < chance
    if not unlikely:
        return None
    lost, gained = min(kinds, key=lambda kind: shifts[kind]), max(kinds, key=lambda kind: shifts[kind])
    return sum(abs(shift) for shift in shifts.values()) / 2, lost, gained
