"""Checks that the level was stable: within each round, and from the first block to the last."""

from collections.abc import Iterator
from math import expm1, log, sqrt

import numpy as np

from perfci.judge.stats.student import Estimate
from perfci.judge.validity.case import Case, Rounds, of, under_load
from perfci.model import ALL_ENDPOINTS, Finding, Round, RoundKind, Side
from perfci.sentences import drift as say

DRIFT = log(1.25)
"""
Of the level of the 95th percentiles of single seconds, second half of a round against the first, averaged over rounds.
One round of ordinary noise may reach it (108 real ones: standard deviation 8 %, once 39 %); the mean of three does not.
"""

CHANCE = 0.001
"""p-value above which the drift of a side's rounds may be chance."""

LEAST_ROUNDS = 3
LEAST_SECONDS = 4

MOVED = log(1.25)
"""
Largest tolerated change of the mean over all endpoints, from the first half of the blocks to the second. On 108 real
rounds it was at most 10 %.
"""

LEAST_BLOCKS = 4

_CENTRES = {RoundKind.DUET: "service_time", RoundKind.LOAD: "trimmed_gmean"}


def within_rounds(case: Case) -> Iterator[Finding]:
    """
    Rounds that get faster, or slower, from their first half to their second.

    Getting faster on every side means that the warm-up was too short. Getting slower is growth: of data, of a queue, of
    memory; the mean of such a round describes no steady state, and the longer round would give another one.
    """
    plan = case.run.fingerprint.plan
    if plan is not None and plan.stages:  # the load itself changes
        return
    drifts = {side: _drift(own) for side in Side if (own := under_load(of(case.measured, side)))}
    faster = [side for side, drift in drifts.items() if drift <= -DRIFT]
    slower = [side for side, drift in drifts.items() if drift >= DRIFT]
    if faster:
        share = max(-expm1(drifts[side]) for side in faster)
        yield say.Faster(sides=tuple(faster), measured=tuple(drifts), share=share)
    if slower:
        share = max(expm1(drifts[side]) for side in slower)
        yield say.Slower(sides=tuple(slower), measured=tuple(drifts), share=share)


def _drift(rounds: Rounds) -> float:
    """The mean drift of the rounds as a log ratio, or 0 where it may be chance."""
    known = [drift for round_ in rounds if (drift := _halves(round_)) is not None]
    if len(known) < LEAST_ROUNDS:
        return 0.0
    mean, error = float(np.mean(known)), float(np.std(known, ddof=1)) / sqrt(len(known))
    lucky = error > 0 and Estimate(abs(mean), error, len(known) - 1).p_greater > CHANCE
    return 0.0 if lucky else mean


def _halves(round_: Round) -> float | None:
    lines = [second.p95_ms for second in round_.seconds if second.p95_ms]
    if len(lines) < LEAST_SECONDS:
        return None
    logs, half = np.log(lines), len(lines) // 2
    return float(logs[-half:].mean() - logs[:half].mean())


def across_blocks(case: Case) -> Iterator[Finding]:
    """A machine whose speed changed during the measurement: pairs are robust to it, limits and stored runs are not."""
    moves = {
        (side, kind): move
        for side in Side
        for kind in _CENTRES
        if abs(move := _move([round_ for round_ in of(case.measured, side) if round_.kind is kind], _CENTRES[kind]))
        >= MOVED
    }
    if moves:
        largest = max(moves.values(), key=abs)
        yield say.LevelMoved(
            sides=tuple(sorted({side for side, _ in moves})),
            measured=tuple(sorted({round_.side for round_ in case.measured})),
            share=expm1(abs(largest)),
            slower=largest > 0,
        )


def _move(rounds: Rounds, centre: str) -> float:
    """Log ratio of the later blocks' mean level to the earlier ones', over the endpoints that all blocks saw."""
    blocks: dict[int, list[Round]] = {}
    for round_ in sorted(rounds, key=lambda round_: round_.started_at):
        blocks.setdefault(round_.block, []).append(round_)
    if len(blocks) < LEAST_BLOCKS:
        return 0.0
    names = set.intersection(
        *({n for n, seen in round_.endpoints.items() if seen.values.get(centre, 0) > 0} for round_ in rounds)
    )
    names -= {ALL_ENDPOINTS}
    if not names:
        return 0.0
    ordered = sorted(names)
    levels = [
        np.mean([log(round_.endpoints[n].values[centre]) for round_ in block for n in ordered])
        for block in blocks.values()
    ]
    half = len(levels) // 2
    return float(np.mean(levels[-half:]) - np.mean(levels[:half]))
