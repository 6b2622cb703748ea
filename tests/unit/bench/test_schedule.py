"""The two parts of the scatter of a block, and what follows for a schedule."""

from math import inf

import numpy as np
import pytest

from bench.corpora import DuetBlock, DuetCorpus
from bench.schedule import Scatter, scatter


def corpus(*, start: float, turn: float, blocks: int = 60, turns: int = 400) -> DuetCorpus:
    """Turns of 10 ms whose blocks scatter by *start* and whose turns by *turn*, both as logs."""
    rng = np.random.default_rng(3)
    duets = []
    for number in range(blocks):
        luck = start * rng.standard_normal()
        base, candidate = (10 * np.exp(turn * rng.standard_normal(turns)) for _ in range(2))
        duets.append(DuetBlock(number, {"GET /": (base, candidate * np.exp(luck))}))
    return DuetCorpus("made up", tuple(duets), identical=True)


@pytest.mark.parametrize(("start", "turn"), [(0.02, 0.001), (0.0, 0.2)])
def test_both_parts_are_told_apart(start: float, turn: float) -> None:
    """What only starts scatter is not put down to turns, and the other way round."""
    known = scatter(corpus(start=start, turn=turn))
    assert known.start == pytest.approx(start, abs=0.006)
    assert (known.second > 0.01) == (turn > 0.01)


def test_cheap_starts_ask_for_short_blocks() -> None:
    """Where the luck of a start rules, more starts beat more turns; where turns rule, it is the other way round."""
    lucky = Scatter(corpus="", start=0.01, second=0.001, measured=())
    restless = Scatter(corpus="", start=0.0, second=0.02, measured=())

    def errors(scatter: Scatter) -> list[float]:
        return [scatter.error(total_s=90, start_s=2, block_s=length) for length in (1, 4, 16)]

    assert errors(lucky) == sorted(errors(lucky))
    assert errors(restless) == sorted(errors(restless), reverse=True)
    assert lucky.error(total_s=30, start_s=9, block_s=8) == inf
